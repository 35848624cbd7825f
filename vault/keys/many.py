"""One question about many rows, or one change to each, in parts that any database takes."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from vault.keys.connection import Connection, PostgresConnection

PART, ROWS = 500, 10_000
"""Values in one statement, and rows: a statement has to end within ``statement_timeout``."""


class Each(NamedTuple):
    """A change to each of many rows: for SQLite with a row's values, for PostgreSQL with an array of each column."""

    sqlite: str
    postgres: str


def among(connection: Connection, query: str, values: Sequence[Any]) -> Iterator[Any]:
    """The rows of a query in which ``{}`` stands for the values: ``… WHERE id IN ({})``."""
    for start in range(0, len(values), PART):
        part = values[start : start + PART]
        yield from connection.execute(query.format(", ".join("?" * len(part))), part).fetchall()


def change(connection: Connection, statement: str, values: Sequence[Any]) -> None:
    """The same for a statement that gives no rows, inside the caller's transaction."""
    for start in range(0, len(values), PART):
        part = values[start : start + PART]
        connection.execute(statement.format(", ".join("?" * len(part))), part)


def change_each(connection: Connection, statement: Each, rows: Sequence[Sequence[Any]]) -> None:
    """Change each row in its own way, in as few round trips as there can be, inside the caller's transaction."""
    if not isinstance(connection, PostgresConnection):
        connection.executemany(statement.sqlite, rows)
        return
    for start in range(0, len(rows), ROWS):
        columns = zip(*rows[start : start + ROWS], strict=True)
        connection.execute(statement.postgres, [list(column) for column in columns])
