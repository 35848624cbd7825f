"""The key store's tables."""

import sqlite3
from collections.abc import Iterator

from vault.errors import Locked
from vault.keys.connection import Connection, PostgresConnection

FLAT, TREE = 1, 2
"""Versions of the key store. In a flat one every practitioner's key hangs directly under the epoch key."""

EPOCH = {FLAT: "epoch", TREE: "trunk"}
"""Where ``meta`` has the number of the epoch. A program that knows no tree finds none there, and can end no epoch."""

SINCE = "tree-since"
"""Where ``meta`` has the number of the epoch in which the tree was made."""

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

BESIDE = """
CREATE TABLE IF NOT EXISTS group_keys (
    id TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
    practitioner TEXT PRIMARY KEY REFERENCES practitioner_keys (id) ON DELETE CASCADE,
    parent TEXT NOT NULL REFERENCES group_keys (id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_parent ON members (parent);
CREATE TABLE IF NOT EXISTS receipt_epochs (
    generation INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS receipt_epochs_epoch ON receipt_epochs (epoch);
CREATE INDEX IF NOT EXISTS practitioner_keys_stale ON practitioner_keys (id) WHERE stale = 1;
"""
"""What version 1 did not have, and what a program that knows only that one leaves alone. A practitioner without a
member's row hangs under the epoch. ``size`` counts members. ``receipt_epochs``: the last epoch whose key could open
what the receipt stands for."""


def for_postgres(tables: str) -> str:
    """The same tables as PostgreSQL writes them."""
    plain = tables.replace(" WITHOUT ROWID", "").replace("INTEGER", "BIGINT").replace("BLOB", "BYTEA")
    return plain.replace("TEXT", 'TEXT COLLATE "C"')


SQLITE = f"""{TABLES}{BESIDE}
CREATE TRIGGER ledger_keeps BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER ledger_stands BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""

POSTGRES = f"""{for_postgres(TABLES + BESIDE)}
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION USING MESSAGE = ''append only'', ERRCODE = ''integrity_constraint_violation''; END';
CREATE TRIGGER ledger_stands BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger EXECUTE FUNCTION append_only();
"""


def verify(connection: Connection) -> None:
    """Locked when a newer version of this program made the key store."""
    if read_value(connection, "schema") not in [str(version).encode() for version in EPOCH]:
        raise Locked("The key store was made by another version of this program.")


def complete(connection: Connection) -> None:
    """Make what a flat key store has not yet, inside the caller's transaction. A tree without it is damaged."""
    if version(connection) == TREE:
        if (
            connection.execute("SELECT 1 FROM members m JOIN group_keys g ON g.id = m.parent LIMIT 1").fetchone()
            is None
        ):
            raise sqlite3.DatabaseError("incomplete key store")
    elif not isinstance(connection, PostgresConnection):
        for statement in split(BESIDE):
            connection.execute(statement)
    elif connection.execute("SELECT to_regclass('practitioner_keys_stale')").fetchone()[0] is None:
        connection.execute(for_postgres(BESIDE))


def version(connection: Connection) -> int:
    """``FLAT`` or ``TREE``."""
    return int(read_value(connection, "schema"))


def set_version(connection: Connection, new: int) -> None:
    """From the one version to the other, inside the caller's transaction."""
    old = FLAT + TREE - new
    connection.execute("UPDATE meta SET name = ? WHERE name = ?", (EPOCH[new], EPOCH[old]))
    write_value(connection, "schema", str(new).encode())


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
