"""aiortc with end-to-end encrypted frames: sealed between encoder and packetiser, opened before the decoder.

The only module that touches aiortc's private names.
"""

import queue
from collections.abc import Callable
from typing import Any

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder
from av.frame import Frame

Seal = Callable[[bytes], bytes | None]
Open = Callable[[bytes], bytes | None]


class SealedOpusEncoder(OpusEncoder):
    def __init__(self, seal: Seal) -> None:
        super().__init__()
        self._seal = seal

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        payloads, timestamp = super().encode(frame, force_keyframe)
        return [sealed for payload in payloads if (sealed := self._seal(payload)) is not None], timestamp


class SealedVp8Encoder(Vp8Encoder):
    """After frames that there was no key for, the next one is a key frame: nobody could decode another."""

    def __init__(self, seal: Seal) -> None:
        super().__init__()
        self._seal = seal
        self._dropped = False

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        return super().encode(frame, force_keyframe or self._dropped)

    def _packetize(self, buffer: bytes, picture_id: int) -> list[bytes]:  # type: ignore[override]  # a static method there
        sealed = self._seal(buffer)
        self._dropped = sealed is None
        return [] if sealed is None else Vp8Encoder._packetize(sealed, picture_id)


class _OpeningQueue(queue.Queue[Any]):
    """Stands before a receiver's decoder thread; what ``open`` returns None for is dropped."""

    def __init__(self, open_frame: Open) -> None:
        super().__init__()
        self._open = open_frame

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is not None:
            codec, frame = item
            opened = self._open(bytes(frame.data))
            if opened is None:
                return
            frame.data = opened
            item = (codec, frame)
        super().put(item, block, timeout)


def seal_frames(sender: RTCRtpSender, seal: Seal) -> None:
    """Send only what ``seal`` returns, nothing when it returns None. Call before the connection starts."""
    encoder = SealedOpusEncoder(seal) if sender.kind == "audio" else SealedVp8Encoder(seal)
    sender._RTCRtpSender__encoder = encoder  # type: ignore[attr-defined]  # it has no public way in


def open_frames(receiver: RTCRtpReceiver, open_frame: Open) -> None:
    """Decode what ``open_frame`` returns. Call before the connection starts; it runs on the event loop."""
    receiver._RTCRtpReceiver__decoder_queue = _OpeningQueue(open_frame)  # type: ignore[attr-defined]  # nor this one
