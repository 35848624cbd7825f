"""Nodes of the real server as processes, over one redis-server, one PostgreSQL and one OpenBao, with media apart.

What an operator of several nodes runs, on loopback and made for the occasion. Each node reaches Redis and PostgreSQL
through a door of its own (`bench.load.door`), so that it alone can be cut off.
"""

import asyncio
import os
import secrets
import signal
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

from bench.load.clerk import MAIL, PASSWORD, ROOT, Planned
from bench.load.door import Balancer, Door, eventually
from media.control import WORKERS, heartbeat_key
from rooms.authentic import MAC
from rooms.consult_state import Consult
from rooms.live import parse, room_key
from signaling.derived import call_key_text
from tests.opening import of, open_store
from tests.ports import free_port
from tests.servers import bao as openbaos
from tests.servers import postgres as postgresqls
from vault.settings import VaultSettings

READY_SECONDS = 90.0
EACH = 25
"""Appointments of one practitioner."""


class Process:
    """A child that is started, killed, frozen and started again; what it says goes to a file."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path, folder: Path = ROOT) -> None:
        self._command, self._environment, self._log, self._folder = command, environment, log, folder
        self.child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
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
    """``origin`` is what browsers would see, the balancer's address; ``rooms`` opens what all nodes keep."""

    folder: Path
    balancer: Balancer
    rooms: VaultSettings
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
    folder: Path, *, nodes: int = 2, media: int = 2, appointments: int = 0, doors: bool = True, **settings: str
) -> AsyncIterator[Cluster]:
    """Everything started and ready, with so many appointments, the first of them ``MAIL``'s.

    Without ``doors`` no node can be cut off, and nothing of theirs passes through this process, whose loop would else
    be in every figure. ``settings`` are environment variables of all nodes, without ``SPREEKKAMER_``.
    """
    async with AsyncExitStack() as stack:
        database = stack.enter_context(postgresqls.running())
        bao = stack.enter_context(openbaos.running())
        redis, redis_port = await start_redis(stack, folder)
        rooms = VaultSettings(
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
        cluster = Cluster(folder, balancer, rooms, f"redis://127.0.0.1:{redis_port}", redis)
        cluster.planned = await furnish(rooms, appointments)
        own = {f"SPREEKKAMER_{name}": value for name, value in settings.items()}
        for index in range(media):
            await start_media(stack, cluster, shared | own, folder / f"media-{index}.log")
        behind = (redis_port, str(database.socket / ".s.PGSQL.5432")) if doors else None
        for port in node_ports:
            await start_node(stack, cluster, rooms, port, behind, shared | own)
        await asyncio.gather(*(node.await_ready() for node in cluster.nodes))
        await balancer.open(balancer_port)
        stack.push_async_callback(balancer.close)
        await eventually(lambda: _all(balancer), "the balancer sees the nodes ready", 10)
        yield cluster


@asynccontextmanager
async def alone(folder: Path, *, appointments: int, variables: dict[str, str] | None = None) -> AsyncIterator[Cluster]:
    """One node with its own media worker and with files for databases: what is started in a moment.

    ``variables`` are those of its environment beside the settings.
    """
    async with AsyncExitStack() as stack:
        redis, redis_port = await start_redis(stack, folder)
        rooms = VaultSettings(data=folder / "data", trust_clock=True)
        port, balancer = free_port(), Balancer([])
        cluster = Cluster(folder, balancer, rooms, f"redis://127.0.0.1:{redis_port}", redis)
        cluster.planned = await furnish(rooms, appointments)
        await balancer.open()
        stack.push_async_callback(balancer.close)
        own = {"ROOMS__DATA": str(rooms.data), "MEDIA__WORKERS": "1", "SIGNALING__PORT": str(port)}
        told = environment(rooms, redis_port, cluster.origin, folder) | {
            f"SPREEKKAMER_{name}": value for name, value in own.items()
        }
        told |= variables or {}
        process = Process([sys.executable, "-m", "spreekkamer", "serve"], told, folder / "node.log")
        await process.start()
        stack.push_async_callback(process.stop)
        cluster.nodes.append(Node(port, process, Door(("127.0.0.1", redis_port)), Door("")))
        await cluster.nodes[0].await_ready()
        yield cluster


async def start_redis(stack: AsyncExitStack, folder: Path) -> tuple[Process, int]:
    """A redis-server that keeps nothing, and its port."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    redis = Process(command, {}, folder / "redis.log")
    await redis.start()
    stack.push_async_callback(redis.stop)
    return redis, port


async def _all(balancer: Balancer) -> bool:
    return all(balancer.ready.values())


def environment(rooms: VaultSettings, redis_port: int, origin: str, folder: Path) -> dict[str, str]:
    """What all processes of the cluster are told."""
    transit = rooms.transit
    keys = {
        "ROOMS__ROOT_KEY_FILE": str(rooms.root_key_file),
        "ROOMS__TRANSIT__ADDRESS": str(transit.address),
        "ROOMS__TRANSIT__TOKEN_FILE": str(transit.token_file),
        "ROOMS__TRANSIT__KEY": transit.key,
    }
    secret = secrets.token_urlsafe(32)
    told = {
        **(keys if transit.address else {}),
        "ROOMS__TRUST_CLOCK": "true",
        "SIGNALING__ORIGIN": origin,
        "SIGNALING__REDIS_URL": f"redis://127.0.0.1:{redis_port}",
        "SIGNALING__SECRET": secret,
        "MEDIA__SECRET": call_key_text(secret),
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


async def furnish(rooms: VaultSettings, appointments: int) -> list[Planned]:
    """Practitioners and appointments, made before any node starts."""
    async with open_store(rooms) as store:
        await store.retention.catch_up()
        now, made = datetime.now(UTC), []
        for number in range(appointments or 1):
            if number % EACH == 0:
                mail = f"{number}.{MAIL}" if number else MAIL
                person = await store.practitioners.add(mail, PASSWORD, "A. Practitioner", "nl")
            if number < appointments:
                made.append(await store.appointments.create(of(person.id), f"P{number}", now, 120, "nl"))
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
    rooms: VaultSettings,
    port: int,
    behind: tuple[int, str] | None,
    told: dict[str, str],
) -> None:
    """`spreekkamer serve`, behind two doors if it is said what is behind them."""
    assert rooms.database_url is not None
    assert rooms.keystore_url is not None
    name = f"node-{len(cluster.nodes)}"
    ways = {
        "DATABASE_URL": rooms.database_url.get_secret_value(),
        "KEYSTORE_URL": rooms.keystore_url.get_secret_value(),
    }
    own = {
        **{f"ROOMS__{key}": url for key, url in ways.items()},
        "ROOMS__DATA": str(cluster.folder / name),
        "SIGNALING__PORT": str(port),
        "MEDIA__WORKERS": "0",
    }
    redis, database = Door(("127.0.0.1", behind[0] if behind else 0)), Door(behind[1] if behind else "")
    if behind:
        for door in (redis, database):
            await door.open()
            stack.push_async_callback(door.close)
        own |= {f"ROOMS__{key}": through(url, database.port) for key, url in ways.items()}
        own["SIGNALING__REDIS_URL"] = f"redis://127.0.0.1:{redis.port}"
    command = [sys.executable, "-m", "spreekkamer", "serve"]
    names = {f"SPREEKKAMER_{key}": value for key, value in own.items()}
    process = Process(command, told | names, cluster.folder / f"{name}.log")
    await process.start()
    stack.push_async_callback(process.stop)
    cluster.nodes.append(Node(port, process, redis, database))


def through(url: str, port: int) -> str:
    """A database's address by way of a port of loopback."""
    return f"{url.partition('?')[0].replace('@/', f'@127.0.0.1:{port}/')}"


async def documents(running: Cluster, appointments: list[str]) -> dict[str, Consult]:
    """The rooms that are there, by appointment."""
    redis = Redis.from_url(running.redis_url)
    try:
        held = cast("list[bytes | None]", await redis.mget([room_key(one) for one in appointments]))
    finally:
        await redis.aclose()
    found = [parse(raw and raw[MAC:]) for raw in held]
    return {consult.appointment: consult for consult in found if consult}


async def gauge(node: Node, name: str) -> float:
    """One of a node's metrics that has no label."""
    async with aiohttp.ClientSession() as session, session.get(f"{node.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
