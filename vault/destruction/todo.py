"""What there is for a sweep to do, by one query: where nothing is, the steps that would look for it are left out."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    column,
    exists,
    literal,
    select,
    table,
    union_all,
)

from vault.database.database import Database
from vault.database.marks import BEHIND, CLOSING
from vault.database.marks import HANDING as HANDING_MARK
from vault.database.migrate import newest
from vault.database.tables import marks
from vault.records.records import Kinds

MARKED = "marked"
"""Rows of some kind are being destroyed."""

UNSETTLED = "settings"
"""Some due times are not yet those of an account's setting."""

ENDING = "closing"
"""Some accounts are being closed."""

HANDING = "handing"
"""What some accounts have is being handed over."""

EXPIRED = "sessions"
STRANGE = "strange"
"""A newer program has changed the database."""

DUE = "due"
"""The day of some records has come."""

ALL = frozenset({MARKED, UNSETTLED, ENDING, HANDING, EXPIRED, STRANGE, DUE})


def _some(what: str, condition: ColumnElement[bool]) -> Select[str]:
    return select(literal(what)).where(exists().where(condition))


class Looks:
    """``expired`` says which rows that let somebody in are of no use any more, of bounds that are given each time."""

    def __init__(self, database: Database, kinds: Kinds, expired: ColumnElement[bool]) -> None:
        self._database = database
        # Put together once: that would take longer than the answer.
        self._looks: CompoundSelect[str] = union_all(
            *(_some(MARKED, kind.is_marked) for kind in kinds),
            *(_some(DUE, and_(kind.is_living, kind.table.c.due_day <= bindparam("day"))) for kind in kinds.timed),
            _some(UNSETTLED, marks.c.name.startswith(BEHIND)),
            _some(ENDING, marks.c.name.startswith(CLOSING)),
            _some(HANDING, marks.c.name.startswith(HANDING_MARK)),
            _some(EXPIRED, expired),
            select(column("version_num")).select_from(table("alembic_version")),
        )

    async def look(self, bounds: Mapping[str, float], day: date) -> frozenset[str]:
        """Some of ``ALL``; ``bounds`` are those of ``expired``, ``day`` is the newest that has come."""
        found = {row[0] for row in await self._database.ask(self._looks, {**bounds, "day": day})}
        strange = set() if newest() in found else {STRANGE}
        return ALL & (found | strange)
