"""What a client says of its own connection, now and then."""

from typing import Annotated, Literal

from pydantic import Field

from signaling.protocol.model import Message

Incident = Literal[
    "connected", "first-frame", "first-sound", "reconnecting", "failed", "encryption-stopped", "audio-silent",
    "device-lost",
]  # fmt: skip


class Report(Message):
    """One diagnostics sample (S-11, S-33): technical, allow-listed, kept for 24 hours at most."""

    at: int = Field(ge=0, description="Age of the sample in milliseconds.", le=86_400_000)
    candidate: Literal["host", "srflx", "prflx", "relay", "unknown"] = "unknown"
    transport: Literal["udp", "tcp", "unknown"] = "unknown"
    rtt_ms: Annotated[int, Field(ge=0, le=60_000)] | None = None
    loss_permille: Annotated[int, Field(ge=0, le=1000)] | None = None
    sent_kbps: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    received_kbps: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    event: Incident | None = None
