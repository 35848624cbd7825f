"""Marks: single values that the database carries about itself."""

import json
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, exists, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.clock import Anchor
from vault.database.database import upsert
from vault.database.tables import marks

PAIR = "pair"
GENERATION = "generation"
CAP = "retention-cap"
CLOSING = "closing-"
BEHIND = "behind-"
OUT = "sign-out-"
HANDING = "handing-"


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


async def is_closing(connection: AsyncConnection, owner: str) -> bool:
    """Whether an account or an organisation is being closed.

    Whoever relies on it locks the row first, in a statement of its own: on PostgreSQL one that waited for a lock goes
    on with what was true of other tables when it began.
    """
    return (await connection.execute(closing(owner))).first() is not None


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


async def write_handing(connection: AsyncConnection, owner: str, said: str) -> bool:
    """What an owner has is being handed over; False, and nothing written, when that was asked before."""
    new = upsert(connection, marks).values(name=f"{HANDING}{owner}", value=said)
    written = new.on_conflict_do_nothing().returning(marks.c.name)
    return (await connection.execute(written)).one_or_none() is not None


async def change_handing(connection: AsyncConnection, owner: str, said: str, now: str | None) -> bool:
    """The same in other words, None when it is done; False when it does not say what it did."""
    as_it_was = (marks.c.name == f"{HANDING}{owner}", marks.c.value == said)
    statement = delete(marks).where(*as_it_was) if now is None else update(marks).where(*as_it_was).values(value=now)
    return (await connection.execute(statement)).rowcount == 1


async def owners_handing(connection: AsyncConnection) -> dict[str, str]:
    """Whose is being handed over, and what was written of it."""
    rows = await connection.execute(select(marks).where(marks.c.name.startswith(HANDING)).order_by(marks.c.name))
    return {row.name.removeprefix(HANDING): row.value for row in rows}


async def accounts_behind(connection: AsyncConnection) -> list[str]:
    """Ids of the accounts of which this is so."""
    return await _accounts(connection, BEHIND)


async def write_out(connection: AsyncConnection, owner: str) -> None:
    """Somebody is to be signed out of all that only a running server reaches: sockets, tickets, apps."""
    await write_mark(connection, f"{OUT}{owner}", "")


async def accounts_out(connection: AsyncConnection) -> list[str]:
    """Ids of the accounts of which this is so."""
    return await _accounts(connection, OUT)


async def forget_out(connection: AsyncConnection, owner: str) -> None:
    """It is done."""
    await connection.execute(delete(marks).where(marks.c.name == f"{OUT}{owner}"))


async def _accounts(connection: AsyncConnection, prefix: str) -> list[str]:
    names = await connection.execute(select(marks.c.name).where(marks.c.name.like(f"{prefix}%")))
    return [name.removeprefix(prefix) for name in names.scalars()]
