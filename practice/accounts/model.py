"""Who works here, as they leave storage: decrypted, immutable, silent in ``repr``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Language = Literal["nl", "en", "de", "fr"]
Retention = Literal["end", "24h", "7d", "30d", "90d", "manual"]

RETENTION: dict[Retention, timedelta | None] = {
    "end": timedelta(0),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "manual": None,
}
"""Time between the end of a consult and its destruction (S-29)."""


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A professional with an account. ``retention`` is the one central setting (S-29).

    ``unknown`` is what a newer program keeps beside these fields.
    """

    id: str
    mail: str = field(repr=False)
    display_name: str = field(repr=False)
    language: Language
    retention: Retention
    version: int
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A sign-in of a browser that has not ended. ``reference`` stands for its token elsewhere."""

    reference: str = field(repr=False)
    began: datetime
    used: datetime


Side = Literal["old", "new"]
"""Of the two addresses of a change."""


@dataclass(frozen=True, slots=True)
class MailChange:
    """Another address that somebody asked for, in the session with the reference ``session``.

    ``side`` is the address whose link was followed, None for who is signed in; ``agreed`` says which have confirmed.
    """

    practitioner: str
    mail: str = field(repr=False)
    session: str = field(repr=False)
    side: Side | None
    agreed: frozenset[Side]

    @property
    def ready(self) -> bool:
        """Whether both addresses have confirmed."""
        return self.agreed == {"old", "new"}
