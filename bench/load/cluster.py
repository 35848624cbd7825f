"""Nodes of the real server as processes, over one redis-server, one PostgreSQL and one OpenBao, with media apart.

What an operator of several nodes runs, on loopback and made for the occasion. Each node reaches Redis and PostgreSQL
through a door of its own (`bench.load.door`), so that it alone can be cut off.
"""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import aiohttp
from pydantic import SecretStr
from redis.asyncio import Redis

from bench.load.door import Balancer, Door, eventually
from media.control import WORKERS, heartbeat_key
from rooms.consult import Consult
from rooms.live import parse, room_key
from rooms.settings import RoomsSettings
from rooms.store import open_store
from tests.rooms import bao as openbaos
from tests.rooms import postgres as postgresqls

ROOT = Path(__file__).parents[2]
READY_SECONDS = 90.0
PASSWORD = "correct horse battery staple"
MAIL = "alice@example.org"
EACH = 25
"""Appointments of one practitioner."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Planned:
    """An appointment, and what stands behind the ``#`` of its patient's link."""

    id: str
    link: str


class Process:
    """A child that is started, killed, frozen and started again; what it says goes to a file."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log
        self.child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=ROOT,
                env={**os.environ, **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def signal(self, number: int) -> None:
        assert self.child is not None
        with suppress(ProcessLookupError):
            self.child.send_signal(number)

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self.ended()

    async def ended(self) -> None:
        assert self.child is not None
        await self.child.wait()

    async def stop(self) -> None:
        """Idempotent."""
        if self.child is None or self.child.returncode is not None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGINT)
        try:
            async with asyncio.timeout(15):
                await self.child.wait()
        except TimeoutError:
            await self.kill()


@dataclass
class Node:
    """One server process, with its ways to Redis and to the database."""

    port: int
    process: Process
    redis: Door
    database: Door

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ready(self) -> bool:
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session,
                session.get(f"{self.url}/health/ready") as answer,
            ):
                return answer.status == 200
        return False

    async def await_ready(self) -> None:
        await eventually(self.ready, f"the node on port {self.port} is not ready", READY_SECONDS)


@dataclass
class Cluster:
    """``origin`` is what browsers would see: the balancer's address."""

    folder: Path
    balancer: Balancer
    redis_url: str
    redis: Process
    nodes: list[Node] = field(default_factory=list)
    media: list[Process] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.balancer.port}"

    async def alive_workers(self) -> int:
        """Media workers whose heart beats."""
        redis = Redis.from_url(self.redis_url)
        try:
            names = cast("set[bytes]", await redis.smembers(WORKERS))
            return sum([await redis.exists(heartbeat_key(name.decode())) for name in names])
        finally:
            await redis.aclose()


@asynccontextmanager
async def running(
    folder: Path, *, nodes: int = 2, media: int = 2, appointments: int = 0, **settings: str
) -> AsyncIterator[Cluster]:
    """Everything started and ready, with so many appointments, the first of them ``MAIL``'s.

    ``settings`` are environment variables of all nodes, without ``SPREEKKAMER_``.
    """
    async with AsyncExitStack() as stack:
        database = stack.enter_context(postgresqls.running())
        bao = stack.enter_context(openbaos.running())
        redis_port = free_port()
        command = ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        redis = Process(command, {}, folder / "redis.log")
        await redis.start()
        stack.push_async_callback(redis.stop)
        rooms = RoomsSettings(
            data=folder / "first",
            trust_clock=True,
            database_url=SecretStr(database.new_database()),
            keystore_url=SecretStr(database.new_database(migrated=False)),
            root_key_file=folder / "root.key",
            transit=bao.transit(folder),
        )
        balancer_port, node_ports = free_port(), [free_port() for _ in range(nodes)]
        balancer = Balancer(node_ports)
        shared = environment(rooms, redis_port, f"http://127.0.0.1:{balancer_port}", folder)
        cluster = Cluster(folder, balancer, f"redis://127.0.0.1:{redis_port}", redis)
        cluster.planned = await furnish(rooms, appointments)
        own = {f"SPREEKKAMER_{name}": value for name, value in settings.items()}
        for index in range(media):
            await start_media(stack, cluster, shared | own, folder / f"media-{index}.log")
        sockets = str(database.socket / ".s.PGSQL.5432")
        for port in node_ports:
            await start_node(stack, cluster, rooms, port, (redis_port, sockets), shared | own)
        await asyncio.gather(*(node.await_ready() for node in cluster.nodes))
        await balancer.open(balancer_port)
        stack.push_async_callback(balancer.close)
        await eventually(lambda: _all(balancer), "the balancer sees the nodes ready", 10)
        yield cluster


async def _all(balancer: Balancer) -> bool:
    return all(balancer.ready.values())


def environment(rooms: RoomsSettings, redis_port: int, origin: str, folder: Path) -> dict[str, str]:
    """What all processes of the cluster are told."""
    transit = rooms.transit
    told = {
        "ROOMS__TRUST_CLOCK": "true",
        "ROOMS__ROOT_KEY_FILE": str(rooms.root_key_file),
        "ROOMS__TRANSIT__ADDRESS": str(transit.address),
        "ROOMS__TRANSIT__TOKEN_FILE": str(transit.token_file),
        "ROOMS__TRANSIT__KEY": transit.key,
        "SIGNALING__ORIGIN": origin,
        "SIGNALING__REDIS_URL": f"redis://127.0.0.1:{redis_port}",
        "SIGNALING__SECRET": secrets.token_urlsafe(32),
        "SIGNALING__LOG_LEVEL": "warning",
        "MEDIA__PORT": "0",
        "MEDIA__ANNOUNCE_LOOPBACK": "true",
        **{f"WEB__OPERATOR__{name}": "A practice" for name in ("NAME", "ADDRESS")},
        "WEB__OPERATOR__MAIL": "practice@example.org",
        "WEB__DPO__NAME": "An officer",
        "WEB__DPO__MAIL": "officer@example.org",
    }
    assert folder.is_dir()
    return {f"SPREEKKAMER_{name}": value for name, value in told.items()}


async def furnish(rooms: RoomsSettings, appointments: int) -> list[Planned]:
    """Practitioners and appointments, made before any node starts."""
    async with open_store(rooms) as store:
        await store.retention.catch_up()
        now, made = datetime.now(UTC), []
        for number in range(appointments or 1):
            if number % EACH == 0:
                mail = f"{number}.{MAIL}" if number else MAIL
                person = await store.practitioners.add(mail, PASSWORD, "A. Practitioner", "nl")
            if number < appointments:
                made.append(await store.appointments.create(person.id, f"P{number}", now, 120, "nl"))
        return [Planned(one.id, one.id + one.secret) for one in made]


async def start_media(stack: AsyncExitStack, cluster: Cluster, told: dict[str, str], log: Path) -> None:
    """`spreekkamer media` with one worker."""
    command = [sys.executable, "-m", "spreekkamer", "media"]
    process = Process(command, {**told, "SPREEKKAMER_MEDIA__WORKERS": "1"}, log)
    await process.start()
    stack.push_async_callback(process.stop)
    cluster.media.append(process)


async def start_node(
    stack: AsyncExitStack,
    cluster: Cluster,
    rooms: RoomsSettings,
    port: int,
    behind: tuple[int, str],
    told: dict[str, str],
) -> None:
    """`spreekkamer serve` behind two doors."""
    redis, database = Door(("127.0.0.1", behind[0])), Door(behind[1])
    for door in (redis, database):
        await door.open()
        stack.push_async_callback(door.close)
    name = f"node-{len(cluster.nodes)}"
    assert rooms.database_url is not None
    assert rooms.keystore_url is not None
    own = {
        "ROOMS__DATA": str(cluster.folder / name),
        "ROOMS__DATABASE_URL": through(rooms.database_url, database.port),
        "ROOMS__KEYSTORE_URL": through(rooms.keystore_url, database.port),
        "SIGNALING__PORT": str(port),
        "SIGNALING__REDIS_URL": f"redis://127.0.0.1:{redis.port}",
        "MEDIA__WORKERS": "0",
    }
    command = [sys.executable, "-m", "spreekkamer", "serve"]
    names = {f"SPREEKKAMER_{key}": value for key, value in own.items()}
    process = Process(command, told | names, cluster.folder / f"{name}.log")
    await process.start()
    stack.push_async_callback(process.stop)
    cluster.nodes.append(Node(port, process, redis, database))


def through(url: SecretStr, port: int) -> str:
    """A database's address by way of a port of loopback."""
    return f"{url.get_secret_value().partition('?')[0].replace('@/', f'@127.0.0.1:{port}/')}"


class Clerk:
    """The practitioner's REST session, through the balancer."""

    def __init__(self, origin: str, api: str, url: str | None = None) -> None:
        self._base = (url or origin) + api
        self._session = aiohttp.ClientSession(
            headers={"Origin": origin},
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=5),
        )

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
        """Status and JSON."""
        async with self._session.request(method, self._base + path, json=body) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else {}

    async def sign_in(self) -> None:
        status, said = await self.call("POST", "/sign-in", {"mail": MAIL, "password": PASSWORD})
        if status != 200:
            raise RuntimeError(f"sign-in was refused: {said}")

    async def ticket(self) -> str:
        status, said = await self.call("POST", "/desk/ticket", {})
        if status != 200:
            raise RuntimeError(f"no ticket: {said}")
        return str(said["access_token"])

    async def join(self, link: str) -> str:
        status, said = await self.call("POST", "/join", {"link": link})
        if status != 200:
            raise RuntimeError(f"the link does not open: {said}")
        return str(said["access_token"])

    async def plan(self, patient: str) -> str | None:
        """A new appointment's id if that was acknowledged."""
        body = {"patient": patient, "starts_at": datetime.now(UTC).isoformat(timespec="seconds"), "minutes": 30}
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            status, said = await self.call("POST", "/appointments", body)
            return str(said["appointment"]) if status == 201 else None
        return None

    async def close(self) -> None:
        await self._session.close()


async def documents(running: Cluster, appointments: list[str]) -> dict[str, Consult]:
    """The rooms that are there, by appointment."""
    redis = Redis.from_url(running.redis_url)
    try:
        found = [parse(raw) for raw in await redis.mget([room_key(one) for one in appointments])]
    finally:
        await redis.aclose()
    return {consult.appointment: consult for consult in found if consult}


async def gauge(node: Node, name: str) -> float:
    """One of a node's metrics that has no label."""
    async with aiohttp.ClientSession() as session, session.get(f"{node.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
