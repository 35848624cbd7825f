"""The image and the compose file keep to the policy: no root, nothing written outside volumes, few doors."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from signaling.configuration import PREFIX, load
from spreekkamer import Settings

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLES = {
    "DOMAIN": "consult.example.org",
    "ADDRESS": "203.0.113.5",
    "PRACTICE": "A practice",
    "POSTAL": "A street",
    "MAIL": "info@example.org",
    "OFFICER": "An officer",
    "OFFICER_MAIL": "officer@example.org",
}


def filled(value: str) -> str:
    return re.sub(r"\$\{(\w+):\?\}", lambda match: EXAMPLES[match[1]], value)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert "/var/run/docker.sock" not in str(service)
    assert set(service.get("cap_add", [])) <= {"NET_BIND_SERVICE"}
    if name != "caddy":
        assert service["user"].split(":")[0].isdigit() and service["user"].split(":")[0] != "0"


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_version(name: str) -> None:
    assert re.search(r":\d+\.\d+(\.\d+)?(-\w+)?$", SERVICES[name]["image"])


def test_only_these_doors_are_open() -> None:
    doors = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert doors == {
        "caddy": ["80:80", "443:443", "443:443/udp"],
        "media": ["40000:40000/udp", "40000:40000/tcp"],
    }
    assert [name for name, service in SERVICES.items() if service.get("network_mode")] == ["coturn"]


def test_what_is_stored_can_not_be_reached_from_outside() -> None:
    assert COMPOSE["networks"]["front"]["internal"] is True
    assert COMPOSE["networks"]["back"]["internal"] is True
    for name in ("postgres", "valkey"):
        assert list(SERVICES[name]["networks"]) == ["back"]
    assert "outside" not in SERVICES["server"]["networks"]


def test_redis_keeps_nothing() -> None:
    command = SERVICES["valkey"]["command"]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert options == {"--save": "", "--appendonly": "no", "--slowlog-max-len": "0"}
    assert "volumes" not in SERVICES["valkey"]


def test_no_secret_stands_in_the_environment() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|_URL|KEY", name):
                assert name.endswith("_FILE"), name
                assert value.removeprefix("/run/secrets/") in service["secrets"], name
    assert set(COMPOSE["secrets"]) == {secret for one in SERVICES.values() for secret in one.get("secrets", [])}


@pytest.mark.parametrize("name", ["server", "media"])
def test_every_setting_is_one_that_the_server_knows(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [variable for variable in os.environ if variable.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    secret = tmp_path / "secret"
    secret.write_text("redis://valkey/" + "x" * 40)
    secret.chmod(0o400)
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, str(secret) if value.startswith("/run/secrets/") else filled(value))
    settings = load(Settings)
    if name == "server":
        assert settings.web.placeholders() == []
        assert settings.signaling.origin == "https://consult.example.org"


def test_the_image_runs_as_nobody_and_installs_only_what_is_hashed() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last = len(lines) - 1 - lines[::-1].index("USER spreekkamer")
    assert not any(line.startswith("RUN") for line in lines[last:])
    installs = [line for line in lines if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    froms = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert len(set(froms)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", froms[0])


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_pinned_requirements_have_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|file:/|--index-url|--extra-index-url|--find-links|--trusted-host", text)
    pins = re.findall(r"^([a-z0-9][\w.\[\]-]*)==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
    named = re.findall(r"^([a-z0-9][\w.\[\]-]*)==", text, re.MULTILINE)
    assert pins == named
    assert len(pins) > 20


@pytest.mark.serial
def test_the_package_holds_all_that_the_server_reads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
    subprocess.run([*command, "--wheel-dir", str(tmp_path)], check=True, cwd=source)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "media", "rooms", "signaling", "turn", "web"],
        check=True, cwd=source, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    for_developers = ("README.md", "check", "package.json", "package-lock.json", "tsconfig.json")
    missing = [file for file in tracked if file not in packed and Path(file).name not in for_developers]
    assert missing == []
