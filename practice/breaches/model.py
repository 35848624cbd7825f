"""A breach of personal data (GDPR 4 (12)), as it leaves storage: decrypted, immutable, silent in ``repr``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from vault.records.content import Fields

Risk = Literal["unknown", "none", "some", "high"]
"""To the people whom it is about: an authority is told unless there is none (GDPR 33 (1)), they are where it is
high (34 (1))."""

RISKS: Final[tuple[Risk, ...]] = get_args(Risk)
Phase = Literal["running", "late", "told", "settled"]

HOURS: Final = timedelta(hours=72)
"""From when somebody here knew of it (GDPR 33 (1)): hours, whatever the clock does between."""

MOST: Final = 4000
MOST_PEOPLE: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known (GDPR 33 (3), 33 (5)). ``people`` is about how many it is, None while nobody knows. ``told`` is
    when the authority was, with ``late`` as the reason where that was after the 72 hours; ``untold`` is why it need not
    be. ``concerned`` is when the people were told, by ``words``.
    """

    found: datetime
    what: str = field(repr=False)
    people: int | None = None
    risk: Risk = "unknown"
    measures: str = field(default="", repr=False)
    told: datetime | None = None
    late: str = field(default="", repr=False)
    untold: str = field(default="", repr=False)
    concerned: datetime | None = None
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Breach:
    """One in the register of an organisation, its ``owner``; entered ``by`` an account."""

    id: str
    owner: str
    by: str
    entered: datetime
    facts: Facts
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def due(self) -> datetime:
        """Until when the authority has to be told."""
        return self.facts.found + HOURS

    @property
    def settled(self) -> bool:
        """Whether it is told, or why it need not be is written down."""
        return self.facts.told is not None or bool(self.facts.untold)

    def phase(self, now: datetime) -> Phase:
        """Where it stands; ``told`` is where the people still have to be."""
        if not self.settled:
            return "late" if now >= self.due else "running"
        return "told" if self.facts.risk == "high" and self.facts.concerned is None else "settled"


@dataclass(frozen=True, slots=True)
class Register:
    """Breaches, those first that have to be told of soonest; ``unreadable`` is how many cannot be read."""

    breaches: Sequence[Breach]
    unreadable: int


@dataclass(frozen=True, slots=True)
class Clocks:
    """How many run, and how many are over: of all organisations, and nothing of what."""

    running: int
    late: int
