"""How many requests wait for an answer: a query that needs no key, for health, metrics and the doctor."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from practice.requests.model import Backlog
from practice.requests.records import REQUESTS, requests, seconds

COUNTED: Final = select(
    func.count(), func.min(requests.c.asked), func.count().filter(requests.c.due <= bindparam("now"))
).where(REQUESTS.is_living, requests.c.decided.is_(None))


def bound(now: datetime) -> dict[str, int | None]:
    """What ``COUNTED`` is asked with."""
    return {"now": seconds(now)}


def counted(row: Any, now: datetime) -> Backlog:
    """What it gave."""
    waiting, oldest, overdue = row
    return Backlog(waiting, overdue, 0.0 if oldest is None else max(0.0, now.timestamp() - oldest))
