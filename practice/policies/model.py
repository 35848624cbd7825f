"""What an organisation has decided, as it leaves storage."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

from practice.accounts.model import Retention
from vault.records.content import Fields

Feature = Literal["chat", "screen"]
"""What a consult may have beside sound and picture."""

FEATURES: Final[tuple[Feature, ...]] = get_args(Feature)

CAPS: Final[tuple[Retention, ...]] = ("end", "24h", "7d", "30d", "90d")
"""What may be the longest, from short to long."""


HOURS: Final = (1, 2, 24, 48, 168)
"""How long before its begin patients may be reminded of an appointment."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Of one organisation, its ``owner``. Nothing was decided in version 0, which no row has.

    ``cap`` is the longest that a practitioner may choose, None for any; ``by`` is the account that set it, ``since``
    when. ``barred`` is what no consult has. ``reminders`` is how many hours before patients are told again.
    ``unknown`` is what a newer program keeps beside these fields.
    """

    id: str
    owner: str
    cap: Retention | None = None
    by: str | None = None
    since: datetime | None = None
    barred: frozenset[Feature] = frozenset()
    version: int = 0
    reminders: frozenset[int] = frozenset()
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Cap:
    """The longest that somebody may choose. ``by`` is the shown name of whoever set it, None where that is nobody's
    any more.
    """

    longest: Retention | None = None
    by: str | None = field(default=None, repr=False)
    since: datetime | None = None
