"""Connections to the database that somebody stops waiting for."""

import asyncio
import gc
import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from vault.database.database import Database, open_file
from vault.errors import DomainError
from vault.settings import VaultSettings, sqlite_url

PATIENCE = 30.0
LONG = "WITH RECURSIVE n(i) AS (SELECT begun() UNION ALL SELECT 1 FROM n LIMIT 5000000) SELECT max(i) FROM n"


class Failing(sqlite3.Connection):
    """Whoever opens one fails."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise sqlite3.OperationalError("unable to open database file")


class Watched(sqlite3.Connection):
    """Says when it is closed."""

    closed = threading.Event()

    def close(self) -> None:
        super().close()
        self.closed.set()


async def test_one_that_opens_while_nobody_waits_any_more_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiosqlite 0.22.1 leaves it to the garbage collector (findings/aiosqlite-cancelled-open-stays-open.sh)."""
    path, connect = tmp_path / "rooms.sqlite", sqlite3.connect
    await asyncio.to_thread(lambda: connect(path).close())
    begun, goes_on = threading.Event(), threading.Event()

    def slowly(*where: Any, **how: Any) -> sqlite3.Connection:
        begun.set()
        goes_on.wait(PATIENCE)
        return connect(*where, factory=Watched, **how)

    monkeypatch.setattr(sqlite3, "connect", slowly)
    database = Database(sqlite_url(path))

    async def read() -> None:
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))

    asking = asyncio.create_task(read())
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    goes_on.set()
    assert await asyncio.to_thread(Watched.closed.wait, PATIENCE)
    await database.close()


async def test_a_statement_that_nobody_waits_for_is_let_end_and_its_connection_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, connect = tmp_path / "rooms.sqlite", sqlite3.connect
    opened: list[sqlite3.Connection] = []
    await asyncio.to_thread(lambda: connect(path).close())
    begun, goes_on = threading.Event(), threading.Event()

    def slowly(*where: Any, **how: Any) -> sqlite3.Connection:
        begun.set()
        goes_on.wait(PATIENCE)
        opened.append(connect(*where, **how))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", slowly)
    database = Database(sqlite_url(path))
    asking = asyncio.create_task(database.ask(text("SELECT 1")))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0.05)
    goes_on.set()
    await closing
    await database.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


async def test_what_nobody_waits_for_has_ended_when_the_database_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLAlchemy 2.1.9 waits for no aiosqlite 0.22.1 that is cancelled twice: its thread speaks to a closed loop."""
    path, begun = tmp_path / "rooms.sqlite", threading.Event()
    await asyncio.to_thread(lambda: sqlite3.connect(path).close())
    connect = partial(sqlite3.connect, factory=Watched)

    def watched(*where: Any, **how: Any) -> sqlite3.Connection:
        connection = connect(*where, **how)
        connection.create_function("begun", 0, begun.set)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)
    Watched.closed.clear()
    database = Database(sqlite_url(path))

    async def count() -> None:
        async with database.read() as connection:
            await connection.execute(text(LONG))

    counting = asyncio.create_task(count())
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    for _ in range(2):
        counting.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await counting
    await database.close()
    assert Watched.closed.is_set()


async def test_one_that_cannot_be_opened_while_nobody_waits_any_more_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, connect = tmp_path / "rooms.sqlite", sqlite3.connect
    begun, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slowly(*where: Any, **how: Any) -> sqlite3.Connection:
        begun.set()
        goes_on.wait(PATIENCE)
        try:
            return connect(*where, factory=Failing)
        finally:
            ended.set()

    monkeypatch.setattr(sqlite3, "connect", slowly)
    opening = asyncio.create_task(open_file(path, WeakSet()))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: unheard.append(said))
    goes_on.set()
    assert await asyncio.to_thread(ended.wait, PATIENCE)
    while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 -- nobody has what opens
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    gc.collect()
    assert unheard == [], "that it failed was looked at"


async def test_a_file_that_another_program_writes_to_is_waited_for_and_no_longer(
    sqlite_settings: VaultSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.database.database.SQLITE_PRAGMAS", ("journal_mode=WAL", "busy_timeout=1"))
    database = Database(sqlite_settings.database())
    with closing(sqlite3.connect(sqlite_settings.database().database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DomainError, match="try_again"):
            async with database.write():
                pytest.fail("nobody writes beside another")
        async with database.read() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar() == 1
        other.execute("ROLLBACK")
    async with database.write() as connection:
        await connection.execute(text("DELETE FROM marks"))
    await database.close()


@pytest.mark.parametrize(("said", "left"), [("database table is locked", True), ("disk I/O error", False)])
async def test_a_journal_that_is_in_use_is_emptied_another_time(
    sqlite_settings: VaultSettings, said: str, *, left: bool
) -> None:
    database = Database(sqlite_settings.database())

    def fail(_: object, __: object, statement: str, *___: object) -> None:
        if "wal_checkpoint" in statement:
            raise OperationalError(statement, {}, sqlite3.OperationalError(said))

    event.listen(database.engine.sync_engine, "before_cursor_execute", fail)
    if left:
        assert not await database.truncate_wal()
    else:
        with pytest.raises(DomainError, match="try_again"):
            await database.truncate_wal()
    event.remove(database.engine.sync_engine, "before_cursor_execute", fail)
    assert await database.truncate_wal()
    await database.close()
