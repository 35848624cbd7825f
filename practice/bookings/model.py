"""What is offered, and who holds a part of it, as it leaves storage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from practice.accounts.model import Language
from vault.records.content import Fields

Hours = tuple[tuple[int, int], ...]
"""Of a day: from which to which minute after its midnight, one after the other."""

DAYS: int = 7


@dataclass(frozen=True, slots=True)
class Terms:
    """When somebody may be booked: ``week`` has the hours of Monday to Sunday, ``exceptions`` those of single days,
    none where it is closed. ``pause`` minutes are left between two. Nobody books later than ``notice`` hours before, or
    more than ``ahead`` days. ``ancestors`` are the origins whose pages may show the booking page in a frame.
    """

    week: tuple[Hours, ...] = ((),) * DAYS
    exceptions: Mapping[date, Hours] = field(default_factory=dict)
    minutes: int = 30
    pause: int = 0
    notice: int = 24
    ahead: int = 28
    ancestors: tuple[str, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class OpenHour:
    """When whoever comes is received, by number: ``week`` and ``exceptions`` as in ``Terms``. ``until``: open now, and
    no longer than that; ``shut``: not before then, whatever the week says. A consult is planned to take ``minutes``.
    """

    week: tuple[Hours, ...] = ((),) * DAYS
    exceptions: Mapping[date, Hours] = field(default_factory=dict)
    minutes: int = 10
    until: datetime | None = None
    shut: datetime | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """Of one account, its ``owner``; version 0 where there never was one. ``token`` is what its page's address holds:
    whoever knows that may book, or come while the open hour is. ``unknown`` is what a newer program keeps beside these
    fields.
    """

    id: str
    owner: str
    token: str = field(default="", repr=False)
    terms: Terms = field(default_factory=Terms)
    hour: OpenHour = field(default_factory=OpenHour)
    version: int = 0
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Hold:
    """A time that nobody else may book ``until`` then: whoever types what was mailed makes an appointment of it.

    ``token`` is a hash of what the address of its page holds, as hex; ``seed`` what the mailed digits are made of;
    ``tries`` how often others were typed. ``network`` is a keyed hash. ``unknown`` is what a newer program keeps.
    """

    id: str
    owner: str
    token: str = field(repr=False)
    starts_at: datetime = field(repr=False)
    minutes: int
    name: str = field(repr=False)
    mail: str = field(repr=False)
    language: Language
    network: str = field(repr=False)
    seed: str = field(repr=False)
    until: datetime
    tries: int = 0
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def ends_at(self) -> datetime:
        """Of the appointment that it may become."""
        return self.starts_at.astimezone(UTC) + timedelta(minutes=self.minutes)
