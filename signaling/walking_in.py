"""Open hours: who comes gets a number and an appointment, and keeps both for as long as they are there.

**A place is kept for ten minutes after somebody left**, and for two where nobody opened their link; then it is lost and
the appointment is cancelled. Who stays is not destroyed while they wait: until they are called in, their
appointment begins anew whenever its time is over. One in which two met, or that was moved, is as any other: nothing
here touches it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from redis.exceptions import RedisError

from practice.accounts.model import Language
from practice.agenda.changes import MAX_NAME
from practice.agenda.model import Appointment, WalkIn
from practice.bookings.model import Availability
from practice.names import named
from practice.storage import Storage
from rooms.consult import MILLISECOND, milliseconds
from rooms.consult_state import PRACTITIONER, Consult
from rooms.live import parts
from rooms.walk_ins import AFTER, Most, Spot, WalkIns
from signaling.consults import Consults
from signaling.scopes import of_practitioner
from signaling.sockets.socket import Socket
from vault.audit import PATIENT, SERVER, Act, appointment
from vault.errors import DomainError
from vault.records.content import new_id

log = logging.getLogger(__name__)

PERIOD: Final = 10.0
KEPT: Final = timedelta(minutes=10)
UNUSED: Final = timedelta(minutes=2)
"""So long a number is kept whose link nobody opened."""

TOO_LATE: Final = ("not_found", "gone", "ended", "bad_state", "conflict", "unreadable", "invalid")
"""Somebody destroyed, ended, called in or changed it meanwhile."""


class WalkingIn:
    """Of one node; ``zone`` is the practice's."""

    def __init__(
        self, consults: Consults, store: Storage, most: Most, now: Callable[[], datetime], zone: Callable[[], tzinfo]
    ) -> None:
        self._consults = consults
        self._walk_ins: WalkIns = consults.beside.walk_ins
        self._store = store
        self._most = most
        self._now = now
        self._zone = zone

    async def come(self, to: Availability, name: str, language: Language, network: str) -> Appointment:
        """A number, and an appointment that begins now; whoever asked has seen that the hour is open.

        Errors: ``room_full``, ``rate_limited`` (others of this network are there), ``ended`` (it was closed meanwhile),
        ``invalid`` (``name``), ``not_found`` (the account is closing), ``try_again``.
        """
        name, appointment_id, scope = named(name, "name", MAX_NAME), new_id(), of_practitioner(to.owner)
        behind = await self._given(to.owner)
        number = await self._walk_ins.take(to.owner, appointment_id, network, self._day(), self._most, behind)
        try:
            who = WalkIn(appointment_id, number)
            made = await self._store.bookings.receive(to, scope, self._zone(), who, name, language)
        except BaseException:
            await self._walk_ins.lose(to.owner, appointment_id)
            raise
        entry = appointment(made.owner, made.id)
        await self._store.audit.record(Act.APPOINTMENT_CREATED, PATIENT, entry, detail="walked-in")
        return made

    async def send_away(self, owner: str) -> list[Appointment]:
        """Nobody is received any more: those who are in the queue and in no consult lose their places, and their
        appointments are cancelled. Which.
        """
        gone = []
        for spot in (await self._walk_ins.of(owner)).spots:
            consult = await self._consults.live.load(spot.appointment)  # each anew: one may have been called in since
            if not (consult and consult.admitted) and (lost := await self._lose(owner, spot, consult)):
                gone.append(lost)
        return gone

    async def entered(self, socket: Socket) -> None:
        """A socket has a place: who came to an open hour is there again."""
        number, owner, here = socket.claims.number, socket.waits_for, socket.binding
        if number is not None and owner is not None and here is not None:
            await self._is_there(owner, here.appointment, number)

    async def opened(self, one: Appointment) -> None:
        """The patient's link was opened: they look at their devices before they have a place in the waiting room."""
        if one.number is not None and one.state == "planned":
            await self._is_there(one.owner, one.id, one.number)

    async def _is_there(self, owner: str, appointment_id: str, number: int) -> None:
        try:
            await self._walk_ins.come_back(owner, appointment_id, number, self._day())
        except DomainError:
            log.warning("somebody is in a queue later than they came")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except (DomainError, RedisError):
                log.warning("who is in a queue could not be looked up")
            except Exception:
                log.exception("looking who is in a queue failed")
            await asyncio.sleep(PERIOD)

    async def look(self) -> None:
        """Once: who is there keeps their place, who was away for too long loses it. Errors: DomainError."""
        for owner in await self._walk_ins.owners():
            queue = await self._walk_ins.of(owner)
            consults: dict[str, Consult] = {}
            for part in parts(queue.spots):
                consults |= await self._consults.live.load_all(one.appointment for one in part)
            await self._keep(owner, queue.spots, consults)

    async def _keep(self, owner: str, spots: tuple[Spot, ...], consults: Mapping[str, Consult]) -> None:
        now = milliseconds(self._now())
        there = {one.appointment for one in spots if is_there(consults.get(one.appointment))}
        old = {one.appointment for one in spots if now - one.seen >= AFTER // MILLISECOND}
        anew = {one.appointment for one in spots if one.appointment in there and await self._begins_anew(owner, one)}
        if there & old or anew:
            await self._walk_ins.seen(owner, frozenset(there), frozenset(anew))
        for spot in spots:
            kept = KEPT if spot.came else UNUSED
            if spot.appointment in there or now - spot.seen < kept // MILLISECOND:
                continue
            consult = await self._consults.live.load(spot.appointment)
            if not is_there(consult):
                await self._lose(owner, spot, consult)

    async def _begins_anew(self, owner: str, spot: Spot) -> bool:
        """Where its planned time is over. Once somebody is called in, their consult is what counts; one that is of no
        queue any more has no place.
        """
        if milliseconds(self._now()) - spot.planned < KEPT // MILLISECOND:
            return False
        consult = await self._consults.live.load(spot.appointment)
        if consult is None or consult.admitted or consult.met:
            return False
        try:
            await self._store.appointments.begin_anew(of_practitioner(owner), spot.appointment, self._begin())
        except DomainError as error:
            if error.code not in TOO_LATE:
                raise
            if error.code == "bad_state":
                await self._walk_ins.lose(owner, spot.appointment)
            return False
        await self._consults.showing.tell_desks(owner)
        return True

    async def _lose(self, owner: str, spot: Spot, consult: Consult | None) -> Appointment | None:
        """Their place is nobody's, and their appointment is cancelled, if it is still one of somebody who waits."""
        lost, scope, appointments = None, of_practitioner(owner), self._store.appointments
        try:
            found = await appointments.get(scope, spot.appointment)
            met = found.attended or (consult and (consult.met or consult.admitted))
            if found.number is not None and found.cancelled_at is None and not met:
                lost = await appointments.cancel(scope, spot.appointment, held=False)
        except DomainError as error:
            if error.code not in TOO_LATE:
                raise
        await self._walk_ins.lose(owner, spot.appointment)
        if lost:
            entry = appointment(owner, spot.appointment)
            await self._store.audit.record(Act.APPOINTMENT_CANCELLED, SERVER, entry, detail="left")
            await self._consults.showing.tell_desks(owner)
        return lost

    async def _given(self, owner: str) -> int:
        """The highest number that storage knows of today, where Redis knows of none."""
        if (await self._walk_ins.of(owner)).day == self._day():
            return 0
        today, zone = self._now().astimezone(self._zone()).date(), self._zone()
        found = await self._store.appointments.list(of_practitioner(owner), today, today, zone)
        return max((one.number or 0 for one in found), default=0)

    def _begin(self) -> datetime:
        """This minute, by the practice's clock."""
        return self._now().astimezone(self._zone()).replace(second=0, microsecond=0)

    def _day(self) -> str:
        return day_of(self._now(), self._zone())


def is_there(consult: Consult | None) -> bool:
    """Whether whoever came is connected, or is in."""
    if consult is None:
        return False
    return any(one.admitted or one.socket for one in consult.participants if one.seat != PRACTITIONER)


def day_of(moment: datetime, zone: tzinfo) -> str:
    """As a queue has it."""
    return moment.astimezone(zone).date().isoformat()


async def is_over(walk_ins: WalkIns, consult: Consult, zone: tzinfo) -> None:
    """How long a consult took counts for who waits. Nobody is kept from anything where that cannot be written down."""
    length = consult.touched - consult.met if consult.met and consult.ended == "ended" else None
    ended = datetime.fromtimestamp(consult.touched / 1000, UTC)
    try:
        await walk_ins.over(consult.owner, consult.appointment, day_of(ended, zone), length)
    except DomainError:
        log.warning("how long a consult took could not be written down")
