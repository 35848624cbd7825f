"""Calls and events over Redis: authentic, answered once, bounded; on Redis and on the embedded fakeredis."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fakeredis import TcpFakeServer
from pydantic import TypeAdapter
from redis.asyncio import Redis

from media.control import (
    EVENTS,
    MAX_EVENTS,
    WORKERS,
    Call,
    CallMessage,
    Done,
    Event,
    Heartbeat,
    Inspect,
    Inspected,
    MediaClient,
    MediaUnavailable,
    OpenRoom,
    PeerSample,
    PeerState,
    Refused,
    Reply,
    calls_key,
    heartbeat_key,
    reply_key,
)
from media.control_server import ControlServer
from media.messages import ForgedError, seal, unseal
from tests.media.servers import start_redis

SECRET = b"s" * 32
WORKER = "worker"


@pytest.fixture(params=["redis", "fakeredis"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "redis":
        path = tmp_path / "redis.sock"
        server = await start_redis(path)
        yield f"unix://{path}"
        server.terminate()
        await server.wait()
        return
    fake = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    fake.daemon_threads = True
    thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"redis://127.0.0.1:{fake.server_address[1]}"
    fake.shutdown()
    fake.server_close()
    thread.join()


@pytest.fixture
async def redis(url: str) -> AsyncIterator[Redis]:
    connection = Redis.from_url(url, driver_info=None)
    yield connection
    await connection.aclose()


class Handler:
    """Answers calls and remembers them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def handle(self, call: Call) -> Reply:
        self.calls.append(call)
        if isinstance(call, OpenRoom) and call.room == "broken":
            raise ValueError("203.0.113.9")
        return Inspected(rooms=len(self.calls), peers=0, counters={}) if isinstance(call, Inspect) else Done()


@contextlib.asynccontextmanager
async def serving(url: str, handler: Handler, secret: bytes = SECRET) -> AsyncIterator[ControlServer]:
    connection = Redis.from_url(url, driver_info=None)
    beat = Heartbeat(worker=WORKER, rooms=1, peers=2, packets_per_second=3)
    server = ControlServer(connection, secret, WORKER, handler.handle, lambda: beat)
    await server.announce()
    task = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.aclose()


# --- messages --------------------------------------------------------------------------------------------------------

ADAPTER: TypeAdapter[CallMessage] = TypeAdapter(CallMessage)


def forged() -> Iterator[bytes]:
    sealed = seal(SECRET, "key", CallMessage(id="1", body=Inspect()))
    yield b""
    yield b"x" * 63
    yield sealed[:-1]
    yield sealed + b" "
    yield sealed.replace(b"inspect", b"INSPECT")
    yield seal(b"another secret", "key", CallMessage(id="1", body=Inspect()))
    yield seal(SECRET, "another key", CallMessage(id="1", body=Inspect()))
    yield seal(SECRET, "key", Inspect())
    yield b"0" * 64 + b"\x80\x05cposix\nsystem\n."
    yield bytes(2 << 20)
    yield seal(SECRET, "key", CallMessage(id="x" * (1 << 20), body=Inspect()))


@pytest.mark.parametrize("message", list(forged()), ids=range(11))
def test_what_was_not_sealed_for_this_key_is_not_opened(message: bytes) -> None:
    with pytest.raises(ForgedError):
        unseal(SECRET, "key", message, ADAPTER)


def test_what_was_sealed_is_opened() -> None:
    message = CallMessage(id="1", body=OpenRoom(room="r", fence=3))
    assert unseal(SECRET, "key", seal(SECRET, "key", message), ADAPTER) == message


# --- calls -----------------------------------------------------------------------------------------------------------


async def test_a_call_is_answered(url: str, redis: Redis) -> None:
    handler = Handler()
    async with serving(url, handler):
        client = MediaClient(redis, SECRET)
        replies = await asyncio.gather(
            *(client.call(WORKER, OpenRoom(room=str(i), fence=1), timeout=60) for i in range(20))
        )
        assert replies == [Done()] * 20
        assert sorted(call.room for call in handler.calls if isinstance(call, OpenRoom)) == sorted(map(str, range(20)))
        assert not await redis.keys("sk:media:reply:*")


async def test_a_call_that_fails_is_refused_and_the_next_one_served(
    url: str, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(url, Handler()):
        client = MediaClient(redis, SECRET)
        assert await client.call(WORKER, OpenRoom(room="broken", fence=1)) == Refused(code="internal")
        assert await client.call(WORKER, OpenRoom(room="r", fence=1)) == Done()
    assert "media: call failed" in caplog.messages


async def test_a_call_to_nobody_ends_within_its_deadline_and_is_taken_back(url: str, redis: Redis) -> None:
    client = MediaClient(redis, SECRET)
    began = asyncio.get_running_loop().time()
    with pytest.raises(MediaUnavailable):
        await client.call("nobody", Inspect(), timeout=3)
    assert asyncio.get_running_loop().time() - began < 30
    assert await redis.llen(calls_key("nobody")) == 0


async def test_a_repeated_call_id_is_carried_out_once(url: str, redis: Redis) -> None:
    handler = Handler()
    message = seal(SECRET, calls_key(WORKER), CallMessage(id="same", body=Inspect()))
    async with serving(url, handler):
        for _ in range(2):
            await redis.rpush(calls_key(WORKER), message)
            answer = await redis.blpop([reply_key("same")], timeout=60)
            assert answer is not None
            reply = unseal(SECRET, reply_key("same"), answer[1], TypeAdapter(Inspected))
            assert reply.rooms == 1
    assert len(handler.calls) == 1


async def test_forged_calls_and_replies_are_dropped(url: str, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    handler = Handler()
    async with serving(url, handler):
        for message in list(forged())[:-2]:
            await redis.rpush(calls_key(WORKER), message)
        assert await MediaClient(redis, SECRET).call(WORKER, Inspect()) == Inspected(rooms=1, peers=0, counters={})
        with pytest.raises(MediaUnavailable):
            await MediaClient(redis, b"another" * 8).call(WORKER, Inspect(), timeout=0.5)
    assert len(handler.calls) == 1
    assert caplog.messages.count("media: forged call") == len(list(forged())) - 1


async def test_without_redis_a_call_is_unavailable_at_once() -> None:
    redis = Redis.from_url("unix:///nonexistent/redis.sock", driver_info=None)
    client = MediaClient(redis, SECRET)
    with pytest.raises(MediaUnavailable):
        await client.call(WORKER, Inspect())
    with pytest.raises(MediaUnavailable):
        await client.workers()
    await redis.aclose()


# --- heartbeat and events --------------------------------------------------------------------------------------------


async def test_workers_are_listed_while_their_heart_beats(url: str, redis: Redis) -> None:
    client = MediaClient(redis, SECRET)
    assert await client.workers() == []
    async with serving(url, Handler()) as server:
        assert [beat.worker for beat in await client.workers()] == [WORKER]
        assert 0 < await redis.pttl(heartbeat_key(WORKER)) <= 3_000
        await server.withdraw()
        assert await client.workers() == []


async def test_the_dead_are_forgotten_and_forged_heartbeats_are_not_believed(url: str, redis: Redis) -> None:
    client = MediaClient(redis, SECRET)
    await redis.sadd(WORKERS, "dead", "forged")
    beat = Heartbeat(worker="forged", rooms=0, peers=0, packets_per_second=0)
    await redis.set(heartbeat_key("forged"), seal(b"another secret", heartbeat_key("forged"), beat))
    assert await client.workers() == []
    assert client.forged == {"worker": 1, "media": 0}
    assert await redis.smembers(WORKERS) == {b"forged"}


def state(number: int) -> PeerState:
    return PeerState(room="r", fence=number, peer="p", state="connected", transport="udp")


async def test_events_arrive_in_order_and_each_once_for_all_listeners(url: str, redis: Redis) -> None:
    got: list[Event] = []

    async def listen() -> None:
        async for event in MediaClient(redis, SECRET).events():
            got.append(event)  # noqa: PERF401 - it never ends

    async with serving(url, Handler()) as server:
        listeners = [asyncio.create_task(listen()) for _ in range(2)]
        await redis.rpush(EVENTS, b"forged", seal(b"another secret", EVENTS, state(99)))
        for number in range(50):
            server.emit(state(number))
        async with asyncio.timeout(60):
            while len(got) < 50:  # noqa: ASYNC110 - polled with a deadline
                await asyncio.sleep(0.02)
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
    assert sorted(event.fence for event in got) == list(range(50))


async def test_events_that_nobody_takes_are_bounded(redis: Redis) -> None:
    server = ControlServer(
        redis, SECRET, WORKER, Handler().handle, lambda: Heartbeat(worker="", rooms=0, peers=0, packets_per_second=0)
    )
    sample = PeerSample(room="r", fence=1, peer="p", address="192.0.2.1", transport="udp", received_kbps=1, sent_kbps=1)
    for number in range(MAX_EVENTS * 2):
        server.emit(sample)
        server.emit(state(number))
    assert len(server._events) < MAX_EVENTS
    assert server._events[-1] == state(MAX_EVENTS * 2 - 1), "samples go first"
