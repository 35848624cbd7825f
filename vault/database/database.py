"""Connections: the same transactions on SQLite and PostgreSQL, errors without content."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote
from weakref import WeakSet

import aiosqlite
from sqlalchemy import URL, Connection, Engine, Executable, QueuePool, Row, Table, create_engine, event, exc, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from vault.database import pooled
from vault.errors import DomainError
from vault.pinned import Pinned

logger = logging.getLogger(__name__)

T = TypeVar("T")

SQLITE_PRAGMAS = ("journal_mode=WAL", "busy_timeout=5000", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
SQLITE_THREADS = 4
ROWS_AT_ONCE = 64
"""That a cursor takes to another thread and back."""

POSTGRES_LINE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""Of a connection that was cut without a word the kernel knows after ten seconds, not after hours."""

POSTGRES_SECONDS = 30.0
"""For a transaction: a server that takes connections and says nothing more would else be waited on for ever."""


EXPLICIT: Final = {"isolation_level": "AUTOCOMMIT", "pool_pre_ping": False, "pool_size": 15, "max_overflow": 0}
"""We begin transactions, not the driver: one that begins is answered, which tells as much as a ping before it. What was
opened is kept: a new connection costs more than all that is asked on it."""


class Database:
    """``read()`` and ``write()`` transactions, and single statements. A committed write is on disk.

    Errors of the database become DomainError ``try_again``, a broken constraint ``conflict``.
    """

    def __init__(self, url: URL) -> None:
        self.sqlite = url.get_backend_name() == "sqlite"
        self._path = Path(url.database or "") if self.sqlite else None
        self._files: WeakSet[File] = WeakSet()
        creator = {"async_creator": partial(self._open, self._path)} if self._path else {}
        self.engine: AsyncEngine = create_async_engine(
            url, hide_parameters=True, **{**options(url), **creator, **({} if self.sqlite else EXPLICIT)}
        )
        listen(self.engine.sync_engine)
        # Single statements on a file take one hop to another thread; aiosqlite takes one for each part of each.
        self._threads = ThreadPoolExecutor(SQLITE_THREADS, thread_name_prefix="sqlite") if self._path else None
        self._beside = single_file(self._path) if self._path else self.engine.sync_engine
        self._single = self._beside.execution_options(outside_transaction=True)
        self._writing = self.engine.execution_options(writes=True)
        self._pinned: Pinned | None = None
        self._lost = False
        # SQLite has one writer: waiting here is fair and costs nothing, waiting in its busy handler sleeps.
        self._writer = asyncio.Lock() if self.sqlite else None

    @property
    def engines(self) -> set[Engine]:
        """All that statements go through: on SQLite single ones and transactions have one each."""
        return {self.engine.sync_engine, self._beside}

    async def _open(self, path: Path) -> aiosqlite.Connection:
        return await open_file(path, self._files)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent snapshot on SQLite, READ COMMITTED on PostgreSQL."""
        async with self._translated(), begun(self.engine) as connection:
            yield connection

    async def ask(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """The rows of one statement that only reads: a snapshot by itself, in one round trip to PostgreSQL."""

        def rows(connection: Connection) -> Sequence[Row[Any]]:
            return connection.execute(statement, parameters).all()

        async with self._translated():
            try:
                return await self._alone(rows)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            return await self._alone(rows)  # the server had closed that connection meanwhile

    async def tell(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> int:
        """A write of one statement, in one round trip to PostgreSQL, on disk when this returns; how many rows it wrote.

        Errors as of ``write``: on ``try_again`` nobody knows whether it was carried out.
        """

        def written(connection: Connection) -> tuple[int, bool]:
            result = connection.execute(statement, parameters)
            connection.commit()
            return result.rowcount, self._whole()

        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._translated())
            if self._writer is not None:
                await stack.enter_async_context(self._writer)
            rows, whole = await self._alone(written)
        self._found(whole)
        return rows

    async def _alone(self, work: Callable[[Connection], T]) -> T:
        """Outside a transaction, in one greenlet: one for each call would take longer than the calls."""

        def connected() -> T:
            with self._single.connect() as connection:
                return work(connection)

        if self._threads is None:
            return await greenlet_spawn(connected)
        return await asyncio.get_running_loop().run_in_executor(self._threads, connected)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end and rolled back on any exception."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._translated())
            if self._writer is not None:
                await stack.enter_async_context(self._writer)
            yield await stack.enter_async_context(begun(self._writing))
        await self.present()

    async def present(self) -> None:
        """DomainError ``try_again`` when the file in use is not in its place any more: nothing may be acknowledged."""
        if self._path is not None:
            self._found(await asyncio.to_thread(self._whole))

    def _whole(self) -> bool:
        if self._path is None:
            return True
        if self._pinned is None:
            self._pinned = Pinned((self._path,))
        return self._pinned.whole()

    def _found(self, whole: bool) -> None:
        if whole:
            self._lost = False
            return
        if not self._lost:
            logger.critical("the database in use is not on disk any more; see Saving in docs/operations.md")
        self._lost = True
        raise DomainError("try_again")

    @property
    def lost(self) -> bool:
        """Whether the file in use was not in its place when somebody last looked."""
        return self._lost

    async def save(self, path: Path) -> None:
        """Write what is open into a new SQLite file. Errors: ``try_again``."""
        async with self._translated(), self.engine.connect() as connection:
            autocommit = await connection.execution_options(outside_transaction=True)
            await autocommit.execute(text("VACUUM INTO :path"), {"path": str(path)})

    async def truncate_wal(self) -> bool:
        """Empty SQLite's WAL, so that deleted ciphertext does not stay in it; False while a reader is in the way.

        Nothing to do on PostgreSQL.
        """
        if not self.sqlite:
            return True
        async with self._translated(), self.engine.connect() as connection:
            autocommit = await connection.execution_options(outside_transaction=True)
            try:
                busy, _, _ = (await autocommit.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()
            except OperationalError as error:
                if "locked" not in str(error.orig):
                    raise
                return False
            return not busy

    async def ping(self) -> None:
        """DomainError ``try_again`` when the database does not answer."""
        await self.ask(text("SELECT 1"))
        await self.present()

    async def close(self) -> None:
        """Idempotent. No thread of it says anything to this event loop afterwards."""
        await self.engine.dispose()
        for file in list(self._files):
            await file.ended()
        await asyncio.to_thread(self._end_single)

    def _end_single(self) -> None:
        """Those that nobody waits for any more first: each gives its connection back."""
        if self._threads is not None:
            self._threads.shutdown()
            self._beside.dispose()

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(None if self.sqlite else POSTGRES_SECONDS):
                yield
        except IntegrityError:
            raise DomainError("conflict") from None
        except (DBAPIError, exc.TimeoutError, sqlite3.Error, OSError) as error:
            logger.exception("the database does not answer")
            raise DomainError("try_again") from error


@asynccontextmanager
async def begun(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection with a transaction, on a new one where the server had closed the old one while nobody used it."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(engine.connect())
        try:
            await stack.enter_async_context(connection.begin())
        except DBAPIError:
            await connection.close()
            connection = await stack.enter_async_context(engine.connect())
            await stack.enter_async_context(connection.begin())
        yield connection


def single_file(path: Path) -> Engine:
    """An engine that is used by one thread at a time, on a file that is there."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address(path), uri=True, check_same_thread=False)

    engine = create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True, pool_reset_on_return=None
    )
    listen(engine)
    return engine


def address(path: Path) -> str:
    """As SQLite takes it, of a file that it does not make."""
    return f"file:{quote(str(path))}?mode=rw"


class File(aiosqlite.Connection):
    """A connection whose thread can be waited for, also where whoever had it closed did not wait.

    SQLAlchemy does not where a statement is cancelled, and the thread then speaks to an event loop that may be closed.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(partial(sqlite3.connect, address(path), uri=True), ROWS_AT_ONCE)
        self._end: asyncio.Future[None] | None = None

    def stop(self) -> "asyncio.Future[None] | None":
        """Once: its thread would never answer a second call."""
        if self._end is None:
            self._end = super().stop()
        return self._end and asyncio.shield(self._end)

    async def ended(self) -> None:
        """When it was told to stop, until it has."""
        if self._end is not None:
            await asyncio.shield(self._end)


async def open_file(path: Path, opened: "WeakSet[File]") -> aiosqlite.Connection:
    """A connection to a file that is there, added to ``opened``: one that went away is not made anew, empty.

    Whoever stops waiting for it has it closed: its thread would else go on until the process ends.
    """
    opening = asyncio.ensure_future(_opened(path, opened))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        raise


async def _opened(path: Path, opened: "WeakSet[File]") -> aiosqlite.Connection:
    file = File(path)
    opened.add(file)
    return await file


def _close(opening: "asyncio.Future[aiosqlite.Connection]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().stop()


def upsert(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT with ``on_conflict_…`` of the connection's own dialect."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def options(url: URL) -> dict[str, Any]:
    """Engine options for this kind of database."""
    if url.get_backend_name() == "sqlite":
        return {"pool_reset_on_return": None}  # ``reset_sqlite`` does it where there is something to roll back
    return {"pool_pre_ping": True, "connect_args": {"options": pooled.OPTIONS, "connect_timeout": 5, **POSTGRES_LINE}}


def listen(engine: Engine) -> None:
    """Prepare each connection and begin its transactions."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", begin_sqlite)
        event.listen(engine, "reset", reset_sqlite)
    else:
        pooled.listen(engine)


def prepare_sqlite(connection: Any, _record: object) -> None:
    """Per connection; transactions are begun by ``begin_sqlite``, not by the driver."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")


def begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once: a snapshot that is upgraded later fails without waiting."""
    options = connection.get_execution_options()
    if options.get("outside_transaction"):
        return
    statement = "BEGIN IMMEDIATE" if options.get("writes") else "BEGIN"
    driver: Any = connection.connection.dbapi_connection
    if hasattr(driver, "run_async"):  # one hop to the connection's thread, where a cursor takes three
        driver.run_async(lambda plain: plain.execute(statement))
    else:
        connection.exec_driver_sql(statement)


def reset_sqlite(connection: Any, _record: object, _state: object) -> None:
    """Roll back what was cut off, and only that: asking its thread to each time would double a short read."""
    if getattr(connection, "driver_connection", connection).in_transaction:
        connection.rollback()
