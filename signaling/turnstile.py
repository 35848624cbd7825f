"""What strangers may ask for and few can be given at once: a short line, fair between those who ask."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, TypeVar

from signaling.protocol.errors import UserError

AT_ONCE: Final = 2
"""As many passwords as ``practice.accounts.store`` checks at once: each takes 64 MiB and a core."""

WAITING: Final = 8
WITHIN: Final = 1.0

T = TypeVar("T")


class Turnstile:
    """``at_once`` are let through, ``waiting`` wait in lines of their own, one for each of those who ask.

    The lines take turns. A full house refuses the newcomer, unless somebody has more in line than the newcomer would
    have: then that one's last is refused. Nobody waits longer than ``within`` seconds.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING, within: float = WITHIN) -> None:
        self._free = at_once
        self._most = waiting
        self._within = within
        self._lines: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    async def through(self, whose: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What the work gives. Raises ``try_again`` if its turn does not come."""
        await self._enter(whose)
        try:
            return await work()
        finally:
            self._next()

    async def _enter(self, whose: Hashable) -> None:
        if self._free:
            self._free -= 1
            return
        self._make_room(whose)
        turn = asyncio.get_running_loop().create_future()
        self._lines.setdefault(whose, deque()).append(turn)
        try:
            async with asyncio.timeout(self._within):
                await turn
        except TimeoutError:
            if turn.cancelled():
                raise UserError("try_again") from None
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn came when nobody wanted it any more
                self._next()
            raise
        finally:
            self._leave(whose, turn)

    def _make_room(self, whose: Hashable) -> None:
        if sum(map(len, self._lines.values())) < self._most:
            return
        longest = max(self._lines, key=lambda one: len(self._lines[one]))
        if len(self._lines[longest]) <= len(self._lines.get(whose, ())) + 1:
            raise UserError("try_again")
        last = self._lines[longest].pop()
        if not last.done():
            last.set_exception(UserError("try_again"))

    def _leave(self, whose: Hashable, turn: "asyncio.Future[None]") -> None:
        line = self._lines.get(whose)
        if line and turn in line:
            line.remove(turn)
        if line is not None and not line:
            del self._lines[whose]

    def _next(self) -> None:
        """The first of the first line; that line is the last one now."""
        for whose, line in list(self._lines.items()):
            self._lines.move_to_end(whose)
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
