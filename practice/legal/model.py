"""What a law demanded, as it leaves storage: who demanded it and why, who did it, and from when it may be known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from vault.keys.receipt import Receipt
from vault.records.content import Fields

What = Literal["export", "preservation"]

LONGEST: Final = timedelta(days=90)
"""Nothing is preserved longer than this from when two people say so; two say it again for more."""

SILENCE: Final = timedelta(days=180)
"""So long, at most, its practitioner is not told."""

MOST: Final = 500
"""Characters of a reason, and of an authority's name."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs the server and was entered by name, to act as one of two. ``step`` is that of the last code used."""

    id: str
    owner: str
    name: str = field(repr=False)
    secret: str = field(repr=False)
    step: int
    since: datetime
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Demand:
    """Who demands it by which law, as the two wrote it down. With ``told`` its practitioner is told then and not at
    once, because of ``silence``, the reason for that.
    """

    authority: str = field(repr=False)
    reason: str = field(repr=False)
    told: datetime | None = None
    silence: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What was done of an ``account``'s: of how many appointments, ``at`` which moment, by which operators. ``until``
    is the end of a preservation. ``owner`` is the organisation. ``known`` is whether its practitioner was told.
    """

    id: str
    owner: str
    account: str
    what: What
    demand: Demand
    operators: tuple[str, ...] = field(repr=False)
    at: datetime
    number: int
    until: datetime | None = None
    known: bool = True
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Given:
    """What there is of what was asked for. Of what was ``destroyed`` only receipts, and of what is ``unreadable`` or
    nowhere only the ids.
    """

    disclosure: Disclosure
    appointments: Mapping[str, Mapping[str, Any]] = field(repr=False)
    destroyed: Mapping[str, Receipt]
    unreadable: Sequence[str]
    nowhere: Sequence[str]
