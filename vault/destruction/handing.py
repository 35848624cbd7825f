"""Handing what somebody has over to somebody else: a marked sequence like destroying, whatever the records are.

**Mark whose it is, and whom it goes to; a key of the taker's for each; the rows anew under these, and the old ones
marked to be destroyed, in one transaction; entries; the old keys with receipts, and the old rows.** Before that
transaction the giver alone has them, after it the taker alone. A record has another id then, which follows from the one
it had, so that the old one is destroyed like any other: with a receipt of its own, whatever a backup brings back of it.

Being cut off anywhere is finished by the next sweep. What runs is left alone, and stays with whose it was.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Row, Update, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.audit import Draft, practitioner
from vault.audit.trail import Trail
from vault.clock import Clock
from vault.database.database import Database
from vault.database.leases import Lease
from vault.database.marks import change_handing, owners_handing, write_handing
from vault.destruction.deadline import Deadline
from vault.destruction.destruction import Destruction
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.keys.unseen import minute
from vault.records.reading import Reader
from vault.records.records import Kind
from vault.records.writing import Allowed, Along

logger = logging.getLogger(__name__)

LONGEST = timedelta(days=7)
"""What could not be done by then is asked for again: an old mark that somebody puts back does little."""

SOME = "some "
"""What a mark that is about some rows only is signed with, beside its text."""

Becoming = Callable[[Any, str], Any]
"""A record, and the id that it has then, to the record as it is the taker's."""

Keyed = tuple[Any, bytes]
"""A record and its key."""

Entry = Callable[[str, str, str], Draft]
"""Who asked for it, the taker, and the id that a record has then, to what the trail has of it."""

Handed = Callable[[Sequence[str], str, str], Awaitable[None]]
"""Told the ids that records had, the giver and the taker, before the destruction of the old rows clears what is kept
elsewhere of them."""


class Transfer(Protocol):
    """What of a kind is handed over, and what becomes of it."""

    kind: Kind[Any]

    def to_come(self, record: Any) -> bool:
        """Whether this one is."""

    async def between(self, connection: AsyncConnection, giver: str, taker: str) -> Becoming | None:
        """What becomes of records; both accounts stay as they are until the transaction ends.

        None where one of them is closed, or is being closed.
        """

    async def carry(self, connection: AsyncConnection, before: Keyed, after: Keyed) -> None:
        """What hangs on a record goes along, once both rows are there, inside the transaction."""


@dataclass(frozen=True)
class Asked:
    """Whom it goes to, who asked for that and when (minutes since the Unix epoch).

    ``unsaid`` are the taker's that the audit trail does not have yet. ``only`` are the ids of the rows it is about, of
    all without any: a server that knows no such takes the mark for none of ours, and hands nothing over.
    """

    taker: str
    by: str
    at: int
    unsaid: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def text(self) -> str:
        """As it is written down."""
        some = {"only": self.only} if self.only else {}
        return json.dumps({"to": self.taker, "by": self.by, "at": self.at, "unsaid": self.unsaid, **some})


@dataclass(frozen=True)
class Remaining:
    """How many somebody has that can be handed over, that are in a running consult, and that cannot be read.

    ``running`` is None where nobody can say; they are ``free`` then. ``taker`` is whom they are being handed over to.
    """

    free: int
    running: int | None
    unreadable: int
    taker: str | None


@dataclass(frozen=True)
class Found:
    """Of some rows: records that are to come, the keys that opened them, and in which a consult runs."""

    coming: Sequence[Any]
    keys: Mapping[str, bytes]
    running: frozenset[str] | None
    unreadable: int

    @property
    def free(self) -> Sequence[Any]:
        """Those that can go now: none where nobody can say."""
        return [one for one in self.coming if self.running is not None and one.id not in self.running]


class Handing:
    """``store.retention.handing``. One process at a time; ``after`` is called when some old keys were destroyed."""

    def __init__(
        self,
        database: Database,
        transfers: Sequence[Transfer],
        keys: KeyStore,
        reader: Reader,
        destruction: Destruction,
        *,
        deadline: Deadline,
        trail: Trail,
        clock: Clock,
        lease: Lease,
        entry: Entry,
        told: Handed,
        after: Callable[[], None],
    ) -> None:
        self._database = database
        self._transfers = transfers
        self._keys = keys
        self._reader = reader
        self._destruction = destruction
        self._deadline = deadline
        self._trail = trail
        self._clock = clock
        self._lease = lease
        self._turn = asyncio.Lock()
        self._entry = entry
        self._told = told
        self._after = after

    async def ask(
        self,
        giver: str,
        taker: str,
        by: str,
        along: Along | None = None,
        ended: Sequence[Update] = (),
        only: Sequence[str] = (),
    ) -> None:
        """Mark all that the giver has to come, or the rows of ``only`` these ids, and what ended with it, and write
        ``along`` too. ``carry_out`` does it, or a sweep.

        Errors: ``conflict`` (asked before, and not done yet), ``not_found`` (an account is closed or closing),
        ``locked``, ``unreadable`` (an account).
        """
        self._keys.unlocked()
        wrong = "not_found"

        async def marked(connection: AsyncConnection) -> bool:
            nonlocal wrong
            for transfer in self._transfers:
                if await transfer.between(connection, giver, taker) is None:
                    return False
            wrong = "conflict"
            asked = Asked(taker, by, minute(self._clock.now()), only=tuple(only))
            done = await write_handing(connection, giver, self._marked(giver, asked))
            for one in ended if done else ():
                await connection.execute(one)
            return done

        if not await (along or self._alone)(marked):
            raise DomainError(wrong)

    async def _alone(self, marked: Allowed) -> bool:
        async with self._database.write() as connection:
            return await marked(connection)

    async def became(self, kind: Kind[Any], row_id: str, taker: str) -> bool | None:
        """Whether this row is the taker's now; None while somebody else is at it, who will say."""
        heir = self._keys.heir(row_id)
        table = kind.table
        async with self._database.read() as connection:
            there = await connection.execute(kind.living().where(table.c.id == heir, table.c.owner == taker))
            if there.first() is not None:
                return True
            waits = any(
                asked is not None and row_id in asked.only
                for giver, said in (await owners_handing(connection)).items()
                if (asked := self._asked(giver, said))
            )
        return None if waits else False

    async def look(self, giver: str) -> Remaining:
        """What the giver has to come. Errors: DomainError."""
        free, running, unreadable, unsure = 0, 0, 0, False
        for transfer in self._transfers:
            async for rows in self._rows(transfer, giver):
                found = await self._find(transfer, rows)
                unsure |= found.running is None
                running += len(found.running or ())
                free += len(found.coming) - len(found.running or ())
                unreadable += found.unreadable
        async with self._database.read() as connection:
            said = (await owners_handing(connection)).get(giver)
        asked = self._asked(giver, said) if said else None
        return Remaining(free, None if unsure else running, unreadable, asked.taker if asked else None)

    async def carry_out(self) -> int:
        """All that was asked for, as far as it can be now; how many were handed over. Errors: DomainError.

        0 while another process does it.
        """
        count = 0
        async with self._turn:
            async with self._database.read() as connection:
                wanted = await owners_handing(connection)
            if not wanted or not await self._lease.take():
                return 0
            try:
                for giver, said in wanted.items():
                    asked = self._asked(giver, said)
                    if asked is not None:
                        count += await self._hand_over(giver, asked)
                    else:
                        logger.error("a mark of what is handed over is too old, or none of ours")
                        await self._change(giver, said, None)
            finally:
                with suppress(DomainError):
                    await self._lease.release()
                if count:
                    self._after()
        return count

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _hand_over(self, giver: str, asked: Asked) -> int:
        """All of one giver's; the mark stays where nobody can say what runs."""
        count, whole = 0, True
        asked = await self._say(giver, asked)
        for transfer in self._transfers:
            async for rows in self._rows(transfer, giver, asked.only):
                found = await self._find(transfer, rows)
                moved = await self._move(transfer, giver, asked, found) if found.free else []
                whole &= found.running is not None and moved is not None
                if moved:
                    count += len(moved)
                    asked = await self._say(giver, replace(asked, unsaid=tuple(map(self._keys.heir, moved))))
                    await self._tell(moved, giver, asked.taker)
                    await self._destruction.finish(
                        transfer.kind, [(giver, row_id) for row_id in moved], practitioner(asked.by)
                    )
        if whole:
            await self._change(giver, self._marked(giver, asked), None)
        return count

    def _rows(self, transfer: Transfer, giver: str, only: Sequence[str] = ()) -> Any:
        kind = transfer.kind
        theirs = kind.living().where(kind.table.c.owner == giver)
        return self._destruction.batches(kind, theirs.where(kind.table.c.id.in_(only)) if only else theirs)

    async def _find(self, transfer: Transfer, rows: Sequence[Row[Any]]) -> Found:
        opened = await self._reader.open(transfer.kind, rows)
        return await self._judged(transfer, opened.living, opened.keys, len(opened.damaged))

    async def _judged(
        self, transfer: Transfer, records: Sequence[Any], keys: Mapping[str, bytes], unreadable: int = 0
    ) -> Found:
        coming = [one for one in records if transfer.to_come(one) and not self._deadline.past(one)]
        running = await self._deadline.running([one.id for one in coming])
        return Found(coming, keys, None if running is None else frozenset(running), unreadable)

    async def _move(self, transfer: Transfer, giver: str, asked: Asked, found: Found) -> list[str] | None:
        """The step after which they are the taker's: which of them, by the ids that they had.

        None of them where an account is closed or closing; None where nobody can say any more what runs. What changed
        meanwhile is as it is now, and who was let in meanwhile stays.
        """
        heirs = {one.id: self._keys.heir(one.id) for one in found.free}
        try:
            keys = await self._keys.take(asked.taker, list(heirs.values()), self._clock.now())
        except DomainError as error:
            if error.code != "not_found":
                raise
            return []
        kind, table = transfer.kind, transfer.kind.table
        async with self._database.write() as connection:
            if not await self._lease.renew(connection):
                raise DomainError("try_again")
            become = await transfer.between(connection, giver, asked.taker)
            if become is None:
                return []
            query = kind.living().where(table.c.id.in_(heirs), table.c.owner == giver).order_by(table.c.id)
            rows = (await connection.execute(query.with_for_update())).all()
            newest = [self._reader.reopen(kind, found.keys[row.id], row) for row in rows]
            still = await self._judged(transfer, newest, found.keys)
            if still.running is None:
                return None
            moved = still.free
            if moved:
                became = [(become(one, heirs[one.id]), keys[heirs[one.id]]) for one in moved]
                await connection.execute(insert(table), [kind.seal(key, one) for one, key in became])
                for one, after_it in zip(moved, became, strict=True):
                    await transfer.carry(connection, (one, found.keys[one.id]), after_it)
                await connection.execute(kind.marking().where(table.c.id.in_([one.id for one in moved])))
                after = replace(asked, unsaid=tuple(heirs[one.id] for one in moved))
                before = self._marked(giver, asked)
                if not await change_handing(connection, giver, before, self._marked(giver, after)):
                    raise DomainError("try_again")
            return [one.id for one in moved]

    async def _tell(self, moved: Sequence[str], giver: str, taker: str) -> None:
        try:
            await self._told(moved, giver, taker)
        except Exception:  # their destruction closes it in other words
            logger.exception("who came for what was handed over could not be told")

    async def _say(self, giver: str, asked: Asked) -> Asked:
        """The keys have their rows, and the trail has what was handed over."""
        if not asked.unsaid:
            return asked
        await self._keys.confirm(asked.unsaid)
        await self._trail.record_all([self._entry(asked.by, asked.taker, one) for one in asked.unsaid])
        said = replace(asked, unsaid=())
        await self._change(giver, self._marked(giver, asked), self._marked(giver, said))
        return said

    async def _change(self, giver: str, before: str, after: str | None) -> None:
        async with self._database.write() as connection:
            await change_handing(connection, giver, before, after)

    def _marked(self, giver: str, asked: Asked) -> str:
        """The mark: nobody who can only write to the database has anything handed over to themselves."""
        text = asked.text()
        return f"{self._keys.handing_mark(giver, SOME + text if asked.only else text)} {text}"

    def _asked(self, giver: str, mark: str) -> Asked | None:
        """What a mark of ours says; None for any other, and for one that is too old."""
        code, _, text = mark.partition(" ")
        ours = [self._keys.handing_mark(giver, said).encode() for said in (text, SOME + text)]
        if not sum(hmac.compare_digest(code.encode(), one) for one in ours):
            return None
        fields = json.loads(text)
        only = tuple(fields.get("only", ()))
        asked = Asked(fields["to"], fields["by"], fields["at"], tuple(fields["unsaid"]), only)
        return asked if minute(self._clock.now() - LONGEST) <= asked.at else None
