"""The protocol client as an npm package (`sh web/pack FOLDER`): whole, typed, ours alone."""

import json
import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "web" / "static" / "client"
PACKAGE: dict[str, Any] = json.loads((CLIENT / "package.json").read_text())

CONSUMER = """\
import { Consult, Desk, Signaling, WireError, encryptionSupport, rest } from 'spreekkamer-client';
import { seal } from 'spreekkamer-client/frame';
import type { RoomView } from 'spreekkamer-client/wire';

const joined = await rest.join('link');
const { appointment, role } = joined;
const consult = new Consult({ role, appointment, token: async () => joined.access_token });
const view: RoomView = await consult.arrive({ takeOver: false });
const desk = new Desk(new Signaling({ token: async () => (await rest.deskTicket()).access_token }));
await desk.watch();
if (!encryptionSupport().ok) throw new WireError('internal', 'internal', String(view.version));
// @ts-expect-error a role that there is not
new Consult({ role: 'doctor' });
export { seal };
"""

TSCONFIG = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "module": "es2022",
        "moduleResolution": "bundler",
        "lib": ["es2022", "dom"],
        "types": [],
    },
    "files": ["consumer.ts"],
}


def modules() -> dict[str, str]:
    return {path.name: path.read_text() for path in CLIENT.glob("*.js")}


def test_version_and_licence_are_the_projects_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert PACKAGE["version"] == project["version"]
    assert PACKAGE["license"] == "EUPL-1.2"
    assert "v. 1.2" in (ROOT / "LICENSE").read_text()
    assert not {"dependencies", "scripts", "private"} & set(PACKAGE)


def test_nothing_in_it_is_of_a_page_or_of_a_test() -> None:
    for name, source in modules().items():
        paths = re.findall(r"(?:from|import)\s*\(?\s*'([^']+)'|new URL\('([^']+)'", source)
        assert all(path.startswith("./") for pair in paths for path in pair if path), name
        pages = re.search(r"querySelector|getElementById|testid|gettext|location\.(?!origin)", source)
        assert pages is None, name


def test_what_it_exports_is_there() -> None:
    for target in PACKAGE["exports"].values():
        path = target if isinstance(target, str) else target["default"]
        assert (CLIENT / path).is_file(), path


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_another_program_can_build_on_it(tmp_path: Path) -> None:
    pack = ["sh", str(ROOT / "web" / "pack"), str(tmp_path)]
    made = subprocess.run(pack, capture_output=True, text=True, timeout=55, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    with tarfile.open(tmp_path / f"spreekkamer-client-{PACKAGE['version']}.tgz") as archive:
        archive.extractall(tmp_path / "node_modules", filter="data")
    package = (tmp_path / "node_modules" / "package").rename(tmp_path / "node_modules" / "spreekkamer-client")
    there = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    sources = set(modules())
    types = {f"types/{name.removesuffix('.js')}.d.ts" for name in sources}
    vendored = {path.relative_to(CLIENT).as_posix() for path in (CLIENT / "vendor").glob("*/*") if path.suffix != ".ts"}
    assert there == sources | types | vendored | {"package.json", "README.md", "LICENSE"}
    for name, source in modules().items():
        assert (package / name).read_text() == source
    (tmp_path / "consumer.ts").write_text(CONSUMER)
    (tmp_path / "tsconfig.json").write_text(json.dumps(TSCONFIG))
    compiler = ROOT / "web" / "node_modules" / ".bin" / "tsc"
    run = subprocess.run([compiler, "-p", tmp_path], capture_output=True, text=True, timeout=55, check=False)
    assert run.returncode == 0, run.stdout
