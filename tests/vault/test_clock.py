"""Destroying waits when the clock cannot be believed; reading fails closed."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from practice.storage import Store
from tests.opening import of, open_store
from tests.people import START, Time, alice, plan
from vault import clock as clocks
from vault.clock import JUMPED, UNPROVEN, Anchor, Clock
from vault.database.tables import marks
from vault.destruction import vouching
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings


@pytest.fixture
def unproven(sqlite_settings: VaultSettings, monkeypatch: pytest.MonkeyPatch) -> VaultSettings:
    """A host that no time service disciplines."""
    monkeypatch.setattr(vouching, "kernel_synchronised", lambda: False)
    return sqlite_settings.model_copy(update={"trust_clock": False})


def believed(time: Time) -> Clock:
    clock = Clock(time.now, time.boottime)
    clock.confirm()
    return clock


def test_a_clock_that_runs_like_the_boot_clock_is_believed(time: Time) -> None:
    clock = believed(time)
    time.pass_(days=400)
    assert clock.doubt() is None


@pytest.mark.parametrize("jump", [{"minutes": 6}, {"days": 1}, {"days": 3650}])
def test_a_forward_jump_is_noticed_until_it_is_undone(time: Time, jump: dict[str, float]) -> None:
    clock = believed(time)
    time.jump(**jump)
    assert clock.doubt() == JUMPED
    time.jump(**{unit: -value for unit, value in jump.items()})
    assert clock.doubt() is None


def test_a_correction_of_minutes_is_no_jump(time: Time) -> None:
    clock = believed(time)
    time.jump(minutes=4)
    assert clock.doubt() is None


def test_a_clock_set_back_delays_nothing(time: Time) -> None:
    clock = believed(time)
    time.pass_(days=1)
    time.jump(days=-30)
    assert clock.now() >= START + timedelta(days=1) - timedelta(seconds=60)
    assert clock.doubt() is None


def test_before_anything_vouches_the_clock_is_in_doubt(time: Time) -> None:
    clock = Clock(time.now, time.boottime)
    assert clock.doubt() == UNPROVEN
    assert not clock.vouch(Anchor(START - timedelta(days=9), time.boot))
    assert clock.vouch(Anchor(START, time.boot))
    assert clock.doubt() is None


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 1e6)), max_size=20))
def test_believed_time_never_runs_ahead_of_what_passed(steps: list[tuple[float, float]]) -> None:
    time = Time()
    clock = believed(time)
    elapsed = 0.0
    for passed, jumped in steps:
        time.pass_(seconds=passed)
        time.jump(seconds=jumped)
        elapsed += passed
        ahead = (clock.now() - START).total_seconds() - elapsed
        if clock.doubt() is None:
            assert ahead <= 300 + elapsed * clocks.SLEW + 1
        assert ahead >= -elapsed * clocks.SLEW - 1


def test_the_kernel_is_asked_without_being_changed() -> None:
    assert clocks.kernel_synchronised() in (True, False)
    assert clocks.boottime() > 0
    assert len(clocks.boot_id()) in (7, 8)


async def test_a_jump_pauses_destruction_and_reading_fails_closed(sqlite_store: Store, time: Time) -> None:
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)
    time.jump(days=400)
    assert await sqlite_store.retention.sweep() == 0
    assert (await sqlite_store.retention.status()).paused == JUMPED
    with pytest.raises(DomainError, match="gone"):
        await sqlite_store.appointments.get(of(person.id), planned.id)
    time.jump(days=-400)
    assert await sqlite_store.appointments.get(of(person.id), planned.id) == planned
    assert (await sqlite_store.retention.status()).paused is None


async def test_destroying_by_hand_goes_on_while_the_clock_is_in_doubt(sqlite_store: Store, time: Time) -> None:
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)
    time.jump(days=400)
    await sqlite_store.retention.destroy(of(person.id), planned.id)
    assert await sqlite_store.appointments.by_link(Scope.guest(planned.id), planned.secret) is None


async def test_an_unproven_clock_destroys_nothing_until_it_is_confirmed(unproven: VaultSettings, time: Time) -> None:
    async with open_store(unproven, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        await plan(store, person)
        time.pass_(days=40)
        assert await store.retention.catch_up() == 0
        assert (await store.retention.status()).paused == UNPROVEN
        async with open_store(unproven, now=time.now, boot=time.boottime, exclusive=False) as command:
            await command.retention.resume()
        assert await store.retention.sweep() == 1, "the running server learns it"


async def test_a_confirmed_jump_is_believed_by_the_running_server(
    sqlite_store: Store, sqlite_settings: VaultSettings, time: Time
) -> None:
    person = await alice(sqlite_store)
    await plan(sqlite_store, person)
    time.jump(days=40)
    assert await sqlite_store.retention.sweep() == 0
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime, exclusive=False) as command:
        await command.retention.resume()
    assert await sqlite_store.retention.sweep() == 1


async def test_a_restart_in_the_same_boot_still_believes_the_clock(unproven: VaultSettings, time: Time) -> None:
    async with open_store(unproven, now=time.now, boot=time.boottime) as store:
        await store.retention.resume()
        person = await alice(store)
        await plan(store, person)
    time.pass_(days=40)
    async with open_store(unproven, now=time.now, boot=time.boottime) as store:
        assert await store.retention.catch_up() == 1


async def test_a_jump_while_the_server_was_down_is_noticed(unproven: VaultSettings, time: Time) -> None:
    async with open_store(unproven, now=time.now, boot=time.boottime) as store:
        await store.retention.resume()
        await plan(store, await alice(store))
    time.jump(days=40)
    async with open_store(unproven, now=time.now, boot=time.boottime) as store:
        assert await store.retention.catch_up() == 0
        assert (await store.retention.status()).paused == UNPROVEN


async def test_after_a_reboot_an_earlier_belief_counts_for_nothing(
    unproven: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(unproven, now=time.now, boot=time.boottime) as store:
        await store.retention.resume()
    monkeypatch.setattr("vault.vault.boot_id", lambda: "another1")
    async with open_store(unproven, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        assert (await store.retention.status()).paused == UNPROVEN


async def test_a_kernel_that_is_synchronised_vouches(
    unproven: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(unproven, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        assert (await store.retention.status()).paused == UNPROVEN
        monkeypatch.setattr(vouching, "kernel_synchronised", lambda: True)
        await store.retention.sweep()
        assert (await store.retention.status()).paused is None
        time.jump(days=1)
        await store.retention.sweep()
        assert (await store.retention.status()).paused == JUMPED, "a jump is for a person to judge"


async def test_the_clock_of_the_database_server_vouches(
    settings: VaultSettings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(vouching, "kernel_synchronised", lambda: False)
    doubting = settings.model_copy(update={"trust_clock": False})
    async with open_store(doubting) as store:
        await store.retention.catch_up()
        paused = (await store.retention.status()).paused
    assert paused == (UNPROVEN if store.database.sqlite else None)
    time = Time()
    async with open_store(doubting, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        assert (await store.retention.status()).paused == UNPROVEN, "the server says another day"


@pytest.mark.duty("S-30")
def test_a_jump_after_a_year_is_noticed_like_one_after_a_day(time: Time) -> None:
    """What a kernel may slew in a year is hours; what it did not slew is no allowance for a step."""
    clock = believed(time)
    for _ in range(400):
        time.pass_(days=1)
        assert clock.doubt() is None
    time.jump(minutes=6)
    assert clock.doubt() == JUMPED


@pytest.mark.duty("S-30")
async def test_a_sweeper_of_many_days_notices_a_jump_like_a_new_one(store: Store, time: Time) -> None:
    """Twelve days of slewing are nine minutes, more than the jump."""
    for _ in range(12):
        time.pass_(days=1)
        await store.retention.sweep()
    time.jump(minutes=6)
    assert (await store.retention.status()).paused == JUMPED
    time.jump(minutes=-6)
    assert (await store.retention.status()).paused is None


async def test_small_jumps_do_not_add_up(store: Store, time: Time) -> None:
    for _ in range(10):
        time.pass_(minutes=1)
        time.jump(minutes=1)
        await store.retention.sweep()
    assert (await store.retention.status()).paused is not None


async def test_a_clock_that_is_set_back_and_right_again_is_believed(store: Store, time: Time) -> None:
    time.jump(days=-2)
    await store.retention.sweep()
    time.pass_(hours=1)
    await store.retention.sweep()
    time.jump(days=2)
    assert (await store.retention.status()).paused is None


async def test_each_hour_what_is_believed_is_written_for_the_next_start(sqlite_store: Store, time: Time) -> None:
    """And not at each sweep: what was written long ago allows for more."""

    async def written() -> list[str]:
        rows = await sqlite_store.database.ask(select(marks.c.value).where(marks.c.name.like("clock-%")))
        return [row.value for row in rows]

    seen = [await written()]
    for seconds in (3599, 1, 3599, 1):
        time.pass_(seconds=seconds)
        await sqlite_store.retention.sweep()
        seen.append(await written())
    assert [before == after for before, after in pairwise(seen)] == [True, False, True, False]
