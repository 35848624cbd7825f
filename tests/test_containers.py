"""The image and the compose file keep to the policy: no root, nothing written outside volumes, few doors."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import yaml

from operate.configuration import load
from operate.deployment import firewall
from operate.deployment.files import Place, environment, make
from operate.deployment.strength import refuse_weak
from operate.doctor import announced
from operate.setting_names import PREFIX
from spreekkamer import Settings
from tests.ours import FOLDERS, ROOT

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
    """As compose fills it in: ``${NAME:?}`` must be there, ``${NAME:-}`` may be missing."""
    return re.sub(
        r"\$\{(\w+):([?-])\}",
        lambda found: EXAMPLES.get(found[1], "") if found[2] == "-" else EXAMPLES[found[1]],
        value,
    )


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if name == "doctor" else "unless-stopped")
    assert service["pids_limit"] <= 512
    assert not {"privileged", "devices", "pid", "ipc", "userns_mode", "extra_hosts", "env_file"} & set(service)
    assert "docker.sock" not in str(service)
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    if name != "caddy":
        user, group = service["user"].split(":")
        assert user.isdigit() and group.isdigit() and user != "0"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_looked_after(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    if name == "doctor":
        assert check == {"disable": True}
        return
    assert check["test"][0] in ("CMD", "CMD-SHELL") and check["interval"] and check["timeout"]
    for other, condition in SERVICES[name].get("depends_on", {}).items() if name != "caddy" else ():
        assert other in SERVICES and condition["condition"] in ("service_healthy", "service_started")


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_version_and_a_digest_where_one_is_known(name: str) -> None:
    """The registry cannot be asked from here: a digest counts as known when several others pinned the same."""
    image, _, digest = SERVICES[name]["image"].partition("@")
    assert re.search(r":\d+\.\d+(\.\d+)?(-\w+)?$", image)
    if name in ("openbao", "clamav") or image.startswith("spreekkamer:"):
        assert digest == ""
    else:
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)


@pytest.mark.parametrize(
    ("name", "least"),
    [("coturn", (4, 9)), ("postgres", (17, 11)), ("valkey", (9, 1, 2)), ("caddy", (2, 11)), ("openbao", (2, 7))],
)
def test_no_image_goes_back_to_what_has_known_holes(name: str, least: tuple[int, ...]) -> None:
    """coturn compares peers with its lists in every spelling of IPv4 in IPv6 only since then."""
    version = SERVICES[name]["image"].partition("@")[0].rpartition(":")[2].partition("-")[0]
    assert tuple(map(int, version.split("."))) >= least


def test_all_parts_are_there_and_two_servers_that_differ_in_their_folder_only() -> None:
    assert set(SERVICES) == {
        *(
            "server-1",
            "server-2",
            "media",
            "postgres",
            "keystore",
            "openbao",
            "valkey",
            "caddy",
            "coturn",
            "clamav",
            "doctor",
        ),
    }
    one, two = ({**SERVICES[name]} for name in ("server-1", "server-2"))
    assert (one.pop("volumes"), two.pop("volumes")) == tuple(
        [f"data-{number}:/data", "scanner:/run/clamav"] for number in (1, 2)
    )
    assert one == two
    assert [name for name, service in SERVICES.items() if service.get("profiles")] == ["doctor"]


def test_only_these_doors_are_open() -> None:
    doors = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert doors == {
        "caddy": ["80:80", "443:443", "443:443/udp"],
        "media": ["40000:40000/udp", "40000:40000/tcp"],
    }
    assert [name for name, service in SERVICES.items() if service.get("network_mode")] == ["coturn"]
    assert "expose" not in str(SERVICES)


def test_only_these_are_written_to_and_nothing_of_the_host_is_mounted() -> None:
    volumes = {name: service["volumes"] for name, service in SERVICES.items() if service.get("volumes")}
    assert volumes == {
        "server-1": ["data-1:/data", "scanner:/run/clamav"],
        "server-2": ["data-2:/data", "scanner:/run/clamav"],
        "doctor": ["scanner:/run/clamav"],
        "postgres": ["database:/var/lib/postgresql/data"],
        "keystore": ["keystore:/var/lib/postgresql/data"],
        "openbao": ["openbao:/openbao/file"],
        "caddy": ["certificates:/data"],
        "clamav": ["signatures:/var/lib/clamav", "scanner:/run/clamav"],
    }
    assert {one[0].partition(":")[0] for one in volumes.values()} == set(COMPOSE["volumes"])


def test_what_is_stored_cannot_be_reached_from_outside() -> None:
    inner = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    assert inner == {"front", "back", "keys"}
    turn = COMPOSE["networks"]["turn"]["driver_opts"]
    assert turn == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    assert COMPOSE["networks"]["post"]["driver_opts"] == {"com.docker.network.bridge.name": firewall.POST}
    networks = {name: set(service["networks"]) for name, service in SERVICES.items() if "networks" in service}
    assert networks == {
        "server-1": {"front", "back", "keys", "turn", "post"},
        "server-2": {"front", "back", "keys", "turn", "post"},
        "doctor": {"back", "keys", "turn", "outside"},
        "media": {"back", "outside"},
        "postgres": {"back"},
        "valkey": {"back"},
        "keystore": {"keys"},
        "openbao": {"keys"},
        "caddy": {"front", "outside"},
        "clamav": {"outside"},
    }


def test_redis_keeps_nothing_and_lets_in_users_of_ours_alone() -> None:
    command = SERVICES["valkey"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options == {
        "--aclfile": "/run/secrets/valkey_acl",
        "--save": "",
        "--appendonly": "no",
        "--slowlog-max-len": "0",
        "--maxmemory": "256mb",
        "--maxmemory-policy": "noeviction",
    }
    assert "volumes" not in SERVICES["valkey"]


def test_no_secret_stands_in_the_environment() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|TOKEN|_URL|KEY(?!STORE_WAIT)", name):
                assert name.endswith("_FILE"), name
                assert value.removeprefix("/run/secrets/") in service["secrets"], name
    assert set(COMPOSE["secrets"]) == {secret for one in SERVICES.values() for secret in one.get("secrets", [])}
    assert all(one["file"].startswith("./secrets/") for one in COMPOSE["secrets"].values())


def test_each_secret_goes_to_those_that_need_it() -> None:
    holders: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for secret in service.get("secrets", []):
            holders.setdefault(secret, set()).add(name)
    servers = {"server-1", "server-2", "doctor"}
    assert holders == {
        **dict.fromkeys(("database_url", "keystore_url", "root_key", "turn", "openbao_token"), servers),
        "smtp_password": servers,
        "dkim": servers,
        "imap_password": servers,
        "requests_password": servers,
        "openbao_ca": servers,
        "signaling": servers,
        "redis_url": servers,
        "media": {"media"},
        "media_redis_url": {"media"},
        "database": {"postgres"},
        "keystore": {"keystore"},
        "valkey_acl": {"valkey"},
        "turnserver_conf": {"coturn"},
        "openbao_hcl": {"openbao"},
        "openbao_tls": {"openbao"},
    }


@pytest.mark.parametrize("name", ["server-1", "server-2", "doctor", "media"])
def test_every_setting_is_one_that_the_server_knows(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [variable for variable in os.environ if variable.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    make(tmp_path, Place(EXAMPLES["DOMAIN"], IPv4Address(EXAMPLES["ADDRESS"])), os.urandom, datetime.now(UTC))
    files = {secret: tmp_path / one["file"] for secret, one in COMPOSE["secrets"].items()}
    for variable, value in SERVICES[name]["environment"].items():
        mounted = files.get(value.removeprefix("/run/secrets/"))
        monkeypatch.setenv(variable, str(mounted) if mounted else filled(value))
    settings = load(Settings)
    refuse_weak(settings)
    if name != "media":
        assert settings.web.placeholders() == []
        assert settings.practice.mail.host is None, "nothing is sent before somebody says by whom"
        assert settings.signaling.origin == "https://consult.example.org"
        assert settings.rooms.keystore_address().get_backend_name() == "postgresql"
    if name in ("doctor", "media"):
        assert settings.media.announced == ["203.0.113.5"]
        monkeypatch.setenv("SPREEKKAMER_MEDIA__ANNOUNCED", filled("${ADDRESS:?} 2001:db8::5"))
        assert load(Settings).media.announced == ["203.0.113.5", "2001:db8::5"]


def test_the_doctor_of_the_compose_file_can_find_the_addresses_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It looks with the settings of a server, which alone says nothing of what workers announce."""
    monkeypatch.setitem(EXAMPLES, "ADDRESS", "8.8.8.8")
    make(tmp_path, Place(EXAMPLES["DOMAIN"], IPv4Address("8.8.8.8")), os.urandom, datetime.now(UTC))
    for variable, value in SERVICES["doctor"]["environment"].items():
        name = value.removeprefix("/run/secrets/")
        monkeypatch.setenv(variable, str(tmp_path / "secrets" / name) if name != value else filled(value))
    settings = load(Settings)
    found = announced.announced(settings.media.announced, settings.turn.address, settings.turn.relay_peers)
    assert {one.check: one.state for one in found} == {"announced": "ok", "announced-turn": "ok"}


def test_the_environment_skeleton_names_what_the_compose_file_wants() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    wanted, may_miss = (set(re.findall(rf"\$\{{(\w+):{how}\}}", text)) for how in (r"\?", "-"))
    skeleton = environment(Place(EXAMPLES["DOMAIN"], IPv4Address(EXAMPLES["ADDRESS"])))
    assert wanted == set(EXAMPLES)
    assert may_miss == {
        "ADDRESS6",
        "SMTP_HOST",
        "SMTP_PORT",
        "SMTP_USER",
        "SMTP_SENDER",
        "DKIM_SELECTOR",
        "BOUNCES",
        "IMAP_HOST",
        "IMAP_USER",
        "REQUESTS",
        "REQUESTS_HOST",
        "REQUESTS_USER",
        "REGISTRATION",
        "SMS_HOSTS",
        "PUSH_HOSTS",
    }
    assert set(re.findall(r"^(\w+)=", skeleton, re.MULTILINE)) == wanted | may_miss


def test_the_image_runs_as_nobody_and_installs_only_what_is_hashed() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last = len(lines) - 1 - lines[::-1].index("USER 10001:10001")
    assert not any(line.startswith("RUN") for line in lines[last:])
    installs = [line for line in lines if re.search(r"\b(pip|apt|apt-get|apk)\b.* install ", line)]
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    froms = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", froms[-1])
    # The same with a compiler, which stays in a stage of its own.
    assert set(froms) == {froms[-1], froms[-1].replace("-slim", "")}


def test_the_image_holds_no_moment_of_its_build() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "ARG SOURCE_DATE_EPOCH=" in text
    assert "unchecked-hash" in text and "PIP_NO_COMPILE=1" in text
    assert "useradd" not in text  # writes the day into /etc/shadow
    assert "--without-pip" in text and "rm -rf" in text


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_pinned_requirements_have_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|file:/|--index-url|--extra-index-url|--find-links|--trusted-host", text)
    pins = re.findall(r"^([a-z0-9][\w.\[\]-]*)==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
    named = re.findall(r"^([a-z0-9][\w.\[\]-]*)==", text, re.MULTILINE)
    assert pins == named
    assert len(pins) > 20


def test_the_package_holds_all_that_the_server_reads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
    subprocess.run([*command, "--wheel-dir", str(tmp_path)], check=True, cwd=source)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", *FOLDERS],
        check=True, cwd=source, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    for_developers = {"README.md", "check", "modules", "pack", "package.json", "package-lock.json"}
    for_developers |= {"tsconfig.json", "tsconfig.client.json"}
    needed = [file for file in tracked if Path(file).name not in for_developers and not file.startswith("web/types/")]
    missing = [file for file in needed if file not in packed]
    assert missing == []


def test_the_image_is_made_of_all_that_is_packed() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(FOLDERS) <= let_in
    assert all((ROOT / one).exists() for one in let_in)


def test_all_that_is_packed_is_checked() -> None:
    (line,) = re.findall(r"^CODE := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(FOLDERS) <= set(line.split())


def test_two_builds_of_one_commit_are_the_same(tmp_path: Path) -> None:
    digests = set()
    for place in ("one", "another place"):
        source, out = tmp_path / place / "source", tmp_path / place / "out"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
        environment = os.environ | {"SOURCE_DATE_EPOCH": "1767225600"}
        subprocess.run([*command, "--wheel-dir", str(out)], check=True, cwd=source, env=environment)
        (wheel,) = out.glob("*.whl")
        digests.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert len(digests) == 1
