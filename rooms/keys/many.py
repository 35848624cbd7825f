"""One question about many rows, in parts that any database takes."""

from collections.abc import Iterator, Sequence
from typing import Any

from rooms.keys.connection import Connection

PART = 500


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
