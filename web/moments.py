"""Moments as a person says them, by the practice's clock: “vandaag om 14.30 uur”.

Scripts have ``pages/dates.js``, which says the same.
"""

from datetime import date, datetime, tzinfo

from babel.dates import format_date, get_day_names

from web.locale import CATALOGUES

AWAY = {0: "date.today", -1: "date.yesterday", 1: "date.tomorrow"}
DAY = {"de": "EEEE, d. MMMM"}
TIME = {"nl": "%H.%M", "fr": "%H\u00a0h\u00a0%M"}
"""As a sentence has them, where that is not ``EEEE d MMMM`` and 14:30; no line breaks within the time."""


def moment(at: datetime, now: datetime, zone: tzinfo, language: str) -> str:
    """The day, by how far it is, and the time of day."""
    t, there, today = CATALOGUES[language].text, at.astimezone(zone), now.astimezone(zone)
    away = (there.date() - today.date()).days
    day = t(AWAY[away]) if away in AWAY else day_of(there, language, year=there.year != today.year)
    return t("date.moment", day=day, time=time_of(there, language))


def day_of(day: date, language: str, *, year: bool = True) -> str:
    """A day of the calendar."""
    return format_date(day, DAY.get(language, "EEEE d MMMM") + (" y" if year else ""), locale=language)


def weekdays(language: str) -> list[str]:
    """From Monday on, as they stand alone at the begin of a line."""
    names = get_day_names("wide", "stand-alone", language)
    return [names[day][:1].upper() + names[day][1:] for day in range(7)]


def time_of(at: datetime, language: str) -> str:
    """A time of day, in the zone that it has."""
    return at.strftime(TIME.get(language, "%H:%M"))
