"""The key store's SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rooms.errors import Locked

VERSION = 1
PRAGMAS = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON")

DDL = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE service_keys (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE practitioner_keys (
    id TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL,
    stale INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE data_keys (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES practitioner_keys (id),
    wrapped BLOB NOT NULL,
    reap_after INTEGER
) WITHOUT ROWID;
CREATE INDEX data_keys_owner ON data_keys (owner);
CREATE INDEX data_keys_unconfirmed ON data_keys (reap_after) WHERE reap_after IS NOT NULL;
CREATE TABLE ledger (
    receipt TEXT PRIMARY KEY,
    owner BLOB NOT NULL,
    destroyed_at INTEGER NOT NULL,
    generation INTEGER NOT NULL UNIQUE
) WITHOUT ROWID;
CREATE INDEX ledger_owner ON ledger (owner, generation);
CREATE TRIGGER ledger_keeps BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER ledger_stands BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""
"""``stale``: something of this practitioner was destroyed and its key must be replaced. ``reap_after``: the minute
(since 1970) after which this key is forgotten if its row is not in the database; NULL once the row was seen there."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on disk and whose deleted cells are overwritten."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool = True) -> Iterator[sqlite3.Connection]:
    """Commit at the end, roll back on any exception. Write transactions take the lock at once."""
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield connection
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def create(connection: sqlite3.Connection) -> None:
    """All tables, inside the caller's transaction."""
    for statement in split(DDL):
        connection.execute(statement)


def verify(connection: sqlite3.Connection) -> None:
    """Locked when another version of this program made the file."""
    if read_value(connection, "schema") != str(VERSION).encode():
        raise Locked("The key store was made by another version of this program.")


def split(script: str) -> Iterator[str]:
    """Statements of a script; ``executescript`` would commit the caller's transaction first."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def truncate_wal(connection: sqlite3.Connection) -> bool:
    """Move the WAL into the file and empty it; False when a reader was in the way."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def read_value(connection: sqlite3.Connection, name: str) -> bytes:
    """A row of ``meta``; ``sqlite3.Error`` when it is not there."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise sqlite3.DatabaseError("incomplete key store")
    value: bytes = row[0]
    return value


def write_value(connection: sqlite3.Connection, name: str, value: bytes) -> None:
    """Set a row of ``meta`` inside the caller's transaction."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
