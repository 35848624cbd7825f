"""What is looked for in the trail."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select

from vault.audit.entry import Act, Party
from vault.database.tables import audit


@dataclass(frozen=True, slots=True)
class Search:
    """Entries with ``first <= moment < last``, of one act, by or on whoever is called one of ``names``; ``by`` whom, or
    by anybody ``besides`` them, as what they act.

    What is None is not asked for; no names at all are nobody's.
    """

    first: datetime | None = None
    last: datetime | None = None
    act: Act | None = None
    names: Collection[str] | None = field(default=None, repr=False)
    by: Party | None = None
    besides: Party | None = None

    def query(self) -> Select[Any]:
        """In no order."""
        query = select(audit)
        if self.first is not None:
            query = query.where(audit.c.at >= milliseconds(self.first))
        if self.last is not None:
            query = query.where(audit.c.at < milliseconds(self.last))
        if self.act is not None:
            query = query.where(audit.c.act == self.act)
        if self.names is not None:
            query = query.where(audit.c.actor_name.in_(self.names) | audit.c.subject_name.in_(self.names))
        if self.by is not None:
            query = query.where(audit.c.actor == self.by.kind)
        if self.besides is not None:
            query = query.where(audit.c.actor != self.besides.kind)
        return query


def milliseconds(moment: datetime) -> int:
    """Since the Unix epoch."""
    return int(moment.timestamp() * 1000)


def milliseconds_of(span: timedelta) -> int:
    """A length of time."""
    return int(span.total_seconds() * 1000)
