"""The relays that are compared: each a server with a process id, that answers offers of people in rooms of two."""

import asyncio
import json
import random
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal, Protocol

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from bench.load.processes import START_SECONDS, process
from media.control import Answered, Call, Line, MediaClient, OfferCall, OpenRoom, Reply, SetSizes, SlotSize
from media.processes import LocalWorkers
from media.settings import MediaSettings
from tests.earlier import RELEASE_0_1_0, ROOT, environment, unpacked


class Target(Protocol):
    """A running relay.

    Attributes:
        pid: of the one process whose CPU time and memory count.
        echo: people offer two lines for both ways and hear themselves, instead of one-way lines and each other.
        decodes: it needs real VP8 and Opus, and sends other packets than it got.
    """

    pid: int
    echo: bool
    decodes: bool

    async def answer(self, room: int, person: int, offer: str) -> str: ...


class OwnRelay:
    """One media worker, driven over Redis as signaling does."""

    echo = False
    decodes = False

    def __init__(self, client: MediaClient, worker: str, pid: int) -> None:
        self.pid = pid
        self._client = client
        self._worker = worker
        self._rooms: set[int] = set()

    async def answer(self, room: int, person: int, offer: str) -> str:
        return await self.seat(room, person, offer, slots=1)

    async def seat(self, room: int, person: int, offer: str, slots: int) -> str:
        """The answer to somebody's offer in a room of ``slots`` more."""
        if room not in self._rooms:
            self._rooms.add(room)
            await self.call(OpenRoom(room=f"room{room}", fence=1, capacity=slots + 1))
        lines = [Line(mid="0", use="microphone"), Line(mid="1", use="camera")]
        lines += [Line(mid=str(mid), use="slot", slot=mid // 2 - 1) for mid in range(2, 2 * slots + 2)]
        reply = await self.call(OfferCall(room=f"room{room}", fence=1, peer=f"person{person}", sdp=offer, lines=lines))
        if not isinstance(reply, Answered):
            raise RuntimeError(f"offer refused: {reply}")  # noqa: TRY004 - the relay's answer, no argument of ours
        return reply.sdp

    async def show(self, room: int, person: int, heights: dict[int, int]) -> None:
        """How many lines of each slot somebody's page shows."""
        sizes = [SlotSize(slot=slot, height=height) for slot, height in heights.items()]
        await self.call(SetSizes(room=f"room{room}", fence=1, peer=f"person{person}", sizes=sizes))

    async def call(self, call: Call) -> Reply:
        return await self._client.call(self._worker, call)


@asynccontextmanager
async def own_relay(address: str, pump: Literal["native", "python"] = "python") -> AsyncIterator[OwnRelay]:
    """Our relay with its own settings' defaults, one worker, a redis-server beside it."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock"
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"]
        async with process("redis-server", *options), AsyncExitStack() as stack:
            redis = Redis(unix_socket_path=path)
            stack.push_async_callback(redis.aclose)
            await _until_redis_answers(redis)
            secret = secrets.token_bytes(32)
            # Below the range that the kernel takes ports of clients from: nobody else has it, for UDP and TCP.
            port = random.randrange(20_000, 30_000)
            settings = MediaSettings(workers=1, pump=pump, port=port, announced=[address], announce_loopback=True)
            workers = await stack.enter_async_context(LocalWorkers(settings, f"unix://{path}", secret))
            [worker] = workers.workers
            yield OwnRelay(MediaClient(redis, secret), worker, workers.pids[worker])


async def _until_redis_answers(redis: Redis) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                await redis.ping()
            except (RedisConnectionError, FileNotFoundError):
                await asyncio.sleep(0.05)
            else:
                return


class RelayedTarget:
    """A relay asked through a child process: a JSON object a line (room, person, offer), an answer a line."""

    echo = False

    def __init__(self, child: asyncio.subprocess.Process, pid: int, *, decodes: bool = False) -> None:
        self.pid = pid
        self.decodes = decodes
        self._child = child

    async def answer(self, room: int, person: int, offer: str) -> str:
        child = self._child
        assert child.stdin
        assert child.stdout
        child.stdin.write(json.dumps({"room": room, "person": person, "offer": offer}).encode() + b"\n")
        return str(json.loads(await child.stdout.readline())["answer"])


@asynccontextmanager
async def aiortc_relay(_address: str) -> AsyncIterator[Target]:
    """aiortc's own way: peer connections and a MediaRelay, which decodes and encodes."""
    arguments = ["-m", "bench.load.aiortc_server"]
    async with process(sys.executable, *arguments, pipes=True, cwd=ROOT) as child:
        yield RelayedTarget(child, child.pid, decodes=True)


@asynccontextmanager
async def earlier_relay(address: str) -> AsyncIterator[Target]:
    """Our relay as release 0.1.0 has it, with this environment's packages.

    Raises:
        RuntimeError: its commit is not in this clone.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "0.1.0"
        if not await asyncio.to_thread(unpacked, RELEASE_0_1_0, tree):
            raise RuntimeError("0.1.0 is not in this clone's history; fetch all of it")
        arguments = [str(Path(__file__).parent / "relay_server.py"), address]
        async with process(sys.executable, *arguments, pipes=True, cwd=tree, env=environment(tree)) as child:
            assert child.stdout
            yield RelayedTarget(child, json.loads(await child.stdout.readline())["pid"])
