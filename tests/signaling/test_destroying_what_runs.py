"""The server as it is put together waits for a consult that runs, and clears what Redis keeps of one it destroys."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio.connection import AbstractConnection

from practice.agenda.model import Appointment
from signaling.gate import SIGNALING
from signaling.traces import touched
from signaling.typedefs import REDIS
from tests.opening import of
from tests.signaling.conftest import Server
from vault.audit import Act
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.records.content import new_id


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
    await server.app[SIGNALING].consults.seats.close(planned.id, "cancelled")
    async with asyncio.timeout(60):
        while not await destroyed(server):  # the server's own sweep may be on its way
            await server.store.retention.sweep()


async def test_of_many_of_which_nothing_is_kept_redis_is_asked_a_few_times(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    real = AbstractConnection.send_packed_command

    async def counted(self: AbstractConnection, *arguments: Any, **options: Any) -> None:
        nonlocal asked
        asked += 1
        await real(self, *arguments, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    ids = [new_id() for _ in range(320)]
    assert await server.app[SIGNALING].destroyed(ids) == {}
    assert 0 < asked < len(ids), (
        "ten parts, each asked about and told once, and what the server does beside by the second"
    )


@pytest.mark.parametrize("key", ["sk:room:{}", "sk:diag-of:{}", "sk:support-of:{}", "sk:refresh-of:{}"])
async def test_every_trace_of_an_appointment_is_found(server: Server, key: str) -> None:
    ids = [new_id() for _ in range(40)]
    await server.app[REDIS].set(key.format(ids[35]), "something", ex=60)
    assert await touched(server.app[REDIS], ids) == [ids[35]]


async def test_one_of_which_traces_are_left_keeps_its_mark_and_the_others_go(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = [await server.appoint(server.alice) for _ in range(3)]
    for one in planned:
        await server.app[REDIS].set(f"sk:diag-of:{one.id}", "1", ex=60)
    signaling = server.app[SIGNALING]
    real = type(signaling.diagnostics).forget

    async def forget(self: object, appointment: str) -> None:
        if appointment == planned[1].id:
            raise DomainError("try_again")
        await real(self, appointment)  # type: ignore[arg-type]  # of the class that it was taken from

    monkeypatch.setattr(type(signaling.diagnostics), "forget", forget)
    faults = await signaling.destroyed([one.id for one in planned])
    assert list(faults) == [planned[1].id]
    assert await touched(server.app[REDIS], [one.id for one in planned]) == [planned[1].id]


async def test_nothing_is_left_in_redis_and_the_trail_says_what_was_destroyed(server: Server) -> None:
    planned = await over_its_time(server)
    await server.store.retention.destroy(of(server.alice.id), planned.id)
    assert await server.app[SIGNALING].consults.live.load(planned.id) is None
    assert [one.act async for one in server.store.audit.entries(act=Act.DESTROYED)] == [Act.DESTROYED]
