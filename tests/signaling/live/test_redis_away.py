"""Redis dies in the middle of a consult and comes back empty."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from practice.storage import Store
from signaling.redis import EmbeddedRedis, connect
from tests.signaling.live.cast import LINES, SDP, Node, Practice, Worker, open_node, until


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


async def test_a_message_that_nobody_would_get_is_not_acknowledged(node: Node, practice: Practice) -> None:
    """So it is while a room that Redis lost is being made anew, and not everybody is back in it."""
    patient = await practice.patient_page().connect(node)
    doctor = await practice.practitioner_page().connect(node)
    await patient.arrive(practice.appointment.id)
    await doctor.arrive(practice.appointment.id)
    assert await doctor.code("chat", {"ciphertext": "abc"}) == "not_found"
    await doctor.admit(practice.appointment.id, patient)
    assert await doctor.code("chat", {"ciphertext": "abc"}) is None


async def test_a_redis_that_may_only_be_read_disturbs_nobody_and_lets_nobody_in(
    mortal: EmbeddedRedis, store: Store, practice: Practice
) -> None:
    worker = Worker(mortal.url, "worker-1")
    await worker.start()
    redis = connect(mortal.url)
    another = await practice.another()
    async with open_node(mortal.url, store) as node:
        patient, doctor = await practice.talk(node)
        await until(lambda: patient.view["media"] and patient.view["media"]["ready"], "ready")
        before = patient.view
        await redis.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call]  # the library has no types
        newcomer = await another.patient_page().connect(node)
        arrival = {"appointment": another.appointment.id, "participant": newcomer.id, "take_over": False}
        assert await newcomer.code("arrive", arrival) == "try_again"
        await doctor.do("chat", {"ciphertext": "abc"})
        await until(lambda: patient.events("chat"), "who is in is heard")
        await redis.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]  # the library has no types
        assert (await newcomer.arrive(another.appointment.id))["me"]["state"] == "waiting"
        view = await patient.do("snapshot")
        assert view["media"]["fence"] == before["media"]["fence"]
        assert view["keys"]["epoch"] == before["keys"]["epoch"]
    await redis.aclose()
    await worker.die()
