"""Sockets, the consults that they may enter, and the places they have there: taken, held, given up, lost."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from practice.agenda.model import Appointment
from practice.storage import Storage
from rooms.consult import asked, new
from rooms.consult_events import Admit, Arrive, Close, EndReason, Grow, HandOver, Leave, LoseSocket, Replan, Vacate
from rooms.consult_state import GUEST, PRACTITIONER, Consult, Participant
from rooms.live import LiveConsults
from signaling.consults.runner import Runner
from signaling.consults.showing import Showing
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import Admit as CallingIn
from signaling.protocol.events import Arrive as Coming
from signaling.protocol.events import RoomView
from signaling.protocol.model import Empty
from signaling.scopes import of_claims, of_consult, of_server
from signaling.sockets.server import Gate
from signaling.sockets.socket import Binding, Socket
from signaling.tickets import Claims
from signaling.window import JoinWindow, seconds_until
from vault import audit
from vault.audit import Act
from vault.errors import DomainError

PAIR = 2
"""Practitioner and patient."""

QUESTIONS = 3
"""Pages that may stand in the way of an arrival, asked one after the other."""


@dataclass(frozen=True)
class Entering:
    """Foreign appointments do not exist; a patient comes while the waiting room is open, whatever the page says.

    ``most``: people in one consult, whatever its appointment says.
    """

    live: LiveConsults
    store: Storage
    window: JoinWindow
    now: Callable[[], datetime]
    most: int

    async def fresh(self, claims: Claims, appointment: str) -> Consult:
        """The document as it begins where there is none. Raises forbidden not_found too_early ended gone try_again.

        Storage is asked only where the document and the claims do not tell: hundreds who come back at once should not
        wait for the database. A guest can be taken off the appointment while they are in it.
        """
        self._refuse_strangers(claims, appointment)
        consult = await self.live.load(appointment)
        waited = claims.practitioner is None and claims.kind == "resume" and not claims.admitted
        guest = claims.role == GUEST
        known = consult and claims.practitioner in (None, consult.owner)
        if consult and known and not (waited or guest or claims.asks):
            return new(appointment, consult.owner, self.now(), capacity=consult.capacity, barred=consult.barred)
        found = await self.store.appointments.get(of_claims(claims), appointment)
        await self.demand_invited(claims, found)
        if found.state != "planned" or (waited and self._in_vain(found, consult)):
            raise UserError("ended")
        barred = consult.barred if consult else await self.store.policies.barred(of_server(), found.owner)
        return new(appointment, found.owner, self.now(), capacity=self.capacity(found), barred=barred)

    def capacity(self, appointment: Appointment) -> int:
        """How many may be in its consult at once: practitioner, patient and guests, but never more than ``most``."""
        return min(self.most, PAIR + len(appointment.guests))

    async def demand_invited(self, claims: Claims, found: Appointment) -> None:
        """Whoever came by a link still takes part, and has agreed to what is asked of them.

        Errors: ``not_found``, ``ended`` (a consent was withdrawn), ``consent_needed``, ``guardian_needed``.
        """
        if found.withdrawn_at:
            raise UserError("ended")
        if claims.practitioner:
            return
        if claims.role == GUEST and not is_invited(found, claims.seat):
            raise UserError("not_found")
        if why := await self.store.consents.missing_of(of_claims(claims), found, claims.seat):
            raise UserError(why)

    def _refuse_strangers(self, claims: Claims, appointment: str) -> None:
        if (claims.role == "practitioner") != (claims.practitioner is not None):
            raise ProtocolError("forbidden")
        if claims.practitioner is None and claims.appointment != appointment:
            raise UserError("not_found")
        left = seconds_until(claims.opens_at, self.now()) if claims.opens_at else 0
        if left:
            raise UserError("too_early", retry_after=left)

    def _in_vain(self, appointment: Appointment, consult: Consult | None) -> bool:
        """Whether the link that this ticket came from does not open the waiting room any more."""
        now = self.now()
        running = consult is not None and bool(consult.admitted)
        return self.window.closes_at(appointment, now, running=running) <= now


def is_invited(appointment: Appointment, seat: str) -> bool:
    """Whether this is the seat of one of its guests."""
    return any(one.id == seat for one in appointment.guests)


class Seats:
    """Those of the sockets of this node."""

    def __init__(
        self,
        *,
        gate: Gate,
        live: LiveConsults,
        runner: Runner,
        showing: Showing,
        entering: Entering,
        store: Storage,
        now: Callable[[], datetime],
        node: str,
        full: Callable[[], bool],
    ) -> None:
        self._gate = gate
        self._live = live
        self._runner = runner
        self._showing = showing
        self._entering = entering
        self._store = store
        self._now = now
        self._node = node
        self._full = full
        self._unnoted: set[tuple[str, Binding]] = set()

    async def arrive(self, socket: Socket, body: Coming) -> RoomView:
        """Wait for the practitioner; the practitioner is in at once."""
        await self._demand_worker(socket.claims, body.appointment)
        socket.seen = body.seen
        return await self.take(socket, body.appointment, body.participant, take_over=body.take_over)

    async def admit(self, socket: Socket, body: CallingIn) -> RoomView:
        """Call somebody in, entering too."""
        await self._demand_worker(socket.claims, body.appointment)
        socket.seen = body.seen
        return await self.take(socket, body.appointment, body.me, take_over=body.take_over, admit=body.participant)

    async def take(
        self, socket: Socket, appointment: str, participant: str, *, take_over: bool, admit: str | None = None
    ) -> RoomView:
        """Take the seat of the socket's claims; with ``admit`` also call that participant in.

        Raises SpreekkamerError or DomainError: not_found too_early ended gone seat_taken room_full bad_state try_again.
        """
        fresh = await self._entering.fresh(socket.claims, appointment)
        await self._leave_other(socket, appointment)
        arrival = replace(self._arrival(socket, participant, take_over=take_over), capacity=fresh.capacity)
        consult = await self._seat(fresh, arrival, admit)
        view = await self._settle(socket, consult, participant, calling=admit is not None)
        if socket.claims.role == GUEST or socket.claims.asks:
            await self._demand_invited(socket.claims, appointment)
        return view

    async def leave(self, socket: Socket, _body: Empty) -> Empty:
        """Give the seat up; when nobody is left who leads the consult, it has ended, also in storage."""
        consult, me = await self.inside(socket)
        ends = consult.ends_without(me)
        if ends:
            await self._end(consult)
        after = await self._runner.apply(consult.appointment, Leave(me.id))
        if after.ended and not ends:
            await self._end(after)  # who else led it was gone by then
        socket.binding = None
        return Empty()

    async def _end(self, consult: Consult) -> None:
        """A host ends it in the name of the practitioner, who handed it over."""
        await self._store.appointments.end(of_consult(consult), consult.appointment)
        ended = audit.appointment(consult.owner, consult.appointment)
        await self._store.audit.record(Act.APPOINTMENT_ENDED, audit.practitioner(consult.owner), ended)
        # Beside what ends it for who is in it, who need not wait for the desks.
        self._gate.spawn(self._showing.tell_desks(consult.owner))

    async def lost(self, socket: Socket) -> None:
        """A socket closed."""
        binding, socket.binding = socket.binding, None
        if binding:
            loss = socket.sid, binding
            self._unnoted.add(loss)
            with suppress(DomainError):
                await self._note_loss(loss)

    async def note_losses(self) -> None:
        """Say of sockets that closed while Redis was away that they did; nobody else would ever say so."""
        for loss in list(self._unnoted):
            await self._note_loss(loss)

    def heard(self, socket: Socket, event: str, data: dict[str, Any]) -> None:
        """A socket of this node is told where it stands; the document may be gone when that is needed again."""
        if event == "ended":
            socket.binding = None  # where the room goes on without this person, nothing brings them back by itself
        binding = socket.binding
        if event != "room" or binding is None or data["me"]["participant"] != binding.participant:
            return
        admitted = data["me"]["state"] == "admitted"
        lineage = (binding.lineage or binding.participant) if admitted else None
        socket.binding = binding.confirmed(lineage, data["version"])

    async def close(self, appointment: str, reason: EndReason) -> None:
        """End a consult from outside (cancelled, destroyed, expired); nothing of it stays in Redis."""
        await self._from_outside(appointment, Close(reason))

    async def vacate(self, appointment: str, seat: str) -> None:
        """A guest takes part no more, or by another link."""
        await self._from_outside(appointment, Vacate(seat))

    async def replan(self, appointment: Appointment) -> None:
        """Whoever is here is told that what was planned is another."""
        await self._from_outside(appointment.id, Replan(appointment.version))

    async def grow(self, appointment: Appointment) -> None:
        """Somebody more was invited: there is a place for them in the consult that runs."""
        await self._from_outside(appointment.id, Grow(self._entering.capacity(appointment)))

    async def _from_outside(self, appointment: str, event: Close | Replan | Grow | Vacate) -> None:
        if await self._live.load(appointment):
            try:
                await self._runner.apply(appointment, event)
            except DomainError as error:
                # Somebody ended it between the two: then nobody is left there.
                if error.code != "bad_state":
                    raise

    async def inside(self, socket: Socket, *, admitted: bool = False) -> tuple[Consult, Participant]:
        """The room and the place in it that this socket has; with ``admitted``, only if called in."""
        consult = await self._live.load(socket.binding.appointment) if socket.binding else None
        me = consult.find(socket.binding.participant) if consult and socket.binding else None
        if consult is None or me is None or me.socket != socket.sid:
            raise ProtocolError("bad_state")
        if admitted and not me.admitted:
            raise ProtocolError("forbidden")
        return consult, me

    async def leading(self, socket: Socket) -> tuple[Consult, Participant]:
        """The room and the place in it, of who leads the consult; ``forbidden`` of who does not."""
        consult, me = await self.inside(socket, admitted=True)
        if not consult.leads(me):
            raise ProtocolError("forbidden")
        return consult, me

    async def is_colleague(self, consult: Consult, seat: str) -> bool:
        """Whether this is the seat of a guest who was invited as a colleague."""
        found = await self._store.appointments.get(of_consult(consult), consult.appointment)
        return any(one.id == seat and one.role == "colleague" for one in found.guests)

    async def give_lead(self, consult: Consult, by: str, participant: str) -> None:
        """Have somebody lead the consult beside the practitioner; that it was done is entered."""
        await self._runner.apply(consult.appointment, HandOver(by, participant))
        owner = audit.practitioner(consult.owner)
        where = audit.appointment(consult.owner, consult.appointment)
        await self._store.audit.record(Act.CONSULT_HANDED_OVER, owner, where)

    async def other(self, socket: Socket, participant: str) -> tuple[Consult, Participant, Participant]:
        """The room, the caller and another one who is in."""
        consult, me = await self.inside(socket, admitted=True)
        one = consult.find(participant)
        if one is None or not one.admitted or one.id == me.id:
            raise UserError("not_found")
        return consult, me, one

    def _arrival(self, socket: Socket, participant: str, *, take_over: bool) -> Arrive:
        claims = socket.claims
        lineage, issued = None, 0
        if claims.kind == "resume" and claims.admitted:
            lineage, issued = claims.participant, claims.expires * 1000 - self._live.life // timedelta(milliseconds=1)
        if socket.binding and socket.binding.lineage and socket.binding.seen >= issued:
            lineage, issued = socket.binding.lineage, socket.binding.seen
        return Arrive(
            participant=participant,
            seat=claims.seat,
            role=claims.role,
            socket=socket.sid,
            node=self._node,
            take_over=take_over,
            lineage=lineage,
            issued=issued,
            replay=socket.replays,
            family=claims.family,
            session=claims.session,
            number=claims.number,
        )

    async def _seat(self, fresh: Consult, arrival: Arrive, admit: str | None) -> Consult:
        """Apply the arrival; pages in its way are asked whether they are still there, and those silent give way."""
        for _ in range(QUESTIONS):
            try:
                event = Admit(arrival, admit) if admit else arrival
                return await self._runner.apply(fresh.appointment, event, absent=fresh, answered=arrival.socket)
            except DomainError as error:
                if error.code != "seat_taken":
                    raise
            question = asked(await self._live.load(fresh.appointment) or fresh, arrival)
            if question and await self._gate.present(question):
                break
            if question:
                arrival = replace(arrival, silent=arrival.silent | {question})
        raise UserError("seat_taken")

    async def _settle(self, socket: Socket, consult: Consult, participant: str, *, calling: bool) -> RoomView:
        """Bind the socket to the place it has now and say what it sees from there.

        Whoever is ``calling`` somebody in may be where they were: to begin their list anew would skip what is on its
        way to them.
        """
        me = consult.find(participant)
        if me is None or me.socket != socket.sid:
            raise ProtocolError("bad_state")
        before, socket.binding = socket.binding, Binding(consult.appointment, me.id, me.lineage, consult.touched)
        socket.owner = None if me.seat == PRACTITIONER else consult.owner
        if not (calling and socket.seen is None and before and before.participant == me.id):
            socket.place()
        if socket.sid not in self._gate.authenticated:
            # It closed while this was under way, when nobody knew yet whose it was.
            await self.lost(socket)
        return self._showing.view(consult, me)

    async def _demand_worker(self, claims: Claims, appointment: str) -> None:
        """No practitioner begins a consult that no media worker takes. Errors: ``server_full``."""
        if claims.practitioner and claims.kind == "access" and self._full():
            consult = await self._live.load(appointment)
            if consult is None or not consult.fence:
                raise UserError("server_full")

    async def _demand_invited(self, claims: Claims, appointment: str) -> None:
        """Once more when they are seated: whoever uninvited them before found nobody to put out, nor did who withdrew
        a consent. Errors: as ``Entering.demand_invited``.
        """
        found = await self._store.appointments.get(of_claims(claims), appointment)
        try:
            await self._entering.demand_invited(claims, found)
        except UserError:
            await self.vacate(appointment, claims.seat)
            raise

    async def _leave_other(self, socket: Socket, appointment: str) -> None:
        if socket.binding and socket.binding.appointment != appointment:
            await self.lost(socket)

    async def _note_loss(self, loss: tuple[str, Binding]) -> None:
        sid, binding = loss
        try:
            await self._runner.apply(binding.appointment, LoseSocket(binding.participant, sid))
        except DomainError as error:
            if error.code not in ("bad_state", "ended"):
                raise
        self._unnoted.discard(loss)
