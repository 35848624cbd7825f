"""Who is sent which view: of a room, to everybody in it; of a desk, to everybody who watches it."""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from math import ceil

from rooms.announced import Announced, Announcements
from rooms.consult_events import REFRESH
from rooms.consult_state import GUEST, PRACTITIONER, Consult, Participant
from rooms.device_check import judged
from rooms.live import DeskState, LiveConsults
from rooms.walk_ins import WalkIns
from rooms.words import SealedWords
from signaling.protocol.events import (
    AGENDA,
    SIGHT,
    DeskView,
    IceServer,
    KeyMember,
    KeysView,
    MediaView,
    ParticipantView,
    RoomView,
    WaitingView,
)
from signaling.protocol.model import Empty
from signaling.protocol.waiting_room import AnnouncedView
from signaling.sockets.library import NAMESPACE
from signaling.sockets.server import Gate
from signaling.sockets.socket import Socket
from signaling.tickets import Claims, Tickets
from turn.credentials import TurnCredentials


@dataclass(frozen=True)
class Beside:
    """What stands beside the documents of rooms: the key of what is written in them, what is said to all who wait, and
    who came to an open hour.
    """

    words: SealedWords
    announcements: Announcements
    walk_ins: WalkIns


class Showing:
    """A view of a room carries a fresh resume ticket, and for who is in the ways to media."""

    def __init__(self, gate: Gate, live: LiveConsults, tickets: Tickets, turn: TurnCredentials, beside: Beside) -> None:
        self._gate = gate
        self._live = live
        self._tickets = tickets
        self._turn = turn
        self._words = beside.words
        self._announcements = beside.announcements
        self._life = live.life // timedelta(milliseconds=1)
        self._desks: set[str] = set()

    def view(self, consult: Consult, me: Participant) -> RoomView:
        """The room as one participant sees it."""
        servers = self.ice_servers(consult.appointment, me.seat) if me.admitted else []
        written = self._words.opened(me.written, consult.appointment, me.seat, "written")
        return room_view(consult, me, self._resume(consult, me), servers, written)

    async def show(self, consult: Consult, answered: str | None = None) -> None:
        """Send everybody with a socket a new view; ``answered`` gets its own as a reply."""
        for one in consult.participants:
            if one.socket and one.socket != answered:
                await self._gate.tell(one.socket, "room", self.view(consult, one))

    async def watch(self, socket: Socket, practitioner: str) -> DeskView:
        """This socket is shown the desk from now on."""
        await self._gate.enter_room(socket.sid, desk_room(practitioner), namespace=NAMESPACE)
        if socket.claims.practitioner == practitioner:
            await self._gate.enter_room(socket.sid, own_room(practitioner), namespace=NAMESPACE)
        return await self._desk(practitioner)

    async def stop_watching(self, socket: Socket, practitioner: str) -> None:
        """It is shown this desk no more, and that nobody waits there."""
        await self._gate.leave_room(socket.sid, desk_room(practitioner), namespace=NAMESPACE)
        empty = replace(await self._live.desk(practitioner), waiting=(), in_consult=None)
        await self._gate.tell(socket.sid, "desk", desk_view(practitioner, empty, self._words))

    def show_desk(self, practitioner: str) -> None:
        """Send everybody who watches this desk its newest state, once for changes that come together."""
        if practitioner not in self._desks:
            self._desks.add(practitioner)
            self._gate.spawn(self._show_desk(practitioner))

    async def tell_desks(self, practitioner: str) -> None:
        """Everybody who watches this desk reads the days anew."""
        await self._gate.tell(desk_room(practitioner), AGENDA, Empty())

    async def tell_of_sight(self, practitioner: str) -> None:
        """Whose desk this is is told that others had sight of it, and nobody else who watches."""
        await self._gate.tell(own_room(practitioner), SIGHT, Empty())

    def ice_servers(self, appointment: str, seat: str) -> list[IceServer]:
        """The ways to media beside the relay's own address, for who is in; each seat has one quota."""
        credential = self._turn.issue(f"{appointment}:{seat}")
        if credential is None:
            return []
        return [IceServer(urls=list(credential.urls), username=credential.username, credential=credential.password)]

    @property
    def refresh(self) -> timedelta:
        """How long a room's views stay good."""
        return min(REFRESH, self._turn.renew_after)

    async def _show_desk(self, practitioner: str) -> None:
        self._desks.discard(practitioner)
        await self._gate.tell(desk_room(practitioner), "desk", await self._desk(practitioner))

    async def _desk(self, practitioner: str) -> DeskView:
        desk, said = await self._live.desk(practitioner), await self._announcements.of([practitioner])
        return desk_view(practitioner, desk, self._words, said[practitioner])

    def _resume(self, consult: Consult, me: Participant) -> str:
        return self._tickets.issue(
            Claims(
                kind="resume",
                role=me.role,  # type: ignore[arg-type]  # a string there; those that claims know
                practitioner=consult.owner if me.seat == PRACTITIONER else None,
                appointment=consult.appointment,
                seat=me.seat,
                participant=me.lineage or me.id,
                admitted=me.admitted,
                family=me.family,
                session=me.session,
                number=me.number,
                expires=ceil((consult.touched + self._life) / 1000),
            )
        )


def desk_room(practitioner: str) -> str:
    """The Socket.IO room of everybody who watches a desk."""
    return f"desk:{practitioner}"


def own_room(practitioner: str) -> str:
    """The same of those of the practitioner's own."""
    return f"own-desk:{practitioner}"


# --- what one participant may know of a room, and a practitioner of the desk ----------------------------------------


def room_view(
    consult: Consult, me: Participant, resume: str, ice_servers: list[IceServer], written: str | None = None
) -> RoomView:
    """The room as ``me`` may see it.

    Whoever waits sees nobody; who leads the consult sees everybody; others see who is in.
    """
    if consult.leads(me):
        others = [one for one in consult.participants if one.id != me.id]
    else:
        others = [one for one in consult.admitted if me.admitted and one.id != me.id]
    return RoomView(
        version=consult.version,
        appointment=consult.appointment,
        me=participant_view(consult, me),
        others=[participant_view(consult, one) for one in others],
        media=media_view(consult, ice_servers) if me.admitted else None,
        keys=keys_view(consult) if me.admitted else None,
        resume=resume,
        barred=list(consult.barred),
        plan=consult.plan,
        written=written,
        held=me.held,
        capacity=consult.capacity,
        locked=consult.locked,
    )


def participant_view(consult: Consult, one: Participant) -> ParticipantView:
    return ParticipantView.model_validate(
        {
            "participant": one.id,
            "role": one.role,
            "state": "admitted" if one.admitted else "waiting",
            "connected": one.socket is not None,
            "media": one.media,
            "indicators": asdict(one.indicators),
            "unusable": list(one.unusable),
            "guest": guest_of(one.role, one.seat),
            "host": consult.is_host(one),
        }
    )


def guest_of(role: str, seat: str) -> str | None:
    """Which guest of the appointment somebody is; None for who is none."""
    return seat if role == GUEST else None


def media_view(consult: Consult, ice_servers: list[IceServer]) -> MediaView:
    return MediaView(
        fence=consult.fence,
        ready=consult.ready,
        slots=max(1, consult.capacity - 1),
        ice_servers=ice_servers,
        simulcast=consult.is_group,
    )


def keys_view(consult: Consult) -> KeysView | None:
    """None until there are two to agree on something."""
    members = consult.admitted
    if len(members) < 2:
        return None
    return KeysView(
        epoch=consult.epoch,
        members=[KeyMember.model_validate({"participant": one.id, "role": one.role}) for one in members],
    )


def desk_view(practitioner: str, desk: DeskState, words: SealedWords, said: Announced | None = None) -> DeskView:
    waiting = [
        WaitingView.model_validate(
            {
                "appointment": one.appointment,
                "participant": one.participant,
                "role": one.role,
                "since": one.since,
                "connected": one.connected,
                "indicators": asdict(one.indicators),
                "check": asdict(judged(one.check)) if one.check else None,
                "written": words.opened(one.written, one.appointment, one.seat, "written"),
                "said": words.opened(one.said, one.appointment, one.seat, "said"),
                "held": one.held,
                "number": one.number,
                "guest": guest_of(one.role, one.seat),
            }
        )
        for one in desk.waiting
    ]
    announced = AnnouncedView(status=said.status, delay=said.delay) if said else None
    return DeskView(
        version=desk.version,
        practitioner=practitioner,
        waiting=waiting,
        in_consult=desk.in_consult,
        announced=announced,
    )
