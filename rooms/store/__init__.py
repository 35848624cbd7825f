"""Storage of the domain: one ``Store`` per process.

    async with open_storage(settings, in_progress=live.are_live) as storage:   # reads and writes, destroys nothing
        signaling = attach(storage)                                           # what consults are made of
        store = storage.destroying(on_destroy=signaling.destroyed, on_close=signaling.sign_out)
        await store.retention.catch_up()                                      # before the port opens
        task_group.create_task(store.retention.run())

    in_progress: async (appointment ids) -> ids | None          # consults that are waited for; None: nobody can say
    on_destroy:  async (appointment ids) -> {id: fault}         # caches, traces in Redis
    on_close:    async (practitioner id) -> None                # the same of an account

    async with open_store(settings, in_progress=…, on_destroy=…, on_close=…) as store:   # where all are known before

    store.locked -> str | None                       # a sentence for the operator; every call then raises code `locked`
    await store.ping()                               # raises RoomsError("try_again") when the database does not answer

    scope                                            # whose records: ``rooms.scope``

    store.practitioners
        add(mail, password, display_name, language, retention="30d") -> Practitioner   # `conflict`, `invalid`
        authenticate(mail, password) -> Practitioner | None        # argon2id; the same work for an unknown address
        get(scope) -> Practitioner                                  # `not_found`
        by_mail(scope, mail) -> Practitioner | None;  id_by_mail(scope, mail) -> id | None  # also damaged
        preview_retention(scope, setting) -> int                    # living appointments it destroys within 60 s
        set_retention(scope, setting) -> int                        # the same number, done
        reschedule_all(scope);  reschedule_behind(scope)            # for the sweeper
    store.sessions
        create(practitioner_id) -> token;  practitioner(token) -> id | None;  end(token);  end_all(practitioner_id)
        reference(token) -> text;  lives(reference) -> bool;  use(references) -> those that have ended
        purge();  bounds() -> what makes one expired                # for the sweeper
    store.appointments
        create(scope, patient, starts_at, minutes, language) -> Appointment             # `invalid`
        get(scope, id) -> Appointment                # `not_found`; `gone` once destroyed or past due; `unreadable`
        list(scope, first_day, last_day) -> list[Appointment]       # inclusive local days, sorted by start
        agenda(scope, first_day, last_day) -> Agenda                # the same, and what cannot be read
        by_link(scope, secret) -> Visit | None                      # constant work
        end(scope, id) -> Appointment                               # idempotent: the first end counts
        reopen(scope, id) -> Appointment                            # takes an end back
        receipts(scope) -> list[Receipt]                            # newest first
    store.sentences
        of(scope) -> Said;  say(scope, language, text) -> Sentence                      # `invalid`
        for_waiting(scope, visit, language) -> str | None
    store.retention
        destroy(scope, id) -> Receipt;  sweep() -> int;  run();  catch_up() -> int;  status() -> RetentionStatus
        destroy_all(scope) -> Emptied;  close(scope) -> Closed      # by the same way; running consults are waited for
        request_closure(scope)                                      # for a command: a running server does the rest
        resume()                                                    # the operator confirms the clock
        due() -> int;  compare() -> int                             # past due now; rows that differ from their keys
    store.audit
        record(act, by, on=None, detail=None);  record_all(drafts)  # who did what to which object: ``rooms.audit``
        entries(first, last, act);  name(party) -> text | None;  verify() -> Report;  tidy() -> int;  anchor()

Times are aware; ``now`` returns aware UTC. Errors are ``RoomsError`` with a code; ``open_storage`` raises
``StartRefused``, whose text is one sentence.
With ``exclusive=False`` (a command beside a running server) the data folder is not locked.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rooms.clock import Clock, Now, boot_id, boottime, utc_now
from rooms.errors import RoomsError, StartRefused
from rooms.faults import reason
from rooms.keys.backends import backend
from rooms.keys.files import private_folder
from rooms.keys.store import KeyStore, open_keystore
from rooms.lock import hold, holder
from rooms.reserve import Reserve
from rooms.retention import AllTold, Deadline, InProgress, Told
from rooms.settings import RoomsSettings
from rooms.store.appointments import Appointments
from rooms.store.closure import Closure
from rooms.store.database import Database
from rooms.store.destruction import Destruction
from rooms.store.leases import Lease
from rooms.store.marks import GENERATION, PAIR, read_mark, write_mark
from rooms.store.migrate import migrate
from rooms.store.practitioners import Practitioners
from rooms.store.reading import Reader
from rooms.store.sealed import new_id
from rooms.store.sentences import Sentences
from rooms.store.sessions import Sessions
from rooms.store.sweeper import Sweeper
from rooms.store.trail import Trail

logger = logging.getLogger(__name__)

__all__ = ["Storage", "Store", "open_storage", "open_store"]

LOOK_SECONDS = 2.0
LEASE = timedelta(seconds=60)


@dataclass(frozen=True)
class Inner:
    """What storage and its destruction share."""

    settings: RoomsSettings
    clock: Clock
    boot: str
    lease: Lease
    reader: Reader
    deadline: Deadline
    wake: asyncio.Event


@dataclass(frozen=True)
class Storage:
    """All that is stored, to be read and written. Nothing here destroys."""

    practitioners: Practitioners
    sessions: Sessions
    appointments: Appointments
    sentences: Sentences
    audit: Trail
    database: Database
    keys: KeyStore
    reserve: Reserve
    inner: Inner

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.inner.settings.data

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
        with suppress(RoomsError):
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
        except (RoomsError, OSError):
            logger.exception("what was open could not be saved and is tried again")
            return False
        logger.error("what was open is saved in a new folder rescued-… of the data folder")
        return True

    async def key_trouble(self) -> str | None:
        """What is wrong with the key store now, as one sentence for the operator."""
        return await self.keys.trouble()

    async def ping(self) -> None:
        """RoomsError ``try_again`` when the database does not answer."""
        await self.database.ping()

    def destroying(self, *, on_destroy: AllTold, on_close: Told) -> "Store":
        """The same with what destroys: ``on_destroy`` clears what is kept elsewhere of an appointment, ``on_close`` of
        a practitioner.
        """
        inner, database, keys = self.inner, self.database, self.keys
        destruction = Destruction(database, keys, inner.reader, self.audit, inner.clock, on_destroy)
        closure = Closure(database, keys, inner.reader, destruction, inner.deadline, self.audit, inner.clock, on_close)
        retention = Sweeper(
            database,
            keys,
            inner.reader,
            destruction,
            closure,
            deadline=inner.deadline,
            clock=inner.clock,
            boot=inner.boot,
            lease=inner.lease,
            practitioners=self.practitioners,
            sessions=self.sessions,
            wake=inner.wake,
            interval=inner.settings.sweep_interval,
            snapshot_keys=inner.settings.snapshot_keys,
        )
        return Store(**vars(self), retention=retention)


@dataclass(frozen=True)
class Store(Storage):
    """All storage of the domain."""

    retention: Sweeper


@asynccontextmanager
async def open_store(
    settings: RoomsSettings,
    *,
    in_progress: InProgress,
    on_destroy: AllTold,
    on_close: Told,
    now: Now = utc_now,
    boot: Callable[[], float] = boottime,
    exclusive: bool = True,
) -> AsyncIterator[Store]:
    """``open_storage`` and what destroys, for whoever knows all of it before."""
    async with open_storage(settings, in_progress=in_progress, now=now, boot=boot, exclusive=exclusive) as storage:
        yield storage.destroying(on_destroy=on_destroy, on_close=on_close)


@asynccontextmanager
async def open_storage(
    settings: RoomsSettings,
    *,
    in_progress: InProgress,
    now: Now = utc_now,
    boot: Callable[[], float] = boottime,
    exclusive: bool = True,
) -> AsyncIterator[Storage]:
    """Open everything, migrated. Errors: StartRefused. A key store that cannot be used gives a locked store."""
    url, keystore = settings.database(), backend(settings)
    async with AsyncExitStack() as stack:
        name = new_id()
        if exclusive:
            descriptor = await asyncio.to_thread(hold, settings.data)
            stack.callback(os.close, descriptor)
            # A full disk must not keep a server from starting, and from destroying.
            await asyncio.to_thread(Reserve(folders(settings)).look)
            name = await asyncio.to_thread(holder, descriptor)
        await asyncio.to_thread(migrate, url)
        database = Database(url)
        stack.push_async_callback(database.close)
        try:
            async with database.read() as connection:
                pair = await read_mark(connection, PAIR)
                generation = int(await read_mark(connection, GENERATION) or 0)
        except RoomsError as error:
            raise StartRefused(reason(error, "The database of rooms.database_url")) from None
        keys = await open_keystore(
            keystore, pair=pair, generation=generation, wait=settings.keystore_wait if exclusive else 0.0
        )
        stack.push_async_callback(keys.close)
        if keys.locked is not None:
            logger.error("the key store is locked")
        elif pair is None:
            try:
                async with database.write() as connection:
                    await write_mark(connection, PAIR, keys.pair)
            except RoomsError as error:
                raise StartRefused(reason(error, "The database of rooms.database_url")) from None
        if exclusive and keys.flat:
            await grow(keys)
        lease = Lease(database, "sweep", name, LEASE, now)
        clock, reader, identity = Clock(now, boot), Reader(keys), await asyncio.to_thread(boot_id)
        if settings.trust_clock:
            clock.confirm()
        deadline = Deadline(clock, in_progress, settings.retention_cap)
        storage = assemble(database, keys, Inner(settings, clock, identity, lease, reader, deadline, asyncio.Event()))
        yield storage
        with suppress(RoomsError):
            await storage.audit.anchor()
        with suppress(RoomsError):
            await lease.release()


async def grow(keys: KeyStore) -> None:
    """Take the key store's step. Servers of the version before may run beside: then all goes on as they know it."""
    with suppress(RoomsError):
        if await keys.grow():
            logger.info("the key store has its keys in a tree")
            return
    logger.warning("the key store stays flat: others use it; stop every server, then run `spreekkamer db upgrade`")


def folders(settings: RoomsSettings) -> list[Path]:
    """Where a server writes."""
    urls = (settings.database(), settings.keystore_address())
    return [settings.data, *(Path(url.database or "").parent for url in urls if url.get_backend_name() == "sqlite")]


def assemble(database: Database, keys: KeyStore, inner: Inner) -> Storage:
    """Put the parts together."""
    settings, clock, reader, deadline = inner.settings, inner.clock, inner.reader, inner.deadline
    now, reserve = clock.wall, Reserve(folders(settings))
    practitioners = Practitioners(database, keys, reader, deadline, now)
    sessions = Sessions(database, keys, now)
    appointments = Appointments(database, keys, reader, deadline, now, reserve, inner.wake.set)
    sentences = Sentences(database, keys, reader, now, reserve)
    audit = Trail(database, keys, now, timedelta(days=settings.audit_days), lambda: clock.doubt() is None)
    return Storage(practitioners, sessions, appointments, sentences, audit, database, keys, reserve, inner)
