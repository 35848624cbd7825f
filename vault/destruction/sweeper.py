"""The sweeper, that destroys in time, and the clock it waits for."""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import ColumnElement

from vault.audit import Party, practitioner
from vault.backup import expiry
from vault.clock import BEHIND, TOLERANCE, Clock
from vault.database.database import Database
from vault.database.leases import Lease
from vault.database.marks import CAP, read_mark, write_mark
from vault.destruction import todo
from vault.destruction.apart import PARTS, Apart
from vault.destruction.closure import Closed, Closure, Emptied
from vault.destruction.comparison import Comparison
from vault.destruction.deadline import Deadline
from vault.destruction.destruction import Destruction
from vault.destruction.due import Due, Swept
from vault.destruction.handing import Handing
from vault.destruction.rotation import Rotation
from vault.destruction.status import RetentionStatus
from vault.destruction.sweeps import Left, Sweeps
from vault.destruction.vouching import Vouching
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.keys.store import KeyStore
from vault.keystore import present
from vault.records.reading import Reader
from vault.records.records import Kind, Kinds
from vault.records.scope import SERVER, Scope
from vault.records.strangers import count_strange
from vault.records.writing import Along

logger = logging.getLogger(__name__)

REST = 3.0
"""Comparing rows and keys rests so much longer than it works."""

SOON = 3.0
"""Seconds between two sweeps of which the second is for what it is known to find."""

LOOK = 100
"""So many rows a server opens that does not sweep, where the one that does says nothing (a program of before)."""


class Settling(Protocol):
    """Due times that follow from what accounts have set."""

    async def reschedule_all(self, scope: Scope) -> None:
        """All of everybody's."""

    async def reschedule_behind(self, scope: Scope) -> None:
        """Those that an older program could not read when their setting changed."""


class Expiring(Protocol):
    """What lets somebody in, and expires."""

    expired: ColumnElement[bool]
    """Whether a row is of no use to anybody any more, of ``bounds``."""

    def bounds(self) -> dict[str, float]:
        """Now."""

    async def purge(self) -> None:
        """Forget those rows."""


class Sweeper:
    """``store.retention``. ``wake`` is set by whoever knows that something is due now."""

    def __init__(
        self,
        database: Database,
        kinds: Kinds,
        keys: KeyStore,
        reader: Reader,
        destruction: Destruction,
        closure: Closure,
        handing: Handing,
        rotation: Rotation,
        *,
        deadline: Deadline,
        clock: Clock,
        boot: str,
        lease: Lease,
        settling: Settling,
        expiring: Expiring,
        swept: Swept,
        wake: asyncio.Event,
        interval: float,
        snapshot_keys: Path | None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._reader = reader
        self._destruction = destruction
        self._closure = closure
        self.handing = handing
        self._deadline = deadline
        self._clock = clock
        self._settling, self._expiring, self._swept = settling, expiring, swept
        self._looks = todo.Looks(database, kinds, expiring.expired)
        self._present = partial(present, database, kinds)
        self._interval = interval
        self._snapshot_keys = snapshot_keys
        self._wake = wake
        self._wal_left, self._strange = False, 0
        self.failures = dict.fromkeys(PARTS, 0)
        self._lease = lease
        self.rotation = rotation
        self._sweeps = Sweeps(database, lease)
        self._comparison = Comparison(database, kinds, keys, clock)
        self._vouching = Vouching(database, keys, clock, boot)
        self._due = Due(database, kinds, reader, deadline, clock)
        self._beside: Left | None = None
        self._tried: datetime | None = None
        self._good: datetime | None = None
        self._passed = False
        self._last_sweep: datetime | None = None

    async def destroy(
        self, scope: Scope, row_id: str, *kinds: Kind[Any], along: Along | None = None, by: Party | None = None
    ) -> Receipt:
        """Destroy one record of theirs, of these kinds or, without any, of all; a second time gives the same receipt.

        ``along`` writes more in the transaction that marks it; ``by`` is who does it if not whose scope it is.
        Errors: ``not_found``, ``locked``, ``bad_state`` (a law demands that it be kept a while: ``preservation``).
        """
        owner = scope.owner_of(*(kind.name for kind in kinds))
        kind = await self._destruction.mark(owner, row_id, *kinds, along=along)
        if kind is not None:
            does = by or practitioner(scope.actor or owner)
            (receipt,) = await self._destruction.finish(kind, [(owner, row_id)], does)
            self.rotation.wake()
            return receipt
        earlier = await self._keys.receipt(owner, row_id)
        if earlier is None:
            raise DomainError("not_found")
        return earlier

    async def destroy_all(self, scope: Scope) -> Emptied:
        """Destroy all of theirs now; running consults as soon as they end. Errors: ``not_found``, ``locked``."""
        owner = scope.owner
        await self._closure.hasten(owner)
        emptied = await self._closure.empty(owner)
        self._wake.set()
        return emptied

    async def request_closure(self, scope: Scope) -> None:
        """The account ends: nobody signs in, all is due now; a running server does the rest. Errors: ``not_found``."""
        await self._closure.hasten(scope.owner, closing=True)
        self._wake.set()

    async def close(self, scope: Scope) -> Closed:
        """Destroy all of theirs and the account; running consults are waited for. Errors: ``not_found``."""
        owner = scope.owner
        await self.request_closure(scope)
        emptied = await self._closure.empty(owner)
        closed = await self._closure.finish()
        if self.rotation.running or await self._lease.take():
            await self.rotation.soon()
        receipt = closed.get(owner) or await self._keys.receipt(owner, owner)
        return Closed(emptied.destroyed, emptied.waiting, receipt, preserved=emptied.preserved)

    async def catch_up(self) -> int:
        """Before the port opens: finish what was cut off, destroy what fell due meanwhile.

        Returns how many were destroyed. With a locked key store nothing is touched. What a backup brought back is
        found by ``compare``, which ``run`` does beside its sweeps.
        """
        if self._keys.locked:
            return 0
        await self._vouching.remember()
        count = await self._destruction.finish_marked()
        await self._vouching.judge()
        await self._apply_cap()
        return count + await self.sweep()

    async def compare(self, *, gently: bool = False) -> int:
        """Compare all rows and keys that were not yet; returns how many came back and are marked to be destroyed again.

        ``gently`` it rests after each page, and waits for a clock that is in doubt. Errors: DomainError.
        """
        again = 0
        while not (self._keys.locked or self._comparison.done):
            began = time.monotonic()
            if not self._comparison.waits:
                found = await self._comparison.step()
                again += found
                if found:
                    self._wake.set()
            elif gently:
                await asyncio.sleep(self._interval)
            else:
                break
            if gently:
                await asyncio.sleep((time.monotonic() - began) * REST)
        return again

    async def run(self) -> None:
        """Sweep for ever, one server at a time, and end epochs. Faults are logged and tried again."""
        beside = [asyncio.create_task(self._compare()), asyncio.create_task(self.rotation.run())]
        try:
            await self._run()
        finally:
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _compare(self) -> None:
        while True:
            try:
                await self.compare(gently=True)
            except Exception:
                logger.exception("comparing rows and keys failed and is tried again")
                await asyncio.sleep(self._interval)
            else:
                return

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.sweep()
            except Exception:  # nothing may end the sweeper but its owner
                logger.exception("the sweep failed and is tried again")
            with suppress(TimeoutError):  # Python 3.11's ``wait_for`` can lose that it was cancelled
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()

    def _pause(self) -> float:
        """Seconds until the next sweep: until something is due, but not at once again."""
        if self._due.next is None:
            return self._interval
        until = (self._due.next - self._clock.now()).total_seconds()
        return min(max(until, SOON), self._interval)

    async def sweep(self) -> int:
        """Destroy all that is due. Returns how many; 0 when another server has the lease."""
        if self._snapshot_keys is not None:
            await asyncio.to_thread(expiry.expire, self._snapshot_keys, self._clock.now())
        if self._keys.locked:
            return 0
        self._tried = self._clock.now()
        await self._reader.forget_gone(self._present)
        if not await self._sweeps.take():
            mute = (await self._sweeps.said()).left is None
            self._beside = Left(*await self._look(LOOK)) if mute else None
            return 0
        self._good, self._passed = self._good or self._tried, False
        try:
            count = await self._sweep(Apart(self.failures))
        except Exception:
            with suppress(DomainError):
                await self._sweeps.failed(None if self._passed else self._good)
            raise
        await self._sweeps.done()
        self._last_sweep = self._clock.now()
        return count

    async def _sweep(self, parts: Apart) -> int:
        count, changed, found = 0, False, todo.ALL
        with parts.part("marked"):
            found = await self._looks.look(self._expiring.bounds(), self._due.day)
            if todo.MARKED in found:
                count += await self._destruction.finish_marked()
        with parts.part("clock"):
            await self._vouching.judge()
        with parts.part("settings"):
            self._strange = await self._count_strange() if todo.STRANGE in found else 0
            if todo.UNSETTLED in found:
                await self._settling.reschedule_behind(SERVER)
        with parts.part("due"):
            # What was unsettled when it was looked may be due only since it is settled.
            if found.isdisjoint((todo.DUE, todo.UNSETTLED)):
                self._due.nothing()
                self._sweeps.found(0, None)
            elif self._clock.doubt() is None:
                count += await self._destroy_due()
            else:
                self._sweeps.found(*await self._look())
        if parts.sound:
            self._good, self._passed = self._clock.now(), True
        with parts.part("handing"):
            changed |= todo.HANDING in found and bool(await self.handing.carry_out())
        if self._clock.doubt() is None:
            with parts.part("settle"):
                await self._destruction.settle()
        with parts.part("closing"):
            changed |= todo.ENDING in found and bool(await self._closure.finish())
        with parts.part("rotate"):
            changed |= await self.rotation.soon(needed=bool(count) or changed)
        with parts.part("sessions"):
            if todo.EXPIRED in found:
                await self._expiring.purge()
        # What was destroyed by hand stays in SQLite's WAL until a sweep.
        self._wal_left |= bool(count) or changed or self.rotation.ended
        self.rotation.ended = False
        if count or changed:
            logger.info("destroyed what was due", extra={"count": count})
        if self._wal_left:
            with parts.part("journal"):
                self._wal_left = not await self._database.truncate_wal()
        parts.end()
        return count

    async def _count_strange(self) -> int:
        async with self._database.read() as connection:
            return await count_strange(connection)

    async def resume(self) -> None:
        """The operator says that the clock is right; a server that runs beside this process learns it too."""
        await self._vouching.confirm()

    @property
    def damage(self) -> tuple[int, int]:
        """Rows that had neither a key nor a receipt at the start; those and accounts found damaged since."""
        return self._comparison.alarms, len(self._reader.damaged) + len(self._reader.owners)

    @property
    def clock_trouble(self) -> str | None:
        """What is wrong with the clock, as one sentence for the operator."""
        return self._clock.doubt() or (BEHIND if self._clock.behind() > TOLERANCE else None)

    @property
    def behind(self) -> float:
        """Seconds by which the wall clock is behind the time that passed, or behind what was written."""
        return max(0.0, self._clock.behind().total_seconds())

    async def status(self) -> RetentionStatus:
        """For readiness and metrics: no row is opened, however many are due."""
        said = await self._sweeps.said()
        waiting = await self.rotation.waiting()
        left, at, wall = said.left or self._beside or Left(), said.at or self._tried, self._clock.wall()
        return RetentionStatus(
            locked=self._keys.locked,
            paused=self._clock.doubt(),
            overdue=left.overdue,
            lag=max(0.0, (self._clock.now() - left.since).total_seconds()) if left.since else 0.0,
            alarms=self._comparison.alarms,
            compared=self._comparison.share,
            unreadable=len(self._reader.damaged) + len(self._reader.owners),
            newer=len(self._reader.newer) + self._strange,
            behind=self.behind,
            idle=max(0.0, (wall - at).total_seconds()) if at else 0.0,
            failures=left.failures,
            waiting=waiting.people,
            waiting_seconds=max(0.0, (wall - waiting.since).total_seconds()) if waiting.since else 0.0,
            last_sweep=self._last_sweep,
        )

    async def due(self) -> int:
        """How many living appointments are past due now, also where nobody can say whether a consult runs.

        It opens all whose day has come.
        """
        return (await self._look(unsure=True))[0]

    async def _look(self, most: int | None = None, *, unsure: bool = False) -> tuple[int, datetime | None]:
        """How many are past due, and since when the oldest is; the arguments are those of ``Due.batches``."""
        overdue, since = 0, None
        async for batch in self._due.batches(most, unsure=unsure):
            overdue += len(batch.due)
            since = min((one.due for one in batch.due if one.due and (since is None or one.due < since)), default=since)
        return overdue, since

    async def _destroy_due(self) -> int:
        count = 0
        async for batch in self._due.batches():
            self._sweeps.found(len(batch.due), min((one.due for one in batch.due if one.due), default=None))
            marked = await self._destruction.mark_due(batch, self._sweeps)
            if marked is None:
                logger.warning("the lease of the sweep was lost")
                break
            count += len(await self._destruction.finish(batch.kind, marked))
            await self._swept(SERVER, batch.owners(marked))
        self._sweeps.found(0, None)
        return count

    async def _apply_cap(self) -> None:
        """When the operator's cap changed, every living appointment follows."""
        cap = str(self._deadline.cap)
        async with self._database.read() as connection:
            before = await read_mark(connection, CAP)
        if before == cap:
            return
        if before is not None:
            await self._settling.reschedule_all(SERVER)
        async with self._database.write() as connection:
            await write_mark(connection, CAP, cap)
