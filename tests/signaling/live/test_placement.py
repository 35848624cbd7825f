"""Which worker has a room, what happens when it dies, and what workers report."""

import asyncio
from typing import Any

import pytest

from media.control import (
    Heartbeat,
    PeerSample,
    PeerState,
    RequestKeyframe,
    SlotsChanged,
    SlotView,
    UnencryptedSeen,
    heartbeat_key,
)
from signaling.protocol.refusals import OFFER_REASONS
from signaling.redis import connect
from tests.signaling.live.cast import LINES, SDP, Node, Person, Practice, Worker, held, until


async def talking(practice: Practice, node: Node) -> tuple[Person, Person]:
    """Patient and practitioner, in, with media."""
    patient, doctor = await practice.talk(node)
    for one in (patient, doctor):
        await ready(one)
        await offer(one)
    return patient, doctor


async def ready(one: Person, above: int = 0) -> int:
    """The fence, as soon as a worker has the room under one higher than ``above``."""

    def fence() -> int:
        media = one.view["media"]
        return media["fence"] if media and media["ready"] and media["fence"] > above else 0

    value: int = await until(fence, "a worker has the room")
    return value


async def offer(one: Person) -> dict[str, Any]:
    return await one.do("offer", {"fence": one.view["media"]["fence"], "sdp": SDP, "lines": LINES})


def media_of(one: Person, other: Person) -> str:
    return next(str(view["media"]) for view in one.view["others"] if view["participant"] == other.id)


async def test_a_room_goes_to_the_least_loaded_worker(workers: Any, node: Node, practice: Practice) -> None:
    busy, idle, draining = await workers("busy"), await workers("idle"), await workers("a-draining-one")
    busy.rooms = {f"room-{number}": 1 for number in range(5)}
    draining.beat = lambda: Worker.beat(draining).model_copy(update={"draining": True})
    draining.control._beat = draining.beat
    for one in (busy, draining):
        await one.control.announce()
    await talking(practice, node)
    assert practice.appointment.id in idle.rooms


async def test_a_room_goes_where_the_processor_has_room_whatever_the_number_of_rooms(
    workers: Any, node: Node, practice: Practice
) -> None:
    groups, pairs = await workers("a-few-groups"), await workers("many-pairs")
    groups.rooms, groups.load = {"room": 1}, 0.55
    pairs.rooms, pairs.load = {f"room-{number}": 1 for number in range(9)}, 0.31
    for one in (groups, pairs):
        await one.control.announce()
    await talking(practice, node)
    assert practice.appointment.id in pairs.rooms


async def test_where_all_are_full_nothing_begins_and_what_runs_goes_on(
    workers: Any, node: Node, practice: Practice
) -> None:
    first = await workers("first")
    patient, _ = await talking(practice, node)
    later = await practice.another()
    newcomer, waiting = await later.practitioner_page().connect(node), await later.patient_page().connect(node)
    await waiting.arrive(later.appointment.id)
    first.full = True
    await first.control.announce()
    await until(lambda: node.signaling.placement.full, "the node knows")
    for event, body in (
        ("arrive", {"appointment": later.appointment.id, "participant": newcomer.id}),
        ("admit", {"appointment": later.appointment.id, "participant": waiting.id, "me": newcomer.id}),
    ):
        reply = await newcomer.ask(event, body)
        assert (reply["error"]["code"], reply["error"]["category"]) == ("server_full", "user")
        assert reply["error"]["retry_after"] > 0
    again = await practice.practitioner_page().connect(node)
    await again.arrive(practice.appointment.id, take_over=True)
    fence = patient.view["media"]["fence"]
    second = await workers("second")
    second.full = True
    await second.control.announce()
    await first.die()
    await ready(patient, above=fence)
    assert practice.appointment.id in second.rooms, "one that runs finds a place where none begins"
    second.full = False
    await second.control.announce()
    await until(lambda: not node.signaling.placement.full, "there is room again")
    await newcomer.arrive(later.appointment.id)
    await ready(newcomer)


def before_it_had_rooms(worker: Worker) -> Heartbeat:
    return Heartbeat(worker=worker.name, rooms=0, peers=0, packets_per_second=0)


async def test_rooms_placed_within_one_heartbeat_are_spread(
    workers: Any, node: Node, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "beat", before_it_had_rooms)
    monkeypatch.setattr(node.signaling.placement, "_clock", lambda: 0.0)
    crew = [await workers(f"worker-{number}") for number in range(3)]
    doctors = []
    for _ in range(6):
        its = await practice.another()
        doctors.append(await its.practitioner_page().connect(node))
        await doctors[-1].arrive(its.appointment.id)
    await until(lambda: sum(len(one.rooms) for one in crew) == 6, "all are placed")
    assert [len(one.rooms) for one in crew] == [2, 2, 2]


async def test_the_consult_goes_on_when_its_worker_dies(workers: Any, node: Node, practice: Practice) -> None:
    first = await workers("first")
    patient, doctor = await talking(practice, node)
    second = await workers("second")
    fence = patient.view["media"]["fence"]
    await first.die()
    for one in (patient, doctor):
        await ready(one, above=fence)
        assert (await offer(one))["fence"] > fence
    assert second.peers[practice.appointment.id] == [patient.id, doctor.id]
    assert patient.view["keys"]["epoch"] == doctor.view["keys"]["epoch"]


async def test_the_parent_that_sees_its_worker_exit_does_not_wait_for_the_heartbeat(
    workers: Any, node: Node, practice: Practice, redis_url: str
) -> None:
    first = await workers("first")
    patient, _ = await talking(practice, node)
    fence = patient.view["media"]["fence"]
    redis = connect(redis_url)
    heartbeat = held(await redis.get(heartbeat_key("first")))
    await first.die()
    await redis.set(heartbeat_key("first"), heartbeat)  # this one never runs out
    await node.signaling.worker_exited("first")
    assert not patient.view["media"]["ready"] or patient.view["media"]["fence"] == fence
    second = await workers("second")
    await ready(patient, above=fence)
    assert practice.appointment.id in second.rooms
    await redis.aclose()


async def test_a_worker_that_forgot_the_room_gets_it_again_under_a_higher_fence(
    worker: Worker, node: Node, practice: Practice
) -> None:
    patient, _ = await talking(practice, node)
    fence = patient.view["media"]["fence"]
    worker.rooms.clear()
    assert await patient.code("offer", {"fence": fence, "sdp": SDP, "lines": LINES}) == "bad_state"
    await ready(patient, above=fence)
    await offer(patient)


async def test_without_a_worker_a_room_waits_for_one(workers: Any, node: Node, practice: Practice) -> None:
    doctor = await practice.practitioner_page().connect(node)
    view = await doctor.arrive(practice.appointment.id)
    assert view["media"]["ready"] is False
    assert await doctor.code("offer", {"fence": view["media"]["fence"], "sdp": SDP, "lines": LINES}) == "bad_state"
    await workers("late")
    await ready(doctor)


async def test_an_offer_the_worker_cannot_use_or_of_another_fence_is_refused(
    worker: Worker, node: Node, practice: Practice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    patient, _ = await talking(practice, node)
    fence = patient.view["media"]["fence"]
    reply = await patient.ask("offer", {"fence": fence, "sdp": "broken", "lines": LINES})
    assert (reply["error"]["code"], reply["error"]["reason"]) == ("sdp_invalid", "not_sdp")
    assert reply["error"]["message"] == OFFER_REASONS["not_sdp"]
    lines = [(one.message, one.__dict__["cause"]) for one in caplog.records if one.name == "signaling.handlers.media"]
    assert lines == [("an offer was refused", "not_sdp")]
    assert await patient.code("offer", {"fence": fence - 1, "sdp": SDP, "lines": LINES}) == "bad_state"
    assert practice.appointment.id in worker.rooms


async def test_what_an_offer_leaves_impossible_is_told_to_both(worker: Worker, node: Node, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    offer = {"fence": patient.view["media"]["fence"], "sdp": "no video", "lines": LINES}
    answer = await patient.do("offer", offer)
    assert answer["refused"] == [{"line": 1, "mid": "1", "reason": "codec"}]
    await until(lambda: patient.view["me"]["unusable"] == ["camera"], "the patient is told")
    await until(lambda: doctor.view["others"][0]["unusable"] == ["camera"], "the practitioner is told")
    await patient.do("offer", offer | {"sdp": SDP})
    await until(lambda: doctor.view["others"][0]["unusable"] == [], "it is over")


async def test_a_waiting_patient_is_on_no_worker(worker: Worker, node: Node, practice: Practice) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    await asyncio.sleep(1.5)
    assert worker.rooms == {}
    assert worker.calls == []


async def test_what_workers_report_reaches_those_it_is_about(worker: Worker, node: Node, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    room, fence = practice.appointment.id, patient.view["media"]["fence"]
    await until(lambda: media_of(doctor, patient) == "connecting", "connecting")
    about = {"room": room, "fence": fence, "peer": patient.id}
    worker.emit(PeerState(**about, state="connected", transport="udp"))
    await until(lambda: media_of(doctor, patient) == "connected", "connected")
    worker.emit(PeerState(**about, state="reconnecting"))
    await until(lambda: media_of(doctor, patient) == "reconnecting", "reconnecting")
    worker.emit(PeerState(**about, state="lost"))
    await until(lambda: media_of(doctor, patient) == "failed", "failed")

    worker.emit(
        SlotsChanged(**about, version=2, slots=[SlotView(slot=0, peer=doctor.id), SlotView(slot=-1, peer=doctor.id)])
    )
    await until(lambda: patient.events("slots"), "slots")
    shown = [{"slot": 0, "participant": doctor.id}, {"slot": -1, "participant": doctor.id}]
    assert patient.events("slots") == [{"fence": fence, "version": 2, "slots": shown}]
    assert doctor.events("slots") == []

    worker.emit(UnencryptedSeen(**about, source="camera"))
    await until(lambda: patient.events("unencrypted") == [{"source": "camera"}], "unencrypted")
    sample = {"address": "192.0.2.7", "transport": "udp", "rtt_ms": 20, "received_kbps": 5, "sent_kbps": 6}
    worker.emit(PeerSample(**about, **sample))
    await until(lambda: len(node.notebook.entries) == 2, "both are noted")
    assert node.notebook.entries == [
        (room, patient.id, {"event": "encryption-stopped"}, 0),
        (room, patient.id, sample, 0),
    ]


async def test_what_an_old_worker_says_is_ignored(worker: Worker, node: Node, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    room, fence = practice.appointment.id, patient.view["media"]["fence"]
    await until(lambda: media_of(doctor, patient) == "connecting", "connecting")
    worker.emit(PeerState(room=room, fence=fence - 1, peer=patient.id, state="lost"))
    worker.emit(SlotsChanged(room=room, fence=fence, peer="nobody", version=3, slots=[]))
    worker.emit(PeerState(room="elsewhere", fence=fence, peer=patient.id, state="lost"))
    worker.emit(PeerState(room=room, fence=fence, peer=doctor.id, state="connected"))
    await until(lambda: media_of(patient, doctor) == "connected", "the true one")
    assert media_of(doctor, patient) == "connecting"
    assert patient.events("slots") == patient.events("unencrypted") == []


async def test_key_frames_are_asked_of_somebody_who_is_in(worker: Worker, node: Node, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    await patient.do("keyframe", {"participant": doctor.id, "source": "camera"})
    call = worker.calls[-1]
    assert isinstance(call, RequestKeyframe)
    assert (call.peer, call.source) == (doctor.id, "camera")
    for stranger in (patient.id, "nobody"):
        assert await patient.code("keyframe", {"participant": stranger, "source": "camera"}) == "not_found"


async def test_what_a_browser_reports_is_kept_with_its_age(worker: Worker, node: Node, practice: Practice) -> None:
    patient, _ = await talking(practice, node)
    await patient.do("report", {"at": 1500, "event": "first-frame", "rtt_ms": 12})
    room, who, sample, age = node.notebook.entries[-1]
    assert (room, who, age) == (practice.appointment.id, patient.id, 1500)
    seen = {"candidate": "unknown", "transport": "unknown", "event": "first-frame", "rtt_ms": 12}
    assert sample == seen | {"role": "patient", "browser": None, "device": "unknown"}


async def test_destroying_an_appointment_ends_it_for_all_and_leaves_nothing_in_redis(
    worker: Worker, node: Node, practice: Practice, redis_url: str
) -> None:
    patient, doctor = await talking(practice, node)
    assert await node.signaling.in_progress(practice.appointment.id)
    assert await node.signaling.destroyed([practice.appointment.id]) == {}
    told = [{"reason": "cancelled"}]
    await until(lambda: patient.events("ended") == doctor.events("ended") == told, "everybody is told")
    assert not await node.signaling.in_progress(practice.appointment.id)
    redis = connect(redis_url)
    left = {key: await redis.type(key) for key in await redis.keys("*")}
    traces = [key for key in left if practice.appointment.id.encode() in key]
    assert traces == []
    assert await redis.smembers("sk:rooms") == set()
    await redis.aclose()


async def test_every_key_of_ours_expires(worker: Worker, node: Node, practice: Practice, redis_url: str) -> None:
    await talking(practice, node)
    await asyncio.sleep(1.2)
    redis = connect(redis_url)
    keys = [key for key in map(held, await redis.keys("sk:*")) if not key.startswith((b"sk:worker", b"sk:media"))]
    assert {b"sk:rooms", b"sk:nodes"} <= set(keys)
    for key in keys:
        assert await redis.pttl(key) <= 86_400_000, key
        assert await redis.pttl(key) != -1, key
    await redis.aclose()


@pytest.mark.parametrize("redis_url", ["redis", "fakeredis"], indirect=True)
async def test_a_restarted_server_lets_both_come_back_though_redis_forgot(
    nodes: Any, workers: Any, practice: Practice, redis_url: str
) -> None:
    worker, old = await workers("worker-1"), await nodes()
    patient, doctor = await talking(practice, old)
    tickets = patient.view["resume"], doctor.view["resume"]
    for one in (patient, doctor):
        await one.leave_abruptly()
    old.signaling.presence.turn = lambda: asyncio.sleep(0)
    await asyncio.sleep(1.1)
    redis = connect(redis_url)
    await redis.flushall()
    await redis.aclose()
    await worker.control.announce()
    new = await nodes()
    again = [await Person(ticket, one.id).connect(new) for ticket, one in zip(tickets, (patient, doctor), strict=True)]
    for one in again:
        assert (await one.arrive(practice.appointment.id))["me"]["state"] == "admitted"
    await ready(again[0], above=patient.view["media"]["fence"])
    assert {one["participant"] for one in again[0].view["keys"]["members"]} == {patient.id, doctor.id}
