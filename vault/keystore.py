"""The key store beside its database, for the operator's commands: they make nothing that is not there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Row, Table, inspect, select

from vault.clock import Now
from vault.database.database import Database
from vault.database.marks import GENERATION, PAIR, read_mark
from vault.database.tables import marks
from vault.errors import DomainError, Newer, StartRefused, Tampered
from vault.keys.backends import backend
from vault.keys.store import KeyStore, open_keystore
from vault.records.records import Kinds
from vault.records.strangers import strange_ids
from vault.settings import VaultSettings

BATCH = 100


@dataclass(frozen=True)
class Verdict:
    """What looking at the key store gave; in order when there are no ``findings``. Numbers are 0 when it is locked."""

    findings: tuple[str, ...]
    epoch: int = 0
    generation: int = 0
    practitioners: int = 0
    data_keys: int = 0
    waiting: int = 0
    flat: bool = False

    def fields(self) -> dict[str, Any]:
        """For scripts."""
        return {"ok": not self.findings, **asdict(self)}


async def verify(settings: VaultSettings, kinds: Kinds, now: Now) -> Verdict:
    """Whether every wrapped key opens, key store and database belong together and the ledger is whole.

    Changes nothing; works beside a running server. Errors: StartRefused when there is nothing to look at.
    """
    try:
        async with existing(settings, tidy=False) as (database, keys):
            if keys.locked:
                return Verdict((keys.locked,))
            seen = await keys.inspect(now())
            findings = [
                *seen.findings,
                *await rows_without_keys(database, kinds, keys),
                *await rows_that_do_not_open(database, kinds, keys),
                *await keys_without_rows(database, kinds, keys),
            ]
            return Verdict(
                tuple(findings),
                seen.epoch,
                seen.generation,
                seen.practitioners,
                seen.data_keys,
                seen.waiting,
                seen.flat,
            )
    except DomainError:
        return Verdict(("The key store or the database does not answer.",))


async def rotate(settings: VaultSettings, *, root: bool = False) -> None:
    """A new epoch for all, with ``root`` under a new root key. Works beside a running server. Errors: StartRefused."""
    async with existing(settings) as (_, keys):
        if keys.locked:
            raise StartRefused(keys.locked)
        try:
            await keys.renew(root=root)
        except DomainError as error:
            reason = getattr(error, "reason", "The key store does not answer.")
            raise StartRefused(f"{reason} Every key opens as before; run this again.") from None


class NoKeyStore(StartRefused):
    """There is none yet."""


async def upgrade(settings: VaultSettings, before: Callable[[], None]) -> bool:
    """Take the key store's step to a tree, if it is to be taken; ``before`` is called when it begins.

    Whether there is nothing left to be done: the step waits while others use the key store. Errors: StartRefused.
    """
    with suppress(NoKeyStore):
        async with existing(settings, tidy=False) as (_, keys):
            if keys.locked:
                raise StartRefused(keys.locked)
            if keys.flat:
                before()
                return await keys.grow()
    return True


async def downgrade(settings: VaultSettings) -> bool:
    """Take the step back; whether there was one. Errors: StartRefused, also while others use the key store."""
    with suppress(NoKeyStore):
        async with existing(settings, tidy=False) as (_, keys):
            if keys.locked:
                raise StartRefused(keys.locked)
            if keys.flat:
                return False
            if not await keys.shrink():
                raise StartRefused("Other programs use the key store; stop every server first.")
            return True
    return False


@asynccontextmanager
async def existing(settings: VaultSettings, *, tidy: bool = True) -> AsyncIterator[tuple[Database, KeyStore]]:
    """The database and its key store. Errors: StartRefused when there is none yet."""
    url = settings.database()
    if url.get_backend_name() == "sqlite" and not await asyncio.to_thread(Path(url.database or "").exists):
        raise NoKeyStore("There is no database yet; start the server first.")
    async with AsyncExitStack() as stack:
        database = Database(url)
        stack.push_async_callback(database.close)
        async with database.read() as connection:
            made = await connection.run_sync(lambda sync: inspect(sync).has_table(marks.name))
            pair = await read_mark(connection, PAIR) if made else None
            if pair is None:
                raise NoKeyStore("The database has no key store yet; start the server first.")
            generation = int(await read_mark(connection, GENERATION) or 0)
        keys = await open_keystore(backend(settings), pair=pair, generation=generation, tidy=tidy)
        stack.push_async_callback(keys.close)
        yield database, keys


async def rows_without_keys(database: Database, kinds: Kinds, keys: KeyStore) -> list[str]:
    """People and records that nobody can open."""
    lost = returned = 0
    for table in kinds.tables:
        async for ids in batches(database, table):
            for row_id in await keys.missing(ids):
                owner = await living(database, table, row_id)
                if owner is None:  # destroyed while we looked
                    continue
                if await keys.receipt(owner, row_id):
                    returned += 1
                else:
                    lost += 1
    found = []
    if lost:
        found.append(f"Rows of the database without key and receipt: {lost}. Is this the right key store?")
    if returned:
        found.append(
            f"Rows that are back although they were destroyed: {returned}. The server's next start removes them."
        )
    return found


async def rows_that_do_not_open(database: Database, kinds: Kinds, keys: KeyStore) -> list[str]:
    """People and records whose key opens and whose content is not as it was written."""
    findings, newer = [], 0
    owners = "{1} whose {2} cannot be read: {0}. Restore them from a backup."
    records = "{1} that cannot be read: {0}. Restore them from a backup, or destroy them."
    for name, table, attempt, sentence, parts in (
        *((one.name, one.table, one.open, owners, " or ".join(one.sealed)) for one in kinds.owners),
        *((kind.name, kind.table, kind.open, records, "") for kind in kinds),
    ):
        count = 0
        async for ids in batches(database, table):
            there = await rows(database, table, ids)
            opened = await keys.get_many((row._mapping.get("owner", row.id), row.id) for row in there)
            faults = [fault(attempt, opened[row.id], row) for row in there if row.id in opened]
            newer += sum(isinstance(why, Newer) for why in faults)
            count += sum(why is not None and not isinstance(why, Newer) for why in faults)
        if count:
            findings.append(sentence.format(count, name.capitalize(), parts))
    if newer:
        findings.append(f"Rows that a newer version of this program wrote: {newer}. Look at them with that version.")
    return findings


def fault(attempt: Callable[[bytes, Any], object], key: bytes, row: Any) -> Exception | None:
    """Why a row does not open."""
    try:
        attempt(key, row)
    except (Tampered, TypeError, ValueError) as error:
        return error
    return None


async def rows(database: Database, table: Table, ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Those of these that are there."""
    async with database.read() as connection:
        return (await connection.execute(select(table).where(table.c.id.in_(ids)))).all()


async def keys_without_rows(database: Database, kinds: Kinds, keys: KeyStore) -> list[str]:
    """Keys whose row was there once and is not any more, as after restoring an older database."""
    last, count = "", 0
    while part := await keys.confirmed(last, BATCH):
        last = part[-1]
        there = await present(database, kinds, part)
        gone = [key for key in part if key not in there]
        count += len(gone) - len(await keys.missing(gone))  # those that are destroyed meanwhile
    return [f"Keys without a row in the database: {count}. Is it an older copy?"] if count else []


async def batches(database: Database, table: Table) -> AsyncIterator[Sequence[str]]:
    """Ids of living rows, each batch its own transaction."""
    last = ""
    while True:
        query = alive(table, table.c.id).where(table.c.id > last).order_by(table.c.id).limit(BATCH)
        async with database.read() as connection:
            ids = (await connection.execute(query)).scalars().all()
        if not ids:
            return
        yield ids
        last = ids[-1]


async def living(database: Database, table: Table, row_id: str) -> str | None:
    """Whose this row is, if it is there and not being destroyed."""
    owner: Column[str] = table.c.get("owner", table.c.id)
    async with database.read() as connection:
        found: str | None = (await connection.execute(alive(table, owner).where(table.c.id == row_id))).scalar()
        return found


async def present(database: Database, kinds: Kinds, ids: Sequence[str]) -> set[str]:
    """Those of the ids that a row has, also one of a kind that only a newer program knows."""
    async with database.read() as connection:
        found = set((await connection.execute(kinds.with_ids(ids))).scalars())
        return found if len(found) == len(set(ids)) else found | await strange_ids(connection, ids)


def alive(table: Table, column: Column[str]) -> Any:
    """A query for rows that are not being destroyed."""
    query = select(column)
    return query.where(table.c.state != "destroying") if "state" in table.c else query
