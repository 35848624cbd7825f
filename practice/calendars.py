"""Calendars as other programs read them (RFC 5545): times in UTC, which every reader takes for the same instant."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from icalendar import Event

PRODUCT: Final = "-//Spreekkamer//Spreekkamer//EN"
ENDED: Final = b"END:VCALENDAR\r\n"


@dataclass(frozen=True, slots=True)
class Busy:
    """A time that is taken. ``uid`` stays as long as it is the same one, ``sequence`` rises when it changes (3.8.4.7,
    3.8.7.4).
    """

    uid: str
    starts_at: datetime = field(repr=False)
    minutes: int
    summary: str = field(repr=False)
    description: str = field(default="", repr=False)
    url: str = field(default="", repr=False)
    sequence: int = 0
    cancelled: bool = False


def written(entries: Iterable[Busy], now: datetime, name: str = "", refresh: timedelta | None = None) -> bytes:
    """A calendar that is published (RFC 5546, 3.2.1); with ``refresh`` one to be read again so often (RFC 7986)."""
    from icalendar import Calendar  # not at each start, which it would slow down

    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("x-wr-calname", name)
    if refresh is not None:
        calendar.add("refresh-interval", refresh, parameters={"VALUE": "DURATION"})
    for one in entries:
        calendar.add_component(_event(one, now))
    return bytes(calendar.to_ical())


def begun(name: str = "") -> bytes:
    """What stands before the first entry of a calendar that is written in pieces."""
    empty = written([], datetime.now(UTC), name)
    return empty.removesuffix(ENDED)


def entered(one: Busy, now: datetime) -> bytes:
    """One entry of such a calendar."""
    return bytes(_event(one, now).to_ical())


def _event(one: Busy, now: datetime) -> "Event":
    from icalendar import Event

    event, starts_at = Event(), one.starts_at.astimezone(UTC)
    event.add("uid", one.uid)
    event.add("sequence", one.sequence)
    event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", starts_at)
    event.add("dtend", starts_at + timedelta(minutes=one.minutes))
    event.add("summary", one.summary)
    if one.description:
        event.add("description", one.description)
    if one.url:
        event.add("location", one.url)
        event.add("url", one.url)
    if one.cancelled:
        event.add("status", "CANCELLED")
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    return event
