"""Telling a practitioner's browsers, by web push, that somebody arrived in the waiting room.

Of a moment: what could not be sent is tried again for ten minutes at most, while somebody waits, and by the node where
they arrived alone. A desk that is open hears it without any of this.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from practice.organisation.rights import Right, allowed
from practice.organisation.standings import Standings
from practice.push_subscriptions.model import PushSubscription
from practice.push_subscriptions.sending import Pusher
from practice.push_subscriptions.store import PushSubscriptions
from rooms.live import LiveConsults
from signaling.scopes import of_practitioner
from vault.errors import DomainError

log = logging.getLogger(__name__)

TERM: Final = 600.0
"""Seconds after which nobody need be told any more that somebody had come."""

FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 120.0
APART: Final = 20.0
"""Seconds between two of one practitioner's: whoever comes and goes wakes nobody each time."""

Sleep = Callable[[float], Awaitable[None]]


class Pushing:
    """One for a node; without a ``pusher`` nobody is told."""

    def __init__(
        self,
        pusher: Pusher | None,
        subscriptions: PushSubscriptions,
        standings: Standings,
        live: LiveConsults,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._pusher = pusher
        self._subscriptions = subscriptions
        self._standings = standings
        self._live = live
        self._sleep = sleep
        self._told: dict[str, float] = {}

    async def arrived(self, practitioner: str) -> None:
        """Somebody waits for them who did not before. Silent while they are in a consult."""
        clock = asyncio.get_running_loop().time()
        self._told = {who: at for who, at in self._told.items() if clock - at < APART}
        if self._pusher is None or practitioner in self._told:
            return
        self._told[practitioner] = clock
        try:
            if not await self._may(practitioner) or not await self._waits(practitioner):
                return
            found = await self._subscriptions.of(of_practitioner(practitioner))
        except DomainError:
            log.warning("nobody could look up which browsers are told that somebody waits")
            return
        async with asyncio.TaskGroup() as group:
            for one in found:
                group.create_task(self._deliver(self._pusher, one))

    async def _deliver(self, pusher: Pusher, one: PushSubscription) -> None:
        left, wait = TERM, FIRST_WAIT
        try:
            while True:
                sent = await pusher.send(one.endpoint, int(left))
                if sent.outcome == "gone":
                    await self._subscriptions.end(of_practitioner(one.owner), one.endpoint)
                pause = max(wait, float(sent.after or 0))
                if sent.outcome != "later" or pause >= left:
                    return
                await self._sleep(pause)
                left, wait = left - pause, min(2 * wait, LONGEST_WAIT)
                if not await self._waits(one.owner) or not await self._stands(one):
                    return
        except DomainError:
            log.warning("a browser was not told that somebody waits")

    async def _may(self, practitioner: str) -> bool:
        standing = await self._standings.recent(practitioner)
        return standing is not None and allowed(Right.CONSULT, standing.roles)

    async def _waits(self, practitioner: str) -> bool:
        desk = await self._live.desk(practitioner)
        return desk.in_consult is None and any(one.connected for one in desk.waiting)

    async def _stands(self, one: PushSubscription) -> bool:
        return any(other.id == one.id for other in await self._subscriptions.of(of_practitioner(one.owner)))
