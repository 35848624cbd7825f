"""`spreekkamer setup` makes every secret once; a weak, missing or readable one refuses the start in one sentence."""

import argparse
import asyncio
import base64
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from operate.commands import setup
from operate.configuration import load
from operate.deployment import openbao
from operate.deployment.files import OWN, Place, make
from operate.deployment.strength import refuse_weak, weakness
from practice import dkim
from signaling.settings import SignalingSettings
from spreekkamer import Settings
from tests.ours import ROOT
from tests.ports import free_port
from tests.servers.bao import binary
from turn.settings import TurnSettings
from vault.errors import Locked, StartRefused
from vault.keys.transit import Transit
from vault.settings import TransitSettings, VaultSettings

PLACE = Place("consult.example.org", IPv4Address("203.0.113.5"))
NOW = datetime(2027, 1, 1, tzinfo=UTC)
STRONG = "f3b1c0d9e8a7465b9c2d1e0f8a7b6c5d4e3f2a1b"


def made(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_everything_is_made_for_its_reader_alone(tmp_path: Path) -> None:
    make(tmp_path, PLACE, os.urandom, NOW)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    for path in [*(tmp_path / "secrets").iterdir(), tmp_path / ".env"]:
        assert path.stat().st_mode & 0o777 in (0o400, 0o600), path.name
    if os.geteuid() == 0:
        assert (tmp_path / "secrets" / "database").stat().st_uid == 70
        assert (tmp_path / "secrets" / "signaling").stat().st_uid == 10001


def test_each_secret_is_random_and_another_one(tmp_path: Path) -> None:
    make(tmp_path / "a", PLACE, os.urandom, NOW)
    make(tmp_path / "b", PLACE, os.urandom, NOW)
    secrets = [made(tmp_path / folder)[name] for folder in "ab" for name in OWN]
    assert len(set(secrets)) == len(secrets)
    assert len(base64.b64decode(made(tmp_path / "a")["root_key"])) == 32


def test_nothing_is_ever_written_over(tmp_path: Path) -> None:
    first = make(tmp_path, PLACE, os.urandom, NOW)
    (tmp_path / ".env").write_text("PRACTICE=Ours\n")
    before = made(tmp_path)
    again = make(tmp_path, PLACE, os.urandom, NOW)
    assert made(tmp_path) == before
    assert (tmp_path / ".env").read_text() == "PRACTICE=Ours\n"
    assert (again.new, set(again.kept)) == ((), set(first.new))


def test_a_file_that_is_missing_is_made_from_the_others_and_one_that_no_longer_fits_is_named(tmp_path: Path) -> None:
    make(tmp_path, PLACE, os.urandom, NOW)
    before = made(tmp_path)
    (tmp_path / "secrets" / "redis_url").unlink()
    assert make(tmp_path, PLACE, os.urandom, NOW).new == ("redis_url",)
    assert made(tmp_path) == before
    (tmp_path / "secrets" / "turn").unlink()
    assert make(tmp_path, PLACE, os.urandom, NOW).stale == ("turnserver.conf",)


def test_the_keys_of_mail_are_made_once_for_the_servers(tmp_path: Path) -> None:
    make(tmp_path, PLACE, os.urandom, NOW)
    lines = (tmp_path / "secrets" / "dkim").read_text().splitlines()
    assert set(dkim.records("key1", dkim.parsed(lines))) == {"key1", "key1-ed25519"}


def test_two_turn_secrets_go_into_both_ends(tmp_path: Path) -> None:
    make(tmp_path, PLACE, os.urandom, NOW)
    secrets = tmp_path / "secrets"
    (secrets / "turn").chmod(0o600)
    (secrets / "turn").write_text(f"{STRONG}\n{STRONG[::-1]}\n")
    (secrets / "turnserver.conf").unlink()
    assert make(tmp_path, PLACE, os.urandom, NOW).new == ("turnserver.conf",)
    lines = (secrets / "turnserver.conf").read_text().splitlines()
    assert [line for line in lines if "secret=" in line] == [
        f"static-auth-secret={STRONG}", f"static-auth-secret={STRONG[::-1]}",
    ]  # fmt: skip


def test_a_weak_secret_that_was_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "database").write_text("postgres")
    with pytest.raises(StartRefused, match="secrets/database is too short"):
        make(tmp_path, PLACE, os.urandom, NOW)


def test_the_compose_file_mounts_exactly_what_is_made(tmp_path: Path) -> None:
    make(tmp_path, PLACE, os.urandom, NOW)
    mounted = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["secrets"].values()
    passwords = {"valkey", "valkey_media", "openbao_seal"}
    assert {one["file"].removeprefix("./secrets/") for one in mounted} | passwords == set(made(tmp_path))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spreekkamer", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_says_what_it_made_and_shows_no_secret(tmp_path: Path) -> None:
    done = run("setup", str(tmp_path), "--domain", "consult.example.org", "--address", "203.0.113.5")
    assert done.returncode == 0, done.stderr
    assert "root_key" in done.stdout
    assert not [name for name, text in made(tmp_path).items() if text.strip() in done.stdout + done.stderr]


@pytest.mark.parametrize(("domain", "address"), [("https://x", "203.0.113.5"), ("a.example", "2001:db8::1"), ("x", "")])
def test_a_name_or_an_address_that_is_none_is_refused(tmp_path: Path, domain: str, address: str) -> None:
    told = argparse.Namespace(folder=tmp_path / "new", domain=domain, address=[address])
    with pytest.raises(StartRefused, match=r"^--[^\n]+\.$"):
        asyncio.run(setup.setup(Settings(), told))
    assert not told.folder.exists()


@pytest.mark.parametrize(
    ("secret", "least", "wrong"),
    [
        ("", 16, "too short"),
        (STRONG[:31], 32, "too short"),
        ("x" * 64, 32, "default"),
        ("changeme-changeme-changeme-changeme", 32, "default"),
        ("this-is-the-default-secret-password", 32, "default"),
        ("0123456789abcdef0123456789abcdef", 32, "default"),
        (STRONG, 32, None),
    ],
)
def test_what_could_be_guessed_is_weak(secret: str, least: int, wrong: str | None) -> None:
    found = weakness(secret, least)
    assert found is None if wrong is None else wrong in (found or "")


def settings(**changed: Any) -> Settings:
    return Settings(**changed)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"signaling": SignalingSettings(secret=SecretStr("y" * 40))}, "signaling.secret"),
        ({"turn": TurnSettings(secrets=[SecretStr("short")])}, "turn.secrets"),
        ({"signaling": SignalingSettings(redis_url=SecretStr("redis://valkey:6379/0"))}, "signaling.redis_url"),
        ({"signaling": SignalingSettings(redis_url=SecretStr("redis://:redis@valkey/0"))}, "signaling.redis_url"),
        ({"rooms": VaultSettings(database_url=SecretStr("postgresql://u:postgres@db/x"))}, "rooms.database_url"),
        ({"rooms": VaultSettings(database_url=SecretStr("mysql://x/y"))}, "rooms.database_url must be"),
        ({"rooms": VaultSettings(keystore_url=SecretStr("mariadb://u@h/y"))}, "rooms.keystore_url must be"),
        ({"rooms": VaultSettings(keystore_url=SecretStr(f"postgresql://u:{STRONG}@db/x"))}, "signaling.secret is mis"),
        ({"turn": TurnSettings(address=IPv4Address("203.0.113.5"))}, "turn.secrets is missing"),
    ],
)
def test_a_weak_or_missing_secret_refuses_the_start_in_one_sentence(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(StartRefused) as refused:
        refuse_weak(settings(**changed))
    said = str(refused.value)
    assert named in said
    assert said.endswith(".") and "\n" not in said
    assert "short." not in said and "y" * 40 not in said


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "unix:///run/redis.sock", f"redis://u:{STRONG}@valkey/0"])
def test_a_socket_or_loopback_may_do_without_a_password(url: str) -> None:
    refuse_weak(settings(signaling=SignalingSettings(redis_url=SecretStr(url))))


def test_a_server_with_a_default_secret_does_not_start(tmp_path: Path) -> None:
    done = run("serve", SPREEKKAMER_SIGNALING__SECRET="changeme" * 5, SPREEKKAMER_ROOMS__DATA=str(tmp_path / "data"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "signaling.secret looks like a default" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("mode", [0o404, 0o644, None])
def test_a_secret_file_that_others_can_read_or_that_is_missing_refuses_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int | None
) -> None:
    file = tmp_path / "secret"
    if mode:
        file.write_text(STRONG)
        file.chmod(mode)
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__SECRET_FILE", str(file))
    with pytest.raises(StartRefused, match=r"^[^\n]+\.$"):
        load(Settings)


@contextlib.asynccontextmanager
async def running_bao(file: Path) -> AsyncIterator[None]:
    with (file.parent / "log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            str(binary()), "server", f"-config={file}", stdout=log, stderr=log
        )
    try:
        yield
    finally:
        server.terminate()
        await asyncio.wait_for(server.wait(), 20)


async def test_openbao_makes_itself_ready_with_our_token_and_unseals_itself_after_a_restart(tmp_path: Path) -> None:
    await asyncio.to_thread(make, tmp_path, PLACE, os.urandom, NOW)
    secrets = tmp_path / "secrets"
    port, own = free_port(), made(tmp_path)
    signed = openbao.certificate("localhost", datetime.now(UTC))
    (tmp_path / "tls").write_bytes(signed.pair)
    (tmp_path / "ca").write_bytes(signed.certificate)
    (tmp_path / "raft").mkdir()
    text = openbao.configuration(
        seal=own["openbao_seal"].strip(), token=own["openbao_token"].strip(), host="localhost", listen="127.0.0.1",
        port=port, certificate=str(tmp_path / "tls"), storage=str(tmp_path / "raft"),
    )  # fmt: skip
    (tmp_path / "bao.hcl").write_text(text)
    transit = await asyncio.to_thread(
        Transit,
        TransitSettings(
            address=f"https://localhost:{port}", token_file=secrets / "openbao_token", ca_file=tmp_path / "ca"
        ),
    )
    sealed = b""
    for _ in range(2):
        async with running_bao(tmp_path / "bao.hcl"):
            async with asyncio.timeout(30):
                while True:
                    with contextlib.suppress(Locked):
                        key = await asyncio.to_thread(transit.key)
                        break
                    await asyncio.sleep(0.1)
            assert not key["exportable"]
            sealed = sealed or await asyncio.to_thread(lambda: transit.encrypt(transit.rotate(), b"epoch", b"context"))
            assert await asyncio.to_thread(transit.decrypt, sealed, b"context") == b"epoch"
            with pytest.raises(Locked):
                await asyncio.to_thread(transit._call, "GET", "sys/mounts")


def test_the_policy_is_the_documented_one() -> None:
    assert openbao.POLICY in (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["203.0.113.5"], "ADDRESS6=\n"),
        (["203.0.113.5", "2001:db8::5"], "ADDRESS6=2001:db8::5\n"),
        (["[2001:DB8:0::5]", "203.0.113.5"], "ADDRESS6=2001:db8::5\n"),
    ],
)
def test_a_host_has_an_address_of_each_family(tmp_path: Path, given: list[str], line: str) -> None:
    make(tmp_path, Place("consult.example.org", *setup.addresses(given)), os.urandom, NOW)
    written = (tmp_path / ".env").read_text()
    assert "ADDRESS=203.0.113.5\n" in written
    assert line in written


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (["2001:db8::5"], "needs the IPv4 address too"),
        (["203.0.113.5", "203.0.113.6"], "once for IPv4"),
        (["203.0.113.5", "consult.example.org"], "as 203.0.113.5 or"),
        (["203.0.113"], "as 203.0.113.5 or"),
    ],
)
def test_addresses_that_do_not_fit_say_what_to_give(given: list[str], remedy: str) -> None:
    with pytest.raises(StartRefused) as refused:
        setup.addresses(given)
    assert remedy in str(refused.value)
