"""A contact that was logged, as it leaves storage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, get_args

from vault.records.content import Fields

ContactWay = Literal["call", "mail"]
ContactReason = Literal["technical", "planning", "account", "payment", "request", "security"]
"""Why. Of a closed list: it says how long the entry is kept."""

CONTACT_WAYS: Final[tuple[ContactWay, ...]] = get_args(ContactWay)
CONTACT_REASONS: Final[tuple[ContactReason, ...]] = get_args(ContactReason)

KEPT: Final[Mapping[ContactReason, timedelta]] = MappingProxyType(
    {
        "technical": timedelta(hours=24),
        "planning": timedelta(hours=24),
        "account": timedelta(days=7),
        "payment": timedelta(days=30),
        "request": timedelta(days=30),
        "security": timedelta(days=30),
    }
)
"""How long, from when it was logged: a day to thirty (S-25)."""


@dataclass(frozen=True, slots=True)
class LoggedContact:
    """One with the account that is its ``owner``; ``by`` is the account of who called or wrote, in ``organisation``."""

    id: str
    owner: str
    organisation: str
    by: str
    way: ContactWay
    reason: ContactReason
    note: str = field(repr=False)
    at: datetime
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def until(self) -> datetime:
        """When it dies."""
        return self.at + KEPT[self.reason]
