"""What all who wait for a practitioner are told: whether that one is there, and how much later it gets, by their word
or because a consult goes on for longer than planned; and who came to an open hour, how many are before them.

Each node looks once a second for its own sockets that wait, and tells those that were last told something else. **Who
waits learns how late it gets and nothing of the consult that makes it so.**
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from redis.exceptions import RedisError

from practice.agenda.store import Appointments
from rooms.announced import NOTHING, Announced, Announcements, overrun
from rooms.live import DeskState, LiveConsults
from rooms.walk_ins import Queue, WalkIns, those_before, waiting_range
from signaling.protocol.waiting_room import AnnouncedView, QueueView
from signaling.scopes import of_running
from signaling.sockets.server import Gate
from signaling.sockets.socket import Socket
from vault.errors import DomainError

log = logging.getLogger(__name__)

ANNOUNCED: Final = "announced"
PERIOD: Final = 1.0
OVERRUNS: Final = 10
"""Looks between two for consults that go on, which ask Redis and storage for each practitioner whom somebody awaits."""


class Announcing:
    """Of the sockets of this node."""

    def __init__(
        self,
        gate: Gate,
        live: LiveConsults,
        announcements: Announcements,
        walk_ins: WalkIns,
        appointments: Appointments,
        now: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._live = live
        self._announcements = announcements
        self._walk_ins = walk_ins
        self._appointments = appointments
        self._now = now
        self._late: dict[str, int] = {}

    async def entered(self, socket: Socket) -> None:
        """A socket has a place: where it waits it is told what there is to be told."""
        socket.announced = None
        try:
            await self._tell([socket])
        except DomainError:
            log.warning("somebody who waits is told later what was announced")

    async def run(self) -> None:
        """Until cancelled."""
        looks = 0
        while True:
            try:
                if looks % OVERRUNS == 0:
                    await self.look_for_overruns()
                await self.look()
            except (DomainError, RedisError):
                log.warning("what is announced to those who wait could not be looked up")
            except Exception:
                log.exception("looking what is announced to those who wait failed")
            looks += 1
            await asyncio.sleep(PERIOD)

    async def look(self) -> None:
        """Once: who was last told something else is told. Errors: DomainError."""
        await self._tell(list(self._gate.authenticated.values()))

    async def look_for_overruns(self) -> None:
        """Once: which consults make somebody late who waits here. Errors: DomainError."""
        late = {owner: await self._overrun(owner) for owner in sorted(self._owners())}
        self._late = {owner: minutes for owner, minutes in late.items() if minutes}

    def _owners(self) -> set[str]:
        return {one.waits_for for one in self._gate.authenticated.values() if one.waits_for}

    async def _tell(self, sockets: list[Socket]) -> None:
        waiting = [(one, one.waits_for) for one in sockets if one.waits_for]
        said = await self._announcements.of({owner for _, owner in waiting})
        came = {owner for socket, owner in waiting if socket.claims.number is not None}
        queues = {owner: (await self._live.desk(owner), await self._walk_ins.of(owner)) for owner in sorted(came)}
        for socket, owner in waiting:
            view = self._view(owner, said[owner])
            if owner in queues:
                view = view.model_copy(update={"queue": queue_view(socket, *queues[owner])})
            if view != (socket.announced or self._view("", NOTHING)):
                socket.announced = view
                await self._gate.tell(socket.sid, ANNOUNCED, view)

    def _view(self, owner: str, said: Announced) -> AnnouncedView:
        late = self._late.get(owner) if said.delay is None else None
        return AnnouncedView(status=said.status, delay=said.delay or late, overrun=late is not None)

    async def _overrun(self, owner: str) -> int | None:
        running = (await self._live.desk(owner)).in_consult
        if running is None:
            return None
        try:
            planned = await self._appointments.get(of_running(owner, running), running)
        except DomainError as error:
            if error.code == "try_again":
                raise
            return None
        return overrun(planned.starts_at + timedelta(minutes=planned.minutes), self._now())


def queue_view(socket: Socket, desk: DeskState, queue: Queue) -> QueueView | None:
    """Where whoever has this socket stands; None for who did not come to an open hour."""
    number, here = socket.claims.number, socket.binding
    if number is None or here is None:
        return None
    since = next((one.since for one in desk.waiting if one.participant == here.participant), 0)
    before = those_before(desk, number, since)
    least, most = waiting_range(queue.lengths, before, running=desk.in_consult is not None) or (None, None)
    return QueueView(number=number, before=before, least=least, most=most)
