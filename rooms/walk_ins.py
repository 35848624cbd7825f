"""Who came to a practitioner's open hour, by number, and how long it may take. Ids and numbers only.

| key | what |
|---|---|
| ``sk:walk-ins:<owner>`` | the queue, with our MAC, for ``life`` after its last change |
| ``sk:queues`` | practitioners with somebody in their queue, for who looks after them |

A number stands with the appointment too, sealed, and in the ticket of whoever waits: an emptied Redis gives none twice
as long as they are there, and knows no longer how long consults took. **Who waits learns how many are before them, and
nothing of any of them.**
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil, floor
from statistics import median
from typing import Final, cast

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

from rooms.authentic import Authentic
from rooms.consult import milliseconds
from rooms.live import ATTEMPTS, DeskState, begin, watched
from vault.errors import DomainError

QUEUES: Final = "sk:queues"
ENOUGH: Final = 3
"""Consults of today before anybody says how long the next may take."""

STEP: Final = 5
"""Minutes to which a range is rounded, outwards."""

MINUTE: Final = 60_000
REMEMBERED: Final = 100
"""Lengths of consults: the newest."""

AFTER: Final = timedelta(seconds=30)
"""So old may be what stands of when somebody was last seen."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Somebody's place. ``seen`` and ``planned``: when they were last there, and when their appointment was last said
    to begin, in milliseconds since the Unix epoch. ``network`` is a pseudonym, empty where nobody can say. ``came``:
    they opened their link, or were there.
    """

    appointment: str
    number: int
    seen: int
    planned: int
    network: str = ""
    came: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """Of one practitioner on one ``day``, of the practice's clock. ``last`` is the number that was given last;
    ``lengths`` are milliseconds of the consults that ended.
    """

    day: str = ""
    last: int = 0
    spots: tuple[Spot, ...] = ()
    lengths: tuple[int, ...] = ()

    def of(self, day: str) -> "Queue":
        """The same on that day: numbers begin anew behind those of who is still there."""
        last = max((one.number for one in self.spots), default=0)
        return self if self.day == day else Queue(day, last, self.spots)

    def find(self, appointment: str) -> Spot | None:
        return next((one for one in self.spots if one.appointment == appointment), None)

    def without(self, appointment: str) -> "Queue":
        """The same without that one's place."""
        return replace(self, spots=tuple(one for one in self.spots if one.appointment != appointment))


QUEUE: Final[TypeAdapter[Queue]] = TypeAdapter(Queue)


@dataclass(frozen=True, slots=True)
class Most:
    """How many may be in one queue, and how many of them of one network."""

    people: int
    network: int


def waiting_range(lengths: Sequence[int], before: int, *, running: bool) -> tuple[int, int] | None:
    """Between how many and how many minutes it takes, with so many before and maybe a consult that runs.

    Each takes as long as the one in the middle of those so far (``lengths``, milliseconds); of the one that runs nobody
    knows how much is left: all of it at most. None until there were ``ENOUGH``.
    """
    if len(lengths) < ENOUGH:
        return None
    each = median(lengths) / MINUTE
    least = floor(each * before / STEP) * STEP
    return least, max(least + STEP, ceil(each * (before + running) / STEP) * STEP)


def those_before(desk: DeskState, number: int, since: int) -> int:
    """How many wait who are called first: a lower number, or no number and here for longer."""
    return sum(one.number < number if one.number is not None else one.since < since for one in desk.waiting)


class WalkIns:
    """The queues of all nodes that share this Redis. Redis faults raise DomainError ``try_again``."""

    def __init__(self, redis: Redis, now: Callable[[], datetime], life: timedelta, authentic: Authentic) -> None:
        self._redis = redis
        self._now = now
        self._life = life
        self._authentic = authentic

    async def of(self, owner: str) -> Queue:
        """As it is; an empty one where there is none."""
        try:
            return self._opened(owner, await self._redis.get(queue_key(owner)))
        except RedisError as error:
            raise DomainError("try_again") from error

    async def owners(self) -> list[str]:
        """Whose queues somebody is in."""
        try:
            found = cast("set[bytes]", await self._redis.smembers(QUEUES))
        except RedisError as error:
            raise DomainError("try_again") from error
        return sorted(one.decode(errors="replace") for one in found)

    async def take(self, owner: str, appointment: str, network: str, day: str, most: Most, behind: int) -> int:
        """The next number, above ``behind``, for this appointment.

        Errors: ``room_full``; ``rate_limited`` (as many of this network as may be are there).
        """

        def taken(queue: Queue) -> Queue:
            queue = queue.of(day)
            if len(queue.spots) >= most.people:
                raise DomainError("room_full")
            if network and sum(one.network == network for one in queue.spots) >= most.network:
                raise DomainError("rate_limited")
            number, now = max(queue.last, behind) + 1, self._moment()
            return replace(queue, last=number, spots=(*queue.spots, Spot(appointment, number, now, now, network)))

        return (await self._change(owner, taken)).last

    async def come_back(self, owner: str, appointment: str, number: int, day: str) -> None:
        """Somebody is there; where the queue was lost, in their place again."""

        def back(queue: Queue) -> Queue:
            queue, now = queue.of(day), self._moment()
            spot = queue.find(appointment) or Spot(appointment, number, now, now)
            spots = (*queue.without(appointment).spots, replace(spot, seen=now, came=True))
            return replace(queue, last=max(queue.last, number), spots=tuple(sorted(spots, key=lambda one: one.number)))

        await self._change(owner, back)

    async def seen(self, owner: str, there: frozenset[str], planned: frozenset[str] = frozenset()) -> None:
        """These are there; the appointments ``planned`` begin now."""

        def looked(queue: Queue) -> Queue:
            now = self._moment()
            spots = (
                replace(one, seen=now, came=True, planned=now if one.appointment in planned else one.planned)
                if one.appointment in there
                else one
                for one in queue.spots
            )
            return replace(queue, spots=tuple(spots))

        await self._change(owner, looked)

    async def lose(self, owner: str, appointment: str) -> None:
        """Their place is nobody's."""
        await self._change(owner, lambda queue: queue.without(appointment))

    async def over(self, owner: str, appointment: str, day: str, length: int | None) -> None:
        """A consult of this practitioner ended: how long it took, None where nobody met."""

        def after(queue: Queue) -> Queue:
            if length is None and queue.find(appointment) is None:
                return queue
            queue = queue.of(day).without(appointment)
            return queue if length is None else replace(queue, lengths=(*queue.lengths, length)[-REMEMBERED:])

        await self._change(owner, after)

    async def _change(self, owner: str, changed: Callable[[Queue], Queue]) -> Queue:
        key = queue_key(owner)
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                for _ in range(ATTEMPTS):
                    before = self._opened(owner, await watched(pipe, key))
                    after = changed(before)
                    if after == before:
                        return after
                    begin(pipe)
                    pipe.set(key, self._authentic.sign(key, QUEUE.dump_json(after)), ex=self._life)
                    (pipe.sadd if after.spots else pipe.srem)(QUEUES, owner)
                    pipe.expire(QUEUES, self._life)
                    try:
                        await pipe.execute()
                    except WatchError:
                        continue
                    return after
        except RedisError as error:
            raise DomainError("try_again") from error
        raise DomainError("try_again")

    def _opened(self, owner: str, raw: bytes | str | None) -> Queue:
        value = self._authentic.verified(queue_key(owner), raw)
        try:
            return Queue() if value is None else QUEUE.validate_json(value)
        except ValidationError:
            return Queue()

    def _moment(self) -> int:
        return milliseconds(self._now())


def queue_key(owner: str) -> str:
    return f"sk:walk-ins:{owner}"
