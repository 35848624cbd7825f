"""Destroying everything, and closing an account: by the same way as one appointment, consults are waited for."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from practice.storage import Store
from tests.opening import Elsewhere, of, open_store
from tests.people import PASSWORD, START, Time, alice, caught_up, charlie, plan
from tests.vault.test_destruction import states
from vault.database.tables import marks
from vault.destruction.closure import Emptied
from vault.errors import DomainError
from vault.records.scope import SERVER
from vault.settings import VaultSettings

DAY = START.date()


async def running(elsewhere: Elsewhere, appointment: str) -> set[str]:
    """The consults that are in progress; empty the set to end them."""
    live = {appointment}

    async def in_progress(one: str) -> bool:
        return one in live

    elsewhere.in_progress = in_progress
    return live


@pytest.mark.duty("S-43")
async def test_destroying_all_destroys_the_owners_and_nobody_elses(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    for number in range(120):
        await plan(store, person, f"Patient {number}", hours=number)
    foreign = await plan(store, other)
    assert await store.retention.destroy_all(of(person.id)) == Emptied(120, 0)
    assert await states(store) == {foreign.id: "planned"}
    assert [one.generation for one in await store.appointments.receipts(of(person.id))] == list(range(120, 0, -1))
    assert await store.retention.destroy_all(of(person.id)) == Emptied(0, 0)
    assert await store.appointments.get(of(other.id), foreign.id) == foreign
    assert (await plan(store, person)).owner == person.id, "the account lives on"


@pytest.mark.duty("S-43")
async def test_a_running_consult_is_waited_for_and_then_destroyed(
    store: Store, elsewhere: Elsewhere, time: Time
) -> None:
    person = await alice(store)
    planned, others = await plan(store, person), [await plan(store, person) for _ in range(3)]
    live = await running(elsewhere, planned.id)
    assert await store.retention.destroy_all(of(person.id)) == Emptied(len(others), 1)
    assert await states(store) == {planned.id: "planned"}
    assert (await store.appointments.get(of(person.id), planned.id)).due == time.wall
    await store.practitioners.set_retention(of(person.id), "manual")
    assert await store.retention.sweep() == 0
    live.clear()
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(person.id), planned.id)
    assert await store.retention.sweep() == 1, "and no setting revives it meanwhile"
    assert await states(store) == {}


async def test_no_consult_is_waited_for_longer_than_a_day(store: Store, elsewhere: Elsewhere, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    await running(elsewhere, planned.id)
    await store.retention.destroy_all(of(person.id))
    time.pass_(hours=24, seconds=1)
    assert await store.retention.sweep() == 1


async def test_what_cannot_be_opened_goes_too(store: Store) -> None:
    person = await alice(store)
    broken, keyless, _ = [await plan(store, person) for _ in range(3)]
    async with store.database.write() as connection:
        await connection.exec_driver_sql(
            f"UPDATE appointments SET content = (SELECT content FROM appointments WHERE id = '{keyless.id}')"
            f" WHERE id = '{broken.id}'"
        )
    await store.keys._run(lambda keys: keys._db.execute("DELETE FROM data_keys WHERE id = ?", (keyless.id,)))
    assert await store.retention.destroy_all(of(person.id)) == Emptied(3, 0)
    assert await states(store) == {}


async def marks_of(store: Store) -> dict[str, str]:
    async with store.database.read() as connection:
        return {row.name: row.value for row in await connection.execute(select(marks))}


@pytest.mark.duty("S-28")
async def test_a_closed_account_is_gone_with_all_that_it_had(
    store: Store, elsewhere: Elsewhere, settings: VaultSettings
) -> None:
    person, other = await alice(store), await charlie(store)
    planned, foreign = await plan(store, person), await plan(store, other)
    token = await store.sessions.create(person.id)
    told: list[str] = []

    async def on_close(practitioner: str) -> None:
        told.append(practitioner)

    elsewhere.on_close = on_close
    marked = await marks_of(store)
    closed = await store.retention.close(of(person.id))
    assert (closed.destroyed, closed.waiting) == (1, 0)
    assert await marks_of(store) == marked | {"generation": "2"}, "what the database says of itself stays"
    assert closed.receipt is not None
    assert closed.receipt.generation == 2
    assert told == [person.id]
    assert await store.practitioners.by_mail(SERVER, person.mail) is None
    assert await store.practitioners.authenticate(person.mail, PASSWORD) is None
    assert await store.sessions.practitioner(token) is None
    assert await store.keys.missing([person.id, planned.id]) == [person.id, planned.id]
    assert await store.keys._run(lambda keys: keys.practitioners()) == 1
    assert len(list(settings.keystore().parent.glob("epoch-2.key"))) == 1, "under a new epoch"
    assert await store.appointments.get(of(other.id), foreign.id) == foreign
    with pytest.raises(DomainError, match="not_found"):
        await store.retention.close(of(person.id))
    assert (await alice(store)).id != person.id, "the address is free again"


@pytest.mark.duty("S-28")
async def test_an_account_closes_when_its_running_consult_ends(store: Store, elsewhere: Elsewhere) -> None:
    person = await alice(store)
    planned, _ = await plan(store, person), await plan(store, person)
    live = await running(elsewhere, planned.id)
    closed = await store.retention.close(of(person.id))
    assert (closed.destroyed, closed.waiting, closed.receipt) == (1, 1, None)
    assert await store.practitioners.authenticate(person.mail, PASSWORD) is None, "nobody signs in any more"
    with pytest.raises(DomainError, match="not_found"):
        await plan(store, person)
    assert await store.retention.sweep() == 0
    live.clear()
    assert await store.retention.sweep() == 1
    with pytest.raises(DomainError, match="not_found"):
        await store.practitioners.get(of(person.id))
    assert await states(store) == {}


async def test_a_closure_that_was_only_asked_for_is_done_at_the_next_start(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        planned = await plan(store, person)
        await store.retention.request_closure(of(person.id))
        with pytest.raises(DomainError, match="gone"):
            await store.appointments.get(of(person.id), planned.id)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert await store.retention.catch_up() == 1
        assert await store.practitioners.by_mail(SERVER, person.mail) is None


async def test_an_account_stays_until_its_traces_are_gone(store: Store, elsewhere: Elsewhere) -> None:
    person = await alice(store)
    asked = 0

    async def on_close(_: str) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ConnectionError("redis is away")

    elsewhere.on_close = on_close
    await store.retention.close(of(person.id))
    async with store.database.read() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM practitioners")).scalar() == 1
    await store.retention.sweep()
    async with store.database.read() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM practitioners")).scalar() == 0
    assert asked == 2


@pytest.mark.duty("S-28", "S-31")
async def test_an_older_copy_of_the_database_brings_no_account_back(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    database = Path(sqlite_settings.database().database or "")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        person, other = await alice(store), await charlie(store)
        await plan(store, person)
    shutil.copy(database, tmp_path / "older")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await store.retention.close(of(person.id))
    shutil.copy(tmp_path / "older", database)
    time.pass_(minutes=1)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        assert await store.practitioners.by_mail(SERVER, person.mail) is None
        assert await store.practitioners.authenticate(person.mail, PASSWORD) is None
        assert await store.appointments.list(of(person.id), DAY, DAY) == []
        await caught_up(store)
        assert await states(store) == {}
        assert await store.practitioners.by_mail(SERVER, person.mail) is None
        assert await store.practitioners.by_mail(SERVER, other.mail) == other
        assert (await store.retention.status()).alarms == 0


async def test_a_stopped_clock_does_not_stop_what_a_person_asks(settings: VaultSettings, time: Time) -> None:
    """Only what is due by itself waits for a clock that is believed."""
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        planned = await plan(store, person)
        time.jump(days=1)
        assert await store.retention.sweep() == 0
        assert await store.retention.destroy_all(of(person.id)) == Emptied(1, 0)
        assert planned.due is not None
        assert planned.due - time.wall > timedelta(days=20)


async def test_what_was_due_before_keeps_its_moment_and_goes_too(store: Store, time: Time) -> None:
    person = await alice(store)
    due, coming = await plan(store, person), await plan(store, person, days=20)
    time.pass_(days=31)
    await store.retention._closure.hasten(person.id)
    async with store.database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT id, version FROM appointments")
        assert {row.id: row.version for row in rows} == {due.id: 1, coming.id: 2}, "one needed no change"
    assert await store.retention.destroy_all(of(person.id)) == Emptied(2, 0)
