"""Calendar entries as other programs read them: ical.js, node-ical, vobject, libical."""

import ctypes
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from ctypes.util import find_library
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import vobject

FOLDER: Final = Path(__file__).parent
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
VEVENT: Final = 4
"""``ICAL_VEVENT_COMPONENT`` of libical 3."""


@dataclass(frozen=True)
class Entry:
    """What a program made of one VEVENT. A time is None where it calls it floating."""

    method: str
    uid: str
    sequence: int
    status: str
    summary: str
    begin: datetime | None
    end: datetime | None


def by_node(calendars: Sequence[str]) -> dict[str, list[Entry]]:
    """By ical.js and node-ical. Skips the test where npm did not install them."""
    if shutil.which("node") is None or not (FOLDER / "node_modules").exists():
        pytest.skip("sh tests/readers/install")
    command = ["node", "calendars.mjs"]
    said = subprocess.run(command, cwd=FOLDER, input=json.dumps(calendars), capture_output=True, text=True, check=True)
    return {name: [_entry(one) for one in found] for name, found in json.loads(said.stdout).items()}


def _entry(said: dict[str, Any]) -> Entry:
    times = {name: _moment(said[name]) for name in ("begin", "end")}
    return Entry(**(said | times))


def _moment(milliseconds: float | None) -> datetime | None:
    return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)


def by_vobject(text: str) -> Entry:
    """By the library of that name."""
    calendar = vobject.readOne(text)
    event = calendar.vevent
    begin, end = (None if one.value.utcoffset() is None else one.value for one in (event.dtstart, event.dtend))
    values = (event.uid.value, int(event.sequence.value), event.status.value, event.summary.value)
    return Entry(calendar.method.value, *values, begin, end)


class _Time(ctypes.Structure):
    """``icaltimetype`` of libical 3."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second")),
        *(("is_date", ctypes.c_int), ("is_daylight", ctypes.c_int), ("zone", ctypes.c_void_p)),
    )


def libical() -> Callable[[str], Entry]:
    """What reads one by libical, which GNOME and KDE read by. Skips the test where it is not installed."""
    name = find_library("ical")
    if name is None:
        pytest.skip("apt install libical3")
    library = ctypes.CDLL(name)
    for function, result in {
        "icalparser_parse_string": ctypes.c_void_p,
        "icalcomponent_get_first_component": ctypes.c_void_p,
        "icalcomponent_get_dtstart": _Time,
        "icalcomponent_get_dtend": _Time,
        "icalcomponent_get_uid": ctypes.c_char_p,
        "icalcomponent_get_summary": ctypes.c_char_p,
        "icalproperty_method_to_string": ctypes.c_char_p,
        "icalproperty_status_to_string": ctypes.c_char_p,
        "icaltime_as_timet": ctypes.c_long,
    }.items():
        getattr(library, function).restype = result
    library.icaltime_as_timet.argtypes = library.icaltime_is_utc.argtypes = [_Time]

    def moment(time: _Time) -> datetime | None:
        return EPOCH + timedelta(seconds=library.icaltime_as_timet(time)) if library.icaltime_is_utc(time) else None

    def read(text: str) -> Entry:
        calendar = ctypes.c_void_p(library.icalparser_parse_string(text.encode()))
        event = ctypes.c_void_p(library.icalcomponent_get_first_component(calendar, VEVENT))
        try:
            return Entry(
                library.icalproperty_method_to_string(library.icalcomponent_get_method(calendar)).decode(),
                library.icalcomponent_get_uid(event).decode(),
                library.icalcomponent_get_sequence(event),
                library.icalproperty_status_to_string(library.icalcomponent_get_status(event)).decode(),
                library.icalcomponent_get_summary(event).decode(),
                moment(library.icalcomponent_get_dtstart(event)),
                moment(library.icalcomponent_get_dtend(event)),
            )
        finally:
            library.icalcomponent_free(calendar)

    return read


def read(calendars: Sequence[str]) -> dict[str, list[Entry]]:
    """What each program makes of each calendar, by the program's name."""
    one = libical()
    return {
        **by_node(calendars),
        "vobject": [by_vobject(text) for text in calendars],
        "libical": [one(text) for text in calendars],
    }
