"""The client's pure modules (frames, handshake, keys) under node, against the vectors of docs/protocol.md."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "web" / "static" / "client"
VENDORS = [CLIENT / "vendor", ROOT / "web" / "static" / "vendor"]
TESTS = sorted((Path(__file__).parent / "client").glob("*.test.mjs"))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("module", TESTS, ids=lambda path: path.name)
def test_the_modules_do_what_the_protocol_says(module: Path) -> None:
    run = subprocess.run(
        ["node", "--test", "--test-reporter=tap", str(module)],
        capture_output=True,
        text=True,
        timeout=50,
        env={"PATH": os.environ["PATH"], "NODE_NO_WARNINGS": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:]
    passed = re.search(r"^# pass (\d+)$", run.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 0


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda path: path.parent.name)
def test_vendored_files_are_those_that_were_recorded(vendor: Path) -> None:
    lines = [line.split("  ") for line in (vendor / "SHA256SUMS").read_text().splitlines()]
    recorded = {name: digest for digest, name in lines}
    present = {
        str(path.relative_to(vendor)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS" and not path.name.endswith(".d.ts")
    }
    assert present == recorded


def test_every_module_stays_small() -> None:
    long = {path.name: lines for path in CLIENT.glob("*.js") if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_the_client_stores_nothing_but_the_resume_ticket_and_its_counts() -> None:
    for path in CLIENT.glob("*.js"):
        source = path.read_text()
        assert not re.search(r"localStorage|indexedDB|document\.cookie|\bcaches\b", source), path.name
        if path.name not in {"resume.js", "tally.js"}:
            assert not re.search(r"sessionStorage\.", source), path.name


def test_the_client_writes_no_markup_and_no_log() -> None:
    for path in CLIENT.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|console\.", path.read_text()
        ), path.name


def test_the_package_lock_names_no_registry() -> None:
    lock = (ROOT / "web" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "://" not in lock.replace("https://opencollective.com", "").replace("https://github.com", "")
