"""Writing and reading the trail: one chain for all processes, many entries in one transaction."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.audit.entry import OUR_OWN, SERVER, Act, Draft, Entry, Party, pseudonym
from vault.audit.search import Search, milliseconds, milliseconds_of
from vault.audit.verify import BASE, START, TrailReport, Verifier, read_base, write_base
from vault.clock import Now
from vault.database.database import Database
from vault.database.marks import read_mark, write_mark
from vault.database.tables import audit
from vault.errors import DomainError
from vault.keys.store import KeyStore

logger = logging.getLogger(__name__)

LOCK = 0x5370_7265_6175  # PostgreSQL advisory lock
BATCH = 1000
ANCHOR_SECONDS = 5.0
SPARE = timedelta(days=1)
"""Entries live this much longer than they must, so that forgetting some is entered once a day, not once a minute."""

FOLLOW = text("""
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(:lock))
INSERT INTO audit (number, at, actor, actor_name, act, subject, subject_name, detail, chain)
SELECT entry.* FROM turn, unnest(
    CAST(:number AS bigint[]), CAST(:at AS bigint[]), CAST(:actor AS text[]), CAST(:actor_name AS text[]),
    CAST(:act AS text[]), CAST(:subject AS text[]), CAST(:subject_name AS text[]), CAST(:detail AS text[]),
    CAST(:chain AS bytea[])
) AS entry
WHERE EXISTS (SELECT 1 FROM audit WHERE number = :before AND chain = :link)
""")
"""Its snapshot is older than its turn, so whatever somebody else entered meanwhile is no ``number`` twice."""

End = tuple[int, bytes]  # number and link of the newest entry


@dataclass(frozen=True, slots=True)
class Named:
    """A draft whose parties have their pseudonyms."""

    draft: Draft
    actor: str | None
    subject: str | None


class Trail:
    """``store.audit``. What was entered is on disk when ``record`` returns. Errors: ``locked``, ``try_again``.

    ``kept`` is the retention of entries; while ``trusted`` says no (the clock is in doubt) none is forgotten.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        now: Now,
        kept: timedelta,
        trusted: Callable[[], bool],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._keys = keys
        self._now = now
        self._kept = kept
        self._trusted = trusted
        self._elapsed = elapsed
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[Sequence[Draft], asyncio.Future[None]]] = []
        self._key = b""
        self._compared = False
        self._newest: End = (0, START)
        self._anchored = 0
        self._anchored_at = float("-inf")

    async def record(self, act: Act, by: Party, on: Party | None = None, detail: str | None = None) -> None:
        """Enter one act."""
        await self.record_all([Draft(act, by, on, detail)])

    async def record_all(self, drafts: Sequence[Draft]) -> None:
        """Enter several, next to each other. Calls that come together share a transaction."""
        if not drafts:
            return
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((drafts, written))
        async with self._turn:
            if not written.done():
                await self._flush()
        await written

    async def entries(
        self, first: datetime | None = None, last: datetime | None = None, act: Act | None = None
    ) -> AsyncIterator[Entry]:
        """Entries with ``first <= moment < last``, oldest first."""
        async for entry in self.found(Search(first, last, act)):
            yield entry

    async def found(self, search: Search) -> AsyncIterator[Entry]:
        """What was looked for, oldest first."""
        query = search.query()
        number, full = 0, True
        while full:
            async with self._database.read() as connection:
                part = query.where(audit.c.number > number).order_by(audit.c.number).limit(BATCH)
                rows = (await connection.execute(part)).all()
            for row in rows:
                yield Entry(*row[:-1])
            full = len(rows) == BATCH
            number = rows[-1].number if rows else number

    async def newest(self, search: Search, most: int, before: int | None = None) -> list[Entry]:
        """At most so many of what was looked for, newest first, with numbers below ``before``."""
        query = search.query() if before is None else search.query().where(audit.c.number < before)
        rows = await self._database.ask(query.order_by(audit.c.number.desc()).limit(most))
        return [Entry(*tuple(row)[:-1]) for row in rows]

    async def name(self, party: Party) -> str | None:
        """What the trail calls somebody; None when it gives no name, or nobody can know it any more."""
        return (await self._names([party]))[party]

    async def names(self, parties: Iterable[Party]) -> dict[Party, str]:
        """The same of many, asked at once; those that it gives no name are not in it."""
        return {party: name for party, name in (await self._names(parties)).items() if name is not None}

    async def verify(self) -> TrailReport:
        """Walk the whole trail, up to what is written meanwhile. Changes nothing."""
        verifier = Verifier(await self._chain_key(), await self._keys.anchored())
        number = 0
        while verifier.report.bad is None:
            async with self._database.read() as connection:
                part = select(audit).where(audit.c.number > number).order_by(audit.c.number).limit(BATCH)
                rows = (await connection.execute(part)).all()
                base = await read_mark(connection, BASE)
            if number == 0:
                verifier.begin(base)
            if not rows:
                verifier.finish()
                break
            for row in rows:
                verifier.see(Entry(*row[:-1]), row.chain)
            number = rows[-1].number
        return verifier.report

    async def tidy(self) -> int:
        """Forget what was kept long enough and anchor the newest entry; returns how many were forgotten."""
        count = await self._prune() if self._trusted() else 0
        await self.anchor()
        return count

    async def anchor(self) -> None:
        """Tell the key store which entry is the newest that this process wrote."""
        number, link = self._newest
        if number > self._anchored:
            await self._keys.anchor(number, link)
            self._anchored, self._anchored_at = number, self._elapsed()

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _flush(self) -> None:
        """Write everything that waits, in one transaction."""
        together, self._waiting = self._waiting, []
        try:
            named = await self._named(*(draft for drafts, _ in together for draft in drafts))
            anchored = (0, START) if self._compared else await self._keys.anchored()
            key = await self._chain_key()
            end = await self._follow(key, named) if self._compared else None
            if end is None:
                async with self._database.write() as connection:
                    end = await self._end(connection, key)
                    if anchored[0] > end[0]:
                        loss = await self._loss(anchored[0], end[0])
                        end = await self._append(connection, key, end, loss, anchored[0])
                    end = await self._append(connection, key, end, named)
        except Exception as error:  # noqa: BLE001 -- it is raised in everybody who waits
            settle(together, error)
            return
        except BaseException:
            settle(together, DomainError("try_again"))
            raise
        self._newest, self._compared = end, True
        settle(together, None)
        if self._elapsed() - self._anchored_at >= ANCHOR_SECONDS:
            try:
                await self.anchor()
            except DomainError:
                logger.warning("the newest entry of the audit trail could not be anchored")

    async def _follow(self, key: bytes, named: Sequence[Named]) -> End | None:
        """Add to what this process entered last, in one round trip to PostgreSQL; None where that is not the newest.

        Whoever else adds entries at this moment is waited for, and then has the number that this would have taken.
        """
        if self._database.sqlite:
            return None
        rows, end = self._rows(key, self._newest, named)
        columns = {column.name: [row[column.name] for row in rows] for column in audit.c}
        before, link = self._newest
        try:
            written = await self._database.tell(FOLLOW, {**columns, "lock": LOCK, "before": before, "link": link})
        except DomainError:  # all that a database says of a write: somebody was first, or nobody knows
            return None
        return end if written else None

    async def _append(
        self, connection: AsyncConnection, key: bytes, end: End, named: Sequence[Named], after: int | None = None
    ) -> End:
        """Add to the chain inside the caller's transaction; ``after`` leaves numbers out. Returns the new end."""
        rows, end = self._rows(key, end if after is None else (after, end[1]), named)
        await connection.execute(insert(audit), rows)
        return end

    def _rows(self, key: bytes, end: End, named: Sequence[Named]) -> tuple[list[dict[str, Any]], End]:
        """What follows the end of the chain, and its new end."""
        number, link = end
        at, rows = milliseconds(self._now()), []
        for one in named:
            number += 1
            draft, on = one.draft, one.draft.on
            on_kind = on.kind if on else None
            entry = Entry(number, at, draft.by.kind, one.actor, draft.act, on_kind, one.subject, draft.detail)
            link = entry.chained(key, link)
            rows.append(dict(zip(audit.c.keys(), (*entry.values(), link), strict=True)))
        return rows, (number, link)

    async def _end(self, connection: AsyncConnection, key: bytes) -> End:
        """The newest entry; nobody else adds one until the caller's transaction ends."""
        if not self._database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        query = select(audit.c.number, audit.c.chain).order_by(audit.c.number.desc()).limit(1)
        newest = (await connection.execute(query)).one_or_none()
        if newest is not None:
            return newest.number, newest.chain
        return read_base(key, await read_mark(connection, BASE)) or (0, START)

    async def _prune(self) -> int:
        oldest = milliseconds(self._now() - self._kept)
        begun = select(audit.c.number).where(audit.c.at < oldest - milliseconds_of(SPARE)).limit(1)
        async with self._database.read() as connection:
            if (await connection.execute(begun)).first() is None:
                return 0
        key = await self._chain_key()
        async with self._turn, self._database.write() as connection:
            end = await self._end(connection, key)
            kept = (await connection.execute(select(func.min(audit.c.number)).where(audit.c.at >= oldest))).scalar()
            last = end[0] if kept is None else kept - 1
            query = select(audit.c.number, audit.c.chain).where(audit.c.number <= last)
            forgotten = (await connection.execute(query.order_by(audit.c.number.desc()).limit(1))).one_or_none()
            if forgotten is None:
                return 0
            await write_mark(connection, BASE, write_base(key, forgotten.number, forgotten.chain))
            gone = await connection.execute(delete(audit).where(audit.c.number <= last))
            pruned = await self._named(Draft(Act.AUDIT_PRUNED, SERVER, detail=str(gone.rowcount)))
            self._newest = await self._append(connection, key, end, pruned)
        return gone.rowcount

    async def _loss(self, anchored: int, newest: int) -> list[Named]:
        """Entries that the key store remembers are not in the database: an older copy, or they were cut off."""
        logger.error("entries of the audit trail are missing", extra={"count": anchored - newest})
        return await self._named(Draft(Act.AUDIT_LOST, SERVER, detail=str(anchored - newest)))

    async def _named(self, *drafts: Draft) -> list[Named]:
        names = await self._names(party for draft in drafts for party in (draft.by, draft.on) if party)
        return [Named(draft, names[draft.by], names[draft.on] if draft.on else None) for draft in drafts]

    async def _names(self, parties: Iterable[Party]) -> dict[Party, str | None]:
        """As ``name``, with one question for all keys."""
        names = {party: party.id if party.kind == "receipt" else party.name for party in parties}
        keyed = [one for one, name in names.items() if name is None and one.id and one.kind not in OUR_OWN]
        keys = await self._keys.get_many((one.owner, one.id) for one in keyed) if keyed else {}
        names |= {one: pseudonym(keys[one.id], one) for one in keyed if one.id in keys}
        for one in names:
            if one.kind in OUR_OWN:
                names[one] = pseudonym(await self._chain_key(), one)
        return names

    async def _chain_key(self) -> bytes:
        if not self._key:
            self._key = await self._keys.audit_key()
        self._keys.unlocked()
        return self._key


def settle(together: Sequence[tuple[Sequence[Draft], "asyncio.Future[None]"]], error: Exception | None) -> None:
    """Tell everybody who waits how it went."""
    for _, written in together:
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
            written.exception()  # whoever waited may be gone: asyncio would say that nobody looked
