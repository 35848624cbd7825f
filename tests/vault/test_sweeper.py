"""The sweeper destroys what is due and nothing else, waits for consults, and is alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from practice.accounts.model import Practitioner
from practice.agenda.records import appointments
from practice.storage import Store
from tests.opening import Elsewhere, of, open_store
from tests.people import START, Time, alice, charlie, plan
from tests.vault.readers import GIVEN, REFUSED, refusals
from vault.destruction import due, sweeper
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings

DAY = START.date()


async def test_the_sweep_destroys_what_is_due_and_nothing_else(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    due, later = await plan(store, person, "due"), await plan(store, person, "later", hours=2)
    foreign = await plan(store, other, "foreign", hours=2)
    time.pass_(days=30, hours=2, minutes=1)
    assert await store.retention.sweep() == 1
    assert await refusals(store, due) == ["gone", "not_found", "nothing", "given"]
    assert await store.appointments.list(of(person.id), DAY, DAY) == [later]
    assert await store.appointments.list(of(other.id), DAY, DAY) == [foreign]
    (receipt,) = await store.appointments.receipts(of(person.id))
    assert (receipt.destroyed_at, receipt.generation) == (time.wall, 1)
    assert await store.appointments.receipts(of(other.id)) == []
    assert await store.retention.sweep() == 0


async def test_a_running_consult_is_waited_for_but_not_for_ever(store: Store, elsewhere: Elsewhere, time: Time) -> None:
    running = True

    async def in_progress(_: str) -> bool:
        return running

    elsewhere.in_progress = in_progress
    person = await alice(store)
    await store.practitioners.set_retention(of(person.id), "end")
    planned = await plan(store, person)
    time.pass_(hours=3)
    assert await store.retention.sweep() == 0
    assert await refusals(store, planned) == GIVEN, "both can reload their page"
    running = False
    assert await refusals(store, planned) == REFUSED
    running = True
    time.pass_(hours=24)
    assert await refusals(store, planned) == REFUSED
    assert await store.retention.sweep() == 1


async def test_when_nobody_knows_whether_a_consult_runs_readers_refuse_and_the_sweeper_waits(
    store: Store, elsewhere: Elsewhere, time: Time
) -> None:
    async def in_progress(_: str) -> bool:
        raise ConnectionError("redis is gone")

    elsewhere.in_progress = in_progress
    planned = await plan(store, await alice(store))
    assert await refusals(store, planned) == GIVEN, "nobody is asked before the due time"
    time.pass_(days=31)
    assert await refusals(store, planned) == REFUSED
    assert await store.retention.sweep() == 0
    time.pass_(hours=24)
    assert await store.retention.sweep() == 1


async def test_a_consult_that_ends_after_its_due_time_is_destroyed_at_once(store: Store, time: Time) -> None:
    person = await alice(store)
    await store.practitioners.set_retention(of(person.id), "end")
    planned = await plan(store, person)
    time.pass_(hours=3)
    assert (await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)).state == "ended"
    assert await store.retention.sweep() == 1


@asynccontextmanager
async def sweeping(store: Store, interval: float) -> AsyncIterator[None]:
    """The sweeper runs, and has swept once."""
    store.retention._interval = interval
    sweeping = asyncio.create_task(store.retention.run())
    try:
        async with asyncio.timeout(60):
            while (await store.retention.status()).last_sweep is None:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)
            yield
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


async def await_receipt(store: Store, person: Practitioner) -> None:
    while not await store.appointments.receipts(of(person.id)):  # noqa: ASYNC110 -- the sweeper tells nobody
        await asyncio.sleep(0.01)


@pytest.mark.duty("S-30")
async def test_the_sweeper_destroys_by_itself_what_becomes_due(store: Store, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    async with sweeping(store, 0.02):
        assert await store.appointments.get(of(person.id), planned.id) == planned
        time.pass_(days=31)
        await await_receipt(store, person)


@pytest.mark.duty("S-30")
async def test_the_sweeper_wakes_for_the_next(store: Store, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "SOON", 0.02)
    person = await alice(store)
    planned = await plan(store, person)
    time.pass_(days=30, minutes=119, seconds=59.9)
    async with sweeping(store, 3600), asyncio.timeout(60):
        assert await store.appointments.get(of(person.id), planned.id) == planned
        time.pass_(seconds=0.1)
        await await_receipt(store, person)


async def test_a_sweeper_that_is_ended_in_the_moment_of_its_waking_ends(sqlite_store: Store) -> None:
    running = asyncio.create_task(sqlite_store.retention.run())
    async with asyncio.timeout(60):
        while not sqlite_store.retention._wake._waiters:  # noqa: ASYNC110 -- it tells nobody that it waits
            await asyncio.sleep(0.01)
        sqlite_store.retention._wake.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()


async def test_ending_wakes_the_sweeper(store: Store, time: Time) -> None:
    person = await alice(store)
    await store.practitioners.set_retention(of(person.id), "end")
    planned = await plan(store, person)
    async with sweeping(store, 3600.0):
        time.pass_(hours=1)
        await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)
        await await_receipt(store, person)


@pytest.mark.parametrize(
    ("broken", "trigger"),
    [
        ("settle", "UPDATE OF reap_after ON data_keys"),
        ("rotate", "UPDATE OF wrapped ON practitioner_keys"),
        ("due", "INSERT ON ledger WHEN (SELECT count(*) FROM ledger) > 0"),
    ],
)
@pytest.mark.duty("S-31")
async def test_no_part_of_a_sweep_keeps_another_back(
    sqlite_store: Store, time: Time, broken: str, trigger: str, caplog: pytest.LogCaptureFixture
) -> None:
    store, person, other = sqlite_store, await alice(sqlite_store), await charlie(sqlite_store)
    planned = await plan(store, person)
    await store.retention.sweep()
    await plan(store, other)
    await plan(store, person)
    await store.retention.destroy(of(person.id), planned.id)
    await store.retention.request_closure(of(other.id))
    refuse = f"CREATE TRIGGER refuse BEFORE {trigger} BEGIN SELECT RAISE(ABORT, 'no'); END"
    await store.keys._run(lambda keys: keys._db.execute(refuse))

    async def epoch_and_unconfirmed() -> tuple[int, int]:
        return await store.keys._run(lambda keys: (keys._epochs.number(), len(keys.unconfirmed())))

    before = await epoch_and_unconfirmed()
    with pytest.raises(DomainError, match="try_again"):
        await store.retention.sweep()
    after = await epoch_and_unconfirmed()
    assert (after[0] > before[0]) is (broken != "rotate"), "there is a new epoch"
    assert (after[1] > 0) is (broken == "settle"), "new keys are confirmed"
    assert store.retention.failures[broken] == 1
    assert "a part of the sweep failed" in caplog.text
    await store.keys._run(lambda keys: keys._db.execute("DROP TRIGGER refuse"))
    await store.retention.sweep()
    assert await store.keys.unconfirmed() == []
    assert not await store.keys.rotate(), "nothing is left to be renewed"


async def test_the_sweeper_goes_on_after_a_fault(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    async def sweep() -> int:
        nonlocal calls
        calls += 1
        raise DomainError("try_again") if calls % 2 else ValueError("a mistake of ours")

    monkeypatch.setattr(store.retention, "sweep", sweep)
    store.retention._interval = 0.01
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(store.retention.run(), 0.5)
    assert calls > 2


@pytest.mark.duty("S-30")
async def test_two_servers_do_not_sweep_at_once(settings: VaultSettings, time: Time) -> None:
    async with (
        open_store(settings, now=time.now, boot=time.boottime) as one,
        open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as two,
    ):
        person = await alice(one)
        await plan(one, person)
        time.pass_(days=40)
        assert await one.retention._sweeps.take()
        assert await two.retention.sweep() == 0
        assert not await two.retention._sweeps.take()
        time.pass_(seconds=61)
        assert await two.retention.sweep() == 1, "the lease of a server that died runs out"


async def test_at_its_last_millisecond_a_lease_is_still_its_holders(settings: VaultSettings, time: Time) -> None:
    async with (
        open_store(settings, now=time.now, boot=time.boottime) as one,
        open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as two,
    ):
        assert await one.retention._sweeps.take()
        time.pass_(seconds=60)
        assert not await two.retention._sweeps.take()
        async with one.database.write() as connection:
            assert await one.retention._sweeps.renew(connection)
        time.pass_(seconds=60, milliseconds=1)
        async with one.database.write() as connection:
            assert not await one.retention._sweeps.renew(connection)
        assert await two.retention._sweeps.take()


async def test_a_server_that_lost_its_lease_while_frozen_marks_nothing(settings: VaultSettings, time: Time) -> None:
    async with (
        open_store(settings, now=time.now, boot=time.boottime) as frozen,
        open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as other,
    ):
        person = await alice(frozen)
        planned = await plan(frozen, person)
        time.pass_(days=40)
        assert await frozen.retention._sweeps.take()
        (batch,) = [batch async for batch in frozen.retention._due.batches()]
        time.pass_(seconds=61)
        assert await other.retention._sweeps.take()
        assert await frozen.retention._destruction.mark_due(batch, frozen.retention._sweeps) is None
        async with other.database.read() as connection:
            state = (await connection.exec_driver_sql("SELECT state FROM appointments")).scalar()
        assert (planned.id, state) == (batch.due[0].id, "planned")


async def test_what_changed_since_it_was_found_due_is_looked_at_again(store: Store, time: Time) -> None:
    person = await alice(store)
    await plan(store, person)
    time.pass_(days=40)
    (batch,) = [batch async for batch in store.retention._due.batches()]
    await store.appointments.end(Scope.consult(batch.due[0].id, batch.due[0].owner), batch.due[0].id)
    assert await store.retention._sweeps.take()
    assert await store.retention._destruction.mark_due(batch, store.retention._sweeps) == []


async def test_a_reader_in_the_way_of_emptying_the_journal_is_waited_for_by_the_next_sweep(
    sqlite_store: Store, sqlite_settings: VaultSettings, time: Time
) -> None:
    person = await alice(sqlite_store)
    await plan(sqlite_store, person)
    time.pass_(days=40)
    journal = Path(f"{sqlite_settings.database().database}-wal")
    async with sqlite_store.database.read() as reading:
        await reading.exec_driver_sql("PRAGMA busy_timeout=50")
        await reading.exec_driver_sql("SELECT count(*) FROM appointments")
        assert await sqlite_store.retention.sweep() == 1
    assert await sqlite_store.retention.sweep() == 0
    assert journal.stat().st_size == 0


async def test_what_came_back_without_its_key_goes_with_what_is_due(store: Store, time: Time) -> None:
    """A row of before, put back while the server runs: it is compared at starts only."""
    person = await alice(store)
    planned, other = await plan(store, person), await plan(store, person, "Other", days=300)
    (row,) = await store.database.ask(select(appointments).where(appointments.c.id == planned.id))
    receipt = await store.retention.destroy(of(person.id), planned.id)
    async with store.database.write() as connection:
        await connection.execute(appointments.insert().values(dict(row._mapping)))
    time.pass_(days=40)
    assert await store.retention.sweep() == 1
    assert [one.id for one in await store.database.ask(select(appointments))] == [other.id]
    assert await store.appointments.receipts(of(person.id)) == [receipt], "no second one"
    assert (await store.retention.status()).alarms == 0


async def test_of_more_than_is_remembered_the_rest_is_opened_by_each_sweep(
    sqlite_store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(sqlite_store)
    for number in range(4):
        await plan(sqlite_store, person, f"Patient {number}")
    time.pass_(days=30)
    monkeypatch.setattr(due, "MOST", 3)
    for _ in range(2):
        assert await sqlite_store.retention.sweep() == 0
        assert len(sqlite_store.retention._due._known) == 3
    time.pass_(days=1)
    assert await sqlite_store.retention.sweep() == 4


async def test_an_account_is_closed_with_a_receipt_also_beside_a_server_that_sweeps(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    """Whoever has the lease ends the epoch."""
    person = await alice(store)
    await plan(store, person)
    async with open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as other:
        assert await other.retention.sweep() == 0
        epoch = await store.keys._run(lambda keys: keys._epochs.number())
        closed = await store.retention.close(of(person.id))
        assert closed.receipt is not None
        assert await store.keys.receipt(person.id, person.id) == closed.receipt
        assert await store.keys._run(lambda keys: keys._epochs.number()) == epoch, "not by who has no lease"
        await other.retention.sweep()
        assert await store.keys._run(lambda keys: keys._epochs.number()) == epoch + 1
