"""The relays that are compared: each a server with a process id, that answers offers of people in rooms of two."""

import asyncio
import json
import os
import random
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from media.control import Answered, Line, MediaClient, OfferCall, OpenRoom
from media.processes import LocalWorkers
from media.settings import MediaSettings
from tests.ports import free_port

_JANUS_PLUGINS = Path("/usr/lib/x86_64-linux-gnu/janus")
_START_SECONDS = 10.0


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
        if room not in self._rooms:
            self._rooms.add(room)
            await self._client.call(self._worker, OpenRoom(room=f"room{room}", fence=1))
        uses = [("microphone", None), ("camera", None), ("slot", 0), ("slot", 0)]
        lines = [Line(mid=str(mid), use=use, slot=slot) for mid, (use, slot) in enumerate(uses)]
        call = OfferCall(room=f"room{room}", fence=1, peer=f"person{person}", sdp=offer, lines=lines)
        reply = await self._client.call(self._worker, call)
        if not isinstance(reply, Answered):
            raise RuntimeError(f"offer refused: {reply}")  # noqa: TRY004 - the relay's answer, no argument of ours
        return reply.sdp


@asynccontextmanager
async def own_relay(address: str) -> AsyncIterator[Target]:
    """Our relay with its own settings' defaults, one worker, a redis-server beside it."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock"
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"]
        async with _process("redis-server", *options), AsyncExitStack() as stack:
            redis = Redis(unix_socket_path=path)
            stack.push_async_callback(redis.aclose)
            await _until_redis_answers(redis)
            secret = secrets.token_bytes(32)
            # Below the range that the kernel takes ports of clients from: nobody else has it, for UDP and TCP.
            port = random.randrange(20_000, 30_000)
            settings = MediaSettings(workers=1, port=port, announced=[address], announce_loopback=True)
            workers = await stack.enter_async_context(LocalWorkers(settings, f"unix://{path}", secret))
            [worker] = workers.workers
            yield OwnRelay(MediaClient(redis, secret), worker, workers.pids[worker])


async def _until_redis_answers(redis: Redis) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                await redis.ping()
            except (RedisConnectionError, FileNotFoundError):
                await asyncio.sleep(0.05)
            else:
                return


class Janus:
    """Debian's Janus with the EchoTest plugin: what comes from a person is forwarded to that person.

    That is the least its forwarding can cost: no room to look up, one connection per person.
    """

    echo = True
    decodes = False

    def __init__(self, control: aiohttp.ClientWebSocketResponse, pid: int) -> None:
        self.pid = pid
        self._control = control

    async def answer(self, room: int, person: int, offer: str) -> str:
        session = (await self._ask({"janus": "create"}))["data"]["id"]
        attached = await self._ask({"janus": "attach", "plugin": "janus.plugin.echotest", "session_id": session})
        message = {
            "janus": "message",
            "session_id": session,
            "handle_id": attached["data"]["id"],
            "body": {"audio": True, "video": True},
            "jsep": {"type": "offer", "sdp": offer},
        }
        return str((await self._ask(message, "event"))["jsep"]["sdp"])

    async def _ask(self, request: dict[str, Any], wanted: str = "success") -> dict[str, Any]:
        transaction = secrets.token_hex(6)
        await self._control.send_json(request | {"transaction": transaction})
        async with asyncio.timeout(_START_SECONDS):
            while True:
                reply = await self._control.receive_json()
                if reply.get("transaction") == transaction and reply["janus"] in (wanted, "error"):
                    if reply["janus"] == "error":
                        raise RuntimeError(reply["error"]["reason"])
                    return dict(reply)


@asynccontextmanager
async def janus(address: str, event_loops: int = 0) -> AsyncIterator[Target]:
    """Janus as Debian builds it, ICE-lite; ``event_loops`` 0: a thread for each person, its default."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, library in (("plugins", "echotest"), ("transports", "websockets")):
            (folder / kind).mkdir()
            (folder / kind / f"libjanus_{library}.so").symlink_to(_JANUS_PLUGINS / kind / f"libjanus_{library}.so")
        (folder / "none").mkdir()
        (folder / "janus.jcfg").write_text(_janus_config(folder, address, event_loops))
        port = free_port()
        (folder / "janus.transport.websockets.jcfg").write_text(
            f'general: {{ json = "compact"\n ws = true\n ws_ip = "127.0.0.1"\n ws_port = {port} }}\n'
        )
        async with (
            _process("janus", "--configs-folder", name) as process,
            aiohttp.ClientSession() as session,
            await _connect(session, f"ws://127.0.0.1:{port}") as control,
        ):
            yield Janus(control, process.pid)


def _janus_config(folder: Path, address: str, event_loops: int) -> str:
    loops = f"event_loops = {event_loops}" if event_loops else ""
    return f"""
general: {{ configs_folder = "{folder}"
 plugins_folder = "{folder}/plugins"
 transports_folder = "{folder}/transports"
 events_folder = "{folder}/none"
 loggers_folder = "{folder}/none"
 debug_level = 2
 session_timeout = 0
 {loops} }}
nat: {{ ice_lite = true
 ice_enforce_list = "{address}"
 full_trickle = false }}
media: {{ ipv6 = false }}
"""


async def _connect(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                return await session.ws_connect(url, protocols=["janus-protocol"])
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


class AiortcRelay:
    """`bench.load.aiortc_server` in a child process."""

    echo = False
    decodes = True

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process

    async def answer(self, room: int, person: int, offer: str) -> str:
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"room": room, "person": person, "offer": offer}).encode() + b"\n")
        return str(json.loads(await process.stdout.readline())["answer"])


@asynccontextmanager
async def aiortc_relay(_address: str) -> AsyncIterator[Target]:
    """aiortc's own way: peer connections and a MediaRelay, which decodes and encodes."""
    root = Path(__file__).resolve().parents[2]
    arguments = ["-m", "bench.load.aiortc_server"]
    async with _process(sys.executable, *arguments, pipes=True, cwd=root) as process:
        yield AiortcRelay(process)


@asynccontextmanager
async def _process(
    program: str, *arguments: str, pipes: bool = False, cwd: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    found = shutil.which(program) or program
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        found, *arguments, stdin=pipe if pipes else nothing, stdout=pipe if pipes else nothing, cwd=cwd, limit=1 << 20
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_START_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid: int) -> int:
    """Proportional set size: what is shared counts by its share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
