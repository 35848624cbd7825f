"""What is inside the sealed columns of what is offered and what is held, and their tables."""

import hmac
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from hashlib import sha256
from typing import Any, get_args

from sqlalchemy import Column, LargeBinary

from practice.accounts.model import Language
from practice.bookings.model import DAYS, Availability, Hold, Hours, OpenHour, Terms
from vault.errors import Unreadable
from vault.records.content import Layout, known, moment, number, stamp
from vault.records.records import Sealed, kept_once, kept_table

availabilities = kept_table(
    "availabilities",
    "address, hours, exceptions, length, origins that show it",
    Column("token", LargeBinary(32), nullable=False, unique=True, comment="hash of what its page's address holds"),
)
kept_once("ix_availabilities_one", availabilities.c.owner)
"""An account has one."""

holds = kept_table(
    "holds",
    "who wants which time, address, network",
    Column("token", LargeBinary(32), nullable=False, unique=True, comment="hash of what its page's address holds"),
)

TERMS = ("week", "exceptions", "minutes", "pause", "notice", "ahead", "ancestors", "open")
AVAILABILITY = Sealed("availabilities", Layout(frozenset(("token", *TERMS)), optional=frozenset(("hour",))))
HELD = ("token", "starts_at", "minutes", "name", "mail", "language", "network", "seed", "until", "tries")
HOLD = Sealed("holds", Layout(frozenset(HELD)))


def hashed(token: str) -> bytes:
    """What stands in a row of what an address holds."""
    return sha256(f"booking {token}".encode()).digest()


def seal_availability(key: bytes, one: Availability) -> dict[str, Any]:
    """The row of what an account offers."""
    return AVAILABILITY.row(key, one, {"token": one.token, **export_availability(one)}, token=hashed(one.token))


def export_availability(one: Availability) -> dict[str, Any]:
    """All but the address, which whoever signs in reads on their page."""
    terms = one.terms
    hour = one.hour
    marks = {"minutes": hour.minutes, "until": stamp(hour.until), "shut": stamp(hour.shut)}
    return {
        **_days(terms),
        "minutes": terms.minutes,
        "pause": terms.pause,
        "notice": terms.notice,
        "ahead": terms.ahead,
        "ancestors": list(terms.ancestors),
        "open": terms.open,
        "hour": None if hour == OpenHour() else _days(hour) | marks,
    }


def open_availability(key: bytes, row: Any) -> Availability:
    """What an account offers, in a row. Errors: Unreadable (also where its token is not the row's), Newer."""
    content, unknown = AVAILABILITY.open(key, row)
    try:
        if not hmac.compare_digest(hashed(content["token"]), row.token):
            raise Unreadable
        week, exceptions = _opened_days(content)
        minutes, pause, notice, ahead = (number(content[name]) for name in ("minutes", "pause", "notice", "ahead"))
        ancestors = tuple(map(str, content["ancestors"]))
        terms = Terms(week, exceptions, minutes, pause, notice, ahead, ancestors, content["open"] is True)
        hour = _opened_hour(content["hour"]) if content["hour"] else OpenHour()
        return Availability(row.id, row.owner, content["token"], terms, hour, number(row.version), unknown)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Unreadable from None


def _days(terms: Terms | OpenHour) -> dict[str, Any]:
    return {
        "week": [[list(span) for span in day] for day in terms.week],
        "exceptions": {day.isoformat(): [list(span) for span in spans] for day, spans in terms.exceptions.items()},
    }


def _opened_days(content: Mapping[str, Any]) -> tuple[tuple[Hours, ...], dict[date, Hours]]:
    week = tuple(_hours(day) for day in content["week"])
    if len(week) != DAYS:
        raise Unreadable
    return week, {date.fromisoformat(day): _hours(spans) for day, spans in content["exceptions"].items()}


def _opened_hour(content: Mapping[str, Any]) -> OpenHour:
    minutes = number(content["minutes"])
    return OpenHour(*_opened_days(content), minutes, moment(content["until"]), moment(content["shut"]))


def _hours(spans: Any) -> Hours:
    return tuple((number(begins), number(ends)) for begins, ends in spans)


def seal_hold(key: bytes, one: Hold) -> dict[str, Any]:
    """The row of a time that somebody holds."""
    content = {name: value for name, value in asdict(one).items() if name in HELD}
    content |= {"starts_at": one.starts_at.isoformat(), "until": one.until.isoformat()}
    return HOLD.row(key, one, content, token=bytes.fromhex(one.token))


def open_hold(key: bytes, row: Any) -> Hold:
    """A time that somebody holds, in a row. Errors: Unreadable (also where its token is not the row's), Newer."""
    content, unknown = HOLD.open(key, row)
    try:
        if not hmac.compare_digest(bytes.fromhex(content["token"]), row.token):
            raise Unreadable
        return Hold(
            id=row.id,
            owner=row.owner,
            token=content["token"],
            starts_at=datetime.fromisoformat(content["starts_at"]),
            minutes=number(content["minutes"]),
            name=content["name"],
            mail=content["mail"],
            language=known(content["language"], get_args(Language)),
            network=content["network"],
            seed=content["seed"],
            until=datetime.fromisoformat(content["until"]),
            tries=number(content["tries"]),
            version=number(row.version),
            unknown=unknown,
        )
    except (TypeError, ValueError):
        raise Unreadable from None


AVAILABILITIES = AVAILABILITY.kind(availabilities, open_availability, seal_availability, export=export_availability)
HOLDS = HOLD.kind(holds, open_hold, seal_hold)
