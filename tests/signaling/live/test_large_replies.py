"""Every rung of the ladder of Redis carries what the largest practice asks of it at once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from rooms.consult import new
from rooms.consult_events import Arrive
from rooms.live import PART, parts
from signaling.protocol.events import ChatFrom
from signaling.replays import KEPT_KIBIBYTES, Replays
from signaling.sockets.socket import Binding, Socket
from signaling.tickets import Claims
from tests.signaling.live.cast import Node, Practice, page, until, utc_now

pytestmark = pytest.mark.parametrize("redis_url", ["redis", "fakeredis"], indirect=True)
WAITING = 1_000


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A patient client: how busy the machine is does not matter."""
    client = Redis.from_url(redis_url, socket_timeout=120, driver_info=None)
    yield client
    await client.aclose()


@pytest.mark.parametrize("size", [1, 65_536, 250_000, 1 << 20, 8 << 20])
async def test_a_value_comes_back_whole(redis: Redis, size: int) -> None:
    value = bytes(range(256)) * (size // 256 + 1)
    await redis.set("sk:large", value, ex=60)
    for _ in range(3):
        assert await redis.get("sk:large") == value
    got = await redis.mget(["sk:large", "sk:none", "sk:large"])
    assert got == [value, None, value]


async def test_many_commands_in_one_go_are_all_answered(redis: Redis) -> None:
    """Some MiB are on their way in both directions before anybody reads."""
    value = b"x" * 4_000
    async with redis.pipeline(transaction=False) as pipe:
        for number in range(500):
            pipe.set(f"sk:many:{number}", value, ex=60)
            pipe.get(f"sk:many:{number}")
        answers = await pipe.execute()
    assert answers == [True, value] * 500


async def test_an_error_is_one_reply_among_others(redis: Redis) -> None:
    await redis.sadd("sk:set", "a")
    client = redis.client()
    async with client:
        for _ in range(3):
            with pytest.raises(ResponseError):
                await client.get("sk:set")
            assert await client.smembers("sk:set") == {b"a"}
    async with redis.pipeline(transaction=False) as pipe:
        pipe.get("sk:set")
        pipe.scard("sk:set")
        answers = await pipe.execute(raise_on_error=False)
    assert isinstance(answers[0], ResponseError) and answers[1] == 1


async def test_a_reader_that_is_slow_gets_all_of_it(redis_url: str, redis: Redis) -> None:
    value = b"y" * (1 << 20)
    await redis.set("sk:large", value, ex=60)
    reader, writer = await asyncio.open_unix_connection(redis_url.removeprefix("unix://"), limit=1024)
    writer.write(b"*2\r\n$3\r\nGET\r\n$8\r\nsk:large\r\n" * 8)
    await writer.drain()
    got = 0
    while got < 8 * len(value):
        read = await reader.read(30_000)
        assert read, "it hung up"
        got += read.count(b"y")
    writer.close()
    await writer.wait_closed()


async def test_a_full_list_of_missed_events_comes_back(node: Node, practice: Practice, redis: Redis) -> None:
    kept = Replays(redis, utc_now, timedelta(hours=1), node.signaling.authentic)
    begin = (await kept.open("a", "p", None)).seq
    body = ChatFrom(sender="s", ciphertext="x" * 30_000)
    count = 0
    while (count + 1) * (len(body.ciphertext) // 1024 + 2) <= KEPT_KIBIBYTES:
        await kept.add("a", ["p"], "chat", body)
        count += 1
    missed = await kept.since("a", "p", begin)
    assert missed.complete
    assert len(missed.events) == count > 30
    assert all(event[2] == body.model_dump(mode="json") for event in missed.events)
    assert sum(len(json.dumps(event)) for event in missed.events) > 900_000


async def test_a_thousand_who_wait_are_looked_after(nodes: Any, practice: Practice) -> None:
    node = await nodes(name="here")
    live, presence, gate = node.signaling.consults.live, node.signaling.presence, node.signaling.gate
    everybody = [page() for _ in range(WAITING)]

    async def come(one: str) -> None:
        claims = Claims(kind="access", role="patient", appointment=one, seat="patient", expires=0)
        arrival = Arrive(participant=one, seat="patient", role="patient", socket=one, node="here", family=page())
        await live.transition(one, arrival, absent=new(one, practice.practitioner, utc_now()))
        socket = Socket(one, claims, time.time(), gate.limits, time.monotonic)
        socket.binding = Binding(one, one, None, 0)
        gate.authenticated[one] = socket

    for part in parts(everybody):
        await asyncio.gather(*map(come, part))
    await presence.turn()
    assert {one.participant for one in (await live.desk(practice.practitioner)).waiting} == set(everybody)
    assert {consult.appointment async for consult in live.running()} == set(everybody)
    assert all(gate.authenticated[one].binding for one in everybody)
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    await until(lambda: patient.views, "and one more is let in")
    assert len(await live.load_all(everybody[:PART])) == PART
    for one in everybody:
        gate.authenticated.pop(one)
