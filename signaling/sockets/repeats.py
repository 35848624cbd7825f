"""Client events that carry an id are carried out once, on whatever node a repeat of them arrives.

A client that lost its connection does not know whether an event it had not yet heard about was carried out. It sends
it again with the same id. What was done is remembered for two minutes, as a mark without content.
"""

from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from signaling.protocol.errors import UserError
from signaling.protocol.model import Empty, Message
from signaling.sockets.socket import Socket

REMEMBERED_SECONDS: Final = 120
UNDER_WAY_SECONDS: Final = 15
"""Longer than any handler works: after it, whoever began is no more."""

UNDER_WAY: Final = b"0"
DONE: Final = b"1"


class Repeats:
    """The marks, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def carry_out(self, socket: Socket, name: str, work: Callable[[], Awaitable[Message]]) -> Message:
        """The reply of ``work``, or an empty one if it was carried out before under this id.

        A repeat that meets the first try still under way is ``try_again``; one that was refused may be tried again.
        """
        who = socket.claims.practitioner or (socket.binding.participant if socket.binding else None)
        if who is None:
            return await work()
        key = f"sk:once:{who}:{name}"
        mark = UNDER_WAY + token_hex(8).encode()
        if not await self._redis.set(key, mark, ex=UNDER_WAY_SECONDS, nx=True):
            found = await self._redis.get(key)
            if found == DONE:
                return Empty()
            # Our own mark stands there when the answer to setting it was lost and the library asked again.
            if found != mark:
                raise UserError("try_again", retry_after=1)
        try:
            reply = await work()
        except BaseException:
            await self._forget(key)
            raise
        await self._mark(key)
        return reply

    async def _mark(self, key: str) -> None:
        try:
            await self._redis.set(key, DONE, ex=REMEMBERED_SECONDS)
        except RedisError:
            return  # It was done; a repeat is "try again" until the mark is gone.

    async def _forget(self, key: str) -> None:
        try:
            await self._redis.delete(key)
        except RedisError:
            return
