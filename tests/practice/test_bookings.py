"""Booking by oneself: hours as they are typed, times as they follow, and one time for one person."""

import asyncio
import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.accounts.model import Language, Practitioner
from practice.agenda.model import Appointment
from practice.bookings.hours import Busy, clock, exceptions, hours, times, typed, typed_exceptions
from practice.bookings.model import Availability, Hold, Terms
from practice.bookings.records import HOLDS
from practice.bookings.store import LIFE, TRIES, Wanted
from practice.mailed_digits import digits
from practice.notices.model import News
from practice.storage import Store
from signaling.scopes import of_feed, of_server
from tests.opening import of
from tests.people import START, Time
from tests.practice.posting import sqlite_store, store
from tests.practice.test_organisation import rows
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.writing import Along

__all__ = ["sqlite_store", "store"]

ZONE = ZoneInfo("Europe/Amsterdam")
ALWAYS = Terms(((0, 24 * 60),) and (((8 * 60, 18 * 60),),) * 7, {}, 30, 0, 0, 14, (), True)
NOW = datetime(2027, 3, 22, 8, tzinfo=UTC)  # a Monday; the clocks change on Sunday the 28th


# --- hours -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", ()),
        ("9-12", ((540, 720),)),
        ("13.30\N{EN DASH}17, 9:00 - 12:00", ((540, 720), (810, 1020))),
        ("8h15-9h; 22-24", ((495, 540), (1320, 1440))),
    ],
)
def test_hours_are_read_as_people_type_them(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert hours(text) == spans
    assert hours(typed(spans)) == spans


OVERLAPPING = ("9-12, 11-13", "9-10," * 7 + "10-11")


@pytest.mark.parametrize("text", ["9", "12-9", "9-9", "9:60-10", "9-25", "24:01-24:30", "-", *OVERLAPPING])
def test_other_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text.split(",", maxsplit=1)[0][:2])):
        hours(text)


def test_days_of_their_own() -> None:
    text = "2027-04-27\n\n2027-04-28: 9-11, 13-14\n"
    found = exceptions(text)
    assert found == {date(2027, 4, 27): (), date(2027, 4, 28): ((540, 660), (780, 840))}
    assert exceptions(typed_exceptions(Terms(exceptions=found))) == found
    for wrong in ("27-04-2027", "2027-13-01", "2027-04-27\n2027-04-27 9-10", "2027-04-27 open"):
        with pytest.raises(ValueError, match=r"2027|month|open"):
            exceptions(wrong)


def free(terms: Terms, busy: list[Busy] | None = None, now: datetime = NOW) -> list[datetime]:
    return list(times(terms, ZONE, now, busy or []))


def test_times_follow_from_hours_length_pause_and_notice() -> None:
    terms = Terms((((540, 720),), *((),) * 6), {date(2027, 3, 23): ((600, 640),)}, 40, 10, 2, 7, (), True)
    found = [at.strftime("%d %H:%M") for at in free(terms)]
    assert found == ["23 10:00", "29 09:00", "29 09:50", "29 10:40"]
    at = datetime(2027, 3, 29, 10, 35, tzinfo=ZONE)
    assert [one.strftime("%d %H:%M") for one in free(terms, [(at, at + timedelta(minutes=5))])] == found[:2]


@pytest.mark.parametrize(
    ("day", "spans"), [(date(2027, 3, 28), ["01:00", "03:00"]), (date(2027, 10, 31), ["01:00", "02:00", "03:00"])]
)
def test_a_time_that_the_clocks_skip_is_none(day: date, spans: list[str]) -> None:
    terms = Terms(exceptions={day: ((60, 240),)}, minutes=60, notice=0, ahead=1, open=True)
    now = datetime.combine(day, time(0), ZONE) - timedelta(hours=12)
    assert [at.strftime("%H:%M") for at in free(terms, now=now)] == spans


spans = st.tuples(st.integers(0, 1439), st.integers(1, 600)).map(lambda one: (one[0], min(1440, one[0] + one[1])))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(spans.map(lambda one: (one,)), min_size=7, max_size=7),
    st.integers(5, 120),
    st.integers(0, 60),
    st.integers(0, 48),
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(5, 480)), max_size=6),
    st.integers(0, 300),
)
def test_whatever_is_offered_no_time_overlaps_or_comes_too_early(
    week: list[tuple[tuple[int, int]]],
    minutes: int,
    pause: int,
    notice: int,
    planned: list[tuple[int, int]],
    later: int,
) -> None:
    now = NOW + timedelta(days=later)
    busy = [(begin := now + timedelta(minutes=at), begin + timedelta(minutes=long)) for at, long in planned]
    terms = Terms(tuple(week), {}, minutes, pause, notice, 14, (), True)
    found = free(terms, busy, now)
    assert found == sorted(found, key=lambda at: at.astimezone(UTC))
    for at in found:
        begin = at.astimezone(UTC)
        end = begin + timedelta(minutes=minutes)
        assert begin >= now + timedelta(hours=notice)
        assert not any(
            begin < until + timedelta(minutes=pause) and since < end + timedelta(minutes=pause) for since, until in busy
        )
        spans_of_day = terms.week[at.weekday()]
        assert any(first <= at.hour * 60 + at.minute <= last - minutes for first, last in spans_of_day)


def test_a_clock_has_two_digits() -> None:
    assert (clock(5), clock(1440)) == ("00:05", "24:00")


# --- one time for one ------------------------------------------------------------------------------------------------


async def offering(store: Store, terms: Terms = ALWAYS, name: str = "alice") -> tuple[Practitioner, Availability]:
    person = await store.practitioners.add(f"{name}@example.org", "a long enough secret", "Alice", "nl")
    before = await store.bookings.of(of(person.id))
    return person, await store.bookings.set_terms(of(person.id), terms, before.version)


def wanting(at: datetime, who: str = "noor", network: str = "192.0.2.1") -> Wanted:
    return Wanted(at, who.title(), f"{who}@example.org", "fr", network)


async def hold(store: Store, availability: Availability, wanted: Wanted) -> tuple[Hold, str]:
    def tell(owner: str, mail: str, language: Language, seed: str) -> Along:
        return store.notices.of(owner, News("booking", mail, language, {"digits": seed}))

    return await store.bookings.hold(availability, of_feed(availability.owner), ZONE, wanted, tell)


async def confirm(store: Store, held: Hold, availability: Availability, typed: str) -> Appointment:
    scopes = of_feed(held.owner), of(held.owner)
    return await store.bookings.confirm(held, availability, *scopes, ZONE, typed)


def code(store: Store, one: Hold) -> str:
    return digits(store.keys.link_token(one.seed))


async def test_a_time_is_held_then_confirmed_with_the_digits(store: Store) -> None:
    person, availability = await offering(store)
    first, *others = await store.bookings.times(availability, of_feed(availability.owner), ZONE)
    held, token = await hold(store, availability, wanting(first))
    assert first not in await store.bookings.times(availability, of_feed(availability.owner), ZONE)
    assert others[0] in await store.bookings.times(availability, of_feed(availability.owner), ZONE)
    assert await store.bookings.held(token) == held
    (told,) = [one.news for one in await store.notices.waiting()]
    assert (told.word, told.to, code(store, held) in str(told.values)) == ("booking", "noor@example.org", False)
    made = await confirm(store, held, availability, f" {code(store, held)[:3]} {code(store, held)[3:]}")
    assert (made.patient, made.starts_at, made.minutes, made.language) == ("Noor", first, 30, "fr")
    assert made.contact is not None and made.contact.mail == "noor@example.org"
    assert await store.bookings.held(token) is None
    assert first not in await store.bookings.times(availability, of_feed(availability.owner), ZONE)
    await store.retention.sweep()
    assert not await rows(store, HOLDS.table)
    with pytest.raises(DomainError, match="conflict"):
        await confirm(store, held, availability, code(store, held))
    assert len((await store.appointments.agenda(of(person.id), date.min, date.max)).appointments) == 1


async def test_of_two_hundred_at_once_one_has_the_time(store: Store) -> None:
    person, availability = await offering(store)
    first = (await store.bookings.times(availability, of_feed(availability.owner), ZONE))[0]
    tries = [hold(store, availability, wanting(first, f"p{n}", f"192.0.2.{n}")) for n in range(200)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    won = [one for one in done if not isinstance(one, BaseException)]
    assert len(won) == 1
    assert {one.code for one in done if isinstance(one, DomainError)} == {"conflict"}
    ((held, _),) = won
    confirming = [confirm(store, held, availability, code(store, held)) for _ in range(20)]
    made = await asyncio.gather(*confirming, return_exceptions=True)
    assert len([one for one in made if not isinstance(one, BaseException)]) == 1
    assert len((await store.appointments.agenda(of(person.id), date.min, date.max)).appointments) == 1


async def test_one_for_each_address_and_each_network(sqlite_store: Store) -> None:
    store = sqlite_store
    _, availability = await offering(store)
    first, second, third, *_ = await store.bookings.times(availability, of_feed(availability.owner), ZONE)
    _, before = await hold(store, availability, wanting(first))
    with pytest.raises(DomainError, match="rate_limited"):
        await hold(store, availability, wanting(second, "somebody"))
    await hold(store, availability, wanting(third, network="192.0.2.9"))
    for number, free in enumerate(await store.bookings.times(availability, of_feed(availability.owner), ZONE)):
        if number in (5, 6):  # from where nobody can say, as many as come
            await hold(store, availability, wanting(free, f"p{number}", ""))
    assert await store.bookings.held(before) is None
    _, again_held = await hold(store, availability, wanting(third, network="192.0.2.9"))
    assert await store.bookings.held(again_held), "who goes back and takes the same time has it"
    assert first in await store.bookings.times(availability, of_feed(availability.owner), ZONE)


async def test_a_hold_ends_by_its_time_and_by_wrong_digits(sqlite_store: Store, time: Time) -> None:
    store = sqlite_store
    _, availability = await offering(store)
    first = (await store.bookings.times(availability, of_feed(availability.owner), ZONE))[0]
    held, token = await hold(store, availability, wanting(first))
    for left in reversed(range(TRIES)):
        with pytest.raises(DomainError, match="invalid") as caught:
            await confirm(store, held, availability, "not it")
        assert caught.value.field == "code"
        if left:
            held = await again(store, token)
    assert await store.bookings.held(token) is None
    held, token = await hold(store, availability, wanting(first))
    many = [confirm(store, held, availability, f"{number:06}") for number in range(40)]
    done = await asyncio.gather(*many, return_exceptions=True)
    codes = [one.code for one in done if isinstance(one, DomainError)]
    assert codes.count("conflict") == 39, "of tries at one moment one is looked at"
    assert (await again(store, token)).tries == 1
    time.pass_(seconds=LIFE.total_seconds())
    assert await store.bookings.held(token) is None
    assert await store.bookings.bury() == 1
    assert await store.bookings.bury() == 0
    await store.retention.sweep()
    assert not await rows(store, HOLDS.table)


async def again(store: Store, token: str) -> Hold:
    found = await store.bookings.held(token)
    assert found is not None
    return found


async def test_what_is_planned_meanwhile_has_the_time(sqlite_store: Store) -> None:
    store = sqlite_store
    person, availability = await offering(store)
    first = (await store.bookings.times(availability, of_feed(availability.owner), ZONE))[0]
    held, token = await hold(store, availability, wanting(first))
    await store.appointments.create(of(person.id), "Ans", first, 30, "nl")
    with pytest.raises(DomainError, match="conflict"):
        await confirm(store, held, availability, code(store, held))
    assert await store.bookings.held(token) is None


async def test_what_was_planned_while_a_hold_was_written_has_the_time(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_store
    person, availability = await offering(store)
    first = (await store.bookings.times(availability, of_feed(availability.owner), ZONE))[0]
    plain = store.bookings._planned

    async def seen(availability: Availability, looking: Scope, zone: tzinfo) -> list[Busy]:
        found = await plain(availability, looking, zone)
        await store.appointments.create(of(person.id), "Ans", first, 30, "nl")
        return found

    monkeypatch.setattr(store.bookings, "_planned", seen)
    with pytest.raises(DomainError, match="conflict"):
        await hold(store, availability, wanting(first))
    assert await store.bookings.bury() == 0


async def test_an_offer_that_changed_or_closed_holds_nothing(sqlite_store: Store) -> None:
    store = sqlite_store
    person, availability = await offering(store)
    first = (await store.bookings.times(availability, of_feed(availability.owner), ZONE))[0]
    changed = await store.bookings.readdress(of(person.id), availability.version)
    assert changed.token != availability.token and await store.bookings.at(availability.token) is None
    assert await store.bookings.at(changed.token) == changed
    with pytest.raises(DomainError, match="conflict"):
        await hold(store, availability, wanting(first))
    with pytest.raises(DomainError, match="invalid"):
        await hold(store, changed, Wanted(first, "Noor", "no address", "nl", "x"))
    with pytest.raises(DomainError, match="conflict"):
        await hold(store, changed, wanting(first + timedelta(minutes=1)))
    with pytest.raises(DomainError, match="conflict"):
        await store.bookings.set_terms(of(person.id), ALWAYS, availability.version)
    shut = await store.bookings.set_terms(of(person.id), Terms(), changed.version)
    assert await store.bookings.at(shut.token) is None
    assert await store.bookings.at("x" * 200) is None
    assert await store.bookings.at("x") is None
    assert await store.bookings.held("é") is None
    await store.retention.close(of(person.id))
    with pytest.raises(DomainError, match="not_found"):
        await hold(store, changed, wanting(first))


async def test_nothing_is_readdressed_before_it_is_offered(sqlite_store: Store) -> None:
    person = await sqlite_store.practitioners.add("bob@example.org", "a long enough secret", "Bob", "nl")
    with pytest.raises(DomainError, match="not_found"):
        await sqlite_store.bookings.readdress(of(person.id), 0)


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        (Terms(minutes=4), "minutes"),
        (Terms(pause=121), "pause"),
        (Terms(notice=-1), "notice"),
        (Terms(ahead=93), "ahead"),
        (Terms(exceptions={START.date() + timedelta(days=n): () for n in range(101)}), "exceptions"),
        (Terms(ancestors=tuple(f"https://{n}.example.org" for n in range(6))), "ancestors"),
    ],
)
async def test_terms_have_bounds(sqlite_store: Store, terms: Terms, name: str) -> None:
    person = await sqlite_store.practitioners.add("bob@example.org", "a long enough secret", "Bob", "nl")
    with pytest.raises(DomainError, match="invalid") as caught:
        await sqlite_store.bookings.set_terms(of(person.id), terms, 0)
    assert caught.value.field == name


async def test_only_who_has_sight_of_the_agenda_sees_its_times(sqlite_store: Store) -> None:
    person, availability = await offering(sqlite_store)
    other = await sqlite_store.practitioners.add("bob@example.org", "a long enough secret", "Bob", "nl")
    for scope in (of(person.id), of_server(), of_feed(other.id)):
        with pytest.raises(DomainError, match="not_found"):
            await sqlite_store.bookings.times(availability, scope, ZONE)
