"""The units for a machine without containers: read by systemd itself where it is, hardened, with settings we know."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from operate.configuration import load
from operate.setting_names import PREFIX
from spreekkamer import Settings
from tests.operate.test_setup import STRONG

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "systemd"
SERVICES = ("spreekkamer.service", "spreekkamer-media.service")
CHAPTER = (ROOT / "docs" / "operations.md").read_text().split("## Without Docker")[1].split("\n## ")[0]


def unit(name: str) -> dict[str, list[str]]:
    """The settings of its ``[Service]``, each with its values in order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NOT TESTED: systemd is not here")
def test_systemd_reads_the_units_without_a_word(tmp_path: Path) -> None:
    for file in [*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")]:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", file.read_text(), flags=re.MULTILINE)
        (tmp_path / file.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NOT TESTED: systemd is not here")
@pytest.mark.parametrize("name", SERVICES)
def test_little_is_open_to_a_service_that_is_taken_over(name: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", FOLDER / name],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_what_it_needs(name: str) -> None:
    """What would be safer and breaks: no executable memory (DTLS), no asking for the clock, no boot's id."""
    found = unit(name)
    assert "MemoryDenyWriteExecute" not in found and "ProcSubset" not in found
    assert found["KillMode"] == ["mixed"] and found["OOMPolicy"] == ["continue"]
    assert found["SystemCallErrorNumber"] == ["EPERM"]
    if name == "spreekkamer.service":
        assert "ProtectClock" not in found
        assert "adjtimex clock_adjtime" in found["SystemCallFilter"]


def test_the_command_beside_the_service_has_its_secrets_and_settings() -> None:
    service, command = unit("spreekkamer.service"), (FOLDER / "spreekkamer").read_text()
    for key in ("LoadCredential", "Environment"):
        for value in service[key]:
            if value.startswith(("PYTHONMALLOC", "GLIBC_TUNABLES")):
                continue  # what a command leaves in memory goes with it
            asked = value.replace("/etc/spreekkamer/secrets", "$secrets")
            assert f"{key}={asked}" in command
    for key in ("User", "StateDirectory", "EnvironmentFile", "UMask", "WorkingDirectory"):
        assert f"--property={key}={service[key][0]}" in command
    subprocess.run(["sh", "-n", FOLDER / "spreekkamer"], check=True, timeout=20)


@pytest.mark.parametrize(("name", "example"), [(SERVICES[0], "server.env"), (SERVICES[1], "media.env")])
def test_a_service_has_settings_and_secrets_that_the_program_knows(
    name: str, example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in [variable for variable in os.environ if variable.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    found = unit(name)
    for credential in found["LoadCredential"]:
        secret, _, source = credential.partition(":")
        assert source == f"/etc/spreekkamer/secrets/{secret}"
        file = tmp_path / secret
        file.write_text(f"redis://spreekkamer-media:{STRONG}@10.0.0.1:6379/0" if secret.endswith("url") else STRONG)
        file.chmod(0o440)
    settings = parsed(example)
    for line in found["Environment"]:
        variable, _, value = line.partition("=")
        settings[variable] = value.replace("%d", str(tmp_path))
    for variable, value in settings.items():
        monkeypatch.setenv(variable, value)
    loaded = load(Settings)
    assert loaded.media.announced
    if name == "spreekkamer.service":
        assert loaded.signaling.origin == "https://consult.example.org"
        assert loaded.web.placeholders() == []
        assert str(loaded.rooms.root_key()) == str(tmp_path / "root_key")
        assert str(loaded.rooms.data) == f"/var/lib/{found['StateDirectory'][0]}"
        assert [one.get_secret_value() for one in loaded.turn.secrets] == [STRONG]


def parsed(example: str) -> dict[str, str]:
    """An environment file as systemd reads it, as far as ours go: one assignment a line, quotes taken off."""
    found = {}
    for line in (FOLDER / example).read_text().splitlines():
        if line and not line.startswith("#"):
            (word,) = shlex.split(line)
            name, _, value = word.partition("=")
            found[name] = value
    return found


def test_the_chapter_names_every_file_and_every_secret() -> None:
    for file in FOLDER.iterdir():
        assert file.name in CHAPTER, file.name
    for name in SERVICES:
        for credential in unit(name)["LoadCredential"]:
            assert re.search(rf"\b{credential.partition(':')[0]}\b", CHAPTER), credential


def test_the_timer_starts_the_backup() -> None:
    timer = configparser.ConfigParser(strict=True)
    timer.optionxform = str  # type: ignore[assignment, method-assign]  # as its documentation says
    timer.read(FOLDER / "spreekkamer-backup.timer")
    assert timer["Timer"]["OnCalendar"] and timer["Timer"]["Persistent"] == "yes"
    assert "backup" in unit("spreekkamer-backup.service")["ExecStart"][0]
