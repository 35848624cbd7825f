"""Connections to the database that somebody stops waiting for."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from vault.database.database import Database
from vault.settings import sqlite_url

PATIENCE = 30.0


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
