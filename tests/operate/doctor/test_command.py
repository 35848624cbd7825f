"""`spreekkamer doctor`, from here and from outside."""

import argparse
import json
import os
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from operate.commands import doctor
from operate.doctor import ports
from operate.doctor.finding import failed
from signaling.settings import SignalingSettings
from spreekkamer import Settings
from tests.operate.doctor.test_parts import STRONG
from tests.ours import ROOT
from turn.settings import TurnSettings
from vault.errors import StartRefused
from vault.settings import VaultSettings


def arguments(**changed: Any) -> argparse.Namespace:
    told = {"outside": None, "nameserver": ("127.0.0.1", 9), "ntp": None, "mail_domain": None, "dkim": None}
    return argparse.Namespace(**told | {"json": True} | changed)


async def test_the_command_looks_at_everything_and_shows_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signaling = SignalingSettings(
        origin="https://localhost:9", redis_url=SecretStr("redis://u:geheim-wachtwoord@127.0.0.1:9/0")
    )
    turn = TurnSettings(address=IPv4Address("127.0.0.1"), port=9, secrets=[SecretStr(STRONG)])
    looked = Settings(rooms=VaultSettings(data=tmp_path / "data"), signaling=signaling, turn=turn)
    with pytest.raises(SystemExit) as ended:
        await doctor.examine(looked, arguments())
    assert ended.value.code == 1
    said = capsys.readouterr().out
    report = json.loads(said)
    assert not report["ok"]
    seen = {one["check"] for one in report["findings"]}
    assert {"database", "redis", "secrets", "disk-data", "swap", "clock", "ports", "dns", "dnssec", "tls"} <= seen
    assert {"turn-udp", "turn-tcp", "announced", "announced-turn", "mail"} <= seen
    assert all(one["state"] in ("ok", "warn", "fail", "unknown") and one["meaning"] for one in report["findings"])
    assert "geheim-wachtwoord" not in said and STRONG not in said
    assert not (tmp_path / "data").exists()


def test_the_command_runs_from_the_command_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spreekkamer", "doctor", "--json"],
        cwd=ROOT, env={**os.environ, "SPREEKKAMER_ROOMS__DATA": str(tmp_path / "data")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    found = {one["check"]: one["state"] for one in json.loads(done.stdout)["findings"]}
    assert found["database"] == "fail"
    assert found["secrets"] == "ok"


@pytest.mark.parametrize("url", ["http://consult.example.org", "consult.example.org", "https://"])
async def test_from_outside_only_an_https_address_is_looked_at(url: str) -> None:
    with pytest.raises(StartRefused, match="https://"):
        await doctor.examine(Settings(), arguments(outside=url))


async def test_from_outside_no_setting_of_this_machine_is_used() -> None:
    assert set(doctor.outside(arguments(outside="https://consult.example.org"))) == {
        "dns", "dnssec", "tls", "mail", "ports", "ports-udp",
    }  # fmt: skip


def test_only_unknowns_are_no_failure() -> None:
    assert not failed(ports.from_inside())
