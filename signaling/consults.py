"""Runs the state machine of the rooms on behalf of sockets and carries its effects out.

**Whoever asks is who the socket's claims say, and is in the room only while the document names that very socket.**
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Any

from media.control import Call, MediaClient, MediaUnavailable, Reply
from media.control import CloseRoom as CloseRoomCall
from media.control import RemovePeer as RemovePeerCall
from rooms import audit
from rooms.audit import Act
from rooms.consult import asked, new
from rooms.consult_events import (
    REFRESH,
    Admit,
    Arrive,
    Close,
    CloseRoom,
    Drop,
    Effect,
    Ended,
    EndReason,
    Event,
    Leave,
    LoseSocket,
    Place,
    RemovePeer,
    Show,
    ShowDesk,
    TakenOver,
)
from rooms.consult_state import PRACTITIONER, Consult, Participant
from rooms.errors import RoomsError
from rooms.live import LiveConsults
from rooms.store import Storage
from signaling.entering import Entering
from signaling.protocol.errors import ProtocolError, UserError
from signaling.protocol.events import DeskView, IceServer, RoomView
from signaling.protocol.events import Ended as EndedEvent
from signaling.protocol.model import Empty, Message
from signaling.replays import Missed, Replays
from signaling.scopes import of_consult
from signaling.sockets.server import Gate
from signaling.sockets.socket import Binding, Socket
from signaling.tickets import Claims, Tickets
from signaling.views import desk_view, room_view
from signaling.window import JoinWindow
from turn.credentials import TurnCredentials

CALLS = 32
"""Calls to media workers under way at once; each holds a connection to Redis while it waits."""

TIDYING = 8
"""The same for calls that nobody waits for: a dead worker must not hold up the living."""

QUESTIONS = 3
"""Pages that may stand in the way of an arrival, asked one after the other."""

log = logging.getLogger(__name__)


def desk_room(practitioner: str) -> str:
    """The Socket.IO room of everybody who watches a desk."""
    return f"desk:{practitioner}"


class Consults:
    """The live consults as seen from one node."""

    def __init__(
        self,
        *,
        gate: Gate,
        live: LiveConsults,
        store: Storage,
        media: MediaClient,
        tickets: Tickets,
        turn: TurnCredentials,
        replays: Replays,
        now: Callable[[], datetime],
        window: JoinWindow,
        node: str,
    ) -> None:
        self.gate = gate
        self.live = live
        self.node = node
        self._media = media
        self._calls = asyncio.Semaphore(CALLS)
        self._desks: set[str] = set()
        self._tidying = asyncio.Semaphore(TIDYING)
        self._unnoted: set[tuple[str, Binding]] = set()
        self._store = store
        self._tickets = tickets
        self._turn = turn
        self._replays = replays
        self.now = now
        self._entering = Entering(live, store, window, now)
        self.place: Callable[[str], None] = lambda appointment: None

    # --- coming and going --------------------------------------------------------------------------------------------

    async def arrive(
        self, socket: Socket, appointment: str, participant: str, *, take_over: bool, admit: str | None = None
    ) -> RoomView:
        """Take the seat of the socket's claims; with ``admit`` also call that participant in.

        Raises SpreekkamerError or RoomsError: not_found too_early ended gone seat_taken room_full bad_state try_again.
        """
        fresh = new(appointment, await self._entering.owner(socket.claims, appointment), self.now())
        await self._leave_other(socket, appointment)
        arrival = self._arrival(socket, participant, take_over=take_over)
        consult = await self._seat(fresh, arrival, admit)
        return await self.settle(socket, consult, participant)

    async def settle(self, socket: Socket, consult: Consult, participant: str) -> RoomView:
        """Bind the socket to the place it has now and say what it sees from there."""
        me = consult.find(participant)
        if me is None or me.socket != socket.sid:
            raise ProtocolError("bad_state")
        socket.binding = Binding(consult.appointment, me.id, me.lineage, consult.touched)
        socket.place()
        if socket.sid not in self.gate.authenticated:
            # It closed while this was under way, when nobody knew yet whose it was.
            await self.lost(socket)
        return self.view(consult, me)

    async def leave(self, socket: Socket) -> None:
        """Give the seat up; when the practitioner does, the consult has ended, also in storage."""
        consult, me = await self.inside(socket)
        if me.seat == PRACTITIONER:
            await self._store.appointments.end(of_consult(consult), consult.appointment)
            ended = audit.appointment(consult.owner, consult.appointment)
            await self._store.audit.record(Act.APPOINTMENT_ENDED, audit.practitioner(consult.owner), ended)
        await self.apply(consult.appointment, Leave(me.id))
        socket.binding = None

    async def lost(self, socket: Socket) -> None:
        """A socket closed."""
        binding, socket.binding = socket.binding, None
        if binding:
            loss = socket.sid, binding
            self._unnoted.add(loss)
            with suppress(RoomsError):
                await self._note_loss(loss)

    async def note_losses(self) -> None:
        """Say of sockets that closed while Redis was away that they did; nobody else would ever say so."""
        for loss in list(self._unnoted):
            await self._note_loss(loss)

    async def _note_loss(self, loss: tuple[str, Binding]) -> None:
        await self._lose(loss[1], loss[0])
        self._unnoted.discard(loss)

    def heard(self, socket: Socket, event: str, data: dict[str, Any]) -> None:
        """A socket of this node is told where it stands; the document may be gone when that is needed again."""
        binding = socket.binding
        if event != "room" or binding is None or data["me"]["participant"] != binding.participant:
            return
        admitted = data["me"]["state"] == "admitted"
        lineage = (binding.lineage or binding.participant) if admitted else None
        socket.binding = binding.confirmed(lineage, data["version"])

    async def close(self, appointment: str, reason: EndReason) -> None:
        """End a consult from outside (cancelled, destroyed, expired); nothing of it stays in Redis."""
        if await self.live.load(appointment):
            try:
                await self.apply(appointment, Close(reason))
            except RoomsError as error:
                # Somebody ended it between the two: then there is nothing left to close.
                if error.code != "bad_state":
                    raise

    async def inside(self, socket: Socket, *, admitted: bool = False) -> tuple[Consult, Participant]:
        """The room and the place in it that this socket has; with ``admitted``, only if called in."""
        consult = await self.live.load(socket.binding.appointment) if socket.binding else None
        me = consult.find(socket.binding.participant) if consult and socket.binding else None
        if consult is None or me is None or me.socket != socket.sid:
            raise ProtocolError("bad_state")
        if admitted and not me.admitted:
            raise ProtocolError("forbidden")
        return consult, me

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
            lineage, issued = claims.participant, claims.expires * 1000 - self._life
        if socket.binding and socket.binding.lineage and socket.binding.seen >= issued:
            lineage, issued = socket.binding.lineage, socket.binding.seen
        return Arrive(
            participant=participant,
            seat=claims.seat,
            role=claims.role,
            socket=socket.sid,
            node=self.node,
            take_over=take_over,
            lineage=lineage,
            issued=issued,
            replay=socket.replays,
            family=claims.family,
            session=claims.session,
        )

    async def _seat(self, fresh: Consult, arrival: Arrive, admit: str | None) -> Consult:
        """Apply the arrival; pages in its way are asked whether they are still there, and those silent give way."""
        for _ in range(QUESTIONS):
            try:
                event = Admit(arrival, admit) if admit else arrival
                return await self.apply(fresh.appointment, event, absent=fresh, answered=arrival.socket)
            except RoomsError as error:
                if error.code != "seat_taken":
                    raise
            question = asked(await self.live.load(fresh.appointment) or fresh, arrival)
            if question and await self.gate.present(question):
                break
            if question:
                arrival = replace(arrival, silent=arrival.silent | {question})
        raise UserError("seat_taken")

    async def _leave_other(self, socket: Socket, appointment: str) -> None:
        if socket.binding and socket.binding.appointment != appointment:
            await self.lost(socket)

    async def _lose(self, binding: Binding, sid: str) -> None:
        try:
            await self.apply(binding.appointment, LoseSocket(binding.participant, sid))
        except RoomsError as error:
            if error.code not in ("bad_state", "ended"):
                raise

    # --- what the state machine wants done ---------------------------------------------------------------------------

    async def apply(
        self, appointment: str, event: Event, *, absent: Consult | None = None, answered: str | None = None
    ) -> Consult:
        """Store what the event changes and do what follows. ``answered`` is a socket that gets its view as a reply."""
        consult, effects = await self.live.transition(appointment, event, absent=absent)
        for effect in effects:
            await self._perform(consult, effect, answered)
        if consult.ended:
            await self._replays.end(appointment)
        return consult

    async def _perform(self, consult: Consult, effect: Effect, answered: str | None) -> None:
        match effect:
            case Show():
                await self.show(consult, answered)
            case ShowDesk():
                self.show_desk(consult.owner)
            case TakenOver(socket):
                await self.gate.tell(socket, "taken-over", Empty())
                await self.gate.close_socket(socket)
            case Drop(socket):
                await self.gate.close_socket(socket)
            case Ended(socket, reason):
                await self.gate.tell(socket, "ended", EndedEvent(reason=reason))
            case Place():
                self.place(consult.appointment)
            case RemovePeer(worker, fence, peer):
                self.gate.spawn(self._ask(worker, RemovePeerCall(room=consult.appointment, fence=fence, peer=peer)))
            case CloseRoom(worker, fence):
                self.gate.spawn(self._ask(worker, CloseRoomCall(room=consult.appointment, fence=fence)))

    async def call(self, worker: str, call: Call) -> Reply:
        """Ask a media worker; MediaUnavailable if it does not answer."""
        async with self._calls:
            return await self._media.call(worker, call)

    async def _ask(self, worker: str, call: RemovePeerCall | CloseRoomCall) -> None:
        """Tidy up on a worker. One that is dead needs no tidying; one that was frozen closes its rooms by itself."""
        try:
            async with self._tidying:
                if any(beat.worker == worker for beat in await self._media.workers()):
                    await self._media.call(worker, call)
        except MediaUnavailable:
            log.warning("a media worker did not answer", extra={"event": call.call})

    # --- messages ----------------------------------------------------------------------------------------------------

    async def say(self, consult: Consult, to: Iterable[Participant], event: str, message: Message) -> None:
        """Send something to people in this room; those whose page can catch up get it when they are back."""
        receivers = tuple(to)
        listed = [one.id for one in receivers if one.replay]
        numbers = await self._replays.add(consult.appointment, listed, event, message) if listed else {}
        for one in receivers:
            if one.socket:
                await self.gate.tell(one.socket, event, message, numbers.get(one.id))

    async def catch_up(self, socket: Socket) -> None:
        """Send what a page missed, when it has just come into its place."""
        binding, numbering = socket.binding, socket.numbering
        if binding and numbering:
            await self.gate.begin(socket, partial(self._replays.open, binding.appointment, binding.participant))

    async def missed(self, socket: Socket, seen: int) -> Missed:
        """What should have been sent to a socket of this node after ``seen``."""
        binding = socket.binding
        return (
            await self._replays.since(binding.appointment, binding.participant, seen)
            if binding
            else Missed(seen, False)
        )

    # --- views -------------------------------------------------------------------------------------------------------

    async def show(self, consult: Consult, answered: str | None = None) -> None:
        """Send everybody with a socket a new view."""
        for one in consult.participants:
            if one.socket and one.socket != answered:
                await self.gate.tell(one.socket, "room", self.view(consult, one))

    def show_desk(self, practitioner: str) -> None:
        """Send everybody who watches this desk its newest state, once for changes that come together."""
        if practitioner not in self._desks:
            self._desks.add(practitioner)
            self.gate.spawn(self._show_desk(practitioner))

    async def _show_desk(self, practitioner: str) -> None:
        self._desks.discard(practitioner)
        await self.gate.tell(desk_room(practitioner), "desk", await self.desk(practitioner))

    def view(self, consult: Consult, me: Participant) -> RoomView:
        servers = self.ice_servers(consult.appointment, me.seat) if me.admitted else []
        return room_view(consult, me, self._resume(consult, me), servers)

    @property
    def refresh(self) -> timedelta:
        """How long a room's views stay good."""
        return min(REFRESH, self._turn.renew_after)

    async def desk(self, practitioner: str) -> DeskView:
        return desk_view(await self.live.desk(practitioner))

    def _resume(self, consult: Consult, me: Participant) -> str:
        return self._tickets.issue(
            Claims(
                kind="resume",
                role=me.role,  # type: ignore[arg-type]  # a string there; the two that claims know
                practitioner=consult.owner if me.seat == PRACTITIONER else None,
                appointment=consult.appointment,
                seat=me.seat,
                participant=me.lineage or me.id,
                admitted=me.admitted,
                family=me.family,
                session=me.session,
                expires=ceil((consult.touched + self._life) / 1000),
            )
        )

    def ice_servers(self, appointment: str, seat: str) -> list[IceServer]:
        """The ways to media beside the relay's own address, for who is in; each seat has one quota."""
        credential = self._turn.issue(f"{appointment}:{seat}")
        if credential is None:
            return []
        return [IceServer(urls=list(credential.urls), username=credential.username, credential=credential.password)]

    @property
    def _life(self) -> int:
        return int(self.live.life.total_seconds() * 1000)
