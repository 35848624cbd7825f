"""The same consult where browsers gather no loopback candidates: a network namespace with an address and a route."""

import asyncio
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator

import pytest

from tests.browser.conftest import ROOT

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root and iproute2 for a network namespace"
)


async def run(*command: str, **env: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-4000:]
    return output.decode()


@pytest.fixture
async def namespace() -> AsyncIterator[str]:
    """A namespace of its own: loopback, one address, one default route, nothing behind it."""
    name = f"sk-{secrets.token_hex(3)}"
    await run("ip", "netns", "add", name)
    try:
        for command in (
            "link set lo up",
            "link add consult0 type veth peer name consult1",
            "link set consult1 up",
            "addr add 10.77.0.1/24 dev consult0",
            "link set consult0 up",
            "route add default via 10.77.0.254",
        ):
            await run("ip", "-n", name, *command.split())
        yield name
    finally:
        await run("ip", "netns", "del", name)


@pytest.mark.timeout(180)
async def test_a_consult_works_without_loopback_candidates(namespace: str) -> None:
    story = "tests/browser/test_a_consult.py::test_two_people_see_and_hear_each_other_encrypted"
    output = await run(
        *("ip", "netns", "exec", namespace, sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", story),
        WITHOUT_LOOPBACK="1",
    )
    assert "1 passed" in output
