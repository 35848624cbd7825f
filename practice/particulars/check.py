"""What may be told: within bounds, and written as it is read elsewhere."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from practice.names import readable, written
from practice.particulars.model import Told
from vault.errors import DomainError

MOST: Final[Mapping[str, int]] = {
    "gender": 60,
    "street": 200,
    "postal_code": 12,
    "city": 100,
    "note": 1000,
}
"""Characters of each text."""

FIRST_YEAR: Final = 1900
YOUNGEST: Final = 16
"""Whoever is younger has no account of their own (S-16)."""

POSTAL_CODES: Final = {
    "NL": re.compile(r"[1-9][0-9]{3} [A-Z]{2}"),
    "BE": re.compile(r"[1-9][0-9]{3}"),
    "DE": re.compile(r"[0-9]{5}"),
    "FR": re.compile(r"[0-9]{5}"),
}
"""Of the countries whose languages the pages speak; in others anything is one."""

DUTCH: Final = re.compile(r"([1-9][0-9]{3})\s*([A-Z]{2})")
COUNTRY: Final = re.compile(r"[A-Z]{2}")
BETWEEN: Final = re.compile(r"[\s().\-/\u2010-\u2015\u2060\u202a-\u202e\u2066-\u2069]+")
"""What people and telephones put between digits."""

PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""ITU-T E.164: at most 15 digits, the country first."""


def checked(told: Told, today: date) -> Told:
    """The same as it is kept. Errors: ``invalid``, with the field."""
    if told.country and not COUNTRY.fullmatch(told.country):
        raise DomainError("invalid", "country")
    if told.born is not None and not _is_birth(told.born, today):
        raise DomainError("invalid", "born")
    return Told(
        gender=_text(told.gender, "gender"),
        born=told.born,
        street=_text(told.street, "street"),
        postal_code=_postal_code(_text(told.postal_code, "postal_code"), told.country),
        city=_text(told.city, "city"),
        country=told.country,
        phone=phone(told.phone),
        note=written(told.note, "note", MOST["note"]),
    )


def phone(text: str) -> str:
    """A number as it is dialled from anywhere: ``+31612345678``. Errors: ``invalid`` without its country."""
    plain = BETWEEN.sub("", text.strip().replace("(0)", ""))
    plain = f"+{plain[2:]}" if plain.startswith("00") else plain
    if plain and not (plain.isascii() and PHONE.fullmatch(plain)):
        raise DomainError("invalid", "phone")
    return plain


def _text(text: str, field: str) -> str:
    if not text.strip():
        return ""
    try:
        found = readable(text)
    except ValueError:
        raise DomainError("invalid", field) from None
    if len(found) > MOST[field]:
        raise DomainError("invalid", field)
    return found


def _postal_code(text: str, country: str) -> str:
    code = text.upper()
    if country == "NL" and (parts := DUTCH.fullmatch(code)):
        code = " ".join(parts.groups())
    form = POSTAL_CODES.get(country)
    if code and form is not None and not form.fullmatch(code):
        raise DomainError("invalid", "postal_code")
    return code


def _is_birth(day: date, today: date) -> bool:
    """Whether somebody who was born then may have an account. Born on 29 February one is older on 1 March."""
    age = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    return day.year >= FIRST_YEAR and age >= YOUNGEST
