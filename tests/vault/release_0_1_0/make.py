"""Makes what lies beside it, with the code of release 0.1.0: ``python -m tests.vault.release_0_1_0.make``.

Needs PostgreSQL and the packages of ``requirements-dev.txt`` (OpenBao is one). Ids and keys are other ones each time.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from tests.earlier import ABSENT, RELEASE_0_1_0, environment, unpacked
from tests.servers import bao, postgres
from vault.keys.transit import Transit, context

HERE = Path(__file__).parent


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        if not unpacked(RELEASE_0_1_0, Path(place, "tree")):
            raise SystemExit(ABSENT)
        on_files(Path(place))
        on_servers(Path(place))


def written(place: Path, folder: Path, rooms: dict[str, Any]) -> None:
    """Run ``write.py`` with the old modules; ``folder`` has what it says of itself."""
    folder.mkdir()
    options = json.dumps({"rooms": rooms | {"trust_clock": True}, "folder": str(folder)})
    tree = place / "tree"
    subprocess.run([sys.executable, HERE / "write.py", options], check=True, cwd=tree, env=environment(tree))


def on_files(place: Path) -> None:
    """SQLite, and epoch keys in files."""
    folder = place / "files"
    data = folder / "data"
    written(place, folder, {"data": str(data), "snapshot_keys": str(folder / "snapshot-keys")})
    target = HERE / "files"
    shutil.rmtree(target, ignore_errors=True)
    for name in ("database", "keys", "secrets"):
        shutil.copytree(data / name, target / "data" / name, ignore=shutil.ignore_patterns("*.lock"))
    for name in ("backups", "snapshots", "snapshot-keys"):
        shutil.copytree(folder / name, target / name)
    shutil.copy(folder / "facts.json", target)


def on_servers(place: Path) -> None:
    """PostgreSQL, and epoch keys in OpenBao, of which the current secret is kept here in clear."""
    folder, target = place / "servers", HERE / "servers"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    with postgres.running() as server, bao.running() as vault:
        transit = vault.transit(place)
        rooms = {
            "data": str(folder / "data"),
            "database_url": server.new_database(migrated=False),
            "keystore_url": server.new_database(migrated=False),
            "transit": json.loads(transit.model_dump_json()),
        }
        written(place, folder, rooms)
        for name in ("database", "keystore"):
            (target / f"{name}.sql").write_text(dumped(rooms[f"{name}_url"]))
        epoch = json.loads((folder / "facts.json").read_text())["epoch"]
        with psycopg.connect(rooms["keystore_url"]) as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()
        assert row is not None
        secret = Transit(transit).decrypt(row[0], context(epoch))
        assert secret is not None
        (target / f"epoch-{epoch}.key").write_bytes(secret)
    shutil.copy(folder / "data" / "secrets" / "root.key", target)
    shutil.copy(folder / "facts.json", target)


def dumped(url: str) -> str:
    """A database as statements that any client can run."""
    folder = postgres.binaries()
    assert folder is not None
    command = [str(folder / "pg_dump"), "--inserts", "--no-owner", "--no-privileges", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if line and not line.startswith(("--", "\\", "SET ", "SELECT "))]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
