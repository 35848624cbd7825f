"""One central setting per practitioner; what is past due is gone for everybody, swept or not."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.accounts.model import RETENTION, Retention
from practice.agenda.due_times import DueTimes
from practice.agenda.model import Appointment
from practice.storage import Store
from signaling.settings import SignalingSettings
from tests.opening import none_of_them, of, open_store
from tests.people import START, Time, alice, charlie, plan
from tests.vault.readers import GIVEN, REFUSED, refusals
from vault.clock import Clock
from vault.database.marks import set_behind
from vault.destruction.deadline import Deadline, nobody_can_say
from vault.errors import DomainError
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings

OVERRUN = timedelta(minutes=30)
"""As documents and pages say it."""

DAY = START.date()
SETTINGS = st.sampled_from(sorted(RETENTION))
moments = st.datetimes(datetime(2027, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- Hypothesis adds the zone


@pytest.mark.duty("S-29", "S-32")
@pytest.mark.parametrize(
    ("setting", "span"),
    [
        ("end", timedelta(0)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("30d", timedelta(days=30)),
        ("90d", timedelta(days=90)),
        ("manual", timedelta(days=365)),
    ],
)
async def test_due_is_the_end_of_the_consult_and_the_setting(
    store: Store, time: Time, setting: Retention, span: timedelta
) -> None:
    person = await alice(store)
    await store.practitioners.set_retention(of(person.id), setting)
    planned = await plan(store, person)
    assert planned.due == planned.ends_at + timedelta(minutes=30) + span
    time.pass_(hours=1, minutes=10)
    assert (await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)).due == time.wall + span


def test_by_default_an_appointment_stays_as_long_as_its_link_opens() -> None:
    assert timedelta(minutes=SignalingSettings().join_late_minutes) == OVERRUN


@pytest.mark.duty("S-32")
async def test_without_a_cap_manual_is_never(settings: VaultSettings, time: Time) -> None:
    free = settings.model_copy(update={"retention_cap": None})
    async with open_store(free, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        await store.practitioners.set_retention(of(person.id), "manual")
        planned = await plan(store, person)
        assert planned.due is None
        time.pass_(days=4000)
        assert await store.retention.sweep() == 0
        assert await refusals(store, planned) == GIVEN


async def test_past_due_every_read_fails_closed_though_nobody_swept(store: Store, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    assert planned.due is not None
    time.pass_(seconds=(planned.due - START).total_seconds() - 1)
    assert await refusals(store, planned) == GIVEN
    time.pass_(seconds=1)
    assert await refusals(store, planned) == REFUSED
    assert await store.retention.due() == 1


@pytest.mark.duty("S-29")
async def test_the_setting_recomputes_every_living_appointment(store: Store, time: Time) -> None:
    person = await alice(store)
    over, coming = await plan(store, person, "over"), await plan(store, person, "coming", days=3)
    time.pass_(hours=2)
    await store.appointments.end(Scope.consult(over.id, over.owner), over.id)
    assert await store.practitioners.preview_retention(of(person.id), "7d") == 0
    assert await store.practitioners.preview_retention(of(person.id), "end") == 1
    assert (await store.practitioners.get(of(person.id))).retention == "30d", "a preview changes nothing"
    assert await store.practitioners.set_retention(of(person.id), "end") == 1
    changed = await store.practitioners.get(of(person.id))
    assert (changed.retention, changed.version) == ("end", person.version + 1)
    assert await store.appointments.list(of(person.id), DAY, DAY) == [], "due at once, also before the sweep"
    assert await store.retention.sweep() == 1
    assert (await store.appointments.get(of(person.id), coming.id)).due == coming.ends_at + OVERRUN


async def test_the_setting_of_one_does_not_touch_the_other(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    theirs = await plan(store, other)
    await store.practitioners.set_retention(of(person.id), "end")
    assert await store.appointments.get(of(other.id), theirs.id) == theirs


@pytest.mark.duty("S-29", "S-31")
async def test_lengthening_never_revives(store: Store, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    time.pass_(days=31)
    await store.practitioners.set_retention(of(person.id), "manual")
    assert await refusals(store, planned) == REFUSED
    assert await store.retention.sweep() == 1


async def test_a_setting_that_does_not_exist_is_refused(sqlite_store: Store) -> None:
    person = await alice(sqlite_store)
    for call in (sqlite_store.practitioners.set_retention, sqlite_store.practitioners.preview_retention):
        with pytest.raises(DomainError, match="invalid"):
            await call(of(person.id), "1y")  # type: ignore[arg-type]  # there is none of a year
        with pytest.raises(DomainError, match="not_found"):
            await call(of("AAAAAAAAAAAAAAAAAAAAAA"), "end")


@pytest.mark.duty("S-32")
async def test_a_lower_cap_reaches_what_is_already_planned(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        person = await alice(store)
        await store.practitioners.set_retention(of(person.id), "manual")
        planned = await plan(store, person)
    capped = settings.model_copy(update={"retention_cap": 10})
    async with open_store(capped, now=time.now, boot=time.boottime) as store:
        assert await store.retention.catch_up() == 0
        assert (await store.appointments.get(of(person.id), planned.id)).due == planned.ends_at + OVERRUN + timedelta(
            days=10
        )
        time.pass_(days=11)
        assert await store.retention.sweep() == 1


@pytest.mark.duty("S-15")
async def test_only_the_day_of_destruction_stands_in_clear(store: Store) -> None:
    planned = await plan(store, await alice(store))
    assert planned.due is not None
    async with store.database.read() as connection:
        row = (await connection.exec_driver_sql("SELECT due_day, state, version FROM appointments")).one()
    assert (str(row.due_day), row.state, row.version) == (planned.due.date().isoformat(), "planned", 1)


@given(SETTINGS, moments, st.integers(5, 480), st.none() | moments, st.none() | st.integers(0, 400))
def test_due_never_comes_before_the_end(
    setting: Retention, start: datetime, minutes: int, ended: datetime | None, cap: int | None
) -> None:
    clock = Clock(lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: 0.0)
    due_times = DueTimes(clock, cap)
    planned = Appointment("a", "o", "p", start, minutes, "nl", "planned", ended, "s", None, 1)
    due = due_times.with_due(planned, setting).due
    end = ended or planned.ends_at + OVERRUN
    if due is None:
        assert setting == "manual"
        assert cap is None
    else:
        assert end <= due
        assert cap is None or due <= end + timedelta(days=cap)


@given(st.lists(SETTINGS, min_size=1, max_size=6), moments, moments)
def test_no_sequence_of_settings_revives_what_is_past_due(
    settings: list[Retention], start: datetime, at: datetime
) -> None:
    wall = [datetime(2026, 1, 1, tzinfo=UTC)]
    clock = Clock(lambda: wall[0], lambda: 0.0)
    deadline, due_times = Deadline(clock, none_of_them, None), DueTimes(clock, None)
    planned = due_times.with_due(Appointment("a", "o", "p", start, 30, "nl", "planned", None, "s", None, 1), "30d")
    wall[0] = at
    dead = deadline.past(planned)
    for setting in settings:
        planned = due_times.with_due(planned, setting)
        dead = dead or deadline.past(planned)
        assert deadline.past(planned) == dead


@pytest.mark.duty("S-32")
async def test_a_raised_cap_revives_nothing(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings.model_copy(update={"retention_cap": 10}), now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        person = await alice(store)
        await store.practitioners.set_retention(of(person.id), "manual")
        past = await plan(store, person)
        coming = await plan(store, person, days=3)
    time.pass_(days=11)
    async with open_store(settings.model_copy(update={"retention_cap": 90}), now=time.now, boot=time.boottime) as store:
        assert await store.retention.catch_up() == 1
        with pytest.raises(DomainError, match="gone"):
            await store.appointments.get(of(person.id), past.id)
        assert (await store.appointments.get(of(person.id), coming.id)).due == coming.ends_at + OVERRUN + timedelta(
            days=90
        )


@pytest.mark.duty("S-29")
async def test_a_longer_setting_in_the_middle_of_a_sweep_revives_nothing(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    due, later = await plan(store, person), await plan(store, person, days=20)
    time.pass_(days=31)
    plain = store.retention._destruction.mark_due

    async def meanwhile(*arguments: Any) -> object:
        await store.practitioners.set_retention(of(person.id), "90d")
        return await plain(*arguments)

    monkeypatch.setattr(store.retention._destruction, "mark_due", meanwhile)
    await store.retention.sweep()
    monkeypatch.undo()
    await store.retention.sweep()
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(person.id), due.id)
    assert (await store.appointments.get(of(person.id), later.id)).due == later.ends_at + OVERRUN + timedelta(days=90)


@pytest.mark.duty("S-29")
async def test_the_preview_says_what_the_change_then_does(store: Store, time: Time) -> None:
    person = await alice(store)
    for days in (0, 1, 6, 29, 89):
        await plan(store, person, days=days)
    time.pass_(days=28)
    for setting in ("manual", "90d", "30d", "7d", "24h", "end"):
        previewed = await store.practitioners.preview_retention(of(person.id), setting)
        assert await store.practitioners.set_retention(of(person.id), setting) == previewed
        time.pass_(minutes=1)
        assert await store.retention.sweep() == previewed


def due(at: datetime) -> Appointment:
    return Appointment("a", "o", "p", at - timedelta(hours=1), 30, "nl", "planned", None, "s", at, 1)


@pytest.mark.parametrize(("seconds", "within"), [(0, True), (60, True), (61, False)])
def test_what_is_due_in_exactly_a_minute_is_counted(time: Time, seconds: int, within: bool) -> None:
    due_times = DueTimes(Clock(time.now, time.boottime), None)
    assert due_times.within_a_minute(due(START + timedelta(seconds=seconds))) is within


def test_at_its_due_moment_it_is_too_late_for_another_setting(time: Time) -> None:
    due_times = DueTimes(Clock(time.now, time.boottime), None)
    assert due_times.with_due(due(START), "90d") == due(START)
    assert due_times.with_due(due(START + timedelta(seconds=1)), "90d").due != START + timedelta(seconds=1)


@pytest.mark.parametrize(("waited", "forbidden"), [(-1, False), (0, True)])
async def test_a_consult_is_waited_for_until_its_last_second(time: Time, waited: int, forbidden: bool) -> None:
    asked: list[str] = []

    async def in_progress(appointments: Sequence[str]) -> Sequence[str]:
        asked.extend(appointments)
        return appointments

    deadline = Deadline(Clock(time.now, time.boottime), in_progress, None)
    past = due(START - timedelta(hours=24, seconds=waited))
    assert await deadline.forbids(past) is forbidden
    assert asked == ([] if forbidden else ["a"]), "whoever has waited for a day asks nobody"


@pytest.mark.parametrize("unsure", [True, False])
async def test_where_nobody_can_say_readers_refuse_and_the_sweeper_waits(
    time: Time, caplog: pytest.LogCaptureFixture, unsure: bool
) -> None:
    deadline = Deadline(Clock(time.now, time.boottime), nobody_can_say, None)
    assert await deadline.forbids(due(START), unsure=unsure) is unsure
    assert caplog.text == "", "that is no fault"


@pytest.mark.parametrize("all_of_them", [True, False])
async def test_a_database_that_goes_away_ends_rescheduling_and_a_damaged_account_does_not(
    store: Store, monkeypatch: pytest.MonkeyPatch, all_of_them: bool
) -> None:
    person, tried = await alice(store), []
    async with store.database.write() as connection:
        await set_behind(connection, person.id, behind=True)
    reschedule = store.practitioners.reschedule_all if all_of_them else store.practitioners.reschedule_behind
    for code in ("unreadable", "not_found", "try_again"):

        async def fail(_self: object, one: str, code: str = code) -> None:
            tried.append((one, code))
            raise DomainError(code)

        monkeypatch.setattr("practice.accounts.store.Practitioners._reschedule", fail)
        if code == "try_again":
            with pytest.raises(DomainError, check=lambda error: error.code == "try_again"):
                await reschedule(SERVER)
        else:
            await reschedule(SERVER)
    assert tried == [(person.id, code) for code in ("unreadable", "not_found", "try_again")]
