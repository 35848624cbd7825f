"""A calendar entry is one and the same to whatever program a patient has."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from practice.invitations.letter import letter
from practice.invitations.model import Word
from practice.invitations.wording import LANGUAGES
from tests.practice.test_patients_letters import SENDER, parcel, read
from tests.readers import calendars

ZONES = ("Europe/Amsterdam", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
"""Changes of clock in March and October, at other nights, by half an hour, and none."""

YEARS = (2026, 2027, 2028)
AROUND = (-90, -60, -45, -30, -1, 0, 1, 30, 45, 60, 90)
"""Minutes from a change of clock."""


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """The instants at which clocks change, to the hour before."""
    at = datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while at.year <= YEARS[-1]:
        if at.astimezone(zone).utcoffset() != (at + timedelta(hours=1)).astimezone(zone).utcoffset():
            yield at + timedelta(hours=1)
        at += timedelta(hours=1)


def moments() -> list[datetime]:
    """As planned in each zone: with the offset of the day."""
    found = []
    for name in ZONES:
        zone = ZoneInfo(name)
        found += [(at + timedelta(minutes=one)).astimezone(zone) for at in changes(zone) for one in AROUND]
        found += [datetime(year, month, 15, 9, 30, tzinfo=zone) for year in YEARS for month in range(1, 13)]
    return found


def entry(at: datetime, word: Word = "invitation", language: str = "nl") -> str:
    """What of a letter a calendar program is given."""
    _, parts = read(letter(parcel(word, language, at), SENDER))
    return parts["text/calendar"]


def test_four_programs_read_every_instant_as_it_was_planned(capsys: pytest.CaptureFixture[str]) -> None:
    planned = moments()
    assert len(planned) > 400
    wrong = {}
    for name, found in calendars.read([entry(at) for at in planned]).items():
        right = [(at.astimezone(UTC), (at.astimezone(UTC) + timedelta(minutes=30))) for at in planned]
        theirs = [(one.begin, one.end) for one in found]
        wrong[name] = sum(one != other for one, other in zip(right, theirs, strict=True))
    with capsys.disabled():
        print(f"\n{len(planned)} instants in {len(ZONES)} zones, wrong: {wrong}")
    assert wrong == {"ical.js": 0, "node-ical": 0, "vobject": 0, "libical": 0}


@pytest.mark.parametrize("word", get_args(Word))
def test_what_it_is_about_is_the_same_to_all(word: Word) -> None:
    at = datetime(2027, 3, 28, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
    written = [entry(at, word, language) for language in LANGUAGES]
    for name, found in calendars.read(written).items():
        method, status = ("CANCEL", "CANCELLED") if word == "cancelled" else ("REQUEST", "CONFIRMED")
        for one in found:
            assert (one.method, one.uid, one.sequence, one.status) == (method, "a-uid", 3, status), name
        assert len({one.summary for one in found}) == len(LANGUAGES), name
    summaries = [[one.summary for one in found] for found in calendars.read(written).values()]
    assert all(one == summaries[0] for one in summaries)
