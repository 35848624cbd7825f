"""What a publication is made with: the format that was agreed on, and what it needs of the peer that publishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from media.forwarding.counters import Counters

if TYPE_CHECKING:
    from media.forwarding.publication import Publication
    from media.forwarding.stream import Stream


@dataclass(frozen=True, slots=True)
class Format:
    """What was agreed on for an m-line on which a peer sends; ids are 0 and types None where nothing was."""

    kind: str
    payload_type: int
    rtx_payload_type: int | None
    clock_rate: int
    transport_sequence: int
    nack: bool


class Uplink(Protocol):
    """What a publication needs of its peer."""

    arrivals: dict[int, int]
    counters: Counters

    @property
    def rtt(self) -> float: ...
    def stream(self, publication: Publication, layer: int) -> Stream: ...
    def ask_keyframe(self, ssrcs: list[int]) -> None: ...
    def ask_again(self, ssrc: int, sequences: list[int]) -> None: ...
    def report_unencrypted(self, publication: Publication) -> None: ...
    def attend(self, publication: Publication) -> None: ...
    def source_timestamp(self, stream: Stream, wall: float) -> int | None: ...


Handler = Callable[..., None]
"""Takes arena, slot, length and time of a packet; with ``decrypted=True`` one that was authenticated already."""
