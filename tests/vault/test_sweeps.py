"""What is known of sweeps without opening a row: by the server that sweeps, by others, beside a program of before."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from practice.agenda.due_times import Planned
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import Time, alice, plan
from vault.database.marks import BEHIND, read_mark, write_mark
from vault.database.tables import leases
from vault.destruction import due, todo
from vault.destruction.sweeps import MARK
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.records.reading import OpenedRows, Reader
from vault.records.records import Kind
from vault.settings import VaultSettings


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """What the database is asked meanwhile: statements and their parameters."""
    found: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement != "BEGIN":
            found.append((statement, parameters))

    with ExitStack() as stack:
        for engine in store.database.engines:
            event.listen(engine, "before_cursor_execute", note)
            stack.callback(event.remove, engine, "before_cursor_execute", note)
        yield found


@asynccontextmanager
async def neighbour(settings: VaultSettings, time: Time) -> AsyncIterator[Store]:
    """Another server on the same database and key store."""
    async with open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as store:
        yield store


async def broken(self: KeyStore, *_: object) -> None:
    raise DomainError("try_again")


async def mark(store: Store) -> str | None:
    async with store.database.read() as connection:
        return await read_mark(connection, MARK)


async def test_asking_costs_one_query_and_opens_no_row(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    for number in range(12):
        await plan(store, person, f"Patient {number}")
    await store.retention.sweep()
    time.pass_(days=31)
    monkeypatch.setattr(KeyStore, "get_many", broken)
    with statements(store) as asked:
        await store.retention.status()
    assert len(asked) == 1
    assert "appointments" not in asked[0][0]


async def test_a_clock_in_doubt_leaves_what_is_due_and_every_server_says_so(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    person = await alice(store)
    first = await plan(store, person)
    await plan(store, person)
    await store.retention.sweep()
    async with neighbour(settings, time) as other:
        time.jump(days=31)
        await store.retention.sweep()
        for one in (store, other):
            status = await one.retention.status()
            assert status.overdue == 2
            assert first.due is not None
            assert 0 <= status.lag - (time.now() - first.due).total_seconds() < 60
        time.jump(days=-31)
        await store.retention.sweep()
        assert [(await one.retention.status()).overdue for one in (store, other)] == [0, 0]


async def test_sweeps_that_fail_are_counted_and_the_time_since_the_last_good_one_is_said(
    store: Store, settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plan(store, await alice(store))
    time.pass_(days=31)
    async with neighbour(settings, time) as other:
        with monkeypatch.context() as fault:
            fault.setattr(KeyStore, "destroy", broken)
            for count in (1, 2):
                with pytest.raises(DomainError):
                    await store.retention.sweep()
                for one in (store, other):
                    assert (await one.retention.status()).failures == count
            time.pass_(minutes=5)
            assert (await other.retention.status()).lag >= 300
        await store.retention.sweep()
        status = await other.retention.status()
        assert (status.failures, status.overdue, status.lag) == (0, 0, 0)


async def test_a_sweep_that_fails_before_it_looks_says_since_when_nobody_knows(
    sqlite_store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sqlite_store.retention.sweep()
    monkeypatch.setattr(todo.Looks, "look", broken)
    for _ in range(3):
        time.pass_(minutes=1)
        with pytest.raises(DomainError):
            await sqlite_store.retention.sweep()
    assert (await sqlite_store.retention.status()).lag == 180


async def test_a_sweep_that_fails_after_all_is_destroyed_is_late_with_nothing(
    sqlite_store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeyStore, "rotate", broken)
    for _ in range(3):
        time.pass_(minutes=1)
        with pytest.raises(DomainError):
            await sqlite_store.retention.sweep()
    status = await sqlite_store.retention.status()
    assert (status.failures, status.lag) == (3, 0)


async def test_a_sweep_that_hangs_or_died_shows_by_its_age(store: Store, settings: VaultSettings, time: Time) -> None:
    await store.retention.sweep()
    async with neighbour(settings, time) as other:
        assert [(await one.retention.status()).idle for one in (store, other)] == [0, 0]
        time.pass_(minutes=4)
        assert [(await one.retention.status()).idle for one in (store, other)] == [240, 240]
        assert await other.retention.sweep() == 0
        assert [(await one.retention.status()).idle for one in (store, other)] == [0, 0]


async def test_a_lease_that_was_given_back_is_no_sweep_that_hangs(
    sqlite_settings: VaultSettings, sqlite_store: Store, time: Time
) -> None:
    async with neighbour(sqlite_settings, time) as other:
        await other.retention.sweep()
        assert await sqlite_store.retention.sweep() == 0, "the other has the lease"
    time.pass_(seconds=30)
    assert (await sqlite_store.retention.status()).idle == 30


async def test_beside_a_program_that_says_nothing_a_server_looks_for_itself(store: Store, time: Time) -> None:
    planned = await plan(store, await alice(store))
    await store.retention.sweep()
    time.pass_(days=40)
    async with store.database.write() as connection:
        until = int((time.now() + timedelta(seconds=50)).timestamp() * 1000)
        await connection.execute(update(leases).values(holder="of before", until=until))
    assert await store.retention.sweep() == 0
    status = await store.retention.status()
    assert planned.due is not None
    assert (status.overdue, status.idle, status.lag) == (1, 10, (time.now() - planned.due).total_seconds())
    time.pass_(minutes=2)
    assert await store.retention.sweep() == 1
    assert (await store.retention.status()).overdue == 0


async def test_idle_sweeps_write_no_mark_and_no_mark_tells_a_due_moment(store: Store, time: Time) -> None:
    planned = await plan(store, await alice(store), hours=1, seconds=34)
    await store.retention.sweep()
    with statements(store) as asked:
        await store.retention.sweep()
    assert not [one for one, _ in asked if "INTO marks" in one]
    time.jump(days=31)
    await store.retention.sweep()
    said = await mark(store)
    assert said is not None and planned.due is not None
    assert planned.due.strftime("T%H:%M:00") in said
    assert planned.due.strftime("T%H:%M:%S") not in said


@pytest.mark.parametrize("nonsense", ["", "[]", "{}", '{"holder": 3}', '{"holder":"x","since":"never"}'])
def test_a_mark_that_is_none_says_nothing(nonsense: str) -> None:
    from vault.destruction.sweeps import left_by

    assert left_by("x", nonsense) is None


async def plans(store: Store, asked: list[tuple[str, Any]]) -> list[str]:
    """How the database goes about what it was asked of appointments, if it uses an index where it can."""
    found = []
    async with store.database.read() as connection:
        if not store.database.sqlite:
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if store.database.sqlite else "EXPLAIN "
        for statement, parameters in asked:
            if "FROM appointments" in statement:
                lines = (await connection.exec_driver_sql(explain + statement, parameters)).all()
                found.append(" ".join(str(line[-1]) for line in lines))
    return found


async def test_no_sweep_walks_the_table(store: Store, time: Time) -> None:
    person = await alice(store)
    await plan(store, person)
    await plan(store, person, days=50)
    time.pass_(days=31)
    with statements(store) as asked:
        assert await store.retention.sweep() == 1
        assert await store.retention.sweep() == 0
    # That of SQLite's indexes holds only what is being destroyed.
    ways = [
        way.replace("SCAN appointments USING INDEX ix_appointments_marked", "") for way in await plans(store, asked)
    ]
    assert len(ways) > 3
    assert [way for way in ways if "SCAN appointments" in way or "Seq Scan on appointments" in way] == []


async def test_a_sweep_with_nothing_to_do_asks_what_there_is_at_once(store: Store) -> None:
    await plan(store, await alice(store))
    await store.retention.sweep()
    with statements(store) as asked:
        await store.retention.sweep()
    assert len([statement for statement, _ in asked if statement.startswith("SELECT")]) == 1, asked


async def test_what_an_unsettled_setting_makes_due_is_destroyed_by_the_sweep_that_settles_it(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    await plan(store, person)
    time.pass_(days=2)

    async def left_to_others(_self: Planned, connection: Any, practitioner: str, _setting: object) -> int:
        await write_mark(connection, f"{BEHIND}{practitioner}", "")
        return 0

    with monkeypatch.context() as older:
        older.setattr(Planned, "follow", left_to_others)
        await store.practitioners.set_retention(of(person.id), "24h")
    assert await store.retention.sweep() == 1


async def test_what_is_due_later_that_day_is_opened_once(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    planned = [await plan(store, person, hours=1 + number) for number in range(3)]
    time.pass_(days=30)  # their day has come; the first is due at 10:30 and 30 minutes
    opened = 0
    real = Reader.open

    async def counted(self: Reader, kind: Kind[Any], rows: Sequence[Any]) -> OpenedRows[Any]:
        nonlocal opened
        opened += len(rows)
        return await real(self, kind, rows)

    monkeypatch.setattr(Reader, "open", counted)
    for _ in range(3):
        assert await store.retention.sweep() == 0
    assert opened == 3
    await store.practitioners.set_retention(of(person.id), "90d")
    await store.practitioners.set_retention(of(person.id), "30d")
    opened = 0
    for _ in range(3):
        assert await store.retention.sweep() == 0
    assert opened == 3, "they changed"
    opened = 0
    time.pass_(hours=2)
    assert await store.retention.sweep() == 1
    assert opened == 1, "nothing is destroyed without another look"
    assert planned[0].due is not None and planned[0].due <= time.now()


async def test_many_days_and_pages_are_walked_to_their_end(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "PAGE", 2)
    monkeypatch.setattr(due, "BATCH", 2)
    monkeypatch.setattr(due, "MOST", 1)
    person = await alice(store)
    for number in range(7):
        await plan(store, person, days=number // 3)
    kept = await plan(store, person, days=300)
    time.pass_(days=33)
    assert await store.retention.due() == 7
    assert await store.retention.sweep() == 7
    assert await store.appointments.get(of(person.id), kept.id) == kept


async def test_a_day_that_is_none_keeps_no_row_from_being_found(sqlite_store: Store, time: Time) -> None:
    person = await alice(sqlite_store)
    for _ in range(3):
        await plan(sqlite_store, person)
    async with sqlite_store.database.write() as connection:
        await connection.exec_driver_sql(
            "UPDATE appointments SET due_day = '' WHERE id = (SELECT min(id) FROM appointments)"
        )
    time.pass_(days=31)
    assert await sqlite_store.retention.sweep() == 3


async def test_how_late_it_is_is_said_of_the_oldest_in_whatever_order_they_are_found(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "BATCH", 1)
    person = await alice(store)
    moments = [(await plan(store, person, hours=hours)).due for hours in (5, 2, 9, 3)]
    time.jump(days=40)
    await store.retention.sweep()
    status = await store.retention.status()
    oldest = min(one for one in moments if one is not None)
    assert (status.overdue, status.paused is not None) == (4, True)
    assert status.lag == (time.now() - oldest).total_seconds()
    await store.retention.resume()
    assert await store.retention.sweep() == 4
    status = await store.retention.status()
    assert (status.overdue, status.lag) == (0, 0)
