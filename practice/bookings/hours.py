"""Hours as people type them, and the times that follow from them: of the clock on the wall, in a zone."""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from practice.bookings.model import Hours, OpenHour, Terms

CLOCK: Final = r"(\d{1,2})(?:[:.h](\d{2})?)?"
SPAN: Final = re.compile(rf"{CLOCK}\s*(?:-|\N{{EN DASH}}|\N{{EM DASH}})\s*{CLOCK}")
DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})\s*:?\s*(.*)")
MOST_SPANS: Final = 6
MIDNIGHT: Final = 24 * 60

Busy = tuple[datetime, datetime]
"""From when until when, both aware."""


def hours(text: str) -> Hours:
    """``9-12, 13:30-17``: none where nothing stands. Errors: ValueError, also for such that overlap."""
    spans = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    found = tuple(sorted(span(part) for part in spans))
    if len(found) > MOST_SPANS or any(one[1] > after[0] for one, after in pairwise(found)):
        raise ValueError(text)
    return found


def span(text: str) -> tuple[int, int]:
    """One of them, in minutes after midnight. Errors: ValueError."""
    if (match := SPAN.fullmatch(text)) is None:
        raise ValueError(text)
    first, first_minutes, last, last_minutes = (int(part or 0) for part in match.groups())
    begins, ends = first * 60 + first_minutes, last * 60 + last_minutes
    if max(first_minutes, last_minutes) > 59 or not begins < ends <= MIDNIGHT:
        raise ValueError(text)
    return begins, ends


def typed(day: Hours) -> str:
    """As ``hours`` reads it."""
    return ", ".join(f"{clock(begins)}-{clock(ends)}" for begins, ends in day)


def clock(minutes: int) -> str:
    """Minutes after midnight, as a clock has them; 24:00 is the end of the day."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def exceptions(text: str) -> dict[date, Hours]:
    """A day on each line, ``2026-12-24 9-12``; nothing behind it: closed. Errors: ValueError, also for one twice."""
    found: dict[date, Hours] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if (match := DAY.fullmatch(line)) is None:
            raise ValueError(line)
        year, month, number, rest = match.groups()
        day = date(int(year), int(month), int(number))
        if day in found:
            raise ValueError(line)
        found[day] = hours(rest)
    return found


def typed_exceptions(terms: Terms | OpenHour) -> str:
    """As ``exceptions`` reads it."""
    return "\n".join(f"{day.isoformat()} {typed(spans)}".strip() for day, spans in sorted(terms.exceptions.items()))


def times(terms: Terms, zone: tzinfo, now: datetime, busy: Collection[Busy]) -> Iterator[datetime]:
    """When an appointment may begin, from ``now`` on: none that overlaps what is ``busy`` or leaves no pause beside it.

    A time that the clocks skip is none; one that they show twice is the first of both.
    """
    earliest, today = now + timedelta(hours=terms.notice), now.astimezone(zone).date()
    length, pause = timedelta(minutes=terms.minutes), timedelta(minutes=terms.pause)
    for number in range(terms.ahead + 1):
        day = today + timedelta(days=number)
        for begins, ends in terms.exceptions.get(day, terms.week[day.weekday()]):
            for minute in range(begins, ends - terms.minutes + 1, terms.minutes + terms.pause):
                at = datetime.combine(day, time(minute // 60, minute % 60), zone)
                begin = at.astimezone(UTC)  # two of one zone are compared by the wall, on which an hour may lack
                real = begin.astimezone(zone).replace(tzinfo=None) == at.replace(tzinfo=None)
                free = all(until + pause <= begin or begin + length + pause <= since for since, until in busy)
                if real and begin >= earliest and free:
                    yield at


def closes(hour: OpenHour, zone: tzinfo, now: datetime) -> datetime | None:
    """Until when whoever comes is received, by the clock on the wall; None while nobody is."""
    if hour.shut and now < hour.shut:
        return None
    ends = [hour.until.astimezone(UTC)] if hour.until and now < hour.until else []
    day = now.astimezone(zone).date()
    midnight = datetime.combine(day, time(), zone)
    for begins, ends_at in hour.exceptions.get(day, hour.week[day.weekday()]):
        since, until = ((midnight + timedelta(minutes=minute)).astimezone(UTC) for minute in (begins, ends_at))
        if since <= now < until:
            ends.append(until)
    return max(ends, default=None)
