"""The four weeks of a request, over month ends, leap days, holidays and changes of clock: a table, and any date."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.requests import clock

ZONES = (
    *("Europe/Amsterdam", "Europe/London", "Europe/Lisbon", "Atlantic/Azores", "America/New_York", "America/Havana"),
    *("America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Asia/Gaza", "Australia/Lord_Howe", "Pacific/Apia", "UTC"),
)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def at(text: str, zone: str = "Europe/Amsterdam") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.duty("S-49")
@pytest.mark.parametrize(
    ("asked", "last", "zone", "why"),
    [
        ("2026-01-05T09:00", "2026-02-02", "Europe/Amsterdam", "over a month end"),
        ("2026-01-31T23:59:59.999999", "2026-02-28", "Europe/Amsterdam", "the last moment of a month"),
        ("2026-02-01T00:00", "2026-03-01", "Europe/Amsterdam", "the first of one, in a short February"),
        ("2028-02-01T12:00", "2028-02-29", "Europe/Amsterdam", "onto a leap day"),
        ("2028-02-29T12:00", "2028-03-28", "Europe/Amsterdam", "from a leap day"),
        ("2028-02-15T12:00", "2028-03-14", "Europe/Amsterdam", "over a leap day"),
        ("2100-02-15T12:00", "2100-03-15", "Europe/Amsterdam", "a century without one"),
        ("2026-12-04T12:00", "2027-01-01", "Europe/Amsterdam", "New Year's Day is a day"),
        ("2026-03-08T12:00", "2026-04-05", "Europe/Amsterdam", "Easter Sunday is a day"),
        ("2026-03-15T23:30", "2026-04-12", "Europe/Amsterdam", "over the change to summer time"),
        ("2026-10-11T00:15", "2026-11-08", "Europe/Amsterdam", "over the change to winter time"),
        ("2026-03-29T01:59", "2026-04-26", "Europe/Amsterdam", "a minute before an hour is left out"),
        ("2026-09-27T12:00", "2026-10-25", "Europe/Amsterdam", "onto a day of 25 hours"),
        ("2026-03-01T12:00", "2026-03-29", "Europe/Amsterdam", "onto a day of 23 hours"),
        ("2018-10-07T12:00", "2018-11-04", "America/Sao_Paulo", "onto a day without a midnight"),
        ("2011-12-02T12:00", "2011-12-30", "Pacific/Apia", "onto a day that the island left out"),
    ],
)
def test_the_last_day_is_the_twenty_eighth(asked: str, last: str, zone: str, why: str) -> None:
    moment, there = at(asked, zone), ZoneInfo(zone)
    assert clock.due_day(moment, there) == date.fromisoformat(last), why
    assert clock.due(moment, there).astimezone(there).date() == date.fromisoformat(last) + timedelta(days=1), why


def test_the_end_is_the_calendars_midnight_whatever_the_clock_did() -> None:
    there = ZoneInfo("Europe/Amsterdam")
    assert clock.due(at("2026-03-15T23:30"), there) == datetime(2026, 4, 12, 22, tzinfo=UTC), "summer time since"
    assert clock.due(at("2026-10-11T00:15"), there) == datetime(2026, 11, 8, 23, tzinfo=UTC), "winter time since"
    assert clock.due(at("2026-09-27T12:00"), there) == datetime(2026, 10, 25, 23, tzinfo=UTC), "a day of 25 hours"


def test_the_day_is_the_practices_not_the_servers() -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert clock.due_day(late, ZoneInfo("Europe/Amsterdam")) == date(2026, 12, 29), "already December there"
    assert clock.due_day(late, ZoneInfo("America/New_York")) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("asked", "last"),
    [
        ("2026-01-05T09:00", "2026-04-02"),
        ("2026-12-03T09:00", "2027-02-28"),
        ("2027-12-03T09:00", "2028-02-29"),
        ("2026-12-02T09:00", "2027-02-28"),
        ("2026-10-03T09:00", "2026-12-31"),
        ("2026-11-15T09:00", "2027-02-13"),
    ],
)
def test_an_extension_ends_two_months_later_on_the_day_of_that_number(asked: str, last: str) -> None:
    there = ZoneInfo("Europe/Amsterdam")
    assert clock.extended_day(at(asked), there) == date.fromisoformat(last)
    end = clock.extended(at(asked), there)
    assert (end - INSTANT).astimezone(there).date() == date.fromisoformat(last)


def test_a_reason_counts_until_day_28_begins() -> None:
    there, asked = ZoneInfo("Europe/Amsterdam"), at("2026-03-15T23:30")
    first = datetime(2026, 4, 11, 22, tzinfo=UTC)
    assert clock.extends(asked, first - INSTANT, there)
    assert not clock.extends(asked, first, there)


def test_reminders_come_on_their_days_once_and_none_is_made_up_for() -> None:
    there, asked = ZoneInfo("Europe/Amsterdam"), at("2026-03-15T23:30")
    given, done = [], 0
    for hour in range(30 * 24):
        now = asked + hour * HOUR
        day = clock.reminder(asked, now, there, done)
        if day is not None:
            given.append((day, clock.day_of(now, there)))
            done = day
    first = clock.day_of(asked, there)
    assert given == [(day, first + timedelta(days=day)) for day in (7, 14, 21, 26)]
    assert clock.reminder(asked, asked + timedelta(days=22), there, 7) == 21, "the server was off on day 14"
    assert clock.reminder(asked, asked - timedelta(days=9), there, 0) is None, "the clock was set back"


EVER = (datetime.fromisoformat("1995-01-01"), datetime.fromisoformat("2090-01-01"))
MOMENTS = st.datetimes(*EVER, timezones=st.just(UTC))


@pytest.mark.duty("S-49")
@settings(max_examples=4_000, deadline=None)
@given(asked=MOMENTS, zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_of_any_moment_in_any_zone_it_is_exact(asked: datetime, zone: tzinfo) -> None:
    """The moment before the end is within the 28th day, and the end is not."""
    end = clock.due(asked, zone)
    last = clock.day_of(asked, zone) + timedelta(days=28)
    assert clock.day_of(end, zone) > last
    before = clock.day_of(end - INSTANT, zone)
    assert before == last or (before < last and str(zone) == "Pacific/Apia"), "that island has no 30 December 2011"
    assert timedelta(days=27) < end - asked < timedelta(days=29, hours=3)
    assert [clock.reminder(asked, asked + timedelta(days=day), zone, 0) is None for day in (0, 29)] == [True, False]
    assert clock.extended_day(asked, zone) > last + timedelta(days=57)
    assert (clock.extended(asked, zone) - end) > timedelta(days=57)
