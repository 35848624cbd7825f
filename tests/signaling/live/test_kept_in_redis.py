"""The inventory knows every key that a consult leaves in Redis, for however short a time."""

import asyncio

import pytest

from rooms.diagnostics import Diagnostics
from rooms.expiry import lifetimes, put_right
from signaling.redis import connect
from tests.signaling.live.cast import LINES, SDP, Node, Practice, Worker, until
from vault.clock import utc_now
from vault.inventory import inventory


@pytest.mark.duty("S-04")
async def test_every_key_in_redis_during_a_consult_is_in_it(
    node: Node, worker: Worker, practice: Practice, redis_url: str
) -> None:
    redis = connect(redis_url)
    seen: set[str] = set()
    done = asyncio.Event()

    async def look() -> None:
        while not done.is_set():
            seen.update([key.decode() async for key in redis.scan_iter(count=1000)])
            await asyncio.sleep(0.005)

    looking = asyncio.create_task(look())
    patient = await practice.patient_page().connect(node)
    doctor = await practice.practitioner_page().connect(node)
    await doctor.do("watch")
    await patient.arrive(practice.appointment.id)
    view = await doctor.admit(practice.appointment.id, patient)
    view = await until(lambda: doctor.views and doctor.view["media"]["ready"] and doctor.view, "ready")
    await doctor.do("offer", {"fence": view["media"]["fence"], "sdp": SDP, "lines": LINES})
    sample = {"candidate": "host", "transport": "udp", "event": "connected"}
    await Diagnostics(redis, utc_now).record(practice.appointment.id, doctor.id, sample, 0)
    await node.signaling.sign_out(practice.practitioner)
    await asyncio.sleep(0.2)
    done.set()
    await looking
    assert await put_right(redis, lifetimes()) == 0
    await redis.aclose()
    for prefix in ("sk:room:", "sk:desk:", "sk:diag:", "sk:worker:", "sk:node:", "sk:signed-out:"):
        assert any(key.startswith(prefix) for key in seen), prefix
    assert [key for key in seen if not inventory().knows("redis", key)] == []
