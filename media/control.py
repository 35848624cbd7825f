"""How other folders talk to media workers: the calls, the events, and the client and server of both.

A call goes into one Redis list per worker and is answered in a list of its own within 2 s; an event goes
into one list that all application nodes read from, so each event is handled once. Every message is JSON
with an HMAC-SHA-256 over its body. Call ids make a repeated call harmless.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Source = Literal["microphone", "camera", "screen"]
Use = Literal["microphone", "camera", "screen", "slot", "stage"]

STAGE = -1
"""The slot number of a shared screen."""


class ControlModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(ControlModel):
    """What an m-line of the offer is for; ``slot`` only with use=slot."""

    mid: str
    use: Use
    slot: int | None = None


class Slot(ControlModel):
    """The peer that a slot shows."""

    slot: int
    peer: str


# --- calls -----------------------------------------------------------------------------------------------------------


class OpenRoom(ControlModel):
    """Idempotent. A higher fence replaces the room; a lower one is refused with ``fenced``."""

    call: Literal["open-room"] = "open-room"
    room: str
    fence: int
    capacity: int = 2


class Opened(ControlModel):
    reply: Literal["opened"] = "opened"


class OfferCall(ControlModel):
    """First offer of a peer, renegotiation (a screen) or ICE restart; a new DTLS fingerprint is a new transport."""

    call: Literal["offer"] = "offer"
    room: str
    fence: int
    peer: str
    sdp: str
    lines: list[Line]


class Answered(ControlModel):
    reply: Literal["answered"] = "answered"
    sdp: str
    slots: list[Slot]


class RemovePeer(ControlModel):
    """Idempotent."""

    call: Literal["remove-peer"] = "remove-peer"
    room: str
    fence: int
    peer: str


class CloseRoom(ControlModel):
    """Idempotent."""

    call: Literal["close-room"] = "close-room"
    room: str
    fence: int


class RequestKeyframe(ControlModel):
    """Ask ``peer`` for a key frame of ``source``; limited like a PLI from a viewer."""

    call: Literal["request-keyframe"] = "request-keyframe"
    room: str
    fence: int
    peer: str
    source: Source


class Done(ControlModel):
    reply: Literal["done"] = "done"


class Inspect(ControlModel):
    """Counters of a worker, for metrics and tests."""

    call: Literal["inspect"] = "inspect"


class Inspected(ControlModel):
    reply: Literal["inspected"] = "inspected"
    rooms: int
    peers: int
    counters: dict[str, int]


class Refused(ControlModel):
    """``code``: sdp_invalid, no_room, no_peer, fenced, room_full, internal."""

    reply: Literal["refused"] = "refused"
    code: str


Call = Annotated[
    OpenRoom | OfferCall | RemovePeer | CloseRoom | RequestKeyframe | Inspect,
    Field(discriminator="call"),
]
Reply = Annotated[Opened | Answered | Done | Inspected | Refused, Field(discriminator="reply")]


# --- events ----------------------------------------------------------------------------------------------------------


class PeerState(ControlModel):
    """``lost``: no authenticated packet for 30 s, the transport is freed."""

    event: Literal["peer-state"] = "peer-state"
    room: str
    fence: int
    peer: str
    state: Literal["connected", "reconnecting", "lost"]
    transport: Literal["udp", "tcp"] | None = None


class SlotsChanged(ControlModel):
    """The slots of ``peer`` changed: send it the new mapping."""

    event: Literal["slots-changed"] = "slots-changed"
    room: str
    fence: int
    peer: str
    slots: list[Slot]


class UnencryptedSeen(ControlModel):
    event: Literal["unencrypted-seen"] = "unencrypted-seen"
    room: str
    fence: int
    peer: str
    source: Source


class PeerSample(ControlModel):
    """Every 10 s and peer, for diagnostics. ``address`` is the peer's, for 24 hours at most (S-12)."""

    event: Literal["peer-sample"] = "peer-sample"
    room: str
    fence: int
    peer: str
    address: str
    transport: Literal["udp", "tcp"]
    rtt_ms: int | None = None
    loss_permille: int | None = None
    received_kbps: int
    sent_kbps: int


Event = Annotated[PeerState | SlotsChanged | UnencryptedSeen | PeerSample, Field(discriminator="event")]


# --- registry --------------------------------------------------------------------------------------------------------


class Heartbeat(ControlModel):
    """Written every second under ``sk:worker:<worker>`` with an expiry of 3 s."""

    worker: str
    rooms: int
    peers: int
    packets_per_second: int
    draining: bool = False
