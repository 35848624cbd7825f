"""The data inventory (S-04, S-19, S-27): all that is stored, with category, purpose, basis, retention and form."""

import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Category = Literal["personalia", "appointment", "technical", "audit", "nobody"]
"""One class of data each: about the account, the appointment, the connection, who did what; or about nobody."""

Purpose = Literal[
    "account", "payment", "contact", "consult", "support", "protection", "accountability", "operation", "newsletter"
]

Basis = Literal["contract", "consent", "care", "legitimate-interest", "legal-duty", "none"]
"""GDPR 6(1)(b); 6(1)(a), given by filling it in and withdrawn by taking it out; the practitioner's 6(1)(b) with
9(2)(h); 6(1)(f); 6(1)(c); nothing personal."""

Retention = Literal[
    "account", "told", "setting", "twelve-hours", "resume", "day", "three-days", "half-hour", "hour", "two-minutes",
    "refresh", "quarter", "seconds", "ninety-days", "answered", "seen", "four-hundred-days", "backup", "audit",
    "server", "contact", "browser", "operator",
]  # fmt: skip
"""How long. ``told`` is until its owner takes it back, at the latest with the account; ``setting`` is the
practitioner's central one; ``contact`` is a day to thirty, by the reason; ``answered`` is thirty days after the
answer, of an objection that holds as long as the account; ``seen`` is until an officer saw it or decided, 28 days
at most; ``resume`` is ``signaling.resume_seconds`` after the last change, ``refresh`` is
``signaling.refresh_seconds`` after a sign-in of an app; ``backup`` is until the operator removes the copy,
unreadable from the moment the key is destroyed; ``audit`` is ``rooms.audit_days``; ``operator`` is whatever
collects the log lines."""

Form = Literal["sealed", "wrapped", "hashed", "pseudonym", "random", "secret", "clear"]
"""Encrypted; a key under another key; a hash; a keyed hash; only random ids, states and times; a key; in clear."""

Place = Literal["database", "content", "keystore", "redis", "files", "log", "browser"]
PLACES: tuple[Place, ...] = get_args(Place)


class Item(BaseModel):
    """What belongs together, and the names that it has in each place: ``table.column``, or a pattern with ``*``.

    ``content`` are the fields inside a sealed column: ``table.column.field``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    category: Category
    purpose: Purpose
    basis: Basis
    retention: Retention
    form: Form
    database: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    keystore: tuple[str, ...] = ()
    redis: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    browser: tuple[str, ...] = ()

    def names(self) -> Iterator[tuple[Place, str]]:
        """All places and names of this entry."""
        for place in PLACES:
            for name in getattr(self, place):
                yield place, name

    @property
    def encrypted(self) -> bool:
        """Whether what stands there can be read without a key."""
        return self.form in ("sealed", "wrapped")


class Inventory(BaseModel):
    """All entries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entry: tuple[Item, ...]

    def names(self, place: Place) -> list[str]:
        """What may be in a place."""
        return [name for entry in self.entry for name in getattr(entry, place)]

    def knows(self, place: Place, name: str) -> bool:
        """Whether something found in a place is in the inventory."""
        return any(fnmatchcase(name, pattern) for pattern in self.names(place))


INVENTORY = Inventory.model_validate(tomllib.loads(Path(__file__).with_suffix(".toml").read_text()))


def inventory() -> Inventory:
    """The file beside this module."""
    return INVENTORY
