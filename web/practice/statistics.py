"""How much the practice does, in numbers: of no person, none below ten, as a page and as a file."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from babel.dates import format_date

from practice.organisation.rights import Right
from practice.statistics.model import MONTHS, TALLIES, WAITS, Month, Week
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, STORE
from web.forms import Download, Fields, Form, Page
from web.practice.extract import CONTENT
from web.practice.menu import menu
from web.render import spoken

COLUMNS: Final = ("period", "from", *TALLIES, *WAITS)


class Nothing(Fields):
    """A button."""


async def show(call: Call) -> Mapping[str, object]:
    """All that may be shown."""
    return {
        "months": await call.request.app[STORE].statistics.of(call.scope),
        "tallies": TALLIES,
        "waits": WAITS,
        "most": MONTHS,
        "month_name": lambda day: named(call, day, "LLLL y"),
        "week_name": lambda day: named(call, day, "d MMM y"),
        "menu": menu(call),
    }


async def take(call: Call) -> Download:
    """The same as a table."""
    months = await call.request.app[STORE].statistics.of(call.scope)
    name = f"spreekkamer-statistics-{call.request.app[NOW]():%Y-%m-%d}.csv"
    return Download(name, CONTENT["csv"], written(months))


def written(months: Sequence[Month]) -> bytes:
    """A row for each month and each of its weeks; a cell that is not shown is empty."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for month in months:
        rows.writerow(row("month", month))
        rows.writerows(row("week", one) for one in month.weeks)
    return text.getvalue().encode()


def row(period: str, one: Month | Week) -> list[str | int | None]:
    """Which days, and the numbers."""
    return [period, one.first.isoformat(), *(one.shown.get(what) for what in (*TALLIES, *WAITS))]


def named(call: Call, day: date, form: str) -> str:
    """A day, or its month, in the reader's language."""
    return format_date(day, form, locale=spoken(call.request)[0])


STATISTICS: Final = Page("/practice/statistics", "practice/statistics.html", show, right=Right.OVERSIGHT)

PAGES: Final = (STATISTICS,)
FORMS: Final = (Form("/practice/statistics/take", STATISTICS, Nothing, take),)
"""``pages`` has each page and each form."""
