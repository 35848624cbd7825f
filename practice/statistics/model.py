"""What is counted, and what of it may be shown.

**Fewer than ten is not shown, nor what it could be worked out from.** Only weeks and months that are over are shown, so
that what is added between two looks says nothing. A month is made of whole weeks (a week is the month's that has its
Thursday, as in ISO 8601), so that no part of a week is left over between the two. Its total is shown only where each
week that is not could still be anything from 0 to 9. How long people waited is shown of a month as a whole or not at
all, beside a total that is shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, get_args

Wait = Literal["short", "middle", "long"]
"""Of somebody who is called in: less than 5 minutes, less than 15, longer."""

Tally = Literal["consults", "absent", "swept"]
"""Consults in which two met; those that their practitioner ended with nobody else there; appointments that were
destroyed because they were due."""

What = Tally | Wait
TALLIES: Final[tuple[Tally, ...]] = get_args(Tally)
WAITS: Final[tuple[Wait, ...]] = get_args(Wait)

SMALLEST: Final = 10
"""Fewer are not shown, none included."""

KEPT: Final = timedelta(days=400)
MONTHS: Final = 12
"""So many are shown at most: no day of theirs has been forgotten."""

WEEK: Final = timedelta(days=7)

Days = Mapping[tuple[date, What], int]
"""How many of what on which day."""

Cells = Mapping[What, int | None]
"""How many, None for what is not shown."""


@dataclass(frozen=True, slots=True)
class Week:
    """One from a Monday on."""

    first: date
    shown: Cells


@dataclass(frozen=True, slots=True)
class Month:
    """One, named by its first day, of whole weeks."""

    first: date
    shown: Cells
    weeks: Sequence[Week]


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def month_of(week: date) -> date:
    """The first day of the month that a week belongs to, which has its Thursday."""
    return (week + timedelta(days=3)).replace(day=1)


def table(days: Days, today: date) -> list[Month]:
    """The months that are over, newest first, with their weeks, oldest first, and what may be shown of each."""
    counts: Counter[tuple[date, What]] = Counter()
    for (day, what), number in days.items():
        counts[monday(day), what] += number
    weeks: dict[date, list[date]] = {}
    week = monday(today - KEPT) + WEEK
    while week < monday(today):
        weeks.setdefault(month_of(week), []).append(week)
        week += WEEK
    whole = [month for month, its in weeks.items() if month not in (month_of(its[0] - WEEK), month_of(its[-1] + WEEK))]
    return [_month(month, weeks[month], counts) for month in reversed(whole[-MONTHS:])]


def _month(month: date, weeks: Sequence[date], counts: Mapping[tuple[date, What], int]) -> Month:
    shown = {what: [enough(counts.get((week, what), 0)) for week in weeks] for what in TALLIES}
    totals: dict[What, int | None] = {what: total([counts.get((week, what), 0) for week in weeks]) for what in TALLIES}
    waited = {what: sum(counts.get((week, what), 0) for week in weeks) for what in WAITS}
    together = totals["consults"] is not None and all(map(enough, waited.values()))
    totals |= {what: number if together else None for what, number in waited.items()}
    rows = [Week(week, {what: shown[what][at] for what in TALLIES}) for at, week in enumerate(weeks)]
    return Month(month, totals, rows)


def enough(number: int) -> int | None:
    """A number that may be shown."""
    return number if number >= SMALLEST else None


def total(parts: Sequence[int]) -> int | None:
    """Their sum, where each part that is not shown could still be anything below the smallest number that is."""
    most = SMALLEST - 1
    hidden = [one for one in parts if enough(one) is None]
    if hidden and not most <= sum(hidden) <= most * (len(hidden) - 1):
        return None
    return enough(sum(parts))
