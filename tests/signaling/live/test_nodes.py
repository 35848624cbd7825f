"""Several nodes over one Redis, and a Redis that forgets or lies."""

import asyncio
import json
import pickle
import time
from collections import Counter
from typing import Any

import pytest

from rooms.consult import EPOCH_ZERO, new
from rooms.consult_events import Arrive
from rooms.consult_state import Consult
from rooms.live import PART
from signaling.presence import node_key
from signaling.redis import connect
from signaling.sockets.socket import Binding, Socket
from signaling.tickets import Claims
from tests.signaling.live.cast import LINES, SDP, Node, Practice, Worker, page, until, utc_now

EACH_REDIS = pytest.mark.parametrize("redis_url", ["redis", "fakeredis"], indirect=True)


@EACH_REDIS
async def test_two_nodes_share_a_room(nodes: Any, worker: Worker, practice: Practice) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    appointment = practice.appointment.id
    patient = await practice.patient_page().connect(there)
    doctor = await practice.practitioner_page().connect(here)
    await doctor.do("watch")
    await patient.arrive(appointment)
    await until(
        lambda: doctor.events("desk") and doctor.events("desk")[-1]["waiting"], "the desk sees the other node's patient"
    )
    await doctor.admit(appointment, patient)
    await until(lambda: patient.view["media"] and patient.view["media"]["ready"], "media is ready on the other node")
    fence, epoch = patient.view["media"]["fence"], patient.view["keys"]["epoch"]
    assert (await patient.do("offer", {"fence": fence, "sdp": SDP, "lines": LINES}))["sdp"] == f"answer to {patient.id}"
    for number in range(20):
        await doctor.do("key-wrap", {"epoch": epoch, "to": patient.id, "wrapped": f"{number:02}" * 40})
    await until(lambda: len(patient.events("key-wrap")) == 20, "all messages cross")
    assert [one["wrapped"][:2] for one in patient.events("key-wrap")] == [f"{number:02}" for number in range(20)]
    await doctor.do("leave")
    await until(lambda: patient.events("ended"), "the end crosses")


async def test_a_node_that_dies_loses_its_sockets_for_all(nodes: Any, worker: Worker, practice: Practice) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    patient, doctor = await practice.talk(there, at=here)
    # As if killed: nobody writes its heartbeat any more, and nothing was said about its sockets.
    there.signaling.presence.turn = there.signaling.presence.beat = stand_still
    await until(lambda: doctor.view["others"] and not doctor.view["others"][0]["connected"], "the patient is away", 8)
    again = await practice.patient_page(patient.id).connect(here)
    assert (await again.arrive(practice.appointment.id))["me"]["state"] == "admitted"


async def stand_still() -> None:
    """What a dead node does."""


async def test_a_node_that_was_taken_for_dead_puts_its_sockets_back(
    nodes: Any, worker: Worker, practice: Practice, redis_url: str
) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    _, doctor = await practice.talk(there, at=here)
    redis = connect(redis_url)
    # It may beat between the two: then once more.
    async with asyncio.timeout(60):
        while not any(not view["others"][0]["connected"] for view in doctor.views if view["others"]):
            await redis.delete(node_key("there"))
            await here.signaling.presence._keep_house()
            await asyncio.sleep(0.2)
    await redis.aclose()
    await until(lambda: doctor.view["others"][0]["connected"], "and back")
    assert doctor.view["others"][0]["state"] == "admitted"


@EACH_REDIS
async def test_a_room_comes_back_when_redis_was_emptied(
    nodes: Any, worker: Worker, practice: Practice, redis_url: str
) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    appointment = practice.appointment.id
    patient = await practice.patient_page().connect(there)
    doctor = await practice.practitioner_page().connect(here)
    await doctor.do("watch")
    await patient.arrive(appointment)
    await doctor.admit(appointment, patient)
    await until(lambda: patient.view["media"] and patient.view["media"]["ready"], "ready")
    before = patient.view
    # Epochs follow the clock, in seconds.
    await until(lambda: time.time() - EPOCH_ZERO > before["keys"]["epoch"] + 1, "the next second")
    redis = connect(redis_url)
    await redis.flushall()
    await redis.aclose()
    await until(
        lambda: patient.view["media"] and patient.view["media"]["fence"] > before["media"]["fence"], "placed again"
    )
    await until(lambda: patient.view["media"]["ready"] and patient.view["keys"], "ready again")
    assert patient.view["me"]["state"] == "admitted"
    assert patient.view["version"] > before["version"]
    assert patient.view["keys"]["epoch"] > before["keys"]["epoch"]
    assert {one["participant"] for one in patient.view["keys"]["members"]} == {patient.id, doctor.id}


async def test_whoever_waited_still_waits_when_redis_was_emptied(
    node: Node, worker: Worker, practice: Practice, redis_url: str
) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    version = patient.view["version"]
    redis = connect(redis_url)
    await redis.flushall()
    await redis.aclose()
    await until(lambda: patient.view["version"] > version, "rebuilt")
    assert patient.view["me"]["state"] == "waiting"


async def test_forged_messages_between_nodes_are_dropped_and_counted(
    node: Node, practice: Practice, redis_url: str
) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    sid = next(iter(node.signaling.gate.authenticated))
    forged = {"method": "emit", "event": "ended", "data": [{"reason": "ended"}], "namespace": "/", "room": sid}
    redis = connect(redis_url)
    messages = [
        json.dumps(forged).encode(),
        b"\x00" * 32 + json.dumps(forged).encode(),
        pickle.dumps(forged),
        b"x" * 10_000_000,
        b"",
        b"\x00" * 32,
        json.dumps({"method": "disconnect", "sid": sid, "namespace": "/"}).encode(),
    ]
    for message in messages:
        await redis.publish(node.signaling.gate.manager.channel, message)
    await until(lambda: node.counters["forged"] == len(messages), "all are counted")
    assert (await patient.do("snapshot"))["me"]["state"] == "waiting"
    assert patient.events("ended") == []
    # A genuine one still passes after all that.
    genuine = {**forged, "host_id": "another node"}
    await redis.publish(node.signaling.gate.manager.channel, signed(node, genuine))
    await until(lambda: patient.events("ended"), "a genuine message passes")
    await redis.aclose()


def signed(node: Node, message: dict[str, Any]) -> bytes:
    import hmac

    body = json.dumps(message).encode()
    return hmac.digest(node.signaling.gate.manager._key, body, "sha256") + body


async def test_others_have_their_turn_while_a_node_looks_after_many_rooms(
    nodes: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await nodes(name="here")
    presence, gate, live = node.signaling.presence, node.signaling.gate, node.signaling.consults.live
    me, turns = asyncio.current_task(), 0
    seen: list[tuple[str, int]] = []
    again: asyncio.Handle

    def count() -> None:
        nonlocal turns, again
        turns += 1
        again = asyncio.get_running_loop().call_soon(count)

    def note(name: str) -> None:
        if asyncio.current_task() is me:  # the node itself does the same meanwhile
            seen.append((name, turns))

    def looked(_consult: Consult, _event: Any) -> bool:
        note("keeping house")
        return False

    async def compared(_socket: Socket, binding: Binding, consult: Consult | None) -> None:
        assert consult and consult.appointment == binding.appointment
        note("comparing")

    pages = [page() for _ in range(4 * PART)]
    for one in pages:
        claims = Claims(kind="access", role="patient", appointment=one, seat="patient", expires=0)
        socket = Socket(one, claims, time.time(), gate.limits, time.monotonic)
        arrival = Arrive(participant=one, seat="patient", role="patient", socket=one, node="here")
        await live.transition(one, arrival, absent=new(one, "owner", utc_now()))
        socket.binding = Binding(one, one, None, 0)
        gate.authenticated[one] = socket
    monkeypatch.setattr(live, "would_change", looked)
    monkeypatch.setattr(presence, "_compare", compared)
    again = asyncio.get_running_loop().call_soon(count)
    await presence.turn()
    await presence._keep_house()
    again.cancel()
    gate.authenticated.clear()
    assert {name for name, _ in seen} == {"comparing", "keeping house"}
    assert max(Counter(seen).values()) <= PART


async def test_everybody_who_arrives_at_once_is_there_once(nodes: Any, worker: Worker, practice: Practice) -> None:
    """Case 31, smaller: drop and return in one moment, on two nodes."""
    here, there = await nodes(), await nodes()
    practices = [practice, *[await practice.another() for _ in range(9)]]
    people = [await one.patient_page().connect(here) for one in practices]
    await asyncio.gather(*(one.arrive(its.appointment.id) for one, its in zip(people, practices, strict=True)))
    await asyncio.gather(*(one.leave_abruptly() for one in people))

    async def come_back(number: int) -> None:
        again = await practices[number].patient_page(people[number].id).connect(there if number % 2 else here)
        await again.arrive(practices[number].appointment.id)

    await asyncio.gather(*(come_back(number) for number in range(10)))
    desk = await here.signaling.consults.live.desk(practice.practitioner)
    assert sorted(one.participant for one in desk.waiting) == sorted(one.id for one in people)
    assert all(one.connected for one in desk.waiting)


async def test_every_desk_that_is_open_says_at_once_what_somebody_else_did(nodes: Any, practice: Practice) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    desks = [await practice.practitioner_page().connect(node) for node in (here, there)]
    patient = await practice.patient_page().connect(here)
    for desk in desks:
        await desk.ask("watch")
    await there.signaling.sight_given(practice.practitioner)
    await there.signaling.handed_over([], "G" * 22, practice.practitioner)
    await until(lambda: all(desk.events("sight") and desk.events("agenda") for desk in desks), "both are heard")
    assert not patient.events("sight") and not patient.events("agenda")
