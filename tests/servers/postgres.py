"""A PostgreSQL server of our own: started on a Unix socket in a temporary folder, gone at the end."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from tests.servers.child import served
from vault.database.migrate import migrate
from vault.settings import database_url

ACCOUNT = "postgres"


def binaries() -> Path | None:
    """The folder with initdb and postgres, newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), reverse=True)
    if found:
        return found[0].parent
    path = shutil.which("initdb")
    return Path(path).resolve().parent if path else None


class Postgres:
    """A running server. Databases are made on demand."""

    def __init__(self, socket: Path, data: Path) -> None:
        self.socket = socket
        self.data = data
        self._count = 0
        self._made: list[str] = []
        self._template = self._create("template0")
        migrate(database_url(self._template))
        self._made.clear()

    def new_database(self, *, migrated: bool = True) -> str:
        """A database's address, with our tables or empty."""
        return self._create("rooms1" if migrated else "template0")

    def drop_databases(self) -> None:
        """All that were made, whoever is still connected: each is 8 MB in hundreds of files."""
        with self._connection() as connection:
            while self._made:
                connection.execute(f"DROP DATABASE {self._made.pop()} WITH (FORCE)")

    def position(self) -> tuple[str, int]:
        """Where in the WAL the next record goes: file and offset."""
        with self._connection() as connection:
            row = connection.execute("SELECT * FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())").fetchone()
        assert row is not None
        return row[0], row[1]

    def written(self, since: tuple[str, int], url: str) -> bytes:
        """All that is on disk: the WAL since a position, the whole files of one database, the server's log."""
        with self._connection() as connection:
            connection.execute("CHECKPOINT")
            name = url.removeprefix(f"postgresql://{ACCOUNT}@/").partition("?")[0]
            row = connection.execute("SELECT oid FROM pg_database WHERE datname = %s", (name,)).fetchone()
        assert row is not None
        first, offset = since
        wal = [path for path in sorted((self.data / "pg_wal").iterdir()) if path.is_file() and path.name >= first]
        parts = [path.read_bytes()[offset if path.name == first else 0 :] for path in wal]
        parts += [path.read_bytes() for path in (self.data / "base" / str(row[0])).iterdir()]
        return b"".join(parts) + (self.socket / "log").read_bytes()

    def drop_connections(self) -> None:
        """As a server that restarts does."""
        with self._connection() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid != pg_backend_pid()"
            )

    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(f"host={self.socket} user={ACCOUNT} dbname=postgres", autocommit=True)

    def _create(self, template: str) -> str:
        self._count += 1
        name = f"rooms{self._count}"
        with self._connection() as connection:
            # The other strategy writes all of the template into the WAL.
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        self._made.append(name)
        return f"postgresql://{ACCOUNT}@/{name}?host={self.socket}"


@contextlib.contextmanager
def running(*, flushes: bool = False, segment: int = 16) -> Iterator[Postgres]:
    """Start a server; as root it runs as the account ``postgres``, for it refuses to be root.

    One that ``flushes`` keeps its word about what is on disk, and takes as long as that takes. Its WAL is kept in
    segments of so many MiB, of which PostgreSQL keeps two to be used again: proofs read them too.
    """
    folder = binaries()
    assert folder is not None
    user: dict[str, Any] = {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="spreekkamer-pg-") as place:
        if user:
            shutil.chown(place, ACCOUNT, ACCOUNT)
        data = Path(place, "data")
        initialise = [str(folder / "initdb"), "-D", str(data), "-U", ACCOUNT, "-A", "trust", "--no-sync", "-E", "UTF8"]
        initialise.append(f"--wal-segsize={segment}")
        subprocess.run(initialise, check=True, stdout=subprocess.DEVNULL, cwd=place, **user)
        options = [
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={place}",
            "-c",
            f"fsync={'on' if flushes else 'off'}",
        ]
        options += ["-c", "max_wal_size=64MB", "-c", f"min_wal_size={2 * segment}MB", "-c", "max_connections=50"]
        command = [str(folder / "postgres"), "-D", str(data), *options]
        with Path(place, "log").open("wb") as log, served(command, stdout=log, stderr=log, cwd=place, **user):
            await_ready(folder, place)
            yield Postgres(Path(place), data)


def await_ready(folder: Path, host: str, port: int = 5432) -> None:
    """Wait up to 60 s until sessions are accepted: it listens, and refuses them, some time before."""
    asks = [str(folder / "pg_isready"), "-q", "-h", host, "-p", str(port), "-t", "1"]
    for _ in range(600):
        if subprocess.run(asks, check=False).returncode == 0:
            return
        subprocess.run(["sleep", "0.1"], check=True)
    raise TimeoutError("PostgreSQL did not start")
