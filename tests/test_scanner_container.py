"""What the compose file says of the virus scanner is what ClamAV takes: read by its own parser and programs."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from annotated_types import Le

from practice.settings import UploadSettings
from tests.servers.clamd import PROGRAM, SHIPPED, installed
from tests.test_containers import COMPOSE, SERVICES

pytestmark = pytest.mark.skipif(
    not installed() and not os.environ.get("CI"), reason="NOT TESTED WITH A SCANNER: install the package clamav-daemon"
)

SCANNER = SERVICES["clamav"]
UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}


def said(text: str) -> dict[str, str]:
    """The settings of a file of ClamAV's, a size in bytes."""
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: str(size(value)) if re.fullmatch(r"\d+[KMG]", value) else value for name, value in lines}


def size(value: str) -> int:
    return int(value[:-1]) * UNITS[value[-1]]


def understood(folder: Path, text: str) -> tuple[dict[str, str], list[str]]:
    """What clamd would read in such a file, as ``clamconf`` says it, and what that complains of."""
    (folder / "clamd.conf").write_text(text)
    command = ["clamconf", "--config-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    section = done.stdout.partition("Config file: clamd.conf")[2].partition("freshclam.conf not found")[0]
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
    return dict(re.findall(r'^(\w+) = "(.*?)"', section, re.MULTILINE)), complaints


def test_each_setting_is_known_to_clamd_and_read_as_it_is_meant(tmp_path: Path) -> None:
    ours = said(SHIPPED.read_text())
    found, complaints = understood(tmp_path, SHIPPED.read_text())
    assert complaints == []
    assert {name: found.get(name) for name in ours} == ours


@pytest.mark.parametrize("wrong", ["Nonsense yes", "MaxThreads many", "StreamMaxLength 12X"])
def test_what_clamd_would_not_take_is_noticed(tmp_path: Path, wrong: str) -> None:
    _, complaints = understood(tmp_path, f"{SHIPPED.read_text()}{wrong}\n")
    assert len(complaints) == 1, complaints


def test_the_container_starts_programs_with_options_that_they_have() -> None:
    shell, flag, script = SCANNER["entrypoint"]
    assert (shell, flag) == ("/bin/sh", "-c")
    subprocess.run([shell, "-n", flag, script], check=True, timeout=60)
    started = [shlex.split(one) for one in script.replace("exec ", "").split("&")]
    programs = {words[0]: [one.partition("=")[0] for one in words[1:]] for words in started}
    assert set(programs) == {"freshclam", "clamd"}
    for program, options in programs.items():
        path = PROGRAM if program == "clamd" else program
        text = subprocess.run([path, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
        assert [one for one in options if not re.search(rf"{one}\b", text)] == [], program


def test_the_file_is_where_the_programs_look_and_what_it_names_is_there() -> None:
    ours, where = said(SHIPPED.read_text()), SCANNER["configs"][0]["target"]
    assert COMPOSE["configs"][SCANNER["configs"][0]["source"]] == {"file": "./clamd.conf"}
    for words in (SCANNER["entrypoint"][-1].split(), SCANNER["healthcheck"]["test"]):
        assert f"--config-file={where}" in words
    mounts = [one.partition(":")[2] for one in SCANNER["volumes"]]
    assert mounts == [ours["DatabaseDirectory"], str(Path(ours["LocalSocket"]).parent)]
    assert ours["TemporaryDirectory"] in [one.partition(":")[0] for one in SCANNER["tmpfs"]]
    socket = SERVICES["server-1"]["environment"]["SPREEKKAMER_PRACTICE__UPLOADS__SCANNER"]
    assert socket == ours["LocalSocket"]


def test_it_looks_at_all_of_whatever_a_setting_allows() -> None:
    ours = said(SHIPPED.read_text())
    (most,) = [one.le for one in UploadSettings.model_fields["most_bytes"].metadata if isinstance(one, Le)]
    assert isinstance(most, int)
    for name in ("StreamMaxLength", "MaxFileSize", "MaxScanSize"):
        assert int(ours[name]) > most, name
    assert ours["AlertExceedsMax"] == "yes"
