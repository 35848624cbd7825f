"""Connections to the database that somebody stops waiting for."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from rooms.settings import sqlite_url
from rooms.store.database import Database

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
