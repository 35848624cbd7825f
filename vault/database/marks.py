"""Marks: single values that the database carries about itself."""

import json
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, exists, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.clock import Anchor
from vault.database.database import upsert
from vault.database.tables import marks

PAIR = "pair"
GENERATION = "generation"
CAP = "retention-cap"
CLOSING = "closing-"
BEHIND = "behind-"


async def read_mark(connection: AsyncConnection, name: str) -> str | None:
    """A mark's value."""
    value: str | None = (await connection.execute(select(marks.c.value).where(marks.c.name == name))).scalar()
    return value


async def write_mark(connection: AsyncConnection, name: str, value: str) -> None:
    """Set a mark."""
    statement = upsert(connection, marks).values(name=name, value=value)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


async def raise_generation(connection: AsyncConnection, generation: int) -> None:
    """Remember the newest key store generation that this database has seen; it never goes back."""
    if generation > int(await read_mark(connection, GENERATION) or 0):
        await write_mark(connection, GENERATION, str(generation))


async def read_anchor(connection: AsyncConnection, boot: str) -> Anchor | None:
    """When the clock was last believed in this boot (``vault.clock.boot_id``) of this host."""
    text = await read_mark(connection, f"clock-{boot}")
    if text is None:
        return None
    fields = json.loads(text)
    return Anchor(datetime.fromisoformat(fields["wall"]), fields["boot"])


async def write_anchor(connection: AsyncConnection, boot: str, anchor: Anchor) -> None:
    """Remember that the clock was believed."""
    text = json.dumps({"wall": anchor.wall.isoformat(), "boot": anchor.boot})
    await write_mark(connection, f"clock-{boot}", text)


async def write_closing(connection: AsyncConnection, owner: str) -> None:
    """An account is being closed: no appointment is planned and nobody signs in."""
    await write_mark(connection, f"{CLOSING}{owner}", "")


def closing(owner: str) -> Select[str]:
    """A row if it is."""
    return select(marks.c.name).where(marks.c.name == f"{CLOSING}{owner}")


def no_closing(owner: ColumnElement[str]) -> ColumnElement[bool]:
    """The same inside a query."""
    return ~exists().where(marks.c.name == literal(CLOSING) + owner)


async def closing_accounts(connection: AsyncConnection) -> list[str]:
    """Ids of the accounts that are being closed."""
    return await _accounts(connection, CLOSING)


async def set_behind(connection: AsyncConnection, owner: str, *, behind: bool) -> None:
    """Whether some due times of an account are not yet those of its setting: a newer program wrote these."""
    if behind:
        await write_mark(connection, f"{BEHIND}{owner}", "")
    else:
        await connection.execute(delete(marks).where(marks.c.name == f"{BEHIND}{owner}"))


async def accounts_behind(connection: AsyncConnection) -> list[str]:
    """Ids of the accounts of which this is so."""
    return await _accounts(connection, BEHIND)


async def _accounts(connection: AsyncConnection, prefix: str) -> list[str]:
    names = await connection.execute(select(marks.c.name).where(marks.c.name.like(f"{prefix}%")))
    return [name.removeprefix(prefix) for name in names.scalars()]
