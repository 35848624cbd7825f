"""What a law demands be kept a while longer (S-36): it puts off destroying, until a moment, and nothing else.

Who reads is refused from the due time on, as ever; what destroys looks here too. The moment stands inside what is
sealed, so who can only write to the database holds nothing up. When it has passed, the next sweep destroys; what was
destroyed before was nothing to be kept, and comes back by no demand.
"""

from datetime import datetime
from typing import Any


def preserved_until(record: Any) -> datetime | None:
    """Until when a record is, None for most, also of kinds that know no such thing."""
    until: datetime | None = getattr(record, "preserved_until", None)
    return until


def is_preserved(record: Any, now: datetime) -> bool:
    """Whether it must not be destroyed yet."""
    until = preserved_until(record)
    return until is not None and now < until


def leaves(record: Any) -> datetime | None:
    """When it is destroyed: at its due time, or at the end of what is demanded where that is later. None is never."""
    due: datetime | None = record.due
    until = preserved_until(record)
    return due if due is None or until is None else max(due, until)
