"""What a page missed while its socket was away reaches it afterwards: in order, once, from any node."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as Disconnected

from rooms.authentic import Authentic
from signaling import replays
from signaling.protocol.events import ChatFrom
from signaling.redis import connect
from signaling.replays import KEPT_EVENTS, Replays
from tests.signaling.live.cast import Node, Person, Practice, until, utc_now

Nodes = Callable[..., Awaitable[Node]]
AUTHENTIC = Authentic(b"a key of the tests, of 32 bytes or so")
ABLE = ["once", "replay"]
BOTH = pytest.mark.parametrize("redis_url", ["redis", "fakeredis"], indirect=True)


def able(person: Person) -> Person:
    person.capabilities = ABLE
    return person


def texts(person: Person) -> list[str]:
    return [body["ciphertext"] for name, body, _ in person.numbered if name == "chat"]


async def in_a_consult(node: Node, practice: Practice) -> tuple[Person, Person]:
    patient, doctor = await practice.talk(node, able=ABLE)
    await until(lambda: doctor.events("replay") and patient.events("replay"), "the beginning")
    return patient, doctor


async def come_back(person: Person, node: Node, appointment: str, seen: int | None) -> Person:
    """The same page on a new socket."""
    again = able(Person(person.claims, person.id))
    await again.connect(node)
    await again.do("arrive", {"appointment": appointment, "participant": again.id, "seen": seen})
    await until(lambda: again.events("replay"), "where the numbers go on")
    return again


def last(person: Person) -> int:
    numbers = [seq for _, _, seq in person.numbered]
    return max([*numbers, *(int(said["seq"]) for said in person.events("replay"))])


@BOTH
async def test_what_was_said_while_a_page_was_away_reaches_it_on_another_node(nodes: Nodes, practice: Practice) -> None:
    one, other = await nodes(), await nodes()
    patient, doctor = await in_a_consult(one, practice)
    await doctor.do("chat", {"ciphertext": "first"})
    await until(lambda: texts(patient) == ["first"], "the first message")
    await patient.leave_abruptly()
    for text in ("second", "third"):
        await doctor.do("chat", {"ciphertext": text})
    again = await come_back(patient, other, practice.appointment.id, last(patient))
    await until(lambda: texts(again) == ["second", "third"], "what was missed")
    assert again.events("replay")[0]["complete"]
    await doctor.do("chat", {"ciphertext": "fourth"})
    await until(lambda: texts(again) == ["second", "third", "fourth"], "what is said now")
    numbers = [seq for _, _, seq in again.numbered]
    assert numbers == sorted(set(numbers)) and again.events("replay")[0]["seq"] == numbers[0] - 1


async def test_a_page_that_saw_everything_gets_nothing_again(node: Node, practice: Practice) -> None:
    patient, doctor = await in_a_consult(node, practice)
    await doctor.do("chat", {"ciphertext": "heard"})
    await until(lambda: texts(patient) == ["heard"], "the message")
    await patient.leave_abruptly()
    again = await come_back(patient, node, practice.appointment.id, last(patient))
    await doctor.do("chat", {"ciphertext": "new"})
    await until(lambda: texts(again), "the new message")
    assert texts(again) == ["new"]


@pytest.mark.parametrize("away", [False, True])
async def test_a_message_whose_keeping_was_repeated_comes_once(
    node: Node, practice: Practice, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    """The connection to Redis broke after it had kept the message, and before it said so."""
    patient, doctor = await in_a_consult(node, practice)
    transaction = Pipeline._execute_transaction
    broken: list[bool] = []

    async def break_once(pipe: Pipeline, connection: Any, commands: Any, raise_on_error: bool) -> Any:
        done = await transaction(pipe, connection, commands, raise_on_error)
        if not broken and any(arguments[1].startswith("sk:replay-body:") for arguments, _ in commands):
            broken.append(True)
            raise Disconnected
        return done

    if away:
        await patient.leave_abruptly()
    monkeypatch.setattr(Pipeline, "_execute_transaction", break_once)
    await doctor.do("chat", {"ciphertext": "first"})
    await doctor.do("chat", {"ciphertext": "second"})
    assert broken
    if away:
        patient = await come_back(patient, node, practice.appointment.id, last(patient))
    await until(lambda: "second" in texts(patient), "the second message")
    assert texts(patient) == ["first", "second"]
    assert all(said["complete"] for said in patient.events("replay"))


async def test_a_new_page_gets_nothing_of_the_one_before(node: Node, practice: Practice) -> None:
    patient, doctor = await in_a_consult(node, practice)
    await doctor.do("chat", {"ciphertext": "before"})
    reloaded = able(practice.patient_page())
    reloaded.claims = patient.view["resume"]
    await patient.leave_abruptly()
    await reloaded.connect(node)
    await reloaded.arrive(practice.appointment.id)
    await doctor.do("chat", {"ciphertext": "after"})
    await until(lambda: texts(reloaded), "the message")
    assert texts(reloaded) == ["after"]


async def test_hold_messages_and_keys_are_sent_again_too(node: Node, practice: Practice) -> None:
    patient, doctor = able(practice.patient_page()), able(practice.practitioner_page())
    await patient.connect(node)
    await doctor.connect(node)
    await patient.arrive(practice.appointment.id)
    tell = {"appointment": practice.appointment.id, "participant": patient.id, "message": "soon"}
    await doctor.do("tell", tell)
    await until(lambda: patient.numbered, "the message")
    view = await doctor.admit(practice.appointment.id, patient)
    seen = last(patient)
    await patient.leave_abruptly()
    await doctor.do("key-commit", {"epoch": view["keys"]["epoch"], "commitment": "c" * 43})
    again = await come_back(patient, node, practice.appointment.id, seen)
    await until(lambda: [name for name, _, _ in again.numbered] == ["key-commit"], "the commitment")
    late = await come_back(again, node, practice.appointment.id, 0)
    assert not late.events("replay")[0]["complete"]
    await until(lambda: [name for name, _, _ in late.numbered] == ["told", "key-commit"], "what is still there")


@BOTH
async def test_nothing_of_it_is_left_when_the_consult_ends(nodes: Nodes, practice: Practice, redis_url: str) -> None:
    node = await nodes()
    redis = connect(redis_url)
    _, doctor = await in_a_consult(node, practice)
    for text in ("one", "two"):
        await doctor.do("chat", {"ciphertext": text})
    kept = [key async for key in redis.scan_iter("sk:replay*")]
    assert sum(key.startswith(b"sk:replay-body:") for key in kept) == 2
    for key in kept:
        most = 120_000 if key.startswith((b"sk:replay-body:", b"sk:replay-size:")) else 14_400_000
        assert 0 < await redis.pttl(key) <= most, key
    await doctor.do("leave")
    assert [key async for key in redis.scan_iter("sk:replay*")] == []
    await redis.aclose()


async def test_of_pages_that_cannot_catch_up_nothing_is_kept(node: Node, practice: Practice, redis_url: str) -> None:
    redis = connect(redis_url)
    patient, doctor = await practice.talk(node)
    await doctor.do("chat", {"ciphertext": "aaaa"})
    await until(lambda: patient.events("chat"), "the message")
    assert [key async for key in redis.scan_iter("sk:replay*")] == []
    await redis.aclose()


async def test_two_nodes_that_talk_at_once_are_heard_in_one_order(nodes: Nodes, practice: Practice) -> None:
    one, other = await nodes(), await nodes()
    patient, _ = await in_a_consult(one, practice)
    receiver = one.signaling.consults
    consult = await receiver.live.load(practice.appointment.id)
    assert consult is not None
    me = consult.find(patient.id)
    assert me is not None

    async def say(node: Node, text: str) -> None:
        await asyncio.sleep(random.random() * 0.05)
        await node.signaling.consults.messages.say(consult, [me], "chat", ChatFrom(sender="a", ciphertext=text))

    wanted = {f"{who}{i}" for who in "ab" for i in range(60)}
    await asyncio.gather(*(say(one if text[0] == "a" else other, text) for text in wanted))
    await until(lambda: set(texts(patient)) == wanted, "all of them")
    numbers = [seq for _, _, seq in patient.numbered]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(wanted) == len(numbers)


@pytest.fixture
async def redis(redis_url: str) -> Any:
    client = connect(redis_url)
    yield client
    await client.aclose()


@BOTH
async def test_only_so_many_and_so_much_is_kept(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Replays(redis, utc_now, timedelta(hours=1), AUTHENTIC)
    begin = (await kept.open("a", "p", None)).seq
    body = ChatFrom(sender="s", ciphertext="x")
    for _ in range(KEPT_EVENTS + 10):
        await kept.add("a", ["p"], "chat", body)
    missed = await kept.since("a", "p", begin)
    assert (len(missed.events), missed.complete) == (KEPT_EVENTS, False)
    assert missed.events[-1][0] == missed.seq == begin + KEPT_EVENTS + 10
    monkeypatch.setattr(replays, "KEPT_KIBIBYTES", 2000)
    big = ChatFrom(sender="s", ciphertext="x" * 65_536)
    numbers = [(await kept.add("b", ["p"], "chat", big)) for _ in range(3)]
    assert numbers == [{}, {}, {}] and not await redis.exists("sk:replay:b:p", "sk:replay-seq:b:p")
    await kept.open("b", "p", None)
    for _ in range(40):
        await kept.add("b", ["p"], "chat", big)
    size = 0
    async for key in redis.scan_iter("sk:replay-body:*"):
        size += await redis.strlen(key)
    assert size < 2_100_000


async def test_numbers_rise_although_redis_was_emptied(redis: Redis) -> None:
    kept = Replays(redis, utc_now, timedelta(hours=1), AUTHENTIC)
    before = (await kept.open("a", "p", None)).seq
    await redis.flushall()
    await asyncio.sleep(0.005)
    after = await kept.open("a", "p", before)
    assert after.seq > before and not after.complete
    assert (await kept.open("a", "p", after.seq + 10**6)).complete is False


async def test_a_consult_goes_on_when_redis_was_emptied(node: Node, practice: Practice, redis: Redis) -> None:
    patient, doctor = await in_a_consult(node, practice)
    await redis.flushall()
    await until(lambda: len(patient.views) and patient.events("replay")[1:], "a new beginning", 8)
    await until(lambda: doctor.events("replay")[1:], "a new beginning", 8)
    assert await doctor.code("chat", {"ciphertext": "still"}) is None
    await until(lambda: texts(patient) == ["still"], "the message")


# --- repeats ---------------------------------------------------------------------------------------------------------


async def test_a_repeat_is_acknowledged_and_not_carried_out_again(nodes: Nodes, practice: Practice) -> None:
    one, other = await nodes(), await nodes()
    patient, doctor = await in_a_consult(one, practice)
    message = {"ciphertext": "once"}
    assert (await patient.ask_once("i" * 22, "chat", message))["ok"]
    await patient.leave_abruptly()
    again = await come_back(patient, other, practice.appointment.id, last(patient))
    assert await again.ask_once("i" * 22, "chat", message) == {"ok": True, "data": {}}
    assert (await again.ask_once("j" * 22, "chat", {"ciphertext": "more"}))["ok"]
    await until(lambda: "more" in texts(doctor), "the second message")
    assert texts(doctor) == ["once", "more"]


async def test_ten_repeats_at_once_are_carried_out_once(node: Node, practice: Practice) -> None:
    patient, doctor = await in_a_consult(node, practice)
    replies = await asyncio.gather(*(patient.ask_once("i" * 22, "chat", {"ciphertext": "x"}) for _ in range(10)))
    assert {reply["error"]["code"] for reply in replies if not reply["ok"]} <= {"try_again"}
    assert any(reply["ok"] for reply in replies)
    await patient.ask_once("z" * 22, "chat", {"ciphertext": "end"})
    await until(lambda: texts(doctor)[-1:] == ["end"], "the last message")
    assert texts(doctor) == ["x", "end"]


async def test_what_was_refused_may_be_tried_again(node: Node, practice: Practice) -> None:
    patient, doctor = await in_a_consult(node, practice)
    wrong = {"ciphertext": "aaaa", "to": "nobody"}
    for _ in range(2):
        assert (await patient.ask_once("i" * 22, "chat", wrong))["error"]["code"] == "not_found"
    assert (await patient.ask_once("i" * 22, "chat", {"ciphertext": "aaaa"}))["ok"]
    assert (await doctor.ask_once("i" * 22, "chat", {"ciphertext": "bbbb"}))["ok"]
    await until(lambda: texts(patient) == ["bbbb"], "another's event under the same id")


@pytest.mark.parametrize("beside", ["x", {}, {"id": ""}, {"id": "x", "more": 1}, None, [1]])
async def test_what_stands_beside_a_body_is_checked_like_one(node: Node, practice: Practice, beside: object) -> None:
    patient, _ = await in_a_consult(node, practice)
    reply = await patient.socket.call("chat", ({"ciphertext": "aaaa"}, beside), timeout=30)
    assert reply["error"]["code"] == "invalid"


async def test_whoever_calls_in_one_more_misses_nothing_that_is_on_its_way(node: Node, practice: Practice) -> None:
    """Their list would begin anew behind what others said meanwhile: it goes on."""
    patient, doctor = await practice.talk(node, able=ABLE)
    await until(lambda: doctor.events("replay"), "the beginning")
    await doctor.do("admit", {"appointment": practice.appointment.id, "participant": patient.id, "me": doctor.id})
    await patient.do("chat", {"ciphertext": "AAAA"})
    await until(lambda: doctor.events("chat"), "what was said")
    assert len(doctor.events("replay")) == 1
