"""`spreekkamer check --relayed`: a whole consult whose media goes through a real coturn, and only there."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.ports import LOOPBACK, free_port
from tests.turn import server as coturn

ROOT = Path(__file__).parents[2]
MAIL, PASSWORD = "monitor@example.org", "a password for the check"
SECRET = "4b1f0c93d27e5a68b1c4d7e2f3a5968017263545f1e2d3c4"
START_SECONDS = 60.0
pytestmark = [
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="NOT TESTED: install the package coturn"),
    pytest.mark.timeout(180),
]


async def spreekkamer(*arguments: str, env: dict[str, str] | None = None, said: str = "") -> tuple[int, str]:
    """Exit status and output of a command that ends by itself."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "spreekkamer", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=os.environ | (env or {}), stdin=pipe, stdout=pipe
    )
    output, _ = await process.communicate(said.encode())
    assert process.returncode is not None
    return process.returncode, output.decode()


@asynccontextmanager
async def serving(settings: dict[str, str]) -> AsyncIterator[str]:
    """A server with one media worker; its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "spreekkamer", "serve"),
        cwd=ROOT,
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = (await process.stdout.readline()).decode()
        yield line.split()[-1]
    finally:
        process.terminate()
        await process.communicate()


async def test_a_relayed_check_goes_through_turn_and_says_when_there_is_none(tmp_path: Path) -> None:
    ours = coturn.settings(free_port(), secrets=[SecretStr(SECRET)])
    told: dict[str, Any] = {
        "ROOMS__DATA": str(tmp_path / "data"),
        "ROOMS__TRUST_CLOCK": "true",
        "SIGNALING__PORT": "0",
        "MEDIA__PORT": "0",
        "MEDIA__WORKERS": "1",
        "MEDIA__ANNOUNCE_LOOPBACK": "true",
        "TURN__ADDRESS": LOOPBACK,
        "TURN__PORT": str(ours.port),
        "TURN__SECRETS": json.dumps([SECRET]),
        "TURN__RELAY_PEERS": json.dumps([LOOPBACK]),
    }
    settings = {"PYTHONUNBUFFERED": "1"} | {f"SPREEKKAMER_{name}": value for name, value in told.items()}
    added = await spreekkamer("practitioner", "add", MAIL, "--name", "Monitoring", env=settings, said=f"{PASSWORD}\n")
    assert added == (0, "Added.\n")
    account = tmp_path / "account.toml"
    account.write_text(f'mail = "{MAIL}"\npassword = "{PASSWORD}"\n')
    account.chmod(0o600)
    asking = ("--account", str(account), "--relayed", "--json")
    async with serving(settings) as url:
        async with coturn.running(ours, tmp_path):
            status, output = await spreekkamer("check", url, *asking)
            report = json.loads(output)
            assert (status, report["failed"], report["why"]) == (0, None, None)
        status, output = await spreekkamer("check", url, *asking, "--timeout", "25")
        report = json.loads(output)
        assert (status, report["failed"]) == (1, "transport"), "without coturn there is no other way"
        assert "TURN" in report["hint"]
