"""What a page was sent, for as long as it may have missed it: two minutes, in Redis, ids and ciphertext only.

| key | what | life |
|---|---|---|
| ``sk:replay:<appointment>:<participant>`` | which events were sent, newest last | the room's |
| ``sk:replay-seq:<appointment>:<participant>`` | the number of the last one | the room's |
| ``sk:replay-body:<random>`` | one event, for all who were sent it | two minutes, then gone by itself |
| ``sk:replay-size:<appointment>`` | KiB of such events in this room | two minutes |
| ``sk:replay-of:<appointment>`` | the participants that have a list | the room's |

Only pages whose client has the capability have a list; all of it goes when the consult ends. Numbers start from the
clock, so they rise although Redis was emptied, and rise by one for each event of one participant, in the order in which
Redis got them: a node that is asked to pass on number 9 after number 7 knows that it has to look for number 8.

A transaction whose answer is lost with the connection is made again, so an event may stand in a list twice. The first
place is the event's number; the second is that of nothing.

Events carry our MAC (``rooms.authentic``), over their room and who was sent them too: one that is not ours, or stands
in another page's list, counts as missed. Lists and numbers carry none: who writes to Redis can withhold, repeat and
reorder what a page was sent in these two minutes, and no more.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from math import ceil
from secrets import token_urlsafe
from typing import Any, Final, cast

from redis.asyncio import Redis

from rooms.authentic import Authentic
from signaling.protocol.model import Message

KEPT_SECONDS: Final = 120
KEPT_EVENTS: Final = 256
KIBIBYTE: Final = 1024
KEPT_KIBIBYTES: Final = 1024
"""Of one room in a window of ``KEPT_SECONDS``; what is more is sent, but not sent again."""

NOTHING: Final = b""


@dataclass(frozen=True)
class Missed:
    """What came after a number: events as (number, event, body). ``seq`` is the last number that was given out."""

    seq: int
    complete: bool
    events: tuple[tuple[int, str, dict[str, Any]], ...] = ()


class Replays:
    """``life`` is that of a room's document."""

    def __init__(self, redis: Redis, now: Callable[[], datetime], life: timedelta, authentic: Authentic) -> None:
        self._redis = redis
        self._now = now
        self._authentic = authentic
        self._life = life

    async def open(self, appointment: str, participant: str, seen: int | None) -> Missed:
        """Begin a list or go on with it: what came after ``seen``; None has seen nothing and misses nothing."""
        numbers, tokens, pages = (
            seq_key(appointment, participant),
            list_key(appointment, participant),
            of_key(appointment),
        )
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.sadd(pages, participant)
            pipe.expire(pages, self._life)
            pipe.set(numbers, int(self._now().timestamp() * 1000), ex=self._life, nx=True)
            pipe.incr(numbers)
            pipe.rpush(tokens, NOTHING)
            pipe.ltrim(tokens, -KEPT_EVENTS, -1)
            pipe.expire(numbers, self._life)
            pipe.expire(tokens, self._life)
            pipe.lrange(tokens, 0, -1)
            *_, found = (replies := await pipe.execute())
        return await self._missed((appointment, participant), int(replies[3]), found, seen)

    async def since(self, appointment: str, participant: str, seen: int) -> Missed:
        """What came after ``seen``."""
        last, found = await self._list(appointment, participant)
        return await self._missed((appointment, participant), int(last or seen), found, seen)

    async def add(self, appointment: str, participants: Sequence[str], event: str, body: Message) -> dict[str, int]:
        """Keep one event for these participants. The number of each that has a list."""
        token = token_urlsafe(12)
        kept = json.dumps([appointment, list(participants), event, body.model_dump(mode="json")]).encode()
        raw = self._authentic.sign(body_key(token), kept)
        size = size_key(appointment)
        async with self._redis.pipeline(transaction=True) as pipe:
            for one in participants:
                pipe.exists(list_key(appointment, one))
                pipe.incr(seq_key(appointment, one))
                pipe.rpush(list_key(appointment, one), token)
                pipe.ltrim(list_key(appointment, one), -KEPT_EVENTS, -1)
                pipe.expire(seq_key(appointment, one), self._life)
                pipe.expire(list_key(appointment, one), self._life)
            pipe.set(body_key(token), raw, ex=KEPT_SECONDS, nx=True)
            pipe.set(size, 0, ex=KEPT_SECONDS, nx=True)
            for _ in range(ceil(len(raw) / KIBIBYTE)):
                pipe.incr(size)
            *replies, used = await pipe.execute()
        numbers = {one: replies[6 * i + 1] for i, one in enumerate(participants) if replies[6 * i]}
        if not replies[6 * len(participants)]:
            numbers = {one: await self._number(appointment, one, token) for one in numbers}
        unlisted = [key(appointment, one) for one in participants if one not in numbers for key in (seq_key, list_key)]
        if superfluous := [*unlisted, *([body_key(token)] if used > KEPT_KIBIBYTES or not numbers else [])]:
            await self._redis.delete(*superfluous)
        return numbers

    async def _number(self, appointment: str, participant: str, token: str) -> int:
        """Of an event that was kept already."""
        last, found = await self._list(appointment, participant)
        return int(last or 0) - len(found) + 1 + found.index(token.encode())

    async def end(self, appointment: str) -> None:
        """Nothing of this room is kept any more."""
        pages = [
            name.decode(errors="replace")
            for name in cast("set[bytes]", await self._redis.smembers(of_key(appointment)))
        ]
        async with self._redis.pipeline(transaction=True) as pipe:
            for one in pages:
                pipe.lrange(list_key(appointment, one), 0, -1)
                pipe.delete(list_key(appointment, one), seq_key(appointment, one))
            pipe.delete(of_key(appointment), size_key(appointment))
            replies = await pipe.execute()
        tokens = {token.decode(errors="replace") for found in replies[: 2 * len(pages) : 2] for token in found if token}
        if tokens:
            await self._redis.delete(*(body_key(token) for token in tokens))

    async def _list(self, appointment: str, participant: str) -> tuple[bytes | None, list[bytes]]:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(seq_key(appointment, participant))
            pipe.lrange(list_key(appointment, participant), 0, -1)
            last, found = await pipe.execute()
        return last, found

    async def _missed(self, page: tuple[str, str], last: int, found: list[bytes], seen: int | None) -> Missed:
        if seen is None or seen >= last:
            # A number from before Redis was emptied, or of another page: there is nothing to compare it with.
            return Missed(last, seen is None or seen == last)
        numbered = list(zip(count(last - len(found) + 1), found, strict=False))
        first = {token: number for number, token in reversed(numbered)}
        wanted = [(number, token) for number, token in numbered if number > seen]
        events = [(number, token) for number, token in wanted if token and first[token] == number]
        keys = [body_key(token.decode(errors="replace")) for _, token in events]
        raws = await self._redis.mget(keys) if keys else []
        bodies = [self._opened(page, key, raw) for key, raw in zip(keys, raws, strict=True)]
        complete = len(wanted) == last - seen and None not in bodies
        there = [(number, *body) for (number, _), body in zip(events, bodies, strict=True) if body]
        return Missed(last, complete, tuple(there))

    def _opened(self, page: tuple[str, str], key: str, raw: bytes | str | None) -> tuple[str, dict[str, Any]] | None:
        """Name and body of an event that this page was sent."""
        kept = self._authentic.verified(key, raw)
        if kept is None:
            return None
        appointment, participants, event, body = json.loads(kept)
        return (event, body) if page[0] == appointment and page[1] in participants else None


def list_key(appointment: str, participant: str) -> str:
    return f"sk:replay:{appointment}:{participant}"


def seq_key(appointment: str, participant: str) -> str:
    return f"sk:replay-seq:{appointment}:{participant}"


def body_key(token: str) -> str:
    return f"sk:replay-body:{token}"


def size_key(appointment: str) -> str:
    return f"sk:replay-size:{appointment}"


def of_key(appointment: str) -> str:
    return f"sk:replay-of:{appointment}"
