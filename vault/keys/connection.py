"""Connections to the key store's own database. Its statements are written for SQLite; PostgreSQL is made to follow."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import psycopg

from vault.keys.files import private_file

FAULTS = (sqlite3.Error, psycopg.Error, OSError)
"""What any use of a connection may raise; nothing is half done then."""

PRAGMAS = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON")
READ, WRITE = "BEGIN", "BEGIN IMMEDIATE"
WRITER = 0x6B65_7973  # PostgreSQL advisory lock: one writer at a time, as SQLite has it
SETTINGS = {"statement_timeout": "10000", "lock_timeout": "5000", "synchronous_commit": "on"}
TOOK = "10s"
"""What PostgreSQL says of ``statement_timeout`` where it took that."""
LOCALLY = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in SETTINGS.items())
"""In each transaction: a pooler (PgBouncer) ignores or refuses what a connection begins with."""

POSTGRES = {
    READ: f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {LOCALLY}",
    WRITE: f"BEGIN ISOLATION LEVEL READ COMMITTED; {LOCALLY}; SELECT pg_advisory_xact_lock({WRITER})",
}
REFUSED = "unsupported startup parameter"
CONNECT: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    "prepare_threshold": None,
    "options": " ".join(f"-c {name}={value}" for name, value in SETTINGS.items()),
}


class Cluster(NamedTuple):
    """Of a PostgreSQL database: its server's data folder, as that says, its number there, the cluster's identifier."""

    data: str
    oid: int
    identifier: int


CLUSTER = """
SELECT current_setting('data_directory'), oid, (SELECT system_identifier FROM pg_control_system())
FROM pg_database WHERE datname = current_database()
"""


COMPANY = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND pid != pg_backend_pid() AND usename IS NOT NULL
AND coalesce(backend_type, 'client backend') = 'client backend'
"""
"""How many others use a PostgreSQL database."""


class Cursor(Protocol):
    """The answer to a statement."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What ``sqlite3.Connection`` and ``PostgresConnection`` have in common. ``?`` stands for a parameter."""

    def execute(self, query: str, parameters: Sequence[Any] = ..., /) -> Cursor: ...
    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> object: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


@contextmanager
def transaction(connection: Connection, *, write: bool = True) -> Iterator[Connection]:
    """Commit at the end, roll back on any exception. Write transactions take the lock at once."""
    connection.execute(WRITE if write else READ)
    try:
        yield connection
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Around one statement that only reads and is therefore a snapshot by itself.

    A transaction only behind a pooler, which drops our settings: it costs two round trips.
    """
    if isinstance(connection, PostgresConnection) and connection.pooled:
        with transaction(connection, write=False):
            yield
    else:
        yield


def open_sqlite(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on disk and whose deleted cells are overwritten."""
    private_file(path)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
    except BaseException:
        connection.close()
        raise
    return connection


class PostgresConnection:
    """A connection to PostgreSQL that comes back by itself when the server was restarted between two transactions."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.pooled = False
        """Whether a pooler refused or ignored the settings that the connection began with."""
        self._connection = self._connect()
        self._inside = False

    def execute(self, query: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run one statement; on a new connection if the old one was lost outside a transaction."""
        statement = (POSTGRES.get(query) or query.replace("?", "%s")).encode()
        try:
            answer = self._connection.execute(statement, parameters or None)
        except psycopg.OperationalError:
            if self._inside or not self._connection.closed:
                raise
            self._connection = self._connect()
            answer = self._connection.execute(statement, parameters or None)
        self._inside = self._inside or query in POSTGRES
        return answer

    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> Self:
        """Run one statement for many rows."""
        with self._connection.cursor() as cursor:
            cursor.executemany(query.replace("?", "%s").encode(), list(rows))
        return self

    def commit(self) -> None:
        """On disk when this returns."""
        self._connection.commit()
        self._inside = False

    def rollback(self) -> None:
        """Also of a connection that was lost: the server has rolled it back by itself."""
        self._inside = False
        if not self._connection.closed:
            self._connection.rollback()

    def close(self) -> None:
        """Idempotent."""
        self._connection.close()

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        try:
            connection = psycopg.connect(self._address, **CONNECT)
        except psycopg.OperationalError as error:
            if REFUSED not in str(error):
                raise
            plain = {name: one for name, one in CONNECT.items() if name != "options"}
            connection = psycopg.connect(self._address, **plain)
        self.pooled = connection.execute("SHOW statement_timeout").fetchone() != (TOOK,)
        return connection
