"""One source of a peer: its streams, what is asked of its publisher, and whether it may go out at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.control import Source
from media.forwarding.keyframes import KeyframeRequests
from media.forwarding.uplink import Format, Uplink

if TYPE_CHECKING:
    from media.forwarding.slot import Slot
    from media.forwarding.stream import Stream

_SECOND_KEYFRAME = 1.0


class Publication:
    """A source that is sent as one stream, or as simulcast layers: streams of the same picture in several sizes.

    Key frames are asked for once for all layers: a browser answers a request for one of them by key frames of all
    (Chromium 156, Firefox 153), so requests per layer would multiply.

    Attributes:
        streams: in the order in which the offer named them.
        shown_by: slots that show it, those that are held back too.
        blocked: a frame without the end of an encrypted frame was seen; nothing is forwarded any more.
    """

    def __init__(self, peer: str, source: Source, form: Format, uplink: Uplink, layers: int = 1) -> None:
        self.peer = peer
        self.source = source
        self.form = form
        self.uplink = uplink
        self.audio = form.kind == "audio"
        self.layered = layers > 1
        self.blocked = False
        self.streams = [uplink.stream(self, layer) for layer in range(layers)]
        self.shown_by: list[Slot] = []
        self._keyframes = KeyframeRequests()
        self._wanted: set[Stream] = set()

    @property
    def heard(self) -> float:
        """When the last packet came, repairs aside."""
        return max(stream.heard for stream in self.streams)

    @property
    def octets(self) -> int:
        return sum(stream.octets + stream.repair_octets for stream in self.streams)

    @property
    def bound(self) -> list[Stream]:
        """The streams of which packets came."""
        return [stream for stream in self.streams if stream.ssrc is not None]

    def sent_to(self, slot: Slot) -> bool:
        """Whether a slot gets packets of it, or waits for its next key frame."""
        return any(slot in stream.live or slot in stream.waiting for stream in self.streams)

    def smallest(self, now: float) -> Stream:
        """What comes quickest: of the streams that are sent now the smallest, before any is the first."""
        alive = [stream for stream in self.streams if stream.alive(now)]
        return min(alive, key=lambda stream: (stream.height, stream.layer), default=self.streams[0])

    def largest(self, now: float) -> Stream:
        """Of the streams that are sent now the largest, before any is the last."""
        alive = [stream for stream in self.streams if stream.alive(now)]
        return max(alive, key=lambda stream: (stream.height, stream.layer), default=self.streams[-1])

    def unsubscribe(self, slot: Slot) -> None:
        """From all streams. Idempotent."""
        for stream in self.streams:
            stream.unsubscribe(slot)

    def end(self, now: float) -> None:
        """Its publisher sends it no more."""
        for slot in list(self.shown_by):
            slot.show(None, now)
        for stream in self.streams:
            stream.end()
        # What refers to each other waits for the garbage collector, which looks seldom.
        self.streams = []

    def block(self) -> None:
        """Of a source of which one frame is in clear nothing goes out any more, of any layer."""
        self.blocked = True
        for stream in self.streams:
            stream.stop()
        self._keyframes = KeyframeRequests()
        self._wanted.clear()
        self.uplink.report_unencrypted(self)

    # --- asking ------------------------------------------------------------------------------------------------------

    @property
    def asking(self) -> bool:
        """Whether a key frame was asked for, or will be."""
        return self._keyframes.active

    def request_keyframe(self, stream: Stream, now: float) -> None:
        """Somebody needs a key frame. A stream that did not begin will begin with one."""
        if self.audio or self.blocked or stream.ssrc is None:
            return
        self._wanted.add(stream)
        if self._keyframes.request(now, self.heard):
            self._ask()
        self.uplink.attend(self)

    def request_for_newcomer(self, stream: Stream, now: float) -> None:
        """The same for somebody new: a silent source may be asked again."""
        self._keyframes.renew()
        self.request_keyframe(stream, now)

    def request_another(self, now: float) -> None:
        """Once more in a second: a viewer's pipeline may lose its very first key frame although it arrived whole."""
        self._keyframes.schedule(now + _SECOND_KEYFRAME)
        self.uplink.attend(self)

    def keyframe_arrived(self, stream: Stream) -> None:
        """It answers what was asked for its stream."""
        self._wanted.discard(stream)
        if not self._wanted:
            self._keyframes.arrived()

    def _ask(self) -> None:
        """For each stream that lacks one, in one message; of a scheduled request none does in particular."""
        lacking = [one for one in self.bound if one in self._wanted or one.waiting] or self.bound[:1]
        self.uplink.ask_keyframe([one.ssrc for one in lacking if one.ssrc is not None])

    def tick(self, now: float) -> bool:
        """Every 20 ms while it needs attention. Returns whether it still does."""
        for stream in self.streams:
            if stream.missing:
                stream.ask_for_missing(now)
        if self._keyframes.active and self._keyframes.due(now, any(one.waiting for one in self.streams), self.heard):
            self._ask()
        if not self._keyframes.active:
            self._wanted.clear()
        return self._keyframes.active or any(stream.missing for stream in self.streams)
