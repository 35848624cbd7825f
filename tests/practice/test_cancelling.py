"""What was cancelled is destroyed ten seconds later, whoever is still there, and until then can be kept."""

import pytest

from practice.accounts.people import People
from practice.agenda.cancelling import UNDO
from practice.agenda.changes import Correction
from practice.agenda.due_times import DueTimes
from practice.agenda.handing import AppointmentsToCome
from practice.agenda.model import Appointment
from practice.storage import Store
from tests.opening import Elsewhere, nobody, of
from tests.people import START, Time, alice, charlie, plan
from vault.errors import DomainError
from vault.records.scope import Scope


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """One database: what is written is what every correction writes."""
    return sqlite_store


async def cancel(store: Store, one: Appointment) -> Appointment:
    return await store.appointments.cancel(of(one.owner), one.id, held=False)


async def test_it_is_kept_as_it_was_within_ten_seconds(store: Store, time: Time) -> None:
    one = await plan(store, await alice(store))
    time.pass_(minutes=1)
    gone_at = time.now() + UNDO
    assert (await cancel(store, one)).due == gone_at
    time.pass_(seconds=5)
    assert (await cancel(store, one)).due == gone_at, "the first time counts"
    time.pass_(seconds=4.9)
    assert await store.retention.sweep() == 0
    assert await store.appointments.by_link(Scope.guest(one.id), one.secret) is not None
    kept = await store.appointments.keep(of(one.owner), one.id)
    assert (kept.due, kept.cancelled_at, kept.starts_at) == (one.due, None, one.starts_at)
    time.pass_(minutes=1)
    assert await store.retention.sweep() == 0
    assert await store.appointments.get(of(one.owner), one.id) == kept


@pytest.mark.duty("S-31")
async def test_after_them_nobody_reads_it_and_the_sweep_destroys_it(store: Store, time: Time) -> None:
    one = await plan(store, await alice(store))
    await cancel(store, one)
    assert await store.appointments.receipts(of(one.owner)) == []
    time.pass_(seconds=10)
    for late in (store.appointments.keep, store.appointments.get):
        with pytest.raises(DomainError, match="gone"):
            await late(of(one.owner), one.id)
    assert await store.appointments.by_link(Scope.guest(one.id), one.secret) is None
    assert await store.appointments.list(of(one.owner), START.date(), START.date()) == []
    assert await store.retention.sweep() == 1
    assert len(await store.appointments.receipts(of(one.owner))) == 1


async def test_the_sweeper_comes_when_it_is_time_whatever_its_interval(store: Store, time: Time) -> None:
    one = await plan(store, await alice(store))
    await store.retention.sweep()
    await cancel(store, one)
    await store.retention.sweep()
    assert store.retention._pause() == UNDO.total_seconds()


async def test_no_other_setting_brings_it_back_and_nothing_of_it_is_corrected(store: Store) -> None:
    one = await plan(store, await alice(store))
    pending = await cancel(store, one)
    await store.practitioners.set_retention(of(one.owner), "manual")
    assert (await store.appointments.get(of(one.owner), one.id)).due == pending.due
    with pytest.raises(DomainError, match="ended"):
        await store.appointments.change(of(one.owner), one.id, Correction(3, minutes=45))


async def test_what_ended_or_runs_or_is_anothers_is_not_cancelled(store: Store) -> None:
    one = await plan(store, await alice(store))
    other = await charlie(store)
    for act in (
        store.appointments.cancel(of(other.id), one.id, held=False),
        store.appointments.keep(of(other.id), one.id),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await act
    with pytest.raises(DomainError, match="bad_state"):
        await store.appointments.cancel(of(one.owner), one.id, held=True)
    await store.appointments.end(of(one.owner), one.id)
    with pytest.raises(DomainError, match="ended"):
        await cancel(store, one)
    assert (await store.appointments.get(of(one.owner), one.id)).cancelled_at is None


async def test_a_consult_that_began_meanwhile_is_waited_for(store: Store, time: Time, elsewhere: Elsewhere) -> None:
    one = await plan(store, await alice(store))
    await cancel(store, one)

    async def running(_: str) -> bool:
        return True

    elsewhere.in_progress = running
    time.pass_(minutes=5)
    assert await store.retention.sweep() == 0
    assert (await store.appointments.get(of(one.owner), one.id)).cancelled_at == START
    elsewhere.in_progress = nobody
    assert await store.retention.sweep() == 1


async def test_what_is_cancelled_is_handed_to_nobody(store: Store, time: Time) -> None:
    one = await plan(store, await alice(store))
    coming = AppointmentsToCome(People(store.keys, store.reader), DueTimes(store.clock, None), store.outbox, time.now)
    assert coming.to_come(one)
    assert not coming.to_come(await cancel(store, one))
