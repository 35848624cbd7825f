"""The rooms of a worker and who is in them: what signaling asks for is carried out here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from media.control import (
    Call,
    CloseRoom,
    Done,
    Event,
    Inspect,
    Inspected,
    OfferCall,
    OpenedRoom,
    OpenRoom,
    Refused,
    RemovePeer,
    Reply,
    RequestKeyframe,
    SetSizes,
    SlotsChanged,
)
from media.forwarding.counters import Counters
from media.forwarding.offers import Plan, plan
from media.forwarding.peer import Peer
from media.forwarding.publication import Publication
from media.forwarding.pump import NoPump, Pump
from media.forwarding.room import Room
from media.session.dtls import Certificate
from media.session.transport import Transport
from media.wire.sdp import AnswerLine, AnswerParams, Candidate, Connection, Offer, OfferError, build_answer, parse_offer

_EMPTY_ROOM_SECONDS = 3_600.0


class Rooms:
    """Takes calls.

    Args:
        candidates: the host candidates to announce now.
        emit: takes events for signaling.
        removed: told of a peer that is gone.
        monotonic, wall: seconds.

    Attributes:
        peers: of all rooms.
        by_ufrag: each fragment that is valid now → whose it is.
        attention: publications that have something to ask for.
        pump: what forwards plain packets; to be set before anybody comes.
    """

    def __init__(
        self,
        certificate: Certificate,
        candidates: Callable[[], list[Candidate]],
        emit: Callable[[Event], None],
        removed: Callable[[Peer], None],
        counters: Counters,
        max_rooms: int,
        clocks: tuple[Callable[[], float], Callable[[], float]],
    ) -> None:
        self.pump: Pump = NoPump()
        self.by_name: dict[str, Room] = {}
        self.peers: list[Peer] = []
        self.by_ufrag: dict[str, Peer] = {}
        self.attention: set[Publication] = set()
        self._certificate = certificate
        self._candidates = candidates
        self._emit = emit
        self._removed = removed
        self._counters = counters
        self._max_rooms = max_rooms
        self._clocks = clocks
        self._closing: set[asyncio.Task[None]] = set()

    # --- calls -------------------------------------------------------------------------------------------------------

    def handle(self, call: Call) -> Reply:
        """Carry out a call."""
        now = self._clocks[0]()
        if isinstance(call, Inspect):
            return self.inspect()
        if isinstance(call, OpenRoom):
            return self._open(call, now)
        room = self.by_name.get(call.room)
        if room is not None and room.fence != call.fence:
            return Refused(code="fenced")
        if isinstance(call, CloseRoom):
            if room is not None:
                self._close(room, now)
            return Done()
        if room is None:
            return Done() if isinstance(call, RemovePeer) else Refused(code="no_room")
        if isinstance(call, OfferCall):
            return self._offer(room, call, now)
        peer = room.peers.get(call.peer)
        if isinstance(call, RemovePeer):
            if peer is not None:
                self._remove(room, peer, now)
            return Done()
        if isinstance(call, SetSizes):
            return self._set_sizes(peer, call)
        return self._request_keyframe(room, peer, call, now)

    def _open(self, call: OpenRoom, now: float) -> Reply:
        room = self.by_name.get(call.room)
        if room is not None:
            if call.fence < room.fence:
                return Refused(code="fenced")
            if call.fence == room.fence:
                room.capacity = call.capacity
                return OpenedRoom()
            self._close(room, now)
        elif len(self.by_name) >= self._max_rooms:
            return Refused(code="internal")
        self.by_name[call.room] = Room(call.room, call.fence, call.capacity, now)
        return OpenedRoom()

    def _offer(self, room: Room, call: OfferCall, now: float) -> Reply:
        try:
            offer = parse_offer(call.sdp)
            wanted = plan(offer, call.lines)
        except OfferError as error:
            return Refused(code="sdp_invalid", reason=error.reason)
        connection = wanted.connection
        peer = room.peers.get(call.peer)
        if peer is not None and peer.transport.fingerprints != connection.fingerprints:
            self._remove(room, peer, now, seat=False)
            peer = None
        if peer is None:
            if room.full:
                return Refused(code="room_full")
            peer = self._add(room, call.peer, connection, now)
        elif peer.transport.agent.remote_ufrag != connection.ice_ufrag:
            peer.transport.agent.restart(now, connection.ice_ufrag)
        peer.apply(wanted, room.grouped, now)
        self._seat(room, now, quiet=peer)
        self._index()
        return wanted.answered(self._answer(peer, offer, wanted), room.version, peer.viewing.views())

    def _add(self, room: Room, name: str, connection: Connection, now: float) -> Peer:
        transport = Transport(now, connection.ice_ufrag, self._certificate, connection.fingerprints)
        peer = Peer(
            name,
            (room.name, room.fence),
            transport,
            self._counters,
            self._emit,
            self.attention,
            self._clocks,
            self.pump,
        )
        room.peers[name] = peer
        return peer

    def _answer(self, peer: Peer, offer: Offer, wanted: Plan) -> str:
        agent = peer.transport.agent
        lines = {line.mid: AnswerLine("recvonly", rids=line.rids) for line in wanted.send.values()}
        lines |= {mid: AnswerLine("sendonly", slot.outgoing()) for mid, slot in peer.viewing.slots.items()}
        lines |= {mid: AnswerLine("inactive") for mid in wanted.inactive}
        peer.answers += 1
        return build_answer(
            offer,
            AnswerParams(
                session=peer.session,
                version=peer.answers,
                ice_ufrag=agent.local.ufrag,
                ice_pwd=agent.local.password,
                fingerprints=self._certificate.fingerprints,
                candidates=self._candidates(),
                lines=lines,
                bundle=wanted.connection.mids if wanted.connection.bundled else None,
            ),
        )

    def _set_sizes(self, peer: Peer | None, call: SetSizes) -> Reply:
        if peer is None:
            return Refused(code="no_peer")
        peer.viewing.set_sizes(call.sizes)
        return Done()

    def _request_keyframe(self, room: Room, peer: Peer | None, call: RequestKeyframe, now: float) -> Reply:
        if peer is None:
            return Refused(code="no_peer")
        wanted = peer.publications.get(call.source)
        viewer = room.peers.get(call.by) if call.by else None
        if wanted and not call.by:
            wanted.request_keyframe(wanted.smallest(now), now)
        elif viewer:
            viewer.viewing.want_keyframe(wanted, now)
        return Done()

    def inspect(self) -> Inspected:
        self.pump.count(self._counters)
        counters = asdict(self._counters)
        for room in self.by_name.values():
            for peer in room.peers.values():
                counters["forwarded"] += peer.viewing.packets
                counters["resent"] += peer.viewing.resent
        return Inspected(rooms=len(self.by_name), peers=len(self.peers), counters=counters)

    @property
    def busy(self) -> bool:
        """Whether anybody is here."""
        return bool(self.peers)

    # --- membership --------------------------------------------------------------------------------------------------

    def _seat(self, room: Room, now: float, quiet: Peer | None = None) -> None:
        for peer in room.seat(now):
            if peer is not quiet:
                self._tell(room, peer)

    def _tell(self, room: Room, peer: Peer) -> None:
        views = peer.viewing.views()
        self._emit(SlotsChanged(room=room.name, fence=room.fence, peer=peer.name, version=room.version, slots=views))

    def paused_changed(self, peer: Peer) -> None:
        """Other pictures are held back from it than before."""
        room = self.by_name.get(peer.room)
        if room is not None:
            room.version += 1
            self._tell(room, peer)

    def _remove(self, room: Room, peer: Peer, now: float, *, seat: bool = True) -> None:
        del room.peers[peer.name]
        peer.detach()
        self._removed(peer)
        task = asyncio.ensure_future(peer.transport.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        if seat:
            self._seat(room, now)
        self._index()

    def _close(self, room: Room, now: float) -> None:
        for peer in list(room.peers.values()):
            self._remove(room, peer, now, seat=False)
        self.by_name.pop(room.name, None)

    def _index(self) -> None:
        """Who is there, by list and by every fragment that is valid now."""
        self.peers = [peer for room in self.by_name.values() for peer in room.peers.values()]
        self.by_ufrag = {ufrag: peer for peer in self.peers for ufrag in peer.transport.agent.ufrags}

    def close_rooms(self) -> None:
        """This worker was taken for dead: whatever it has lives elsewhere now."""
        now = self._clocks[0]()
        for room in list(self.by_name.values()):
            self._close(room, now)

    def expire(self, now: float) -> None:
        """Once a second: who is lost goes, and rooms that nobody used for an hour."""
        for room in list(self.by_name.values()):
            for peer in [peer for peer in room.peers.values() if peer.transport.state == "lost"]:
                self._remove(room, peer, now)
            if not room.peers and now - room.used > _EMPTY_ROOM_SECONDS:
                del self.by_name[room.name]
        self._index()

    async def close(self) -> None:
        """Idempotent."""
        self.close_rooms()
        await asyncio.gather(*self._closing, return_exceptions=True)
