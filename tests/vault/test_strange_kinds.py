"""Rows of a kind that only a newer server knows: kept, counted, and in nobody's way."""

import pytest
from sqlalchemy import text

from practice.accounts.model import Practitioner
from practice.storage import Store
from tests.opening import of
from tests.people import Time, alice, caught_up, charlie, plan
from vault.records.strangers import strange_tables

NOTE = "N" * 22
MADE = (
    "CREATE TABLE notes (id VARCHAR(22) PRIMARY KEY, owner VARCHAR(22), state VARCHAR(10), version INTEGER)",
    "CREATE TABLE weather (id VARCHAR(22) PRIMARY KEY)",
    "UPDATE alembic_version SET version_num = '9999'",
)


@pytest.fixture
async def person(store: Store, time: Time) -> Practitioner:
    """Alice, of whom a newer server has written a note."""
    person = await alice(store)
    await store.keys.add(person.id, NOTE, time.now())
    async with store.database.write() as connection:
        for statement in MADE:
            await connection.execute(text(statement))
        row = {"id": NOTE, "owner": person.id}
        await connection.execute(text("INSERT INTO notes VALUES (:id, :owner, 'kept', 1)"), row)
    return person


async def test_its_rows_are_counted_and_its_keys_are_kept(store: Store, time: Time, person: Practitioner) -> None:
    await plan(store, person)
    time.pass_(minutes=20)
    await caught_up(store)
    time.pass_(days=40)
    assert await store.retention.sweep() == 1
    assert await store.keys.missing([NOTE]) == []
    assert await store.keys.unconfirmed() == []
    status = await store.retention.status()
    assert (status.newer, status.alarms, status.unreadable) == (1, 0, 0)
    assert store.retention.damage == (0, 0)


async def test_an_account_ends_when_nothing_is_left_of_it_there_either(store: Store, person: Practitioner) -> None:
    other = await charlie(store)
    assert (await store.retention.close(of(other.id))).receipt is not None
    assert (await store.retention.close(of(person.id))).receipt is None
    await store.retention.sweep()
    assert await store.keys.missing([NOTE, person.id]) == []
    async with store.database.write() as connection:
        await connection.execute(text("DELETE FROM notes"))
    await store.retention.sweep()
    assert await store.keys.receipt(person.id, person.id) is not None


async def test_a_database_of_this_programs_own_has_none(store: Store) -> None:
    async with store.database.read() as connection:
        assert await strange_tables(connection) == []
