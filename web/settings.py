"""Settings of the pages. Set them as ``SPREEKKAMER_WEB__<NAME>`` or ``[web]`` in the file."""

import re
from contextlib import suppress
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from practice.accounts.model import Language
from practice.names import readable

MAIL = re.compile(r"[^\s@<>\"?&#%,;:\\]+@[^\s@<>\"?&#%,;:\\/]+")


NO_ZONES = frozenset({"localtime", "posixrules", "Factory", "posix", "right", ""})
"""Files beside the zones, which no browser knows."""


def _zone(name: str) -> str:
    """A time zone by its name in the tz database, whatever its capitals."""
    name = name.strip()
    if name.split("/")[0] not in NO_ZONES:
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(name).key
    known = sorted(available_timezones() - NO_ZONES)  # reads them all
    if not known:
        raise ValueError("cannot be looked up; install the system's tzdata")
    found = next((zone for zone in known if zone.lower() == name.lower()), None)
    if found is None:
        alike = get_close_matches(name.title().replace(" ", "_"), known, n=1, cutoff=0.7)
        raise ValueError(f"must be a time zone, as {alike[0] if alike else 'Europe/Amsterdam'}")
    return found


def _line(text: str) -> str:
    """Something to be seen, in one line, or nothing."""
    if not text.strip():
        return ""
    try:
        return readable(text)
    except ValueError:
        raise ValueError("must be one line that can be read, without control characters") from None


def _mail(text: str) -> str:
    """A bare address, for it becomes a ``mailto:``, or nothing."""
    text = _line(text)
    if text and not (MAIL.fullmatch(text) and text.isprintable()):
        raise ValueError("must be an e-mail address alone, as info@practice.example")
    return text


Line = Annotated[str, AfterValidator(_line)]
Mail = Annotated[str, AfterValidator(_mail)]


class Operator(BaseModel):
    """Who runs the server and is named on the privacy page (S-01, S-02). Until somebody in the organisation says
    otherwise, name and telephone number stand wherever a patient is told to call. Empty fields are placeholders."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field(default="", max_length=200, description="Name of the organisation.")
    address: str = Field(default="", max_length=400, description="Postal address, lines separated by commas.")
    phone: Line = Field(
        default="", max_length=40, description="Telephone number, also for patients whose link does not work."
    )
    mail: Mail = Field(default="", max_length=254, description="E-mail address for questions.")
    web: str = Field(
        default="",
        pattern=r"^(https://[^\s]+)?$",
        description="The organisation's own site, as https://practice.example.",
    )


class Officer(BaseModel):
    """The data protection officer (S-03)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field(default="", max_length=200, description="Name of the data protection officer.")
    mail: Mail = Field(default="", max_length=254, description="E-mail address of the data protection officer.")


class Authority(BaseModel):
    """Where a complaint about privacy can be made (S-50)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field(default="Autoriteit Persoonsgegevens", max_length=200, description="The supervisory authority.")
    web: str = Field(
        default="https://autoriteitpersoonsgegevens.nl/", pattern=r"^https://[^\s]+$", description="Its address."
    )


class WebSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Language = Field(default="nl", description="Language when the browser asks for none.")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="Europe/Amsterdam", description="Time zone of the practice; shown to patients who are in another one."
    )
    security_contact: str = Field(
        default="",
        pattern=r"^((mailto:|https://|tel:)[^\s]+)?$",
        description="Where to report a vulnerability, as a URI; empty: the operator's mail, else the privacy page.",
    )
    installable: bool = Field(
        default=True,
        description="Whether the desk can be installed as a program of its own, with a notice where there is no "
        "connection; off removes it from every browser that has it.",
    )
    operator: Operator = Operator()
    dpo: Officer = Officer()
    authority: Authority = Authority()

    def placeholders(self) -> list[str]:
        """The settings a server in production may not leave empty, by name; empty when all are filled in."""
        required = {
            "operator.name": self.operator.name,
            "operator.address": self.operator.address,
            "operator.mail": self.operator.mail,
            "dpo.name": self.dpo.name,
            "dpo.mail": self.dpo.mail,
        }
        return [name for name, value in required.items() if not value]
