"""Numbers of an organisation: counted where they happen, and shown only where no small one follows from them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from practice.agenda.ages import Age
from practice.organisation.records import organisations
from practice.statistics.model import TALLIES, WAITS, Days, Month, What, monday, month_of, table
from practice.statistics.records import statistics
from practice.storage import Store
from tests.organisations import found, scope_of
from tests.people import Time, alice, charlie, plan
from vault.errors import DomainError
from vault.records.scope import SERVER

KEPT = timedelta(days=400)
SMALLEST = 10
"""As documents and pages say it."""

TODAY = date(2027, 7, 1)
SMALL = range(SMALLEST)

NUMBERS = st.one_of(st.integers(0, 12), st.integers(0, 60))
TABLES: st.SearchStrategy[Days] = st.dictionaries(
    st.tuples(st.dates(date(2027, 3, 1), date(2027, 5, 30)).map(monday), st.sampled_from((*TALLIES, *WAITS))), NUMBERS
)


def fitting(hidden: int, rest: int | None) -> set[int]:
    """What one of so many numbers below ten may be, if their sum is ``rest``; None is not known."""
    others = {0}
    for _ in range(hidden - 1):
        others = {one + more for one in others for more in SMALL}
    return {one for one in SMALL if rest is None or rest - one in others}


@given(TABLES)
def test_no_small_number_follows_from_what_is_shown(days: Days) -> None:
    months = table(days, TODAY)
    assert [month.first.month for month in months[:3]] == [6, 5, 4]
    for month in months:
        for what in TALLIES:
            weeks = [week.shown[what] for week in month.weeks]
            for week in month.weeks:
                number = days.get((week.first, what), 0)
                assert week.shown[what] == (number if number >= SMALLEST else None)
            shown, hidden, whole = [one for one in weeks if one is not None], weeks.count(None), month.shown[what]
            assert whole is None or whole >= SMALLEST
            if hidden:
                assert fitting(hidden, None if whole is None else whole - sum(shown)) == set(SMALL)


@given(TABLES)
def test_how_long_people_waited_is_shown_whole_and_beside_a_total_or_not_at_all(days: Days) -> None:
    for month in table(days, TODAY):
        waited = [month.shown[what] for what in WAITS]
        assert None not in waited or set(waited) == {None}
        assert waited[0] is None or (
            month.shown["consults"] is not None and all(one >= SMALLEST for one in waited if one)
        )
        assert not any(what in week.shown for week in month.weeks for what in WAITS)


@pytest.mark.parametrize(
    ("consults", "longest", "shown"),
    [(150, 10, [100, 40, 10]), (150, 9, [None, None, None]), (9, 10, [None, None, None])],
)
def test_one_wait_that_is_small_hides_all_and_so_does_a_hidden_total(
    consults: int, longest: int, shown: list[int | None]
) -> None:
    week = date(2027, 4, 5)
    days: dict[tuple[date, What], int] = {(week, "short"): 100, (week, "middle"): 40, (week, "long"): longest}
    for at in range(-1, 4) if consults >= SMALLEST else ():
        days[week + timedelta(days=7 * at), "consults"] = consults
    (april,) = (month for month in table(days, TODAY) if month.first == date(2027, 4, 1))
    assert [april.shown[what] for what in WAITS] == shown


def test_totals_are_shown_where_nothing_follows_from_them() -> None:
    weeks = [date(2027, 3, 29) + timedelta(days=7 * at) for at in range(5)]

    def april(*numbers: int) -> int | None:
        days: Days = {(week, "consults"): number for week, number in zip(weeks, numbers, strict=True)}
        return next(one.shown["consults"] for one in table(days, TODAY) if one.first == date(2027, 4, 1))

    assert april(10, 20, 30, 40, 50) == 150
    assert april(10, 20, 30, 40, 9) is None, "one week would follow from it"
    assert april(10, 20, 4, 5, 0) == 39
    assert april(10, 20, 30, 9, 8) is None, "none of the two could be zero"
    assert april(5, 5, 5, 5, 5) == 25
    assert april(1, 1, 1, 1, 1) is None


def test_only_months_that_are_over_are_shown_and_of_which_no_day_is_forgotten() -> None:
    for late in range(400):
        today = TODAY + timedelta(days=late)
        months = table({}, today)
        assert len(months) in (11, 12)
        assert months[0].weeks[-1].first + timedelta(days=7) <= today
        assert months[-1].weeks[0].first >= today - KEPT
        assert all(month_of(week.first) == month.first for month in months for week in month.weeks)


async def stored(store: Store) -> dict[tuple[str, str], int]:
    rows = await store.database.ask(select(statistics))
    return {(row.organisation, row.what): row.number for row in rows}


async def test_what_is_counted_is_added_to_the_own_organisation_and_goes_with_it(store: Store, time: Time) -> None:
    one, other = await alice(store), await charlie(store)
    first, second = await found(store, one.id, ["owner"]), await found(store, other.id, ["owner"])
    for _ in range(3):
        await store.statistics.count(SERVER, "consults", {one.id: 2, other.id: 1, "nobody": 5})
    assert await stored(store) == {(first.owner, "consults"): 6, (second.owner, "consults"): 3}
    async with store.database.write() as connection:
        await connection.execute(delete(organisations).where(organisations.c.id == first.owner))
    assert await stored(store) == {(second.owner, "consults"): 3}
    time.pass_(days=KEPT.days)
    assert await store.statistics.purge() == 0
    time.pass_(days=1)
    assert await store.statistics.purge() == 1
    assert await stored(store) == {}


async def test_who_looks_after_an_organisation_sees_its_own_numbers_alone(store: Store, time: Time) -> None:
    one, other = await alice(store), await charlie(store)
    await found(store, one.id, ["owner"])
    await found(store, other.id, ["owner", "practitioner"])
    await store.statistics.count(SERVER, "consults", {one.id: 40})
    time.pass_(days=70)
    assert 40 in [week.shown["consults"] for month in await seen(store, one.id) for week in month.weeks]
    assert not any(week.shown["consults"] for month in await seen(store, other.id) for week in month.weeks)


async def seen(store: Store, account: str) -> list[Month]:
    return await store.statistics.of(await scope_of(store, account))


async def test_what_is_destroyed_because_it_is_due_is_counted_and_what_is_by_hand_is_not(
    store: Store, time: Time
) -> None:
    person = await alice(store)
    member = await found(store, person.id, ["owner", "practitioner"])
    scope = await scope_of(store, person.id)
    await plan(store, person)
    by_hand = await plan(store, person)
    await store.retention.destroy(scope, by_hand.id)
    childs = await plan(store, person)
    await store.consents.say_age(scope, childs.id, Age("12-15"))
    time.pass_(days=90)
    assert await store.retention.sweep() == 2, "of which a child's is not counted"
    assert await stored(store) == {(member.owner, "swept"): 1}


async def test_a_number_that_cannot_be_written_fails_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await alice(store)
    await found(store, person.id, ["owner"])

    async def away(*_: object) -> None:
        raise DomainError("try_again")

    monkeypatch.setattr(store.statistics, "_add", away)
    await store.statistics.count(SERVER, "consults", {person.id: 1})
    assert (await store.database.ask(select(func.count()).select_from(statistics)))[0][0] == 0
