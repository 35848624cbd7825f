"""Streams and slots that the pump may have. Whoever looks at what it changes meanwhile gets them back by that.

While the pump has a stream, it and its slots are of classes whose attributes recall it when they are touched. So nobody
has to know whether it is away, and nobody sees or changes what is not so. Without a pump there are no such classes.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, cast

from media.forwarding.layered_slot import LayeredSlot
from media.forwarding.slot import Slot
from media.forwarding.stream import RING_PACKETS, Stream
from media.pump.library import ffi
from media.pump.ring import SharedRing
from media.session import dtls

if TYPE_CHECKING:
    from media.forwarding.publication import Publication
    from media.net.arena import Arena
    from media.pump.lending import Lender

_STATE = Struct("=8q3d3Q")
_VIEWER = Struct("=Q3q3QI5B32s44s3x")
_RETURNED = Struct("=q3Q").unpack_from
_RETURNED_AT = 24
_MOST_VIEWERS = 16
_MOST_EXTENSION = 44

MOVED = ("highest", "shift", "live", "reception", "ring", "_guard", "_passing", "repair_octets")
"""What of a stream the pump changes or goes by; `heard` and `octets` can be read without it."""

MOVED_OF_SLOT = ("_highest", "_offset", "_naming", "_short")
"""The same of a slot; `packets` and `octets` can be read."""


class LentStream(Stream):
    """A stream that is here, and may be lent."""

    def __init__(self, publication: Publication, layer: int, lender: Lender) -> None:
        super().__init__(publication, layer)
        form = publication.form
        self._lender = lender
        self._registered: tuple[int | None, int | None] = (None, None)
        self._away: list[Slot] = []
        self.pumped = pumped = ffi.new("struct stream *")
        self.ring = SharedRing(lender.library, pumped, RING_PACKETS[form.kind])
        pumped.audio = self.audio
        pumped.layered = publication.layered
        pumped.clock_rate = form.clock_rate
        pumped.type = form.payload_type
        pumped.repair_type = form.rtx_payload_type or 0
        pumped.transport_sequence = form.transport_sequence
        self._state = memoryview(ffi.buffer(ffi.addressof(pumped, "state"))).cast("B")
        self._slots = memoryview(ffi.buffer(pumped.viewers)).cast("B")

    # --- back and forth ----------------------------------------------------------------------------------------------

    def recall(self) -> None:
        self._lender.came_back(self)

    def come_back(self) -> None:
        """The pump lets go of it, and all that it did meanwhile is seen here."""
        self.__class__ = LentStream  # it was _AwayStream
        self._lender.library.pump_recall(self.pumped)
        self.highest, self.shift, self._passing, *rest = _STATE.unpack_from(self._state)
        self._guard.restore(*rest[:4])
        timestamp, jitter, transit, self.heard, received, octets, repaired = rest[4:]
        self.reception.restore(timestamp, jitter, transit, received)
        self.octets += octets
        self.repair_octets += repaired
        away, self._away = self._away, []
        for index, slot in enumerate(away):
            slot.__class__ = _HERE[type(slot)]
            slot.restore(*_RETURNED(self._slots, index * _VIEWER.size + _RETURNED_AT))

    def lend(self) -> None:
        """Let the pump have it, if there is nothing about it that the pump does not know."""
        if self.ssrc is None or not self._is_plain():
            return
        lender, pumped, slots = self._lender, self.pumped, list(self.live)
        for index, slot in enumerate(slots):
            if not self._lend_slot(index, slot):
                return
        pumped.viewing = len(slots)
        pumped.repairs = bool(self.missing)
        pumped.temporal_layers = self.temporal_layers
        if self._registered != (self.ssrc, self.rtx_ssrc):
            self._register(self.ssrc, self.rtx_ssrc)
        here = (self.highest, self.shift, self._passing, *self._guard.state(), *self.reception.state(), self.heard)
        _STATE.pack_into(self._state, 0, *here, 0, 0, 0)
        if lender.library.pump_lend(lender.pump, pumped):
            self._away = slots
            for slot in slots:
                slot.__class__ = _AWAY[type(slot)]
            self.__class__ = _AwayStream

    def _is_plain(self) -> bool:
        if self.publication.blocked or self.waiting or len(self.live) > _MOST_VIEWERS:
            return False
        return self.audio or (self._passing >= 0 and not self._guard.held)

    def _lend_slot(self, index: int, slot: Slot) -> bool:
        if not slot.plain:
            return False
        transport = slot.transport
        socket = self._lender.sockets.get(transport.outbox)
        extension, time_at = slot.extension()
        if socket is None or len(extension) > _MOST_EXTENSION:
            return False
        key, srtp = transport.destination, dtls.session_address(transport.srtp_out)
        numbers = (*slot.offsets(), 0, 0, 0, slot.ssrc, slot.form.payload_type)
        sizes = (socket, len(key), len(extension), time_at)
        _VIEWER.pack_into(self._slots, index * _VIEWER.size, srtp, *numbers, *sizes, key, extension)
        return True

    def _register(self, ssrc: int | None, repair_ssrc: int | None) -> None:
        lender, pumped = self._lender, self.pumped
        lender.library.pump_register(lender.pump, pumped, ffi.NULL)
        self._registered = (ssrc, repair_ssrc)
        if ssrc is not None:
            pumped.session = ffi.cast("void *", dtls.session_address(self._srtp))
            pumped.ssrc, pumped.repair_ssrc = ssrc, repair_ssrc or 0
            lender.library.pump_register(lender.pump, pumped, lender.peer(self._uplink))

    # --- as of any stream --------------------------------------------------------------------------------------------

    def receive(self, arena: Arena, index: int, length: int, now: float, decrypted: bool = False) -> None:
        self.recall()
        self._lender.gather(self._uplink)
        super().receive(arena, index, length, now, decrypted)

    def receive_repair(self, arena: Arena, index: int, length: int, now: float, decrypted: bool = False) -> None:
        self.recall()
        self._lender.gather(self._uplink)
        super().receive_repair(arena, index, length, now, decrypted)

    def expire(self, now: float) -> None:
        self._lender.library.pump_expire(self.pumped, now)

    def end(self) -> None:
        self.recall()
        self._register(None, None)
        self._lender.library.pump_clear(self.pumped)
        self.ssrc = None

    def seen(self) -> Any:
        """What the pump did since it has the stream."""
        return self._lender.library.pump_seen(self.pumped, -1)

    def seen_of(self, slot: Slot) -> Any:
        """The same for one of its slots."""
        return self._lender.library.pump_seen(self.pumped, self._away.index(slot))


def _recall(thing: LentStream | Slot) -> None:
    cast("LentStream", thing if isinstance(thing, LentStream) else thing.stream).recall()


def _moved(name: str) -> property:
    """An attribute that recalls what has it."""

    def get(thing: Any) -> Any:
        _recall(thing)
        return getattr(thing, name)

    def put(thing: Any, value: Any) -> None:
        _recall(thing)
        setattr(thing, name, value)

    return property(get, put)


class _AwayStream(LentStream):
    """A stream that the pump has."""

    def recall(self) -> None:
        self.come_back()
        self._lender.came_back(self)

    def lend(self) -> None:
        """It is lent."""

    def subscribe(self, slot: Slot, now: float) -> None:
        if slot not in self._away:
            super().subscribe(slot, now)


class _AwaySlot(Slot):
    """A slot of such a stream."""

    def seen(self) -> Any:
        """What the pump did since it has the stream."""
        return cast("LentStream", self.stream).seen_of(self)


class _AwayLayeredSlot(_AwaySlot, LayeredSlot):
    """The same."""


_AWAY: dict[type[Slot], type[Slot]] = {Slot: _AwaySlot, LayeredSlot: _AwayLayeredSlot}
_HERE = {away: here for here, away in _AWAY.items()}

for _name in MOVED:
    setattr(_AwayStream, _name, _moved(_name))
for _name in MOVED_OF_SLOT:
    setattr(_AwaySlot, _name, _moved(_name))
# Looked at so often that it is not worth to recall the stream for that.
_LOOKED_AT = (
    (_AwayStream, "heard", lambda stream: stream.seen().heard),
    (_AwayStream, "waiting", lambda _: ()),
    (_AwayStream, "octets", lambda stream: stream.__dict__["octets"] + stream.seen().octets),
    (_AwaySlot, "octets", lambda slot: slot.__dict__["octets"] + slot.seen().octets),
    (_AwaySlot, "packets", lambda slot: slot.__dict__["packets"] + slot.seen().packets),
)
for _kind, _name, _look in _LOOKED_AT:
    setattr(_kind, _name, property(_look))
