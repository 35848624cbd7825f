"""Kinds of records that a newer server beside this one brought: their tables are no part of what this program knows.

Their rows are left as they are and counted. Their keys are not taken for keys without a row, and an account ends only
where nothing of it is left in them either: the newer server ends it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, TableClause, column, func, inspect, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.database.migrate import newest
from vault.database.tables import metadata

REVISION = text("SELECT version_num FROM alembic_version")


async def strange_tables(connection: AsyncConnection) -> Sequence[TableClause]:
    """Those that have records of somebody's. One small query where no newer program has changed the database."""
    known = await asyncio.to_thread(newest)
    if (await connection.execute(REVISION)).scalar_one_or_none() == known:
        return []
    return await connection.run_sync(_look)


async def count_strange(connection: AsyncConnection) -> int:
    """How many rows there are in all of them."""
    queries = [select(func.count()).select_from(one) for one in await strange_tables(connection)]
    return sum([(await connection.execute(query)).scalar_one() for query in queries])


async def strange_ids(connection: AsyncConnection, ids: Sequence[str]) -> set[str]:
    """Those of the ids that a row of them has."""
    queries: list[Select[Any]] = [select(one.c.id).where(one.c.id.in_(ids)) for one in await strange_tables(connection)]
    return {row_id for query in queries for row_id in (await connection.execute(query)).scalars()}


async def owns_strange(connection: AsyncConnection, owner: str) -> bool:
    """Whether a row of them is this owner's."""
    for one in await strange_tables(connection):
        if (await connection.execute(select(one.c.id).where(one.c.owner == owner).limit(1))).first() is not None:
            return True
    return False


def _look(connection: Connection) -> list[TableClause]:
    looking = inspect(connection)
    names = sorted(set(looking.get_table_names()) - metadata.tables.keys())
    has = {name: {found["name"] for found in looking.get_columns(name)} for name in names}
    return [table(name, column("id"), column("owner")) for name in names if {"id", "owner"} <= has[name]]
