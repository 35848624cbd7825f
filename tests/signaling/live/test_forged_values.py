"""Whoever writes to Redis without our secret puts nobody into a room and no word into anybody's page."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from rooms.authentic import MAC, Authentic
from rooms.live import desk_key, room_key
from signaling.admission import signed_out_key
from signaling.protocol.errors import ProtocolError
from signaling.redis import connect
from signaling.refresh import Refresh, ended_key, family_key
from signaling.replays import body_key, list_key
from signaling.tickets import Claims, Tickets, practitioner_access
from tests.signaling.live.cast import SECRET, Node, Person, Practice, Worker, held, page, until, utc_now

LIFE = timedelta(hours=4)
STRANGER = "stranger-in-redis"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """As somebody else has it who may write there."""
    client = connect(redis_url)
    yield client
    await client.aclose()


async def document(redis: Redis, appointment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(held(await redis.get(room_key(appointment)))[MAC:])
    return found


def with_a_stranger(found: dict[str, Any]) -> bytes:
    """The document with one more person who was called in, and a version that everybody takes for newer."""
    example = next(one for one in found["participants"] if one["role"] == "patient")
    extra = {**example, "id": STRANGER, "seat": "guest", "lineage": STRANGER, "socket": None, "gone": None}
    changed = {"participants": [*found["participants"], extra], "capacity": 3, "version": found["version"] + 1000}
    return json.dumps(found | changed).encode()


def unsigned(_: str, value: bytes) -> bytes:
    """As the release before wrote it."""
    return value


def invented(name: str, value: bytes) -> bytes:
    return Authentic(b"the key of somebody else, 32 bytes").sign(name, value)


def stretched(_: str, value: bytes) -> bytes:
    """A MAC of the right length."""
    return b"0" * MAC + value


def made_anew(one: Person, before: dict[str, Any]) -> bool:
    return bool(one.view["version"] > before["version"] and one.view["keys"] and one.view["media"]["ready"])


async def goes_on(people: tuple[Person, Person], before: dict[str, Any]) -> None:
    """The room was made anew by those who are in it, under keys that are new too."""
    for one in people:
        await until(partial(made_anew, one, before), "made anew", 10)
        assert one.view["me"]["state"] == "admitted"
        for view in one.views:
            named = [*(other["participant"] for other in view["others"]), *members(view)]
            assert set(named) <= {person.id for person in people}
    assert set(members(people[0].view)) == {person.id for person in people}
    await people[1].do("chat", {"ciphertext": "abc"})
    await until(lambda: people[0].events("chat"), "and they talk")


def members(view: dict[str, Any]) -> list[str]:
    return [one["participant"] for one in view["keys"]["members"]] if view["keys"] else []


@pytest.mark.parametrize("sign", [unsigned, invented, stretched])
async def test_a_person_who_was_written_into_a_room_is_never_shown_and_never_a_member(
    node: Node, worker: Worker, practice: Practice, redis: Redis, sign: Any
) -> None:
    people = await practice.talk(node)
    await until(lambda: people[0].view["media"] and people[0].view["media"]["ready"], "ready")
    before, name = people[0].view, room_key(practice.appointment.id)
    forged = with_a_stranger(await document(redis, practice.appointment.id))
    await redis.set(name, sign(name, forged), ex=3600)
    await goes_on(people, before)
    assert node.signaling.authentic.forged["room"] >= 1


async def test_a_consult_goes_on_when_the_release_before_wrote_its_document(
    nodes: Any, worker: Worker, practice: Practice, redis: Redis
) -> None:
    """An update while people talk: what they see afterwards comes from their tickets."""
    here, there = await nodes(name="here"), await nodes(name="there")
    people = await practice.talk(there, at=here)
    await until(lambda: people[0].view["media"] and people[0].view["media"]["ready"], "ready")
    before, name = people[0].view, room_key(practice.appointment.id)
    found = await document(redis, practice.appointment.id)
    await redis.set(name, json.dumps(found), keepttl=True)
    await goes_on(people, before)
    # Somebody who was out at that moment comes back by the ticket alone, one of the release before at that.
    resume = before["resume"]
    claims = Tickets(SECRET, utc_now).verify(resume)
    await people[0].leave_abruptly()
    again = await Person(claims, people[0].id).connect(here, token=former(claims))
    assert (await again.arrive(practice.appointment.id))["me"]["state"] == "admitted"


def former(claims: Claims) -> str:
    """As 0.1.0 signed tickets: with the secret itself."""
    from joserfc.jwk import OctKey

    tickets = Tickets(SECRET, utc_now)
    tickets._key = OctKey.import_key(SECRET)
    return tickets.issue(claims)


async def test_a_document_that_was_copied_from_another_room_is_not_believed(
    node: Node, worker: Worker, practice: Practice, redis: Redis
) -> None:
    other = await practice.another()
    stranger = await other.patient_page().connect(node)
    await stranger.arrive(other.appointment.id)
    people = await practice.talk(node)
    await until(lambda: people[0].view["media"] and people[0].view["media"]["ready"], "ready")
    before = people[0].view
    genuine = held(await redis.get(room_key(other.appointment.id)))
    await redis.set(room_key(practice.appointment.id), genuine, ex=3600)
    await goes_on(people, before)
    assert node.signaling.authentic.forged["room"] >= 1


async def test_a_desk_does_not_list_what_is_another_practitioners(node: Node, practice: Practice, redis: Redis) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    someone = page()
    await redis.sadd(desk_key(someone), practice.appointment.id)
    live = node.signaling.consults.live
    assert (await live.desk(practice.practitioner)).waiting != ()
    assert (await live.desk(someone)).waiting == ()


async def test_a_kept_event_that_is_not_ours_is_missed_not_heard(
    node: Node, worker: Worker, practice: Practice, redis: Redis
) -> None:
    other = await practice.another()
    able = ["once", "replay"]
    theirs = await other.talk(node, able=able)
    patient, doctor = await practice.talk(node, able=able)
    await until(lambda: doctor.events("replay") and patient.events("replay"), "the beginning")
    seen = max([one[2] for one in patient.numbered], default=patient.events("replay")[-1]["seq"])
    await theirs[1].do("chat", {"ciphertext": "theirs"})
    (foreign,) = await redis.lrange(list_key(other.appointment.id, theirs[0].id), -1, -1)
    await patient.leave_abruptly()
    for text in ("one", "two", "three"):
        await doctor.do("chat", {"ciphertext": text})
    mine = list_key(practice.appointment.id, patient.id)
    first, second, _ = await redis.lrange(mine, -3, -1)
    false = json.dumps([practice.appointment.id, [patient.id], "ended", {"reason": "ended"}]).encode()
    await redis.set(body_key(held(first).decode()), false, keepttl=True)  # ours by its place, not by its MAC
    await redis.lset(mine, -2, held(foreign).decode())  # ours by its MAC, not by its place
    missed = await node.signaling.consults.messages._replays.since(practice.appointment.id, patient.id, seen)
    assert not missed.complete
    assert [body["ciphertext"] for _, name, body in missed.events if name == "chat"] == ["three"]
    assert [name for _, name, _ in missed.events if name == "ended"] == []
    assert node.signaling.authentic.forged["replay-body"] == 1
    assert second


async def test_a_family_that_was_written_into_redis_opens_nothing(redis: Redis) -> None:
    tickets = Tickets(SECRET, utc_now)
    refresh = Refresh(tickets, redis, utc_now, LIFE, Authentic(SECRET))
    access, token = await refresh.begin(practitioner_access(page()), tickets.expires_in(3600))
    claims = tickets.verify(token, kinds=("refresh",))
    family = str(access.family)
    assert await refresh.alive(access)
    written = [b"1 1767225600000", b"x" * 80, b"", invented(family_key(family), b"1 1767225600000")]
    other, _ = await refresh.begin(practitioner_access(page()), tickets.expires_in(3600))
    written.append(held(await redis.get(family_key(str(other.family)))))
    for value in written:
        await redis.set(family_key(family), value, ex=3600)
        assert not await refresh.alive(access)
        with pytest.raises(ProtocolError, match="token_invalid"):
            await refresh.rotate(claims)
    await redis.set(ended_key(family), b"\xff nothing that we would say", ex=60)
    assert await refresh.ended([family]) == {family: "token_invalid"}


async def test_garbage_in_redis_disturbs_nobody_but_whom_it_is_about(
    node: Node, worker: Worker, practice: Practice, redis: Redis
) -> None:
    people = await practice.talk(node)
    await until(lambda: people[0].view["media"] and people[0].view["media"]["ready"], "ready")
    before = people[0].view
    await redis.sadd("sk:rooms", b"\xff", b"", b"a:b")
    await redis.sadd("sk:nodes", b"\xff")
    await redis.sadd("sk:workers", b"\xff")
    await redis.sadd(desk_key(practice.practitioner), b"\xff")
    await redis.set(signed_out_key(page()), b"\xff", ex=60)
    await redis.delete(room_key(practice.appointment.id))
    await redis.rpush(room_key(practice.appointment.id), b"no document")
    await goes_on(people, before)
    presence = node.signaling.presence
    await presence.turn()
    await presence._keep_house()
    other = await practice.another()
    patient = await other.patient_page().connect(node)
    assert (await patient.arrive(other.appointment.id))["me"]["state"] == "waiting"
    desk = await node.signaling.consults.live.desk(practice.practitioner)
    assert [one.participant for one in desk.waiting] == [patient.id]


@pytest.mark.parametrize("mark", [b"", b"\xff", b"soon", b"nan", b"inf", b"1e999"])
async def test_a_sign_out_without_a_time_is_one(node: Node, practice: Practice, redis: Redis, mark: bytes) -> None:
    await redis.set(signed_out_key(practice.practitioner), mark, ex=60)
    token = practice.practitioner_page().token()
    with pytest.raises(ProtocolError, match="token_invalid"):
        await node.signaling.admission.authenticate(token)
