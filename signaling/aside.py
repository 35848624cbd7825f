"""What strangers ask for, done apart from the request.

**The answer leaves before anybody looks**: what is asked for waits for the next look, so it takes the same time whoever
asks and whatever comes of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from signaling.protocol.errors import UserError

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0
MOST: Final = 100
"""So many wait for a look; whoever comes when it is full tries again."""

T = TypeVar("T")


class Aside(Generic[T]):
    """Of this node. ``put`` is all that a request does; ``one`` is what comes of it."""

    def __init__(self, one: Callable[[T], Awaitable[None]]) -> None:
        self._one = one
        self._asked: list[T] = []

    def put(self, asked: T) -> None:
        """This is wanted. Errors: ``try_again``."""
        if len(self._asked) >= MOST:
            raise UserError("try_again")
        self._asked.append(asked)

    async def run(self) -> None:
        """Until cancelled; who asked meanwhile is looked after then."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """All that waits. Faults are logged: whoever gets no mail asks again."""
        asked, self._asked = self._asked, []
        for one in asked:
            try:
                await self._one(one)
            except Exception:
                logger.exception("what a stranger asked for could not be done")
