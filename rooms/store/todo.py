"""What there is for a sweep to do, by one query: where nothing is, the steps that would look for it are left out."""

import asyncio

from sqlalchemy import ColumnElement, Select, column, exists, literal, select, table, union_all

from rooms.store.database import Database
from rooms.store.kinds import KINDS
from rooms.store.marks import BEHIND, CLOSING
from rooms.store.migrate import newest
from rooms.store.tables import marks

MARKED = "marked"
"""Rows of some kind are being destroyed."""

UNSETTLED = "settings"
"""Some due times are not yet those of an account's setting."""

ENDING = "closing"
"""Some accounts are being closed."""

EXPIRED = "sessions"
STRANGE = "strange"
"""A newer program has changed the database."""

ALL = frozenset({MARKED, UNSETTLED, ENDING, EXPIRED, STRANGE})


async def look(database: Database, expired: ColumnElement[bool]) -> frozenset[str]:
    """Some of ``ALL``; ``expired`` says of a session whether it is."""
    looks = (
        *(_some(MARKED, kind.is_marked) for kind in KINDS),
        _some(UNSETTLED, marks.c.name.startswith(BEHIND)),
        _some(ENDING, marks.c.name.startswith(CLOSING)),
        _some(EXPIRED, expired),
    )
    revision: Select[str] = select(column("version_num")).select_from(table("alembic_version"))
    found = {row[0] for row in await database.ask(union_all(*looks, revision))}
    strange = set() if await asyncio.to_thread(newest) in found else {STRANGE}
    return ALL & (found | strange)


def _some(what: str, condition: ColumnElement[bool]) -> Select[str]:
    return select(literal(what)).where(exists().where(condition))
