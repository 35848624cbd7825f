"""What everything that is stored has in common: the database, the key store, and how records die.

    async with open_vault(settings, KINDS, in_progress=…, on_forget=…) as vault:    # reads and writes, destroys nothing
        sweeper = vault.sweeper(on_destroy=…, on_close=…, on_handed=…, settling=…, …)           # what destroys

Times are aware; ``now`` returns aware UTC. Errors are ``DomainError`` with a code; ``open_vault`` raises
``StartRefused``, whose text is one sentence.
With ``exclusive=False`` (a command beside a running server) the data folder is not locked.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vault.audit.trail import Trail
from vault.clock import Clock, Now, boot_id, boottime, utc_now
from vault.database.database import Database
from vault.database.leases import Lease
from vault.database.marks import GENERATION, PAIR, read_mark, write_mark
from vault.database.migrate import migrate
from vault.destruction.closure import Closure, Parting
from vault.destruction.deadline import AllTold, Deadline, InProgress, Told
from vault.destruction.destruction import Destruction
from vault.destruction.due import Swept
from vault.destruction.handing import Entry, Handed, Handing, Transfer
from vault.destruction.rotation import Rotation
from vault.destruction.sweeper import Expiring, Settling, Sweeper
from vault.errors import DomainError, StartRefused
from vault.faults import reason
from vault.keys.backends import backend
from vault.keys.files import private_folder
from vault.keys.store import KeyStore, open_keystore
from vault.lock import hold, holder
from vault.records.content import new_id
from vault.records.reading import Reader
from vault.records.records import Kinds
from vault.reserve import Reserve
from vault.settings import VaultSettings

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
LEASE = timedelta(seconds=60)


@dataclass(frozen=True)
class Vault:
    """All that is stored, to be read and written. Nothing here destroys.

    ``boot`` is which start of this machine it is; ``wake`` is set by whoever knows that something is due now.
    """

    settings: VaultSettings
    kinds: Kinds
    database: Database
    keys: KeyStore
    reader: Reader
    deadline: Deadline
    audit: Trail
    reserve: Reserve
    clock: Clock
    boot: str
    lease: Lease
    wake: asyncio.Event

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.settings.data

    @property
    def locked(self) -> str | None:
        """Why the key store cannot be used: one sentence for the operator."""
        return self.keys.locked

    async def watch(self) -> None:
        """Until cancelled: see that what is open is on disk; if not, write it into a new folder of the data folder."""
        saved = False
        while True:
            if await self.look():
                saved = False
            elif not saved:
                saved = await self.save(self.data / f"rescued-{utc_now():%Y%m%dT%H%M%S}")
            await asyncio.to_thread(self.reserve.look)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> bool:
        """Whether the files in use are where they were."""
        with suppress(DomainError):
            await self.database.present()
        return await self.keys.look() and not self.database.lost

    async def save(self, folder: Path) -> bool:
        """Write what is open and no more on disk into a new folder; whether that went well."""
        try:
            await asyncio.to_thread(private_folder, folder)
            if not await self.keys.look():
                await self.keys.save(folder)
            if self.database.lost:
                await self.database.save(folder / "rooms.sqlite")
        except (DomainError, OSError):
            logger.exception("what was open could not be saved and is tried again")
            return False
        logger.error("what was open is saved in a new folder rescued-… of the data folder")
        return True

    async def key_trouble(self) -> str | None:
        """What is wrong with the key store now, as one sentence for the operator."""
        return await self.keys.trouble()

    async def ping(self) -> None:
        """DomainError ``try_again`` when the database does not answer."""
        await self.database.ping()

    def sweeper(
        self,
        *,
        on_destroy: AllTold,
        on_close: Told,
        on_handed: Handed,
        settling: Settling,
        expiring: Expiring,
        transfers: Sequence[Transfer],
        handed: Entry,
        swept: Swept,
        parting: Mapping[str, Parting],
    ) -> Sweeper:
        """What destroys: ``on_destroy`` clears what is kept elsewhere of records, ``on_close`` of an owner.

        ``on_handed`` is told of records that are somebody else's now; ``handed`` is what the trail has of each;
        ``swept`` is told how many of whose were destroyed because they were due; ``parting`` is what becomes of records
        of an account that ends.
        """
        database, kinds, keys, reader, clock = self.database, self.kinds, self.keys, self.reader, self.clock
        destruction = Destruction(database, kinds, keys, reader, self.audit, clock, on_destroy)
        rotation = Rotation(keys, self.lease, self.wake.set)
        return Sweeper(
            database,
            kinds,
            keys,
            reader,
            destruction,
            Closure(database, kinds, keys, reader, destruction, self.deadline, self.audit, clock, on_close, parting),
            self._handing(destruction, rotation, transfers, handed, on_handed),
            rotation,
            deadline=self.deadline,
            clock=clock,
            boot=self.boot,
            lease=self.lease,
            settling=settling,
            expiring=expiring,
            swept=swept,
            wake=self.wake,
            interval=self.settings.sweep_interval,
            snapshot_keys=self.settings.snapshot_keys,
        )

    def _handing(
        self,
        destruction: Destruction,
        rotation: Rotation,
        transfers: Sequence[Transfer],
        handed: Entry,
        on_handed: Handed,
    ) -> Handing:
        return Handing(
            self.database,
            transfers,
            self.keys,
            self.reader,
            destruction,
            deadline=self.deadline,
            trail=self.audit,
            clock=self.clock,
            lease=Lease(self.database, "handing", self.lease.holder, LEASE, self.clock.wall),
            entry=handed,
            told=on_handed,
            after=rotation.wake,
        )


@asynccontextmanager
async def open_vault(
    settings: VaultSettings,
    kinds: Kinds,
    *,
    in_progress: InProgress,
    on_forget: Callable[[Iterable[str]], None],
    now: Now = utc_now,
    boot: Callable[[], float] = boottime,
    exclusive: bool = True,
) -> AsyncIterator[Vault]:
    """Open everything, migrated. A key store that cannot be used gives a locked one. Errors: StartRefused.

    ``in_progress`` says of which records something runs that is waited for. ``on_forget`` is told ids of what is
    destroyed, whoever destroyed it.
    """
    async with AsyncExitStack() as stack:
        url, keystore = settings.database(), backend(settings)
        name = await occupy(settings, stack) if exclusive else new_id()
        await asyncio.to_thread(migrate, url)
        database = Database(url)
        stack.push_async_callback(database.close)
        pair, generation = await known_pair(database)
        wait = settings.keystore_wait if exclusive else 0.0
        keys = await open_keystore(keystore, pair=pair, generation=generation, wait=wait)
        stack.push_async_callback(keys.close)
        await remember_pair(database, pair, keys)
        if exclusive and keys.flat:
            await grow(keys)
        clock = Clock(now, boot)
        if settings.trust_clock:
            clock.confirm()
        vault = Vault(
            settings,
            kinds,
            database,
            keys,
            reader=Reader(keys, on_forget),
            deadline=Deadline(clock, in_progress, settings.retention_cap),
            audit=Trail(database, keys, clock.wall, timedelta(days=settings.audit_days), lambda: clock.doubt() is None),
            reserve=Reserve(folders(settings)),
            clock=clock,
            boot=await asyncio.to_thread(boot_id),
            lease=Lease(database, "sweep", name, LEASE, now),
            wake=asyncio.Event(),
        )
        yield vault
        with suppress(DomainError):
            await vault.audit.anchor()
        with suppress(DomainError):
            await vault.lease.release()


async def occupy(settings: VaultSettings, stack: AsyncExitStack) -> str:
    """Nobody else may run on this data folder; what whoever holds it is called. Errors: StartRefused."""
    descriptor = await asyncio.to_thread(hold, settings.data)
    stack.callback(os.close, descriptor)
    # A full disk must not keep a server from starting, and from destroying.
    await asyncio.to_thread(Reserve(folders(settings)).look)
    return await asyncio.to_thread(holder, descriptor)


async def known_pair(database: Database) -> tuple[str | None, int]:
    """Which key store belongs to this database, None for a new one, and how many destructions it has seen.

    Errors: StartRefused.
    """
    try:
        async with database.read() as connection:
            return await read_mark(connection, PAIR), int(await read_mark(connection, GENERATION) or 0)
    except DomainError as error:
        raise StartRefused(reason(error, "The database of rooms.database_url")) from None


async def remember_pair(database: Database, pair: str | None, keys: KeyStore) -> None:
    """A new database knows from now on which key store is its own. Errors: StartRefused."""
    if keys.locked is not None:
        logger.error("the key store is locked")
    elif pair is None:
        try:
            async with database.write() as connection:
                await write_mark(connection, PAIR, keys.pair)
        except DomainError as error:
            raise StartRefused(reason(error, "The database of rooms.database_url")) from None


async def grow(keys: KeyStore) -> None:
    """Take the key store's step. Servers of the version before may run beside: then all goes on as they know it."""
    with suppress(DomainError):
        if await keys.grow():
            logger.info("the key store has its keys in a tree")
            return
    logger.warning("the key store stays flat: others use it; stop every server, then run `spreekkamer db upgrade`")


def folders(settings: VaultSettings) -> list[Path]:
    """Where a server writes."""
    urls = (settings.database(), settings.keystore_address())
    return [settings.data, *(Path(url.database or "").parent for url in urls if url.get_backend_name() == "sqlite")]
