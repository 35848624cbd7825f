"""For how long an account has kept everything by hand, as it leaves storage."""

from dataclasses import dataclass, field
from datetime import datetime

from vault.records.content import Fields


@dataclass(frozen=True, slots=True)
class ManualSpan:
    """That the retention of the account that is its ``owner`` is *manual* ``since`` then; ``told`` is when it was last
    reminded of that.
    """

    id: str
    owner: str
    since: datetime
    told: datetime | None = None
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def due(self) -> datetime:
        """When its owner is reminded next."""
        return a_year_after(self.told or self.since)


def a_year_after(at: datetime) -> datetime:
    """The same moment of the next year; on 1 March of what was on 29 February."""
    try:
        return at.replace(year=at.year + 1)
    except ValueError:
        return at.replace(year=at.year + 1, month=3, day=1)
