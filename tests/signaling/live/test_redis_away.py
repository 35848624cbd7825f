"""Redis dies in the middle of a consult and comes back empty (case 56)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from rooms.store import Store
from signaling.redis import EmbeddedRedis
from tests.signaling.live.cast import LINES, SDP, Practice, Worker, open_node, until


@pytest.fixture
async def mortal() -> AsyncIterator[EmbeddedRedis]:
    """A private Redis that is started again when it dies, as the embedded one is."""
    redis = EmbeddedRedis()
    await redis.start()
    supervisor = asyncio.create_task(redis.supervise())
    yield redis
    supervisor.cancel()
    with suppress(asyncio.CancelledError):
        await supervisor
    await redis.close()


async def test_a_consult_outlives_its_redis(mortal: EmbeddedRedis, store: Store, practice: Practice) -> None:
    worker = Worker(mortal.url, "worker-1")
    await worker.start()
    appointment = practice.appointment.id
    async with open_node(mortal.url, store) as node:
        patient = await practice.patient_page().connect(node)
        doctor = await practice.practitioner_page().connect(node)
        await patient.arrive(appointment)
        await doctor.admit(appointment, patient)
        await until(lambda: patient.view["media"] and patient.view["media"]["ready"], "ready")
        before = patient.view

        assert mortal._process
        mortal._process.kill()
        codes = {await patient.code("snapshot"), await patient.code("chat", {"ciphertext": "abc"})}
        assert codes <= {"try_again", "bad_state", None}
        stranger = await practice.patient_page().connect(node)
        assert stranger.socket.connected
        assert patient.socket.connected

        def back() -> bool:
            view = patient.view
            return bool(
                view["version"] > before["version"] and view["media"] and view["media"]["ready"] and view["keys"]
            )

        await until(back, "the room is there again", 10)
        assert patient.view["me"]["state"] == "admitted"
        assert patient.view["media"]["fence"] > before["media"]["fence"]
        await until(node.signaling.gate.manager.subscribed.is_set, "the node listens again")
        offer = {"fence": patient.view["media"]["fence"], "sdp": SDP, "lines": LINES}
        assert (await patient.do("offer", offer))["sdp"] == f"answer to {patient.id}"
        await doctor.do("chat", {"ciphertext": "abc"})
        await until(lambda: patient.events("chat"), "chat passes again")
    await worker.die()
