"""Destroying: in one order, each step repeatable, with a receipt, and never undone by a backup."""

import logging
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from practice.storage import Store
from tests.opening import Elsewhere, of, open_store
from tests.people import START, Time, alice, caught_up, charlie, plan
from vault.errors import DomainError
from vault.keys.sqlite import SqliteKeys
from vault.records.scope import Scope
from vault.settings import VaultSettings

DAY = START.date()


async def states(store: Store) -> dict[str, str]:
    async with store.database.read() as connection:
        return {row.id: row.state for row in await connection.exec_driver_sql("SELECT id, state FROM appointments")}


@pytest.mark.duty("S-31")
async def test_destroyed_is_gone_for_everybody_with_one_receipt(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    planned = await plan(store, person)
    receipt = await store.retention.destroy(of(person.id), planned.id)
    assert (receipt.destroyed_at, receipt.generation) == (time.wall, 1)
    assert planned.id not in receipt.receipt
    assert await states(store) == {}
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(person.id), planned.id)
    with pytest.raises(DomainError, match="not_found"):
        await store.appointments.get(of(other.id), planned.id)
    assert await store.appointments.by_link(Scope.guest(planned.id), planned.secret) is None
    assert await store.appointments.receipts(of(person.id)) == [receipt]


async def test_destroying_twice_gives_the_same_receipt(store: Store, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    first = await store.retention.destroy(of(person.id), planned.id)
    time.pass_(hours=1)
    assert await store.retention.destroy(of(person.id), planned.id) == first
    assert await store.appointments.receipts(of(person.id)) == [first]


@pytest.mark.duty("S-31")
async def test_the_order_is_mark_then_key_then_caches_then_row(
    store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    seen: list[tuple[str, dict[str, str], bool]] = []

    async def look(step: str) -> None:
        known = (await store.keys.get(person.id, planned.id))[1]
        seen.append((step, await states(store), known))

    plain = store.keys.destroy

    async def destroy(*arguments: Any) -> object:
        await look("key")
        return await plain(*arguments)

    async def forget(_: str) -> None:
        await look("caches")

    monkeypatch.setattr(store.keys, "destroy", destroy)
    elsewhere.on_destroy = forget
    await store.retention.destroy(of(person.id), planned.id)
    await look("end")
    marked = {planned.id: "destroying"}
    assert seen == [("key", marked, True), ("caches", marked, False), ("end", {}, False)]


async def test_traces_that_could_not_be_cleared_are_tried_again(
    store: Store, elsewhere: Elsewhere, caplog: pytest.LogCaptureFixture
) -> None:
    person = await alice(store)
    planned, other = await plan(store, person), await plan(store, person)
    asked: list[str] = []

    async def forget(appointment: str) -> None:
        asked.append(appointment)
        if len(asked) == 1:
            raise ConnectionError("redis://secret")

    elsewhere.on_destroy = forget
    receipt = await store.retention.destroy(of(person.id), planned.id)
    assert await states(store) == {planned.id: "destroying", other.id: "planned"}
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(person.id), planned.id)
    assert await store.retention.sweep() == 1
    assert asked == [planned.id, planned.id]
    assert await states(store) == {other.id: "planned"}
    assert await store.appointments.receipts(of(person.id)) == [receipt]
    assert "traces are left" in caplog.text


async def test_what_was_destroyed_comes_with_a_new_epoch(sqlite_store: Store, sqlite_settings: VaultSettings) -> None:
    person = await alice(sqlite_store)
    planned, kept = await plan(sqlite_store, person), await plan(sqlite_store, person)
    await sqlite_store.retention.destroy(of(person.id), planned.id)
    await sqlite_store.retention.sweep()
    assert [path.name for path in sqlite_settings.keystore().parent.glob("epoch*")] == ["epoch-2.key"]
    assert await sqlite_store.appointments.get(of(person.id), kept.id) == kept
    await sqlite_store.retention.sweep()
    assert [path.name for path in sqlite_settings.keystore().parent.glob("epoch*")] == ["epoch-2.key"]


@pytest.mark.duty("S-31")
async def test_a_restored_backup_of_the_database_stays_unreadable(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Path(sqlite_settings.database().database or "")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        gone, kept = await plan(store, person, "gone"), await plan(store, person, "kept")
    shutil.copy(database, tmp_path / "backup")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        receipt = await store.retention.destroy(of(person.id), gone.id)
    shutil.copy(tmp_path / "backup", database)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        with pytest.raises(DomainError, match="gone"):
            await store.appointments.get(of(person.id), gone.id)
        assert await store.appointments.list(of(person.id), DAY, DAY) == [kept]
        assert await store.appointments.by_link(Scope.guest(gone.id), gone.secret) is None
        assert await store.retention.catch_up() == 0
        assert await store.appointments.list(of(person.id), DAY, DAY) == [kept]
        assert await store.appointments.by_link(Scope.guest(gone.id), gone.secret) is None
        with caplog.at_level(logging.WARNING):
            assert await store.retention.compare() == 1
        assert "destroyed again" in caplog.text
        assert await store.retention.sweep() == 1
        assert "destroyed again" in caplog.text
        assert await states(store) == {kept.id: "planned"}
        assert await store.appointments.receipts(of(person.id)) == [receipt]
        assert (await store.retention.status()).alarms == 0


async def test_a_row_without_key_and_receipt_is_an_alarm_and_stays(store: Store, time: Time) -> None:
    person = await alice(store)
    planned, kept = await plan(store, person), await plan(store, person)
    await store.keys._run(lambda keys: keys._db.execute("DELETE FROM data_keys WHERE id = ?", (planned.id,)))
    await caught_up(store)
    assert (await store.retention.status()).alarms == 1
    assert await states(store) == {planned.id: "planned", kept.id: "planned"}
    with pytest.raises(DomainError, match="unreadable"):
        await store.appointments.get(Scope.guest(planned.id), planned.id)
    time.pass_(days=40)
    assert await store.retention.sweep() == 1, "the other one is destroyed all the same"
    assert await states(store) == {planned.id: "planned"}


async def test_a_row_that_was_tampered_with_does_not_stop_the_sweep(store: Store, time: Time) -> None:
    person = await alice(store)
    planned, other = await plan(store, person), await plan(store, person)
    async with store.database.write() as connection:
        await connection.exec_driver_sql(
            f"UPDATE appointments SET content = (SELECT content FROM appointments WHERE id = '{other.id}')"
            f" WHERE id = '{planned.id}'"
        )
    time.pass_(days=40)
    assert await store.retention.sweep() == 1
    assert list(await states(store)) == [planned.id]


async def test_a_key_whose_row_never_came_is_reaped_and_others_are_not(store: Store, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    await store.keys.add(person.id, "orphan", time.now())
    await store.keys.add_practitioner("nobody-came", time.now())
    await store.retention.sweep()
    assert await store.keys.missing(["orphan", planned.id, "nobody-came"]) == []
    time.pass_(minutes=12)
    await store.retention.sweep()
    assert await store.keys.missing(["orphan", planned.id, "nobody-came"]) == ["orphan", "nobody-came"]
    assert await store.keys.unconfirmed() == []
    assert await store.appointments.get(of(person.id), planned.id) == planned
    assert await store.keys._run(SqliteKeys.practitioners) == 1


async def test_a_restored_older_database_does_not_cost_newer_keys(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    """An operator who restores the wrong backup first can still restore the right one."""
    database = Path(sqlite_settings.database().database or "")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
    shutil.copy(database, tmp_path / "older")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        planned = await plan(store, person)
        await store.retention.sweep()
    shutil.copy(database, tmp_path / "newer")
    time.pass_(hours=1)
    shutil.copy(tmp_path / "older", database)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await caught_up(store)
        assert await store.appointments.list(of(person.id), DAY, DAY) == []
    shutil.copy(tmp_path / "newer", database)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await caught_up(store)
        assert await store.appointments.list(of(person.id), DAY, DAY) == [planned]


async def test_keys_of_rows_that_a_restored_backup_lacks_do_not_stay_for_ever(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Else their content could be read for ever from another backup, for nobody knows when it is due."""
    database = Path(sqlite_settings.database().database or "")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        kept = await plan(store, person, days=20)
    shutil.copy(database, tmp_path / "older")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        lost, other = await plan(store, person), await charlie(store)
        await plan(store, other)
        await store.retention.sweep()
    shutil.copy(tmp_path / "older", database)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await caught_up(store)
        assert "older copy" in caplog.text
        assert await store.keys.missing([lost.id]) == []
        time.pass_(days=7)
        await store.retention.sweep()
        assert await store.keys.missing([lost.id, other.id]) == [], "a week, to take the right backup after all"
        time.pass_(minutes=2)
        await store.retention.sweep()
        assert await store.keys.missing([lost.id, other.id, kept.id]) == [lost.id, other.id]
        assert await store.keys._run(SqliteKeys.practitioners) == 1
        assert await store.appointments.get(of(person.id), kept.id) == kept
    assert len(list(sqlite_settings.keystore().parent.glob("epoch-[2-9].key"))) == 1, "and under a new epoch"


async def test_a_crowd_that_is_due_goes_in_one_sweep(store: Store, time: Time) -> None:
    person = await alice(store)
    for n in range(120):
        await plan(store, person, f"Patient {n}", seconds=n)
    kept = await plan(store, person, "kept", days=2)
    time.pass_(days=31)
    assert await store.retention.sweep() == 120
    assert list(await states(store)) == [kept.id]
    receipts = await store.appointments.receipts(of(person.id))
    assert [receipt.generation for receipt in receipts] == list(range(120, 0, -1))


@pytest.mark.duty("S-31")
async def test_an_appointment_leaves_no_ciphertext_in_the_sqlite_files(
    sqlite_store: Store, sqlite_settings: VaultSettings
) -> None:
    person = await alice(sqlite_store)
    planned = [await plan(sqlite_store, person) for _ in range(20)]
    async with sqlite_store.database.read() as connection:
        contents = [row[0] for row in await connection.exec_driver_sql("SELECT content FROM appointments")]
    for appointment in planned:
        await sqlite_store.retention.destroy(of(person.id), appointment.id)
    await sqlite_store.retention.sweep()
    folder = Path(sqlite_settings.database().database or "").parent
    left = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not [content for content in contents if content in left]


async def test_nothing_is_destroyed_when_only_the_database_says_so(sqlite_store: Store) -> None:
    """Somebody with the database alone cannot move a due day: the moment inside the content counts."""
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)
    async with sqlite_store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE appointments SET due_day = '2020-01-01'")
    assert await sqlite_store.retention.sweep() == 0
    assert await sqlite_store.appointments.get(of(person.id), planned.id) == planned


async def test_a_due_day_moved_away_does_not_keep_the_content_readable(sqlite_store: Store, time: Time) -> None:
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)
    async with sqlite_store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE appointments SET due_day = '2099-01-01'")
    time.pass_(days=40)
    with pytest.raises(DomainError, match="gone"):
        await sqlite_store.appointments.get(of(person.id), planned.id)


async def test_the_key_store_does_not_answer_and_nothing_is_claimed(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("vault.keys.wrapped.WrappedKeys.destroy", fail)
    with pytest.raises(DomainError, match="try_again"):
        await sqlite_store.retention.destroy(of(person.id), planned.id)
    monkeypatch.undo()
    assert await sqlite_store.retention.sweep() == 1
    assert await states(sqlite_store) == {}
    assert (await sqlite_store.appointments.receipts(of(person.id)))[0].destroyed_at - START < timedelta(minutes=1)
