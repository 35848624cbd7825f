"""Nodes that nobody hears, that stood still, and that are told to stop."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession

from media.control import CloseRoom, MediaClient, OpenRoom
from media.processes import LocalWorkers
from media.settings import MediaSettings
from rooms.authentic import MAC
from rooms.live import room_key
from signaling import drain, presence, typedefs
from signaling.health import Health
from signaling.redis import connect
from signaling.sockets.acceptance import accept
from tests.signaling.live.cast import ORIGIN, SECRET, Node, Person, Practice, Worker, held, until


async def in_consult(here: Node, there: Node, practice: Practice) -> tuple[Person, Person]:
    """The practitioner at one node, the patient at the other."""
    patient, doctor = await practice.talk(there, at=here)
    await until(lambda: patient.view["media"] and patient.view["media"]["ready"], "media is ready")
    await until(lambda: there.signaling.presence.neighbours and here.signaling.presence.neighbours, "they know others")
    return doctor, patient


async def refused(node: Node) -> bool:
    """Whether a node lets no new socket in, and says that it may be tried again."""
    address = f"{node.url}/socket.io/?EIO=4&transport=websocket"
    headers = {"Origin": ORIGIN, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    async with ClientSession() as session, session.get(address, headers=headers) as answer:
        return answer.status == 503 and (await answer.json())["error"]["code"] == "try_again"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """More beats, but no less time for each: the others' still arrive when the machine is busy."""
    monkeypatch.setattr(presence, "PERIOD", 0.1)


def deafen(node: Node) -> None:
    """From now on none of the node's heartbeats arrives; the last that did was long ago."""

    async def unheard() -> None:
        await asyncio.sleep(60)

    node.signaling.presence.beat = unheard  # type: ignore[method-assign]  # one node only is deaf
    node.signaling.presence._heard -= presence.CUT_OFF


@pytest.mark.usefixtures("hurried")
async def test_a_node_that_redis_does_not_hear_drops_its_clients_and_lets_nobody_in(
    nodes: Any, worker: Worker, practice: Practice
) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    doctor, patient = await in_consult(here, there, practice)
    beat = there.signaling.presence.beat
    deafen(there)
    await until(lambda: not patient.socket.connected, "the patient is dropped")
    assert doctor.socket.connected
    assert await refused(there)
    again = await practice.patient_page(patient.id).connect(here)
    assert (await again.arrive(practice.appointment.id))["me"]["state"] == "admitted"
    assert again.view["media"]["fence"] == doctor.view["media"]["fence"], "the media goes on where it was"
    there.signaling.presence.beat = beat
    await until(lambda: not there.signaling.gate.eio.closed_because, "it lets people in again")
    stranger = await practice.patient_page().connect(there)
    assert stranger.socket.connected


@pytest.mark.usefixtures("hurried")
async def test_a_node_alone_keeps_its_clients_when_redis_does_not_hear_it(
    node: Node, worker: Worker, practice: Practice
) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    deafen(node)
    await asyncio.sleep(presence.BEAT_WITHIN + 0.5)
    assert patient.socket.connected
    assert not await refused(node)


@pytest.mark.usefixtures("hurried")
async def test_a_node_that_stood_still_hears_nothing_of_what_it_was_sent_before(
    nodes: Any, worker: Worker, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    _, patient = await in_consult(here, there, practice)
    stale = next(iter(there.signaling.gate.authenticated.values()))
    # As if its clock had gone on without it.
    clock = there.signaling.presence._clock
    monkeypatch.setattr(there.signaling.presence, "_clock", lambda: clock() * 1e6)
    await until(lambda: not patient.socket.connected, "the patient is dropped")
    assert stale.cut_off
    monkeypatch.undo()
    again = await practice.patient_page(patient.id).connect(here)
    await again.arrive(practice.appointment.id)
    body = {"appointment": practice.appointment.id, "participant": patient.id}
    await there.signaling.gate._run(stale, "gone", None, accept(["arrive", body], "patient", {"arrive"}))
    await asyncio.sleep(0.2)
    assert again.socket.connected


async def test_a_loss_that_redis_did_not_take_is_told_later(
    node: Node, worker: Worker, practice: Practice, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    redis = connect(redis_url)
    document = json.loads(held(await redis.get(room_key(practice.appointment.id)))[MAC:])
    await redis.config_set("min-replicas-to-write", 1)
    try:
        await patient.leave_abruptly()
        await until(lambda: not node.signaling.gate.authenticated, "the node saw it go")
        await asyncio.sleep(0.3)
        assert document["participants"][0]["socket"]
    finally:
        await redis.config_set("min-replicas-to-write", 0)

    async def noted() -> bool:
        now = json.loads(held(await redis.get(room_key(practice.appointment.id)))[MAC:])
        return now["participants"][0]["socket"] is None

    async with asyncio.timeout(60):
        while not await noted():  # noqa: ASYNC110 -- Redis does not tell
            await asyncio.sleep(0.05)
    await redis.aclose()


NO_TURN: Any = SimpleNamespace(age=0.0)


async def no_workers() -> None:
    """Rooms whose workers are all elsewhere have nothing to hand over."""


async def test_a_node_that_leaves_is_first_not_ready_then_sends_its_clients_away(
    nodes: Any, worker: Worker, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited, go_on = list[float](), asyncio.Event()

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        await go_on.wait()

    monkeypatch.setattr(drain, "SENDING_AWAY", 0.1)
    monkeypatch.setattr(drain, "asyncio", SimpleNamespace(TaskGroup=asyncio.TaskGroup, sleep=wait))
    here, there = await nodes(name="here"), await nodes(name="there")
    doctor, patient = await in_consult(here, there, practice)
    settings = there.app[typedefs.SETTINGS].model_copy(update={"drain_seconds": 0.5})
    health = Health(practice.store, there.app[typedefs.REDIS], there.app[typedefs.MEDIA], NO_TURN)
    app = {**dict(there.app.items()), typedefs.SETTINGS: settings, typedefs.HEALTH: health}
    leaving = asyncio.create_task(drain.drain(app, no_workers))  # type: ignore[arg-type]  # it only looks things up
    await until(lambda: waited, "it lets load balancers look elsewhere")
    assert not (await health.ready()).checks["staying"].ok
    assert patient.socket.connected
    assert not await refused(there), "whoever is sent here meanwhile is served"
    go_on.set()
    await until(lambda: not patient.socket.connected, "the patient is sent away")
    assert await refused(there)
    assert doctor.view["others"][0]["connected"], "nobody was missed"
    again = await practice.patient_page(patient.id).connect(here)
    assert (await again.arrive(practice.appointment.id))["me"]["state"] == "admitted"
    await leaving
    assert waited == [0.5, drain.LAST_WORDS]


async def test_rooms_leave_a_media_worker_that_is_about_to_end(node: Node, workers: Any, practice: Practice) -> None:
    first = await workers("worker-1")
    patient, _ = await practice.talk(node)
    await until(lambda: first.rooms and patient.view["media"]["ready"], "the room is on the only worker")
    fence = patient.view["media"]["fence"]
    first.draining = True
    await first.control.announce()
    await asyncio.sleep(1.5)
    assert patient.view["media"]["fence"] == fence, "with nowhere to go, it stays"
    second = await workers("worker-2")
    await until(lambda: second.rooms and not first.rooms, "the room moved")
    await until(lambda: patient.view["media"]["fence"] > fence and patient.view["media"]["ready"], "the page knows")


async def test_a_media_worker_that_is_told_to_end_waits_for_its_rooms_and_then_ends(redis_url: str) -> None:
    redis = connect(redis_url)
    media = MediaClient(redis, SECRET)
    async with LocalWorkers(MediaSettings(workers=1, port=0), redis_url, SECRET) as local:
        (name,) = local.workers
        await media.call(name, OpenRoom(room="room", fence=1, capacity=2))
        leaving = asyncio.create_task(local.drain(3))
        async with asyncio.timeout(60):
            while not any(one.draining for one in await media.workers()):  # noqa: ASYNC110 -- Redis does not tell
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        assert not leaving.done()
        await media.call(name, CloseRoom(room="room", fence=1))
        await leaving
        assert await media.workers() == []
    await redis.aclose()
