"""A server that was killed comes back, and so does everybody."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.browser.conftest import TIMED, Demo, Person, begin_consult, sees_and_hears, start_demo


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[Demo]:
    """One to kill."""
    running = await start_demo(tmp_path / "data")
    yield running
    await running.stop()


async def test_a_restarted_server_lets_both_come_back(demo: Demo, practitioner: Person, patient: Person) -> None:
    await begin_consult(practitioner, patient)
    await demo.stop(signal.SIGKILL)
    again = await start_demo(demo.data, demo.port)
    ready = time.monotonic()
    try:
        await asyncio.gather(practitioner.call_state("connected", 30), patient.call_state("connected", 30))
        await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
        took = time.monotonic() - ready
        print(f"both back after a restart: {took:.1f} s after ready")
        assert took < 8 or not TIMED
    finally:
        await practitioner.context.close()
        await patient.context.close()
        await again.stop()
