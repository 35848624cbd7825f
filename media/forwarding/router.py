"""The relay of one worker: whose a packet is, and the clock that drives everything."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from media.control import Call, Event, Inspected, Reply
from media.forwarding.counters import Counters
from media.forwarding.peer import Peer
from media.forwarding.pump import NoPump, Pump
from media.forwarding.room import Room
from media.forwarding.rooms import Rooms
from media.forwarding.uplink import Handler
from media.net.arena import MAX_PACKET, SLOT, WORDS, Arena
from media.net.tcp import TcpConnection
from media.net.udp import UdpSocket
from media.session.dtls import Certificate
from media.session.ice import Path
from media.wire import WireError, stun
from media.wire.rtp import send_time
from media.wire.sdp import Candidate

logger = logging.getLogger(__name__)

TICK = 0.020
_NOBODY: dict[int, Handler] = {}
_REPORT_TICKS = 50
_FEEDBACK_TICKS = 5
_RING_TICKS = 10
_VIEW_TICKS = 10


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
        self.counters = Counters()
        self._pump: Pump = NoPump()
        self._monotonic = monotonic
        self._rooms = Rooms(
            certificate, candidates, emit, self._forget_peer, self.counters, max_rooms, (monotonic, wall)
        )
        self._peers_by_path: dict[Any, Peer] = {}
        self._handlers_by_path: dict[Any, dict[int, Handler]] = {}
        self._ticks = 0
        self._logged_error = float("-inf")

    @property
    def rooms(self) -> dict[str, Room]:
        """By name."""
        return self._rooms.by_name

    def use(self, pump: Pump) -> None:
        """Let it forward plain packets; before anybody comes."""
        self._pump = self._rooms.pump = pump

    @property
    def busy(self) -> bool:
        """Whether anybody is here."""
        return bool(self._rooms.peers)

    def handle(self, call: Call) -> Reply:
        """Carry out a call."""
        reply = self._rooms.handle(call)
        self._pump.settle()
        return reply

    def inspect(self) -> Inspected:
        """What there is, and what happened to packets so far."""
        return self._rooms.inspect()

    # --- packets -----------------------------------------------------------------------------------------------------

    def receive_batch(self, arena: Arena, batch: list[tuple[int, Any]], bound: UdpSocket | TcpConnection) -> None:
        """Datagrams in the slots of ``arena``. No exception leaves, whatever is in them.

        Media of a stream that is known from its address is recognised by its SSRC alone: where other protocols
        have something else, and something forged, it is not authentic under that stream's key.
        """
        now, words, tables = self._monotonic(), arena.words, self._handlers_by_path
        self.counters.received += len(batch)
        arena.send_time = send_time(now)
        for index, (length, key) in enumerate(batch):
            try:
                handler = tables.get(key, _NOBODY).get(words[index * WORDS + 2])
                if handler is not None and length < MAX_PACKET:
                    handler(arena, index, length, now)
                else:
                    self._receive_other(arena, index, length, key, bound, now)
            except Exception as error:  # noqa: BLE001 - whatever a packet does, the next one is served
                self._failed(error, now)
        self._pump.settle()

    def receive_handed(
        self, arena: Arena, index: int, length: int, key: Any, bound: UdpSocket, *, opened: bool
    ) -> None:
        """A datagram that the pump did not forward; ``opened``: it was authenticated and decrypted."""
        now = self._monotonic()
        self.counters.received += 1
        arena.send_time = send_time(now)
        try:
            handler = self._handlers_by_path.get(key, _NOBODY).get(arena.words[index * WORDS + 2])
            if handler is not None and length < MAX_PACKET:
                handler(arena, index, length, now, decrypted=opened)
            elif not opened:
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
            peer = self._rooms.by_ufrag.get(ufrag := stun.local_fragment(data))
        except WireError:
            self.counters.stun_malformed += 1
            return
        if peer is None:
            self.counters.stun_unknown += 1
            return
        path = peer.transport.agent.paths.get(key)
        if path is None:
            host, port = bound.host_and_port(key)
            path = Path(key, bound.destination(key), bound.outbox, host, port, now)
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
            self._pump.found(key, peer)

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

    def _forget_peer(self, peer: Peer) -> None:
        for key in [key for key, owner in self._peers_by_path.items() if owner is peer]:
            self._forget_path(key)
            if isinstance(key, TcpConnection):
                key.close()
        self._pump.left(peer)

    def _forget_path(self, key: Any) -> Peer | None:
        self._handlers_by_path.pop(key, None)
        self._pump.gone(key)
        return self._peers_by_path.pop(key, None)

    # --- time --------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Every 20 ms. What peers need less often is spread over the ticks between: all at once would delay packets."""
        now = self._monotonic()
        self._ticks += 1
        ticks, rooms = self._ticks, self._rooms
        for publication in list(rooms.attention):
            if not publication.tick(now):
                rooms.attention.discard(publication)
        peers = rooms.peers
        for peer in peers:
            if peer.transport.downlink.trying:
                peer.viewing.pad(now)
        for peer in peers[ticks % _FEEDBACK_TICKS :: _FEEDBACK_TICKS]:
            self._pump.gather(peer)
            if peer.arrivals:
                peer.feed_back()
        for peer in peers[ticks % _RING_TICKS :: _RING_TICKS]:
            peer.expire(now)
        for peer in peers[ticks % _VIEW_TICKS :: _VIEW_TICKS]:
            if peer.view(now):
                rooms.paused_changed(peer)
        for peer in peers[ticks % _REPORT_TICKS :: _REPORT_TICKS]:
            peer.report(now)
        if ticks % _REPORT_TICKS == 0:
            self._expire(now)
        self._pump.settle()

    def _expire(self, now: float) -> None:
        self._rooms.expire(now)
        for key, peer in list(self._peers_by_path.items()):
            if key not in peer.transport.agent.paths:
                self._forget_path(key)

    def close_rooms(self) -> None:
        """This worker was taken for dead: whatever it has lives elsewhere now."""
        self._rooms.close_rooms()

    async def close(self) -> None:
        """Idempotent."""
        await self._rooms.close()
