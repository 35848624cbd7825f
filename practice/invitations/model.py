"""A dispatch: what a patient is told of an appointment by one way. Neither address nor text stands in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

from vault.records.content import Fields

Way = Literal["mail", "sms"]
WAYS: Final[tuple[Way, ...]] = get_args(Way)

Word = Literal["invitation", "changed", "cancelled", "reminder"]
"""What it is about."""

WORDS: Final[tuple[Word, ...]] = get_args(Word)

State = Literal["queued", "sent", "opened", "refused", "late", "void"]
"""``opened`` is a sent one whose link was visited; ``late`` could not be sent within a day; ``void`` is one whose
sending had begun when a later one took its place: nobody knows whether it came.
"""

BOUNCED: Final = "bounced"
"""With this word begins the reason of what a mail server took and sent back."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One, to be sent or sent. It hangs on its appointment: sealed under the same key, and gone with it.

    ``to`` is a keyed hash of the address, which stands in the appointment alone; ``starts_at`` and ``minutes`` are what
    the patient was told, as ``sequence`` (RFC 5545, 3.8.7.4). ``written`` says when its cause was, and gives the order;
    ``again`` is when it is tried next, after ``tries``; ``begun`` is true from the moment in which a server may have
    got it. ``at`` is when it came to its state, ``reason`` at which step it was refused. ``organisation`` is by whose
    provider a text message goes also when the account ends before. ``guest`` is who is told, if not the patient.
    """

    id: str
    appointment: str
    way: Way
    word: Word
    to: str = field(repr=False)
    sequence: int
    starts_at: datetime = field(repr=False)
    minutes: int
    written: datetime
    again: datetime
    state: State = "queued"
    tries: int = 0
    begun: bool = False
    at: datetime | None = None
    reason: str | None = None
    organisation: str | None = None
    guest: str | None = None
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_reminder(self) -> bool:
        """Whether it says nothing new."""
        return self.word == "reminder"

    @property
    def came_back(self) -> bool:
        """Whether a server that took it said later that it did not arrive: not each such word is true."""
        return self.state == "refused" and (self.reason or "").startswith(BOUNCED)


def newest(found: Sequence[Dispatch]) -> list[Dispatch]:
    """Of each way what is said last of those that were written, the oldest first: no reminder that waits."""
    said = [one for one in found if one.state != "void" and not (one.is_reminder and one.state == "queued")]
    return list({one.way: one for one in said}.values())
