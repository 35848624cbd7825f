"""The server as it is put together waits for a consult that runs, and clears what Redis keeps of one it destroys."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from rooms.audit import Act
from rooms.model import Appointment, Receipt
from signaling.gate import SIGNALING
from tests.opening import of
from tests.signaling.conftest import Server


async def over_its_time(server: Server) -> Appointment:
    """An appointment past due whose consult runs."""
    await server.store.practitioners.set_retention(of(server.alice.id), "end")
    planned = await server.appoint(server.alice, 10)
    await server.run(planned)
    server.time.ahead += timedelta(hours=3)
    await server.store.retention.resume()
    return planned


async def destroyed(server: Server) -> Sequence[Receipt]:
    return await server.store.appointments.receipts(of(server.alice.id))


@pytest.mark.duty("S-30")
async def test_the_sweep_waits_for_a_running_consult(server: Server) -> None:
    planned = await over_its_time(server)
    assert server.store.retention.clock_trouble is None
    assert await server.store.retention.sweep() == 0
    assert await server.store.appointments.get(of(server.alice.id), planned.id) == planned
    assert await destroyed(server) == []
    await server.app[SIGNALING].consults.close(planned.id, "cancelled")
    async with asyncio.timeout(60):
        while not await destroyed(server):  # the server's own sweep may be on its way
            await server.store.retention.sweep()


async def test_nothing_is_left_in_redis_and_the_trail_says_what_was_destroyed(server: Server) -> None:
    planned = await over_its_time(server)
    await server.store.retention.destroy(of(server.alice.id), planned.id)
    assert await server.app[SIGNALING].consults.live.load(planned.id) is None
    assert [one.act async for one in server.store.audit.entries(act=Act.DESTROYED)] == [Act.DESTROYED]
