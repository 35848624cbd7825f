"""The relay of one worker: rooms, who a packet belongs to, and the clock that drives everything."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

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
    SlotsChanged,
)
from media.forwarding.counters import Counters
from media.forwarding.offers import Plan, plan
from media.forwarding.peer import Peer
from media.forwarding.publication import Handler, Publication
from media.forwarding.room import Room
from media.net.arena import MAX_PACKET, SLOT, Arena
from media.net.tcp import TcpConnection
from media.net.udp import UdpSocket
from media.session.dtls import Certificate
from media.session.ice import Path
from media.session.transport import Transport
from media.wire import WireError, stun
from media.wire.rtp import SSRC, send_time
from media.wire.sdp import (
    AnswerLine,
    AnswerParams,
    Candidate,
    Connection,
    Offer,
    OfferError,
    build_answer,
    parse_offer,
)

logger = logging.getLogger(__name__)

TICK = 0.020
_SSRC = SSRC.unpack_from
_NOBODY: dict[int, Handler] = {}
_REPORT_TICKS = 50
_FEEDBACK_TICKS = 5
_RING_TICKS = 10
_EMPTY_ROOM_SECONDS = 3_600.0


class Router:
    """Takes packets and calls, holds no socket.

    Args:
        candidates: the host candidates to announce now.
        emit: takes events for signaling.
        monotonic, wall: seconds.
    """

    def __init__(
        self,
        certificate: Certificate,
        candidates: Callable[[], list[Candidate]],
        emit: Callable[[Event], None],
        *,
        max_rooms: int = 1_000,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.rooms: dict[str, Room] = {}
        self.counters = Counters()
        self._certificate = certificate
        self._candidates = candidates
        self._emit = emit
        self._max_rooms = max_rooms
        self._monotonic = monotonic
        self._wall = wall
        self._peers_by_ufrag: dict[str, Peer] = {}
        self._peers_by_path: dict[Any, Peer] = {}
        self._handlers_by_path: dict[Any, dict[int, Handler]] = {}
        self._attention: set[Publication] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._ticks = 0
        self._peers: list[Peer] = []
        self._logged_error = float("-inf")

    # --- packets -----------------------------------------------------------------------------------------------------

    def receive_batch(self, arena: Arena, batch: list[tuple[int, Any]], bound: UdpSocket | TcpConnection) -> None:
        """Datagrams in the slots of ``arena``. No exception leaves, whatever is in them.

        Media of a stream that is known from its address is recognised by its SSRC alone: where other protocols
        have something else, and something forged, it is not authentic under that stream's key.
        """
        now, view, tables = self._monotonic(), arena.view, self._handlers_by_path
        self.counters.received += len(batch)
        arena.send_time = send_time(now)
        for index, (length, key) in enumerate(batch):
            try:
                handlers = tables.get(key, _NOBODY)
                handler = handlers.get(_SSRC(view, index * SLOT + 8)[0])
                if handler is not None and length < MAX_PACKET:
                    handler(arena, index, length, now)
                else:
                    self._receive_other(arena, index, length, key, bound, now)
            except Exception as error:  # noqa: BLE001 - whatever a packet does, the next one is served
                self._failed(error, now)

    def receive_framed(self, arena: Arena, length: int, connection: TcpConnection) -> None:
        """One packet from a TCP connection, in slot 0 of ``arena``."""
        self.receive_batch(arena, [(length, connection)], connection)

    def _receive_other(
        self, arena: Arena, index: int, length: int, key: Any, bound: UdpSocket | TcpConnection, now: float
    ) -> None:
        if not 0 < length < MAX_PACKET:
            self.counters.oversize += 1
            return
        peer = self._peers_by_path.get(key)
        if peer is not None and peer.receive(arena, index, length, now):
            return
        data = bytes(arena.view[index * SLOT : index * SLOT + length])
        if peer is not None and stun.is_indication(data):
            peer.transport.indicated(key, now)
        elif data[0] < 2:
            self._receive_check(data, key, bound, now)
        elif peer is not None and 19 < data[0] < 64:
            peer.transport.receive_dtls(data)
        else:
            self.counters.unknown_source += 1

    def _receive_check(self, data: bytes, key: Any, bound: UdpSocket | TcpConnection, now: float) -> None:
        """The fragment decides whose it is: it is authenticated, while an address may be reused by a NAT."""
        try:
            peer = self._peers_by_ufrag.get(ufrag := stun.local_fragment(data))
        except WireError:
            self.counters.stun_malformed += 1
            return
        if peer is None:
            self.counters.stun_unknown += 1
            return
        path = peer.transport.agent.paths.get(key)
        if path is None:
            host, port = bound.host_and_port(key)
            path = Path(key, key, bound.outbox, host, port, now)
        if refusal := peer.transport.check(data, ufrag, path, now):
            self.counters.refused_check(refusal)
            return
        if isinstance(bound, TcpConnection):
            bound.authenticated = True
        before = self._peers_by_path.get(key)
        if before is not peer:
            if before is not None:
                before.transport.forget_path(key)
            self._peers_by_path[key] = peer
            self._handlers_by_path[key] = peer.handlers

    def connection_lost(self, connection: TcpConnection) -> None:
        """A TCP connection ended."""
        peer = self._forget_path(connection)
        if peer is not None:
            peer.transport.forget_path(connection)

    def _failed(self, error: Exception, now: float) -> None:
        self.counters.errors += 1
        if now - self._logged_error > 60:
            self._logged_error = now
            logger.error("media: packet failed", exc_info=error)

    # --- time --------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Every 20 ms."""
        now = self._monotonic()
        self._ticks += 1
        ticks = self._ticks
        for publication in list(self._attention):
            if not publication.tick(now):
                self._attention.discard(publication)
        if ticks % _FEEDBACK_TICKS == 0:
            for peer in self._peers:
                if peer.arrivals:
                    peer.feed_back()
        if ticks % _RING_TICKS == 0:
            for peer in self._peers:
                for publication in peer.publications.values():
                    publication.ring.expire(now)
        for peer in self._peers[ticks % _REPORT_TICKS :: _REPORT_TICKS]:
            self._report(peer, now)
        if ticks % _REPORT_TICKS == 0:
            self._expire(now)

    def _report(self, peer: Peer, now: float) -> None:
        wall = self._wall()
        room = self.rooms.get(peer.room)

        def source_timestamp(publication: Publication) -> int | None:
            owner = room.peers.get(publication.peer) if room else None
            return owner.source_timestamp(publication, wall) if owner else None

        peer.report(now, wall, source_timestamp)

    def _expire(self, now: float) -> None:
        for room in list(self.rooms.values()):
            for peer in [peer for peer in room.peers.values() if peer.transport.state == "lost"]:
                self._remove(room, peer, now)
            if not room.peers and now - room.used > _EMPTY_ROOM_SECONDS:
                del self.rooms[room.name]
        self._index()

    # --- calls -------------------------------------------------------------------------------------------------------

    def handle(self, call: Call) -> Reply:
        """Carry out a call."""
        now = self._monotonic()
        if isinstance(call, Inspect):
            return self.inspect()
        if isinstance(call, OpenRoom):
            return self._open(call, now)
        room = self.rooms.get(call.room)
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
        if not isinstance(call, RequestKeyframe):
            return Refused(code="internal")
        return self._request_keyframe(room, peer, call, now)

    def _open(self, call: OpenRoom, now: float) -> Reply:
        room = self.rooms.get(call.room)
        if room is not None:
            if call.fence < room.fence:
                return Refused(code="fenced")
            if call.fence == room.fence:
                room.capacity = call.capacity
                return OpenedRoom()
            self._close(room, now)
        elif len(self.rooms) >= self._max_rooms:
            return Refused(code="internal")
        self.rooms[call.room] = Room(call.room, call.fence, call.capacity, now)
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
        peer.apply(wanted, now)
        self._seat(room, now, quiet=peer)
        self._index()
        return wanted.answered(self._answer(peer, offer, wanted), room.version, peer.seat_views())

    def _add(self, room: Room, name: str, connection: Connection, now: float) -> Peer:
        transport = Transport(now, connection.ice_ufrag, self._certificate, connection.fingerprints)
        peer = Peer(
            name,
            (room.name, room.fence),
            transport,
            self.counters,
            self._emit,
            self._attention,
            (self._monotonic, self._wall),
        )
        room.peers[name] = peer
        return peer

    def _answer(self, peer: Peer, offer: Offer, wanted: Plan) -> str:
        agent = peer.transport.agent
        lines = {line.mid: AnswerLine("recvonly") for line in wanted.send.values()}
        lines |= {mid: AnswerLine("sendonly", slot.outgoing()) for mid, slot in peer.slots.items()}
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

    def _request_keyframe(self, room: Room, peer: Peer | None, call: RequestKeyframe, now: float) -> Reply:
        if peer is None:
            return Refused(code="no_peer")
        wanted = peer.publications.get(call.source)
        viewer = room.peers.get(call.by) if call.by else None
        if wanted and not call.by:
            wanted.request_keyframe(now)
        for slot in viewer.slots.values() if wanted and viewer else ():
            if slot.source is wanted:
                slot.want_keyframe(now)
        return Done()

    def inspect(self) -> Inspected:
        counters = asdict(self.counters)
        for room in self.rooms.values():
            for peer in room.peers.values():
                slots = list(peer.slots.values())
                counters["forwarded"] += sum(slot.packets for slot in slots)
                counters["resent"] += sum(slot.resent for slot in slots)
        return Inspected(rooms=len(self.rooms), peers=len(self._peers), counters=counters)

    @property
    def busy(self) -> bool:
        """Whether anybody is here."""
        return bool(self._peers)

    # --- membership --------------------------------------------------------------------------------------------------

    def _seat(self, room: Room, now: float, quiet: Peer | None = None) -> None:
        for peer in room.seat(now):
            if peer is not quiet:
                views = peer.seat_views()
                self._emit(
                    SlotsChanged(room=room.name, fence=room.fence, peer=peer.name, version=room.version, slots=views)
                )

    def _remove(self, room: Room, peer: Peer, now: float, *, seat: bool = True) -> None:
        del room.peers[peer.name]
        peer.detach()
        for key in [key for key, owner in self._peers_by_path.items() if owner is peer]:
            self._forget_path(key)
            if isinstance(key, TcpConnection):
                key.close()
        task = asyncio.ensure_future(peer.transport.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        if seat:
            self._seat(room, now)
        self._index()

    def _close(self, room: Room, now: float) -> None:
        for peer in list(room.peers.values()):
            self._remove(room, peer, now, seat=False)
        self.rooms.pop(room.name, None)

    def _index(self) -> None:
        """Who is there, by list and by every fragment that is valid now; paths that expired are let go."""
        self._peers = [peer for room in self.rooms.values() for peer in room.peers.values()]
        self._peers_by_ufrag = {ufrag: peer for peer in self._peers for ufrag in peer.transport.agent.ufrags}
        for key, peer in list(self._peers_by_path.items()):
            if key not in peer.transport.agent.paths:
                self._forget_path(key)

    def _forget_path(self, key: Any) -> Peer | None:
        self._handlers_by_path.pop(key, None)
        return self._peers_by_path.pop(key, None)

    def close_rooms(self) -> None:
        """This worker was taken for dead: whatever it has lives elsewhere now."""
        now = self._monotonic()
        for room in list(self.rooms.values()):
            self._close(room, now)

    async def close(self) -> None:
        """Idempotent."""
        self.close_rooms()
        await asyncio.gather(*self._closing, return_exceptions=True)
