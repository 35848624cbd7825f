"""What a whole server takes: started, asked by HTTP, with rows that both builds open."""

import asyncio
import secrets
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import psycopg

from bench.load.clerk import MAIL, PASSWORD, Planned
from bench.load.cluster import Process
from bench.load.crowd import percentile
from bench.records.figures import Row
from bench.records.places import Build, Filled, Ground, Group, Refused, variables
from bench.records.store import OF_ONE, Plan, due_today, far
from bench.signaling import AT_ONCE, Load
from bench.signaling import joins as joining
from signaling.protocol.model import API
from tests.earlier import environment
from tests.ports import free_port
from tests.prove.crowd import ask

PATIENCE = 300.0
MEDIA = {"MEDIA__WORKERS": "1", "MEDIA__PORT": "0", "MEDIA__ANNOUNCE_LOOPBACK": "true"}
LEAD = 45.0
"""Seconds from the start of a server to the moment at which all are due: longer than either takes to start."""


@dataclass
class Server:
    """``opening`` is how long it took to open its port, in seconds."""

    url: str
    process: Process
    opening: float

    async def get(self, path: str) -> tuple[float, int]:
        """Seconds and status."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            began = time.perf_counter()
            async with session.get(f"{self.url}{path}") as answer:
                await answer.read()
                return time.perf_counter() - began, answer.status


@asynccontextmanager
async def served(ground: Ground, build: Build, filled: Filled, **settings: str) -> AsyncIterator[Server]:
    """`spreekkamer serve` of this build, without media workers unless it is told. Errors: Refused."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own = {
        "SIGNALING__PORT": str(port),
        "SIGNALING__ORIGIN": url,
        "SIGNALING__REDIS_URL": ground.redis_url,
        "SIGNALING__SECRET": secrets.token_urlsafe(32),
        "SIGNALING__LOG_LEVEL": "warning",
        "MEDIA__WORKERS": "0",
        **{f"WEB__OPERATOR__{name}": "A practice" for name in ("NAME", "ADDRESS")},
        **{f"WEB__{who}__MAIL": "practice@example.org" for who in ("OPERATOR", "DPO")},
        "WEB__DPO__NAME": "An officer",
        **settings,
    }
    told = environment(build.tree) | variables(filled) | {f"SPREEKKAMER_{name}": one for name, one in own.items()}
    command = [sys.executable, "-m", "spreekkamer", "serve"]
    log = ground.new_folder() / "log"
    process = Process(command, told, log, build.tree)
    began = time.monotonic()
    await process.start()
    try:
        while not await answers(url):
            if process.child is None or process.child.returncode is not None or time.monotonic() > began + PATIENCE:
                raise Refused(f"the server does not start: {await asyncio.to_thread(last_line, log)}")
            await asyncio.sleep(0.01)
        yield Server(url, process, time.monotonic() - began)
    finally:
        await process.stop()


def last_line(log: Path) -> str:
    """What a server said last."""
    return (log.read_text().strip().splitlines() or ["no word"])[-1]


async def answers(url: str) -> bool:
    """Whether it answers at all: it listens some time before, and then lets everybody wait."""
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session,
            session.get(f"{url}/health/live"),
        ):
            return True
    return False


async def start(ground: Ground, plan: Plan) -> list[Row]:
    """From the command to the open port."""
    rows = []
    for full in (0, 200_000):
        size = plan.size(full, 0)
        for kind in plan.kinds:
            group = Group(max(1, size // OF_ONE), min(size, OF_ONE), far())
            filled = await ground.filled(kind, group)
            reach = plan.reach(3) if full else None
            row = Row(f"start until it answers, {size:,} appointments, none due", kind, "s", reach)
            copies = [(build, await ground.copy(filled, build)) for build in ground.builds]
            for _ in range(plan.rounds):
                for (build, copied), side in zip(copies, row.sides(), strict=True):
                    async with served(ground, build, copied) as server:
                        side.values.append(server.opening)
            rows.append(row)
            print(row.line(), flush=True)  # a part may be cut off before its table
    return rows


async def health(ground: Ground, plan: Plan) -> list[Row]:
    """Readiness and a scrape, with many due later today."""
    rows: list[Row] = []
    size = plan.size(10_000)
    for kind in plan.kinds:
        filled = await ground.filled(kind, due_today(size))
        paths = {
            path: Row(f"`GET {path}`, {size:,} due today", kind, "ms", plan.reach(20))
            for path in ("/health/ready", "/metrics")
        }
        rows += paths.values()
        for number, build in enumerate(ground.builds):
            async with served(ground, build, await ground.copy(filled, build), **MEDIA) as server:
                await asyncio.sleep(5)  # until its media worker is there
                for _ in range(plan.rounds):
                    for path, row in paths.items():
                        await asyncio.sleep(1.5)  # what was answered a moment ago may be kept that long
                        seconds, status = await server.get(path)
                        row.sides()[number].values.append(seconds)
                        if status != 200 and f"{build.name}: {status}" not in row.what:
                            row.what += f" ({build.name}: {status})"
    return rows


async def joins(ground: Ground, plan: Plan) -> list[Row]:
    """Links opened, one after the other by so many at once."""
    rows, size = [], plan.size(1_000)
    for kind in plan.kinds:
        filled = await ground.filled(kind, Group(max(1, size // OF_ONE), OF_ONE, open_now(), minutes=120))
        reach = plan.reach(250) if kind == "PostgreSQL" else None
        row = Row(f"joins on one node, {AT_ONCE} at once, Redis", kind, "a second", reach)
        planned = [Planned(one, one + secret) for one, _, secret in filled.appointments]
        seconds = max(1.0, 8 * plan.scale)
        for number, build in enumerate(ground.builds):
            async with served(ground, build, await ground.copy(filled, build)) as server:
                running: Any = SimpleNamespace(nodes=[server], origin=server.url, planned=planned)
                await joining(running, Load(seconds=1.0))
                for _ in range(plan.rounds):
                    said = await joining(running, Load(seconds=seconds))
                    row.sides()[number].values.append(float(said.split("|")[3].split()[0]))
        rows.append(row)
        print(row.line(), flush=True)
    return rows


def open_now() -> str:
    """A start at which the link is open."""
    return (datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)).isoformat()


async def due(ground: Ground, plan: Plan) -> list[Row]:
    """Many due in one second, in a whole server, while another practitioner reads and plans ten times a second."""
    rows, size = [], plan.size(10_000, 50)
    for kind in plan.kinds:
        gone = Row(f"{size:,} due in one second, all destroyed after", kind, "s", plan.reach(15))
        p95 = Row("API p95 meanwhile", kind, "ms", plan.reach(100))
        rows += [gone, p95]
        for _ in range(plan.rounds):
            for number, build in enumerate(ground.builds):
                moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=LEAD + size / 500)
                at = (moment - timedelta(minutes=60)).isoformat()
                filled = await ground.filled(kind, Group(1, 20, far()), Group(5, size // 5, at, "end"))
                copied = await ground.copy(filled, build)
                await asyncio.sleep(max(0.0, moment.timestamp() - LEAD - time.time()))
                async with served(ground, build, copied) as server:
                    if time.time() > moment.timestamp():
                        gone.sides()[number].take(Refused(f"it starts no sooner than in {server.opening:.0f} s"))
                        continue
                    seconds, latencies = await crowd(server, copied, moment.timestamp())
                gone.sides()[number].values.append(seconds)
                if latencies:
                    p95.sides()[number].values.append(percentile(latencies, 0.95) / 1000)
    return rows


async def crowd(server: Server, filled: Filled, moment: float) -> tuple[float, list[float]]:
    """Seconds from the moment until no row is left, and the milliseconds of each request meanwhile."""
    latencies: list[float] = []
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(headers={"Origin": server.url}, cookie_jar=jar) as session:
        signing = {"mail": MAIL, "password": PASSWORD}
        async with session.post(f"{server.url}{API}/sign-in", json=signing) as answer:
            if answer.status != 200:
                raise Refused(await answer.text())
        await asyncio.sleep(max(0.0, moment - time.time()))
        client = asyncio.create_task(ask(session, int(server.url.rpartition(":")[2]), latencies))
        while await asyncio.to_thread(left, filled) > 0 and time.time() < moment + PATIENCE:  # noqa: ASYNC110 -- another process
            await asyncio.sleep(0.2)
        gone = time.time() - moment
        client.cancel()
        await asyncio.gather(client, return_exceptions=True)
    return gone, latencies


def left(filled: Filled) -> int:
    """Rows of everybody but the first practitioner."""
    query, own = "SELECT count(*) FROM appointments WHERE owner != ", filled.people[0]
    if filled.kind == "SQLite":
        path = f"file:{filled.rooms['data']}/database/rooms.sqlite?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=5)) as connection:
            return int(connection.execute(f"{query}?", (own,)).fetchone()[0])
    with psycopg.connect(filled.rooms["database_url"]) as connection:
        row = connection.execute(f"{query}%s", (own,)).fetchone()
        assert row is not None
        return int(row[0])
