"""An appointment that is repeated is at the same time by the practice's clock, whatever that clock does meanwhile."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from practice.agenda.series import MOST, starts
from vault.errors import DomainError

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize("name", ["Europe/Amsterdam", "Pacific/Auckland", "America/St_Johns", "Africa/Cairo"])
@pytest.mark.parametrize("weeks", [1, 2, 5])
def test_the_walls_time_stays_over_every_change_of_clock(name: str, weeks: int) -> None:
    zone = ZoneInfo(name)
    for year in (2026, 2027):
        for hour in range(24):
            first = datetime(year, 1, 4, hour, 30, tzinfo=zone)
            found = starts(first, weeks, date(year, 12, 31), zone)
            assert found[0] == first
            for n, one in enumerate(found):
                wall = first.replace(tzinfo=None) + timedelta(weeks=weeks * n)
                skipped = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall
                moved = one.astimezone(zone).replace(tzinfo=None) - wall
                assert moved == timedelta() or (skipped and timedelta() < moved <= timedelta(hours=1)), one
                assert one.utcoffset() == one.astimezone(UTC).astimezone(zone).utcoffset(), "as that clock shows it"
            assert found[-1].date() <= date(year, 12, 31) < (found[-1] + timedelta(weeks=weeks)).date()


def test_an_hour_that_is_skipped_is_later_and_of_one_that_comes_twice_the_first_is_meant() -> None:
    spring = starts(datetime(2027, 3, 21, 2, 30, tzinfo=AMSTERDAM), 1, date(2027, 4, 4), AMSTERDAM)
    assert [f"{one:%d %H:%M %z}" for one in spring] == ["21 02:30 +0100", "28 03:30 +0200", "04 02:30 +0200"]
    autumn = starts(datetime(2027, 10, 24, 2, 30, tzinfo=AMSTERDAM), 1, date(2027, 11, 7), AMSTERDAM)
    assert [f"{one:%d %H:%M %z}" for one in autumn] == ["24 02:30 +0200", "31 02:30 +0200", "07 02:30 +0100"]


def test_the_practices_clock_counts_whatever_the_offset_that_was_sent() -> None:
    first = datetime(2027, 3, 24, 23, 30, tzinfo=UTC)  # the 25th in Amsterdam
    found = starts(first, 1, date(2027, 4, 1), AMSTERDAM)
    assert [f"{one.astimezone(AMSTERDAM):%d %H:%M}" for one in found] == ["25 00:30", "01 00:30"]


@pytest.mark.parametrize(
    ("weeks", "until", "field"),
    [(0, date(2027, 6, 1), "weeks"), (13, date(2027, 6, 1), "weeks"), (1, date(2027, 2, 28), "until"),
     (1, date(2028, 3, 6), "until")],
)  # fmt: skip
def test_what_makes_none_or_too_many_is_refused(weeks: int, until: date, field: str) -> None:
    first = datetime(2027, 3, 1, 9, tzinfo=AMSTERDAM)
    with pytest.raises(DomainError, match="invalid") as refused:
        starts(first, weeks, until, AMSTERDAM)
    assert refused.value.field == field
    assert len(starts(first, 1, date(2028, 3, 5), AMSTERDAM)) == MOST
