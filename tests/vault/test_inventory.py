"""The inventory knows every column of the real database, on SQLite and on PostgreSQL."""

import pytest
from sqlalchemy import Connection, inspect

from practice.storage import Store
from vault.database.tables import metadata
from vault.inventory import inventory


@pytest.mark.duty("S-04")
async def test_every_column_of_the_database_is_in_it(store: Store) -> None:
    def columns(connection: Connection) -> set[str]:
        looking = inspect(connection)
        return {
            f"{table}.{column['name']}" for table in looking.get_table_names() for column in looking.get_columns(table)
        }

    async with store.database.read() as connection:
        real = await connection.run_sync(columns)
    assert {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns} <= real
    assert real == set(inventory().names("database"))
