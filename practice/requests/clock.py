"""The four weeks of a request (S-49), counted in days of the calendar of the practice that was asked.

**Days are dates, not spans of 24 hours**: somebody who asks at any hour of a day has until the end of the 28th day
after it, whatever the clock did between. Holidays and weekends are days: what is promised is *at most four weeks*, so
none of them puts the end off (Regulation 1182/71, 3 (4), would; being earlier is no fault). All is a function of its
arguments.
"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

DAYS: Final = 28
REMINDERS: Final = (7, 14, 21, 26)
"""Days after the one on which somebody asked, at whose beginning whoever decides is reminded."""

AFTER_EXTENSION: Final = (42, 56, 70, 84)
"""The same of what was extended, by two months: 59 days at least."""

LATE: Final = 100
"""In place of a day, once an answer is late: after each at which somebody is reminded."""

FURTHER_MONTHS: Final = 2
"""What an extension adds (GDPR 12 (3)), once a mail with its reason was sent before day 28."""


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The date that it is there. ``moment`` is aware."""
    return moment.astimezone(zone).date()


def beginning(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day there, in UTC; where midnight is left out, the moment of the change."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def due_day(asked: datetime, zone: tzinfo) -> date:
    """The last day on which an answer is in time."""
    return day_of(asked, zone) + timedelta(days=DAYS)


def due(asked: datetime, zone: tzinfo) -> datetime:
    """The first moment at which it is late."""
    return beginning(due_day(asked, zone) + timedelta(days=1), zone)


def extended_day(asked: datetime, zone: tzinfo) -> date:
    """The last day after an extension: that of the same number two months on, or the last of a shorter month."""
    first = due_day(asked, zone)
    year, month = divmod(first.year * 12 + first.month - 1 + FURTHER_MONTHS, 12)
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))


def extended(asked: datetime, zone: tzinfo) -> datetime:
    """The first moment at which it is late after an extension."""
    return beginning(extended_day(asked, zone) + timedelta(days=1), zone)


def extends(asked: datetime, sent: datetime, zone: tzinfo) -> bool:
    """Whether a reason that was sent at this moment came before day 28."""
    return sent < beginning(due_day(asked, zone), zone)


def passed(asked: datetime, now: datetime, zone: tzinfo) -> int:
    """Days since the one on which somebody asked; 0 where a clock was set back."""
    return max(0, (day_of(now, zone) - day_of(asked, zone)).days)


def reminder(asked: datetime, now: datetime, zone: tzinfo, done: int, days: Sequence[int] = REMINDERS) -> int | None:
    """The reminder to be given now, by its day: the newest that is not ``done``; what was missed is not made up for."""
    day = passed(asked, now, zone)
    newest = max((one for one in days if one <= day), default=0)
    return newest if newest > done else None
