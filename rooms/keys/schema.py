"""The key store's tables."""

import sqlite3
from collections.abc import Iterator

from rooms.errors import Locked
from rooms.keys.connection import Connection

VERSION = 1

TABLES = """
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
"""
"""``stale``: something of this practitioner was destroyed and its key must be replaced. ``reap_after``: the minute
(since 1970) after which this key is forgotten if its row is not in the database; NULL once the row was seen there."""

SQLITE = f"""{TABLES}
CREATE TRIGGER ledger_keeps BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER ledger_stands BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""

POSTGRES = f"""{
    TABLES.replace(" WITHOUT ROWID", "")
    .replace("INTEGER", "BIGINT")
    .replace("BLOB", "BYTEA")
    .replace("TEXT", 'TEXT COLLATE "C"')
}
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION USING MESSAGE = ''append only'', ERRCODE = ''integrity_constraint_violation''; END';
CREATE TRIGGER ledger_stands BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger EXECUTE FUNCTION append_only();
"""


def verify(connection: Connection) -> None:
    """Locked when another version of this program made the key store."""
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


def read_value(connection: Connection, name: str, absent: bytes | None = None) -> bytes:
    """A row of ``meta``; ``sqlite3.Error`` when it is not there and nothing stands for that."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if row is None and absent is None:
        raise sqlite3.DatabaseError("incomplete key store")
    value: bytes | None = row[0] if row else absent
    assert value is not None
    return value


def write_value(connection: Connection, name: str, value: bytes) -> None:
    """Set a row of ``meta`` inside the caller's transaction."""
    upsert = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    connection.execute(upsert, (name, value))
