"""Live consults in Redis: one JSON document per room, ids only, changed under WATCH/MULTI by any node.

| key | what |
|---|---|
| ``sk:room:<appointment>`` | the document (``rooms.consult_state.Consult``) |
| ``sk:rooms`` | appointments with somebody in the room, for the housekeeper |
| ``sk:desk:<owner>`` | the same per practitioner, for the desk |
| ``sk:desk:<owner>:version`` | rises with every change of that desk |

Every key expires ``life`` after its last write, which is also the life of a resume ticket: as long as a ticket is
valid its document is there, unless Redis was emptied. Documents carry our MAC (``rooms.authentic``): one without counts
as lost, and is made anew by those who hold tickets. A room that everybody left keeps its empty document until then,
so that an old ticket does not open it again; a consult that ended is deleted at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError, ResponseError, WatchError

from rooms.authentic import Authentic
from rooms.consult import milliseconds, transition
from rooms.consult_events import Effect, Event, Indicators
from rooms.consult_state import Consult, Participant
from rooms.device_check import DeviceCheck
from vault.errors import DomainError

ROOMS = "sk:rooms"
ATTEMPTS = 50
"""Each lost race means that somebody else's transition went through, so this many in a row is a fault."""
PART = 32
"""Documents that are read before others have their turn. A thousand in one go would hold up everybody for 40 ms, and
so many that live so long at once make the garbage collector go through all that there is."""

AT_ONCE = 32
"""Commands under way at once. The client's pool has 100 connections and refuses more, which a storm would reach."""

T = TypeVar("T")
DOCUMENT: TypeAdapter[Consult] = TypeAdapter(Consult)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits; ``since`` in milliseconds since the Unix epoch, ``written`` and ``said`` sealed."""

    appointment: str
    participant: str
    role: str
    since: int
    connected: bool
    indicators: Indicators = field(default_factory=Indicators)
    check: DeviceCheck | None = None
    seat: str = ""
    written: str | None = None
    said: str | None = None
    held: bool = False
    number: int | None = None


@dataclass(frozen=True, slots=True)
class DeskState:
    """Who waits for one practitioner, longest first, and the appointment the practitioner is in."""

    version: int
    waiting: tuple[Waiting, ...]
    in_consult: str | None


class LiveConsults:
    """The documents of all live consults. Redis faults raise DomainError ``try_again``."""

    def __init__(self, redis: Redis, now: Callable[[], datetime], life: timedelta, authentic: Authentic) -> None:
        self._redis = redis
        self._now = now
        self.authentic = authentic
        self.life = life
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def load(self, appointment: str) -> Consult | None:
        """The document, or None: never made, ended, expired, or Redis was emptied."""
        async with self._asking():
            return (await self._read([appointment]))[appointment]

    async def load_all(self, appointments: Iterable[str]) -> dict[str, Consult]:
        """The documents that are there, by appointment."""
        async with self._asking():
            found = await self._read(sorted(set(appointments)))
        return {name: consult for name, consult in found.items() if consult}

    async def transition(
        self, appointment: str, event: Event, *, absent: Consult | None = None
    ) -> tuple[Consult, tuple[Effect, ...]]:
        """Run one event through the state machine and store the outcome; effects are the caller's to carry out.

        ``absent`` is the state to start from when there is no document; without it that is ``bad_state``.
        Refusals of the state machine pass through and store nothing.
        """
        key = room_key(appointment)
        tried: tuple[Consult, tuple[Effect, ...]] | None = None
        async with self._asking(), self._redis.pipeline(transaction=True) as pipe:
            for _ in range(ATTEMPTS):
                before = self._opened(appointment, await watched(pipe, key)) or absent
                if before is None:
                    raise DomainError("bad_state")
                if tried is not None and before == tried[0]:
                    # It was carried out and its answer was lost; the library says that as if somebody else had written.
                    return tried
                now = self._now()
                after, effects = tried = transition(before, event, now)
                if after is before:
                    return before, ()
                begin(pipe)
                self._store(pipe, after, milliseconds(now))
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return after, effects
        raise DomainError("try_again")

    def would_change(self, consult: Consult, event: Event) -> bool:
        """Whether an event would change this state now. Refusals of the state machine pass through."""
        return transition(consult, event, self._now())[0] is not consult

    async def desk(self, owner: str) -> DeskState:
        """What the practitioner's desk shows; of two answers the higher version is the newer one."""
        async with self._asking():
            # The version is read before the documents: what they say is then at least as new as the version claims.
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(version_key(owner))
                pipe.smembers(desk_key(owner))
                version, members = await pipe.execute()
            # Whoever writes to Redis may list what he likes, also what is another practitioner's.
            consults = [one for one in await self._documents(desk_key(owner), members) if one.owner == owner]
        waiting = [_waits(consult.appointment, one) for consult in consults for one in consult.waiting]
        inside = [consult.appointment for consult in consults if consult.practitioner]
        return DeskState(
            version=int(version or 0),
            waiting=tuple(sorted(waiting, key=lambda one: (one.since, one.participant))),
            in_consult=min(inside, default=None),
        )

    async def running(self) -> AsyncIterator[Consult]:
        """Every consult with somebody in it, some of them at a time."""
        async with self._asking():
            members = sorted(cast("set[bytes]", await self._redis.smembers(ROOMS)))
        for part in parts(members):
            async with self._asking():
                consults = await self._documents(ROOMS, part)
            for consult in consults:
                yield consult

    async def is_live(self, appointment: str) -> bool:
        """Whether somebody was called in; who only waits holds nothing open."""
        consult = await self.load(appointment)
        return consult is not None and bool(consult.admitted)

    async def are_live(self, appointments: Sequence[str]) -> set[str]:
        """Those of these in which somebody was called in."""
        return {name for name, consult in (await self.load_all(appointments)).items() if consult.admitted}

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """A Redis fault is not the person's and not the program's: it passes."""
        async with self._slots:
            try:
                yield
            except RedisError as error:
                raise DomainError("try_again") from error

    def _store(self, pipe: Pipeline, consult: Consult, moment: int) -> None:
        key, desk, version = room_key(consult.appointment), desk_key(consult.owner), version_key(consult.owner)
        if consult.ended:
            pipe.delete(key)
        else:
            pipe.set(key, self.authentic.sign(key, DOCUMENT.dump_json(consult)), ex=self.life)
        for index in (ROOMS, desk):
            if consult.participants:
                pipe.sadd(index, consult.appointment)
                pipe.expire(index, self.life)
            else:
                pipe.srem(index, consult.appointment)
        # Starting from the clock, versions go on rising when Redis was emptied.
        pipe.set(version, moment, ex=self.life, nx=True)
        pipe.incr(version)
        pipe.expire(version, self.life)

    async def _documents(self, index: str, members: Iterable[bytes]) -> list[Consult]:
        found = await self._read(sorted(member.decode(errors="replace") for member in members))
        for appointment, consult in found.items():
            if consult is None:
                await self._prune(index, appointment)
        return [consult for consult in found.values() if consult]

    async def _read(self, appointments: list[str]) -> dict[str, Consult | None]:
        """Each with its document. Those of a part are of one moment, and others have their turn between two parts."""
        found: dict[str, Consult | None] = {}
        for part in parts(appointments):
            raws = await self._redis.mget([room_key(one) for one in part])
            found.update(zip(part, map(self._opened, part, raws), strict=True))
            await asyncio.sleep(0)  # Redis may have answered so soon that nobody had to wait
        return found

    def _opened(self, appointment: str, raw: bytes | str | None) -> Consult | None:
        """A document; one that is not ours counts as lost, and is rebuilt."""
        return parse(self.authentic.verified(room_key(appointment), raw))

    async def _prune(self, index: str, appointment: str) -> None:
        """Take an expired document out of an index, unless somebody makes it anew at this moment."""
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.watch(room_key(appointment))
            if await pipe.exists(room_key(appointment)):
                return
            begin(pipe)
            pipe.srem(index, appointment)
            with suppress(WatchError):
                await pipe.execute()


def _waits(appointment: str, one: Participant) -> Waiting:
    return Waiting(
        appointment,
        one.id,
        one.role,
        one.since,
        one.socket is not None,
        one.indicators,
        one.check,
        one.seat,
        one.written,
        one.said,
        one.held,
        one.number,
    )


def parts(everything: Sequence[T]) -> Iterator[Sequence[T]]:
    """So many at a time that others need not wait long."""
    return (everything[first : first + PART] for first in range(0, len(everything), PART))


def begin(pipe: Pipeline) -> None:
    """MULTI, which redis-py leaves without annotations."""
    cast("Callable[[], None]", pipe.multi)()


async def watched(pipe: Pipeline, key: str) -> bytes | None:
    """WATCH and read in one round trip, where the library takes one for each.

    What a connection that broke was asked is asked again, as the library does before a transaction begins.
    """
    take = cast("Callable[[], Awaitable[Connection]]", pipe.connection_pool.get_connection)
    connection = pipe.connection = pipe.connection or await take()
    # Unlike GET, MGET takes a value of another type for none, which is then written over.
    asked = connection.pack_commands([("WATCH", key), ("MGET", key)])

    async def ask() -> bytes | None:
        await connection.send_packed_command(asked)
        answers = [await answer("WATCH"), await answer("MGET")]
        for one in answers:
            if isinstance(one, ResponseError):
                raise one
        value: bytes | None = answers[1][0]
        return value

    async def answer(command: str) -> Any:
        try:
            return await pipe.parse_response(connection, command)
        except ResponseError as refusal:
            return refusal  # what else was asked is answered too

    async def begin_anew(_: Exception) -> None:
        await connection.disconnect()

    found: bytes | None = await connection.retry.call_with_retry(ask, begin_anew)
    return found


def parse(value: bytes | None) -> Consult | None:
    """A document without its MAC; one that cannot be read (of another schema) counts as lost, and is rebuilt."""
    if value is None:
        return None
    try:
        return DOCUMENT.validate_json(value)
    except ValidationError:
        return None


def room_key(appointment: str) -> str:
    return f"sk:room:{appointment}"


def desk_key(owner: str) -> str:
    return f"sk:desk:{owner}"


def version_key(owner: str) -> str:
    return f"sk:desk:{owner}:version"
