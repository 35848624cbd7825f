"""What a patient reads, in their language: the words of ``texts.toml`` with their gaps filled."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final, get_args

from babel.dates import format_datetime, get_timezone_location

from practice.accounts.model import Language
from practice.invitations.port import Parcel

TEXTS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = tomllib.loads(
    Path(__file__).with_name("texts.toml").read_text("utf-8")
)
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
DAY: Final[Mapping[str, str]] = {"nl": "d MMMM", "en": "d MMMM", "de": "d. MMMM", "fr": "d MMMM"}
MOMENT: Final[Mapping[str, str]] = {
    "nl": "EEEE d MMMM y 'om' HH:mm",
    "en": "EEEE d MMMM y 'at' HH:mm",
    "de": "EEEE, d. MMMM y, 'um' HH:mm 'Uhr'",
    "fr": "EEEE d MMMM y 'à' HH:mm",
}


@dataclass(frozen=True)
class Wording:
    """All of one message, in the language of its appointment. ``action`` is empty where there is no link to follow."""

    subject: str
    title: str
    lead: str
    when: str
    length: str
    action: str
    after: str
    phone: str
    sms: str = field(repr=False)


def read_ahead() -> None:
    """Babel reads a language from disk when it is first used, which may not be while others wait. Blocks."""
    for language in LANGUAGES:
        format_datetime(datetime(2000, 1, 1, tzinfo=UTC), MOMENT[language], locale=language)


def wording(parcel: Parcel) -> Wording:
    """Of this parcel."""
    language = parcel.appointment.language
    texts, words = TEXTS[parcel.dispatch.word][language], TEXTS["words"][language]
    starts_at = parcel.appointment.starts_at.astimezone(parcel.zone)
    profile = parcel.profile
    when = f"{format_datetime(starts_at, MOMENT[language], locale=language)} ({_zone(parcel.zone, language)})"
    gaps: dict[str, Any] = {
        "day": format_datetime(starts_at, DAY[language], locale=language),
        "when": when,
        "practice": profile.name or words["somebody"],
        "link": parcel.link,
    }
    return Wording(
        **{name: texts[name].format(**gaps) for name in ("subject", "title", "lead", "action", "after", "sms")},
        when=when[:1].upper() + when[1:],
        length=words["minutes"].format(minutes=parcel.appointment.minutes),
        phone=words["phone"].format(phone=profile.phone) if profile.phone else "",
    )


def _zone(zone: tzinfo, language: Language) -> str:
    """Whose clock it is: that of a city."""
    key = getattr(zone, "key", None)
    if not key or key in ("UTC", "Etc/UTC"):
        return "UTC"
    place = get_timezone_location(key, locale=language, return_city=True)
    return TEXTS["words"][language]["zone"].format(place=place)
