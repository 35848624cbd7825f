"""The same appointment again every week, or every few: at the same time by the practice's clock.

As ``RRULE:FREQ=WEEKLY;INTERVAL=n;UNTIL=…`` with a ``DTSTART`` in that zone (RFC 5545, 3.3.10): across a change of clock
the wall's time stays. One that the clock skips is as much later as it skips, of one that comes twice the first is meant
(3.3.5).
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from vault.errors import DomainError

MOST: Final = 53
"""A year of weeks."""

WEEKS: Final = range(1, 13)


def starts(first: datetime, weeks: int, until: date, zone: tzinfo) -> list[datetime]:
    """When each begins, from ``first``, which is aware, to the day ``until``, included; every so many ``weeks``.

    Errors: ``invalid`` (``weeks``; ``until``: before the first, or so far away that there are more than ``MOST``).
    """
    if weeks not in WEEKS:
        raise DomainError("invalid", "weeks")
    wall = first.astimezone(zone).replace(tzinfo=None, fold=0)
    days = (until - wall.date()).days
    count = days // (7 * weeks) + 1
    if days < 0 or count > MOST:
        raise DomainError("invalid", "until")
    # By UTC and back: a wall's time that the clock skips becomes the one that it shows then (PEP 495, fold 0).
    later = [(wall + timedelta(weeks=weeks * n)).replace(tzinfo=zone) for n in range(1, count)]
    return [first, *(one.astimezone(UTC).astimezone(zone) for one in later)]
