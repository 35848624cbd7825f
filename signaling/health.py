"""Health: is this process alive, and can it do its work.

``/health/live`` is about the event loop: restart the process when it fails. ``/health/ready`` names each part it needs:
send no new people here while it fails.
"""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from aiohttp import web
from pydantic import Field
from redis.exceptions import OutOfMemoryError

from signaling.protocol.model import Message
from signaling.rest.endpoint import answer
from signaling.tasks import stop
from signaling.typedefs import HEALTH
from turn.watch import TurnWatch
from vault.database.migrate import trouble as schema_trouble
from vault.errors import StartRefused

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from media.control import MediaClient
    from practice.storage import Store

BEAT_SECONDS: Final = 1.0
ALIVE_SECONDS: Final = 4.0
CHECK_SECONDS: Final = 2.0
FRESH_SECONDS: Final = 1.0
LAG_SECONDS: Final = 120.0
STILL_SECONDS: Final = 180.0
"""A lease, after which another server sweeps, and the longest time between two sweeps, and as long again."""

READY_SECONDS: Final = 20.0
MOST_DESCRIPTORS: Final = 0.9
PROBE: Final = "sk:probe"
"""A key that is written to see whether Redis has room."""

PROBE_SECONDS: Final = 10


class Check(Message):
    """One part: whether it works, how old that knowledge is, and what to do if not."""

    ok: bool
    age_seconds: float
    advice: str | None = None
    needed: bool = Field(True, description="Whether the server is not ready while this is not good.")


class Readiness(Message):
    """Every part the server needs."""

    status: Literal["ready", "not-ready"]
    checks: dict[str, Check]


class Liveness(Message):
    """How late the event loop is."""

    status: Literal["alive", "stalled"]
    beat_age_seconds: float = Field(description="Since the loop's last heartbeat, which comes every second.")


@dataclass(frozen=True)
class Part:
    """``probe`` returns None when all is well, else one sentence of advice; an exception counts as ``silence``."""

    name: str
    probe: Callable[[], Awaitable[str | None]]
    silence: str
    needed: bool = True
    age: Callable[[], float] | None = None
    """Where the probe only reports what was tried before: how long ago."""


class Health:
    """Runs the checks when asked, at most once a second however many ask."""

    def __init__(self, store: "Store", redis: "Redis", media: "MediaClient", turn: TurnWatch) -> None:
        self._store = store
        self._redis = redis
        self._media = media
        self.turn = turn
        self._beat = monotonic()
        self.leaving = False
        self._lock = asyncio.Lock()
        self._results: dict[str, tuple[str | None, float]] = {}
        self._parts = (
            Part("database", self._database, "The database does not answer."),
            Part("migrations", self._migrations, "The database does not say what schema it has."),
            Part("redis", self._ping, "Redis does not answer; running consults go on, new ones wait."),
            Part("workers", self._workers, "Redis does not say which media workers there are."),
            Part("turn", self._turn, "TURN could not be tried.", needed=False, age=lambda: turn.age),
            Part("key_store", self._key_store, "The key store does not answer."),
            Part("retention", self._retention, "The state of destruction cannot be read."),
            Part("appointments", self._appointments, "The state of appointments cannot be read.", needed=False),
            Part("disk", self._disk, "The state of the disk cannot be read."),
            Part("descriptors", self._descriptors, "This system does not say what is open.", needed=False),
            Part("requests", self._requests, "How many requests wait cannot be read.", needed=False),
            Part("staying", self._staying, "This node does not say whether it stays."),
            Part("clock", self._clock, "The state of the clock cannot be read."),
        )

    async def heart(self) -> None:
        """Beat for as long as the loop turns."""
        while True:
            self._beat = monotonic()
            await asyncio.sleep(BEAT_SECONDS)

    def live(self) -> Liveness:
        age = monotonic() - self._beat
        return Liveness(status="alive" if age < ALIVE_SECONDS else "stalled", beat_age_seconds=round(age, 3))

    async def ready(self) -> Readiness:
        async with self._lock:
            oldest = min((at for _, at in self._results.values()), default=0.0)
            if monotonic() - oldest > FRESH_SECONDS or not self._results:
                await asyncio.gather(*(self._run(part) for part in self._parts))
        now = monotonic()
        checks = {}
        for part in self._parts:
            advice, at = self._results[part.name]
            age = part.age() if part.age else now - at
            checks[part.name] = Check(ok=advice is None, age_seconds=round(age, 3), advice=advice, needed=part.needed)
        good = all(check.ok for check in checks.values() if check.needed)
        return Readiness(status="ready" if good else "not-ready", checks=checks)

    async def _run(self, part: Part) -> None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                advice = await part.probe()
        except Exception:  # noqa: BLE001 -- whatever breaks in a part means that the part does not work
            advice = part.silence
        self._results[part.name] = (advice, monotonic())

    async def _database(self) -> str | None:
        if self._store.database.lost:
            return "The database's file was removed or replaced while it was in use; see docs/operations.md, *Saving*."
        await self._store.ping()
        return None

    async def _migrations(self) -> str | None:
        return await schema_trouble(self._store.database)

    async def _turn(self) -> str | None:
        return self.turn.trouble

    async def _ping(self) -> str | None:
        await self._redis.ping()
        try:
            await self._redis.set(PROBE, "1", ex=PROBE_SECONDS)
        except OutOfMemoryError:
            return "Redis is full: raise its maxmemory, or see what else writes into it."
        return None

    async def _workers(self) -> str | None:
        alive = [beat for beat in await self._media.workers() if not beat.draining]
        return None if alive else "No media worker is alive; start one with `spreekkamer media`."

    async def _key_store(self) -> str | None:
        return await self._store.key_trouble()

    async def _retention(self) -> str | None:
        if self._store.locked:
            return self._store.locked
        status = await self._store.retention.status()
        if status.lag > LAG_SECONDS:
            return "Destruction is overdue."
        if status.waiting_seconds > LAG_SECONDS:
            return "What was destroyed is not final: no new epoch of the key store begins; the log says why."
        return None if status.idle < STILL_SECONDS else "No sweep was at work for minutes; restart the servers."

    async def _appointments(self) -> str | None:
        if self._store.locked:
            return None
        without_key, damaged = self._store.retention.damage
        if without_key:
            return "There are appointments without a key and without a receipt; see docs/operations.md."
        return "There are appointments or accounts that cannot be read; see docs/operations.md." if damaged else None

    async def _staying(self) -> str | None:
        return "This node was told to stop; its clients move to others." if self.leaving else None

    async def _clock(self) -> str | None:
        return None if self._store.locked else self._store.retention.clock_trouble

    async def _disk(self) -> str | None:
        return self._store.reserve.trouble

    async def _requests(self) -> str | None:
        overdue = (await self._store.requests.backlog()).overdue
        return "Requests by right were not answered in time; their officer has been told." if overdue else None

    async def _descriptors(self) -> str | None:
        used = await asyncio.to_thread(lambda: sum(1 for _ in Path("/proc/self/fd").iterdir()))
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return None if used < limit * MOST_DESCRIPTORS else "Nearly all files that this process may open are open."


async def wait(app: web.Application, seconds: float = READY_SECONDS) -> None:
    """Return when the server is ready; ``StartRefused`` with the first advice if it is not in time."""
    deadline = monotonic() + seconds
    while (state := await app[HEALTH].ready()).status != "ready":
        if monotonic() > deadline:
            raise StartRefused(next(check.advice for check in state.checks.values() if check.advice) or "")
        await asyncio.sleep(0.05)


async def live(request: web.Request) -> web.Response:
    state = request.app[HEALTH].live()
    return answer(state, 200 if state.status == "alive" else 503)


async def ready(request: web.Request) -> web.Response:
    state = await request.app[HEALTH].ready()
    return answer(state, 200 if state.status == "ready" else 503)


async def heartbeat(app: web.Application) -> AsyncIterator[None]:
    """The heart beats, and TURN is tried, from start-up to clean-up."""
    tasks = [asyncio.create_task(app[HEALTH].heart()), asyncio.create_task(app[HEALTH].turn.run())]
    yield
    await stop(tasks)
