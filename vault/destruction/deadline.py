"""When what has a due time must be gone."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NoReturn, Protocol, TypeVar

from vault.clock import Clock
from vault.errors import DomainError

logger = logging.getLogger(__name__)

LONGEST_CONSULT = timedelta(hours=24)
"""A running consult is waited for, but no longer than this after its due time (S-30)."""


InProgress = Callable[[Sequence[str]], Awaitable[Collection[str] | None]]
"""In which of these appointments a consult is running; None when nobody can say, and raising is as good."""

Told = Callable[[str], Awaitable[None]]
"""Told an id that is being destroyed, and to clear what it keeps of it; perhaps again for the same one. Raising: traces
are left, and it is told again later."""

AllTold = Callable[[Sequence[str]], Awaitable[Mapping[str, BaseException]]]
"""The same for many at once, as a day of ten thousand consults ends: of which traces are left, and why."""


async def nobody_can_say(_: Sequence[str]) -> None:
    """Whoever is no server, and does not know of consults that may run on one."""


async def left_to_the_server(*_: object) -> NoReturn:
    """Whoever is no server, and cannot clear what one keeps: rows keep their mark until a server does.

    Errors: ``try_again``.
    """
    raise DomainError("try_again")


class HasDue(Protocol):
    """A record that dies by itself."""

    @property
    def id(self) -> str: ...
    @property
    def due(self) -> datetime | None: ...


Timed = TypeVar("Timed", bound=HasDue)


def at_once(record: HasDue) -> bool:
    """Whether it says of itself that no consult keeps it past its due time (S-44)."""
    return bool(getattr(record, "at_once", False))


class Deadline:
    """Whether a due time has passed. ``cap`` is the operator's, in days: the longest retention; None is no limit."""

    def __init__(self, clock: Clock, in_progress: InProgress, cap: int | None) -> None:
        self._clock = clock
        self._in_progress = in_progress
        self.cap = cap

    def past(self, record: HasDue) -> bool:
        """Whether the due time has passed."""
        return record.due is not None and record.due <= self._clock.now()

    async def running(self, ids: Sequence[str]) -> Collection[str] | None:
        """In which of these appointments a consult is running; None when nobody can say."""
        if not ids:
            return ()
        try:
            return await self._in_progress(ids)
        except Exception:
            logger.exception("nobody can say whether a consult runs")
            return None

    async def forbids(self, record: HasDue, *, unsure: bool = True) -> bool:
        """Past due and not in a running consult: no read path may give it, and the sweeper destroys it.

        ``unsure`` is the answer when nobody can say whether a consult runs: readers refuse, the sweeper waits.
        """
        return bool(await self.forbidden([record], unsure=unsure))

    async def forbidden(self, records: Sequence[Timed], *, unsure: bool) -> list[Timed]:
        """Those that ``forbids`` is true of, by one question for all."""
        now = self._clock.now()
        past = [one for one in records if one.due is not None and one.due <= now]
        asked = [one.id for one in past if one.due and now < one.due + LONGEST_CONSULT and not at_once(one)]
        running = await self.running(asked)
        kept = set(running if running is not None else () if unsure else asked)
        return [one for one in past if one.id not in kept]
