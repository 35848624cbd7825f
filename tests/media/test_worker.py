"""Worker processes: stock aiortc clients talk through a real one, whatever happens beside it."""

import asyncio
import base64
import contextlib
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from media import worker
from media.control import Event, Inspect, Inspected, MediaClient, PeerState
from media.processes import LocalWorkers, WorkerFailed
from media.settings import MediaSettings
from signaling.metrics import Metrics
from tests.client.waiting import PATIENCE
from tests.media.people import close as close_people
from tests.media.people import counts, couple, meet, until
from tests.media.servers import start_redis
from tests.media.test_hostile_input import ALERT, CLIENT_HELLO

SECRET = b"s" * 32
SETTINGS = MediaSettings(workers=1, port=0, listen=["127.0.0.1"])


@dataclass
class Stage:
    """A Redis, a client of it, and the events that came."""

    url: str
    redis: Redis
    client: MediaClient
    events: list[Event]
    server: asyncio.subprocess.Process

    def states(self, peer: str) -> list[str]:
        return [event.state for event in self.events if isinstance(event, PeerState) and event.peer == peer]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    server = await start_redis(tmp_path / "redis.sock")
    url = f"unix://{tmp_path / 'redis.sock'}"
    redis = Redis.from_url(url, driver_info=None)
    made = Stage(url, redis, MediaClient(redis, SECRET), [], server)

    async def listen() -> None:
        async for event in made.client.events():
            made.events.append(event)

    listener = asyncio.create_task(listen())
    yield made
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    await redis.aclose()
    if made.server.returncode is None:
        made.server.terminate()
        await made.server.wait()


@pytest.fixture
async def workers(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[LocalWorkers]:
    settings = SETTINGS.model_copy(update={"pump": getattr(request, "param", "python")})
    async with LocalWorkers(settings, stage.url, SECRET) as started:
        yield started


both_ways = pytest.mark.parametrize("workers", ["python", "native"], indirect=True)


async def inspect(stage: Stage, worker: str) -> Inspected:
    reply = await stage.client.call(worker, Inspect())
    assert isinstance(reply, Inspected)
    return reply


@both_ways
async def test_two_stock_clients_hear_and_see_each_other_end_to_end_encrypted(
    stage: Stage, workers: LocalWorkers
) -> None:
    people = await couple(stage.client, workers.workers[0])
    await meet(people)
    for person in people:
        assert all(place.refused == 0 for place in person.media.receiving)
        assert person.media.pc.connectionState == "connected"
    counters = (await inspect(stage, workers.workers[0])).counters
    assert counters["forwarded"] > 30
    assert counters["errors"] == counters["bad_tag"] == 0
    await close_people(*people)
    await until(lambda: stage.states("alice")[-1] == stage.states("bob")[-1] == "lost")
    async with asyncio.timeout(PATIENCE):
        while (await inspect(stage, workers.workers[0])).peers:  # noqa: ASYNC110 -- a worker does not tell
            await asyncio.sleep(0.1)


async def test_one_packet_from_anywhere_cannot_keep_a_call_from_starting(stage: Stage, workers: LocalWorkers) -> None:
    """aiortc by itself fails on each of these in 24 of 24 calls."""
    worker = workers.workers[0]
    address = ("127.0.0.1", workers.ports[worker])
    people = await couple(stage.client, worker)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        attacker.setblocking(False)
        done = asyncio.Event()

        async def attack() -> None:
            while not done.is_set():
                for data in (b"", CLIENT_HELLO, ALERT, b"\x80" * 100, b"\0\1" + bytes(18)):
                    attacker.sendto(data, address)
                await asyncio.sleep(0.001)

        attacking = asyncio.create_task(attack())
        await meet(people)
        done.set()
        await attacking
    assert set(stage.states("alice") + stage.states("bob")) == {"connected"}
    assert (await inspect(stage, worker)).counters["errors"] == 0
    await close_people(*people)


@both_ways
async def test_what_workers_drop_is_counted_by_kind_for_metrics_and_never_logged(
    stage: Stage, workers: LocalWorkers, capfd: pytest.CaptureFixture[str]
) -> None:
    metrics, worker = Metrics(), workers.workers[0]

    async def dropped() -> dict[str, float]:
        await metrics.count_datagrams(stage.client, worker)
        family = next(one for one in metrics.registry.collect() if one.name == "spreekkamer_media_refused")
        return {one.labels["kind"]: one.value for one in family.samples if one.value and one.name.endswith("_total")}

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        for data in (b"", bytes(2_000), b"\x80" * 100, CLIENT_HELLO, b"\0\1" + bytes(18)):
            for _ in range(3):
                attacker.sendto(data, ("127.0.0.1", workers.ports[worker]))
    expected = {"oversize": 6.0, "unknown_source": 6.0, "stun_malformed": 3.0}
    for _ in range(200):
        if await dropped() == expected:
            break
        await asyncio.sleep(0.05)
    assert await dropped() == expected
    await metrics.count_datagrams(stage.client, "nobody")
    assert capfd.readouterr().err == ""


async def test_a_certificate_other_than_the_announced_one_gets_no_media(stage: Stage, workers: LocalWorkers) -> None:
    alice, bob = await couple(stage.client, workers.workers[0])
    for person in (alice, bob):
        person.start()

    def forge(sdp: str) -> str:
        digest = sdp.split("a=fingerprint:sha-256 ")[1][:95]
        return sdp.replace(digest, ":".join(["AB"] * 32)).replace("sha-384", "sha-0").replace("sha-512", "sha-0")

    await alice.join(forge)
    await bob.join()
    await until(lambda: stage.states("alice") == ["lost"], what=lambda: stage.events)
    await until(lambda: stage.states("bob") == ["connected"])
    assert bob.sees("alice", "camera").opened == 0
    await close_people(alice, bob)


async def test_media_goes_on_without_redis_and_calls_work_when_it_is_back(
    stage: Stage, workers: LocalWorkers, tmp_path: Path
) -> None:
    people = await couple(stage.client, workers.workers[0])
    await meet(people)
    stage.server.kill()
    await stage.server.wait()
    (tmp_path / "redis.sock").unlink(missing_ok=True)
    before = counts(people)
    await asyncio.sleep(3.5)

    def more() -> bool:
        return all(now[0] > then[0] + 20 for now, then in zip(counts(people), before, strict=True) if then[0])

    await until(more, what=lambda: counts(people))
    stage.server = await start_redis(tmp_path / "redis.sock")
    await asyncio.sleep(1.2)
    assert (await inspect(stage, workers.workers[0])).peers == 2
    await close_people(*people)


async def test_a_worker_that_dies_is_replaced_under_another_name(stage: Stage) -> None:
    gone: list[str] = []

    async def on_exit(worker: str) -> None:
        gone.append(worker)
        raise RuntimeError("whoever is told must not stop the replacement")

    async with LocalWorkers(SETTINGS, stage.url, SECRET, on_exit) as workers:
        first = workers.workers[0]
        os.kill(workers.pids[first], signal.SIGKILL)
        await until(lambda: gone == [first])
        await until(lambda: workers.workers and workers.workers != [first])
        second = workers.workers[0]
        assert second != first
        assert (await inspect(stage, second)).rooms == 0
        await asyncio.sleep(3)
        assert [beat.worker for beat in await stage.client.workers()] == [second]
    assert workers.workers == []
    assert await stage.client.workers() == []


async def test_a_worker_that_was_frozen_gives_up_its_rooms(stage: Stage, workers: LocalWorkers) -> None:
    worker = workers.workers[0]
    await couple(stage.client, worker)
    assert (await inspect(stage, worker)).rooms == 1
    os.kill(workers.pids[worker], signal.SIGSTOP)
    await asyncio.sleep(3.5)
    assert await stage.client.workers() == []
    os.kill(workers.pids[worker], signal.SIGCONT)
    assert (await inspect(stage, worker)).rooms == 0


async def start_by_hand(stage: Stage, settings: MediaSettings = SETTINGS) -> tuple[asyncio.subprocess.Process, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "media.worker",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    config = {
        "settings": settings.model_dump(mode="json"),
        "redis_url": stage.url,
        "secret": base64.b64encode(SECRET).decode(),
    }
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(config).encode() + b"\n")
    await process.stdin.drain()
    return process, await process.stdout.readline()


@pytest.mark.parametrize("how", ["end of input", "SIGTERM"])
async def test_a_worker_ends_by_itself_and_says_so(stage: Stage, how: str) -> None:
    process, line = await start_by_hand(stage)
    ready = json.loads(line)
    assert process.stdin is not None
    assert [beat.worker for beat in await stage.client.workers()] == [ready["worker"]]
    process.send_signal(signal.SIGINT)
    await asyncio.sleep(0.2)
    assert process.returncode is None, "Ctrl-C is the parent's to handle"
    if how == "SIGTERM":
        process.terminate()
    else:
        process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert await stage.client.workers() == []
    if how == "SIGTERM":
        process.stdin.close()


async def test_a_port_in_use_is_one_sentence_and_no_worker(stage: Stage) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        settings = MediaSettings(workers=1, port=taken.getsockname()[1], listen=["127.0.0.1"])
        process, line = await start_by_hand(stage, settings)
        _, errors = await process.communicate()
        assert (process.returncode, line) == (1, b"")
        assert errors.decode().splitlines() == [
            "The media port is in use or may not be opened: set another media.port."
        ]
        workers = LocalWorkers(settings, stage.url, SECRET)
        with pytest.raises(WorkerFailed):
            await workers.start()
        assert workers.pids == {}


@pytest.mark.parametrize(("port", "tries"), [(0, 3), (40_000, 1)])
async def test_another_free_port_is_tried_only_where_any_will_do(
    monkeypatch: pytest.MonkeyPatch, port: int, tries: int
) -> None:
    ports = iter([errno.EADDRINUSE, errno.EADDRINUSE, None])
    tried: list[int] = []

    class Taken:
        def __init__(self, config: worker.WorkerConfig) -> None:
            tried.append(config.settings.port)

        async def run(self) -> None:
            if code := next(ports):
                raise OSError(code, "taken")

    monkeypatch.setattr(worker, "Worker", Taken)
    config = worker.WorkerConfig(settings=MediaSettings(port=port), redis_url="unix:///nowhere", secret="")
    with contextlib.nullcontext() if port == 0 else pytest.raises(OSError, match="taken"):
        await worker._serve(config)
    assert tried == [port] * tries


async def test_without_redis_a_worker_does_not_start(stage: Stage) -> None:
    stage.server.terminate()
    await stage.server.wait()
    process, line = await start_by_hand(stage)
    _, errors = await process.communicate()
    assert (process.returncode, line) == (1, b"")
    assert errors.decode().splitlines() == ["Redis does not answer: the media worker cannot be reached without it."]
