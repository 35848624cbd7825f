"""What a timeline of samples says in a few words, for the practitioner (S-11): no addresses, no numbers to look up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rooms.diagnostics import TakenSample

WEAK_LOSS = 30  # permille
BROKEN_LOSS = 150
WEAK_RTT = 400  # milliseconds

Role = Literal["practitioner", "patient", "guest", "unknown"]
Connection = Literal["good", "weak", "bad", "failed", "unknown"]
Network = Literal["direct", "relayed", "unknown"]
Device = Literal["phone", "tablet", "computer", "unknown"]


@dataclass(frozen=True, slots=True)
class PersonCheck:
    """One side of the consult. ``loss`` is the middle sample's, in permille; ``reconnects`` counts interruptions."""

    role: Role
    first: datetime
    last: datetime
    connection: Connection
    sound: Literal["good", "silent", "unknown"]
    picture: Literal["good", "stopped", "unknown"]
    network: Network
    udp: bool | None
    loss: int | None
    rtt: int | None
    reconnects: int
    browser: str | None
    device: Device


def check(timeline: Sequence[TakenSample]) -> list[PersonCheck]:
    """A line for each side that left samples; a page that was reloaded is the same side."""
    # What the relay saw of somebody's connection says only which page it was.
    roles = {entry.participant: entry.sample.role for entry in timeline if entry.sample.role != "unknown"}
    sides: dict[Role, list[TakenSample]] = {}
    for entry in timeline:
        sides.setdefault(roles.get(entry.participant, "unknown"), []).append(entry)
    return [one_side(role, sides[role]) for role in sorted(sides)]


def one_side(role: Role, entries: Sequence[TakenSample]) -> PersonCheck:
    """What the samples of one side say, oldest first."""
    samples = [entry.sample for entry in entries]
    events = [sample.event for sample in samples if sample.event]
    loss = middle([sample.loss_permille for sample in samples if sample.loss_permille is not None])
    rtt = middle([sample.rtt_ms for sample in samples if sample.rtt_ms is not None])
    candidates = [sample.candidate for sample in samples if sample.candidate != "unknown"]
    transports = [sample.transport for sample in samples if sample.transport != "unknown"]
    return PersonCheck(
        role=role,
        first=entries[0].taken,
        last=entries[-1].taken,
        connection=quality(events, loss, rtt),
        sound="silent" if "audio-silent" in events else "good" if "first-sound" in events else "unknown",
        picture="stopped" if "encryption-stopped" in events else "good" if "first-frame" in events else "unknown",
        network="unknown" if not candidates else "relayed" if candidates[-1] == "relay" else "direct",
        udp=transports[-1] == "udp" if transports else None,
        loss=loss,
        rtt=rtt,
        reconnects=events.count("reconnecting"),
        browser=next((sample.browser for sample in reversed(samples) if sample.browser), None),
        device=next((sample.device for sample in reversed(samples) if sample.device != "unknown"), "unknown"),
    )


def quality(events: Sequence[str], loss: int | None, rtt: int | None) -> Connection:
    """One word for a connection."""
    states = [event for event in events if event in ("connected", "reconnecting", "failed")]
    if states and states[-1] == "failed":
        return "failed"
    if loss is None and rtt is None:
        return "good" if states else "unknown"
    if (loss or 0) >= BROKEN_LOSS:
        return "bad"
    return "weak" if (loss or 0) >= WEAK_LOSS or (rtt or 0) >= WEAK_RTT else "good"


def middle(values: Sequence[int]) -> int | None:
    """The median, or None of nothing."""
    return sorted(values)[len(values) // 2] if values else None
