"""Backups of the database: one SQLite file, read in one snapshot, whatever the database is."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from vault.database.database import listen, options
from vault.database.marks import GENERATION, HANDING, PAIR
from vault.database.migrate import alone_in, current_revision, migrate, refuse_company
from vault.database.migrate import newest as newest_revision
from vault.database.tables import leases, marks, metadata
from vault.destruction.sweeps import MARK
from vault.errors import StartRefused
from vault.faults import reason
from vault.keys.backends import backend
from vault.keys.files import flush_folder, private_folder
from vault.keys.store import open_keystore
from vault.lock import hold
from vault.records.records import Kinds
from vault.settings import VaultSettings, sqlite_url

PREFIX = "spreekkamer-"
SUFFIX = ".sqlite"
STAMP = "%Y%m%dT%H%M%S.%fZ"
ROWS = 500


@dataclass(frozen=True)
class Written:
    """A backup on disk; how many records of each kind are in it."""

    path: Path
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Restored:
    """What came back, by kind. ``destroyed`` rows had a receipt and did not; ``unreadable`` ones have no key either."""

    path: Path
    counts: Mapping[str, int]
    destroyed: int
    unreadable: int


def write(settings: VaultSettings, kinds: Kinds, folder: Path, now: datetime) -> Written:
    """Back up into ``folder``, whole or not at all; a server may run meanwhile. Blocks. Errors: StartRefused."""
    if is_sqlite(settings.keystore_address()):
        keys = settings.keystore()
        if keys.is_relative_to(folder.absolute()) or folder.absolute().is_relative_to(keys.parent):
            raise StartRefused("The key store must never be where the backups are; choose another folder.")
    if is_sqlite(settings.database()) and not Path(settings.database().database or "").exists():
        raise StartRefused("There is no database yet; start the server once.")
    path = folder / f"{PREFIX}{now.strftime(STAMP)}{SUFFIX}"
    draft = path.with_suffix(".partial")
    try:
        with opened(settings.database()) as source, source.connect() as reading:
            snapshot(reading)
            refuse_other_schema(reading)
            begin(draft)
            counts = fill(draft, kinds, reading)
        settle(draft)
        draft.replace(path)
        flush_folder(folder)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise StartRefused(reason(error, f"The backup in {folder}")) from None
    finally:
        with suppress(OSError):
            remove(draft)
    return Written(path, counts)


def fill(draft: Path, kinds: Kinds, source: Connection) -> dict[str, int]:
    """Copy everything but sessions, leases and clocks into an empty copy; returns how many records of each kind."""
    with opened(sqlite_url(draft)) as engine, engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            empty(connection)
            copy(source, connection, kinds)
            forget_moments(connection, kinds)
            return count(connection, kinds)


async def restore(settings: VaultSettings, kinds: Kinds, source: Path, *, replace: bool = False) -> Restored:
    """Put a backup in the database's place, all of it or nothing, without what was destroyed since.

    ``source`` is a backup or a folder, of which the newest is taken. The key store must be the one that the backup
    belongs to and not older than it. Errors: StartRefused, also when a server runs on this data folder, and when there
    is a database already, unless ``replace``.
    """
    descriptor = await asyncio.to_thread(hold, settings.data)
    url = settings.database()
    draft = (Path(url.database or "") if is_sqlite(url) else settings.data / "restored").with_suffix(".partial")
    try:
        found = await asyncio.to_thread(newest, source)
        content = await asyncio.to_thread(prepare, draft, kinds, found, url, replace=replace)
        verdict = await judge(settings, kinds, draft, content)
        await asyncio.to_thread(install, draft, kinds, url, verdict)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        why = reason(error, "The database of rooms.database_url")
        raise StartRefused(f"Nothing was restored; what was there is as it was. {why}") from None
    finally:
        await asyncio.to_thread(remove, draft)
        os.close(descriptor)
    back = {kind.name: content.counts[kind.name] - len(verdict.gone[kind.table.name]) for kind in kinds}
    gone = sum(len(verdict.gone[kind.table.name]) for kind in kinds)
    return Restored(found, back, gone, verdict.unreadable)


@dataclass(frozen=True)
class Contained:
    """What a backup says of itself: how many records of each kind, its key store."""

    counts: dict[str, int]
    pair: str
    generation: int


@dataclass(frozen=True)
class Judged:
    """What the key store says of it: ids of what was destroyed, by table, how much has neither key nor receipt."""

    gone: dict[str, list[str]]
    unreadable: int
    generation: int


def prepare(draft: Path, kinds: Kinds, backup: Path, url: URL, *, replace: bool) -> Contained:
    """Copy the backup, bring the copy to the newest schema, and see what it is."""
    living = refuse_living(url, replace=replace)
    begin(draft, backup)
    with opened(sqlite_url(draft)) as engine, engine.connect() as connection:
        found = {row.name: row.value for row in connection.execute(select(marks))}
        counts = count(connection, kinds)
    if PAIR not in found:
        raise StartRefused("This is not a backup of ours.")
    return Contained(counts, found[PAIR], max(living, int(found.get(GENERATION, 0))))


def count(connection: Connection, kinds: Kinds) -> dict[str, int]:
    """How many records there are of each kind."""
    counting = {kind.name: select(func.count()).select_from(kind.table) for kind in kinds}
    return {name: connection.execute(query).scalar_one() for name, query in counting.items()}


async def judge(settings: VaultSettings, kinds: Kinds, draft: Path, content: Contained) -> Judged:
    """Ask the key store of each row. StartRefused when it is not the backup's, or older than it."""
    keys = await open_keystore(backend(settings), pair=content.pair, generation=content.generation, tidy=False)
    gone: dict[str, list[str]] = {table.name: [] for table in kinds.tables}
    unreadable = 0
    try:
        if keys.locked:
            raise StartRefused(f"Nothing was restored. {keys.locked}")
        with opened(sqlite_url(draft)) as engine:
            for table in kinds.tables:
                async for rows in owned(engine, table):
                    lost = set(await keys.missing([row_id for _, row_id in rows]))
                    without = [(owner, row_id) for owner, row_id in rows if row_id in lost]
                    known = await keys.destroyed(without)
                    gone[table.name] += [row_id for owner, row_id in without if (owner, row_id) in known]
                    unreadable += len(without) - len(known)
        return Judged(gone, unreadable, await keys.generation())
    finally:
        await keys.close()


async def owned(engine: Engine, table: Table) -> AsyncIterator[list[tuple[str, str]]]:
    """(owner, id) of all rows, in parts. Practitioners are their own."""
    owner, row_id = table.c.get("owner", table.c.id), table.c.id

    def part(last: str) -> list[tuple[str, str]]:
        with engine.connect() as connection:
            query = select(owner, row_id).where(row_id > last).order_by(row_id).limit(ROWS)
            return [(one, other) for one, other in connection.execute(query)]

    rows = await asyncio.to_thread(part, "")
    while rows:
        yield rows
        rows = await asyncio.to_thread(part, rows[-1][1])


def install(draft: Path, kinds: Kinds, url: URL, verdict: Judged) -> None:
    """Take the destroyed rows out of the copy and put it in the database's place."""
    with opened(sqlite_url(draft)) as engine, engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            forget_moments(connection, kinds)
            for table in reversed(kinds.tables):
                ids = verdict.gone[table.name]
                for start in range(0, len(ids), ROWS):
                    connection.execute(delete(table).where(table.c.id.in_(ids[start : start + ROWS])))
            connection.execute(delete(marks).where(marks.c.name == GENERATION))
            connection.execute(insert(marks).values(name=GENERATION, value=str(verdict.generation)))
    settle(draft)
    put(draft, url, kinds)


def newest(source: Path) -> Path:
    """The backup itself, or the newest in a folder."""
    found = sorted(source.glob(f"{PREFIX}*{SUFFIX}")) if source.is_dir() else [source]
    if not found or not found[-1].is_file() or found[-1].stat().st_size == 0:
        raise StartRefused("There is no backup here.")
    return found[-1]


def begin(draft: Path, original: Path | None = None) -> None:
    """A SQLite file with the newest schema, empty or made of ``original``."""
    try:
        private_folder(draft.parent)
        remove(draft)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        if original is not None:
            shutil.copyfile(original, draft)
    except OSError as error:
        raise StartRefused(reason(error, f"{error.filename or draft}")) from None
    if original is not None:
        check(draft)
    migrate(sqlite_url(draft))


def check(path: Path) -> None:
    """StartRefused when the file is damaged."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error:
        said = "damaged"
    if said != "ok":
        raise StartRefused("This backup is damaged; take another one.")


def remove(path: Path) -> None:
    """The file and what SQLite and our lock leave beside it."""
    for suffix in ("", "-wal", "-shm", "-journal", ".lock"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def settle(path: Path) -> None:
    """One file without a WAL, on disk."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())


def put(draft: Path, url: URL, kinds: Kinds) -> None:
    """The copy in the database's place: a rename on SQLite, one transaction on PostgreSQL."""
    if is_sqlite(url):
        path = Path(url.database or "")
        with suppress(sqlite3.Error):
            settle(path)
        for suffix in ("-wal", "-shm"):  # of a damaged one that is replaced; on ours they would be poison
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        draft.replace(path)
        flush_folder(path.parent)
        return
    migrate(url)
    with (
        opened(sqlite_url(draft)) as source,
        source.connect() as reading,
        opened(url) as target,
        target.connect() as writing,
        writing.begin(),
    ):
        alone_in(writing)
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        writing.execute(text(f"TRUNCATE {names}"))
        copy(reading, writing, kinds)


def refuse_living(url: URL, *, replace: bool) -> int:
    """StartRefused when there is a database that is in use; with ``replace`` the generation that it has seen."""
    if is_sqlite(url) and not Path(url.database or "").exists():
        return 0
    try:
        with opened(url) as engine, engine.connect() as connection:
            if replace:
                refuse_company(connection)
            if not inspect(connection).has_table(marks.name):
                return 0
            found = {row.name: row.value for row in connection.execute(select(marks))}
    except DBAPIError as error:
        if not is_sqlite(url):
            raise StartRefused(reason(error, "The database of rooms.database_url")) from None
        found = {PAIR: "damaged"}
    if PAIR in found and not replace:
        raise StartRefused("There is a database already; --replace destroys it and puts the backup in its place.")
    return int(found.get(GENERATION, 0))


def refuse_other_schema(connection: Connection) -> None:
    """StartRefused when the database is not as this program makes it: a server brings it there at its start."""
    if current_revision(connection) != newest_revision():
        raise StartRefused("The database is empty or of another version of this program; start the server once.")


def snapshot(connection: Connection) -> None:
    """All that follows sees the database at one moment; nobody waits for us."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


def of_a_moment(kinds: Kinds) -> tuple[Table, ...]:
    """A restored session would sign somebody in who signed out, and what was to be sent then went; a lease is of a
    moment.
    """
    return *kinds.lets_in, *kinds.passing, leases


def copy(source: Connection, target: Connection, kinds: Kinds) -> None:
    """Every row of every table but those of a moment."""
    for table in metadata.sorted_tables:
        if table in of_a_moment(kinds):
            continue
        rows = source.execution_options(yield_per=ROWS).execute(select(table))
        for part in rows.mappings().partitions(ROWS):
            target.execute(insert(table), [dict(row) for row in part])


def empty(connection: Connection) -> None:
    """What a migration may have put into a new database would be there twice."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))


def forget_moments(connection: Connection, kinds: Kinds) -> None:
    """Sessions, leases, when which clock was believed, what the last sweep left, and what was to be handed over."""
    for table in of_a_moment(kinds):
        connection.execute(delete(table))
    names = (marks.c.name.like("clock-%"), marks.c.name.startswith(HANDING), marks.c.name == MARK)
    connection.execute(delete(marks).where(or_(*names)))


def is_sqlite(url: URL) -> bool:
    """Whether the address is that of a file."""
    return url.get_backend_name() == "sqlite"


@contextmanager
def opened(url: URL) -> Iterator[Engine]:
    """A synchronous engine."""
    engine = create_engine(
        url.set(drivername="sqlite") if is_sqlite(url) else url, hide_parameters=True, **options(url)
    )
    listen(engine)
    try:
        yield engine
    finally:
        engine.dispose()
