"""The audit trail: looked through by person, act and days, checked, taken along; each of these is entered (S-51)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from babel.dates import format_datetime
from pydantic import AfterValidator, Field, ValidationError

from practice.organisation.model import Roster
from practice.organisation.oversight import Extract, Inquiry, TrailLine
from practice.organisation.rights import Right
from signaling.protocol.errors import ProtocolError
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, STORE, ZONE
from vault.audit import Act, Draft, Entry, TrailReport, practitioner
from web.forms import Download, Fields, Form, Page
from web.practice.extract import CONTENT, Format, written
from web.practice.menu import menu
from web.render import spoken, translated
from web.trail import act_said, said

YEARS: Final = range(2000, 3000)
MOMENT: Final = "d MMM y HH:mm:ss"


def _day(text: str) -> str:
    """A day of a calendar, or nothing."""
    if text and date.fromisoformat(text).year not in YEARS:
        raise ValueError("a year of another age")
    return text


def begins(day: str, zone: tzinfo, later: timedelta = timedelta()) -> datetime | None:
    """When it does, or so much later; None where there is no day."""
    return datetime.combine(date.fromisoformat(day) + later, time(), zone) if day else None


Day = Annotated[str, Field(max_length=10), AfterValidator(_day)]


class Sought(Fields):
    """What is looked for; what is left empty is not asked for. The last day is one of them."""

    person: Annotated[str, Field(max_length=22)] = ""
    act: Act | Literal[""] = ""
    first: Day = ""
    last: Day = ""

    def asked(self, call: Call) -> Inquiry:
        """In moments, by the practice's clock."""
        zone = call.request.app[ZONE]()
        first, last = begins(self.first, zone), begins(self.last, zone, timedelta(days=1))
        return Inquiry(self.person or None, Act(self.act) if self.act else None, first, last)


class Turned(Sought):
    """The same, from an entry on: there are older pages."""

    before: Annotated[str, Field(pattern=r"^[0-9]{0,18}$")] = ""


class Extraction(Sought):
    """The same as a file."""

    format: Format


class Nothing(Fields):
    """A button."""


@dataclass(frozen=True)
class Row:
    """An entry as the page has it, in words: ``by`` and ``on`` are shown names, empty for what stays a reference."""

    entry: Entry
    act: str
    detail: str
    when: str
    by: str
    on: str


async def show(call: Call) -> Mapping[str, object]:
    """A page of what is looked for, newest first."""
    store, sought = call.request.app[STORE], turned(call)
    seen = await store.oversight.look(call.scope, sought.asked(call), int(sought.before) if sought.before else None)
    names, last = shown(seen.roster), await store.oversight.verified(call.scope)
    rows = [row(call, one, names) for one in seen.lines]
    return {
        "sought": sought,
        "rows": rows,
        "people": sorted(names.items(), key=lambda one: one[1].casefold()),
        "acts": list(Act),
        "older": link(sought, str(seen.older)) if seen.older else None,
        "newest": link(sought, "") if sought.before else None,
        "verified": last and {"at": last.moment, "whole": last.detail == "whole"},
        "menu": menu(call),
    }


async def export(call: Call) -> Download:
    """A file of all that is looked for, with what a check of the whole trail found, which is entered first."""
    app, sought = call.request.app, call.body
    extract = await app[STORE].oversight.export(call.scope, sought.asked(call))
    await app[STORE].audit.record_all([checked(call, extract.report), taken(call, sought, extract)])
    made, text = app[NOW](), translated(call.request)
    body = await asyncio.to_thread(written, extract, sought.format, shown(extract.roster), made, text)
    return Download(f"spreekkamer-audit-{made:%Y-%m-%d}.{sought.format}", CONTENT[sought.format], body)


async def verify(call: Call) -> TrailReport:
    """Whether it is as it was written; the page says what was found, as the trail has it."""
    return await call.request.app[STORE].oversight.verify(call.scope)


def row(call: Call, line: TrailLine, names: Mapping[str, str]) -> Row:
    """In the reader's language."""
    entry, text = line.entry, translated(call.request)
    by, on = names.get(line.by or "", ""), names.get(line.on or "", "")
    return Row(entry, act_said(entry.act, text), said(entry.act, entry.detail, text), when(call, entry.moment), by, on)


def turned(call: Call) -> Turned:
    """What the address asks for. Errors: ``invalid``. A form that came back has no such address."""
    query = call.request.query if call.request.method == "GET" else {}
    try:
        return Turned.model_validate({name: query[name] for name in Turned.model_fields if name in query})
    except ValidationError:
        raise ProtocolError("invalid") from None


def link(sought: Sought, before: str) -> str:
    """The address of another page of the same."""
    values = sought.model_dump() | {"before": before}
    return f"{AUDIT.path}?{urlencode({name: value for name, value in values.items() if value})}"


def shown(roster: Roster) -> dict[str, str]:
    """The members' names, by account."""
    return {one.account.id: one.account.display_name for one in roster.people if one.account}


def when(call: Call, moment: datetime) -> str:
    """To the second, by the practice's clock."""
    there = moment.astimezone(call.request.app[ZONE]())
    return format_datetime(there, MOMENT, locale=spoken(call.request)[0])


def looked(call: Call, page: Mapping[str, object]) -> Draft:
    sought, rows = page["sought"], page["rows"]
    assert isinstance(sought, Sought) and isinstance(rows, list)
    return about(Act.AUDIT_READ, call, sought, len(rows))


def taken(call: Call, sought: Sought, extract: Extract) -> Draft:
    return about(Act.AUDIT_EXPORTED, call, sought, len(extract.lines))


def about(act: Act, call: Call, sought: Sought, number: int) -> Draft:
    on = practitioner(sought.person) if sought.person else None
    return Draft(act, practitioner(call.practitioner), on, str(number))


def checked(call: Call, report: TrailReport) -> Draft:
    return Draft(Act.AUDIT_VERIFIED, practitioner(call.practitioner), detail="bad" if report.bad else "whole")


AUDIT: Final = Page("/practice/audit", "practice/audit.html", show, entered=looked, right=Right.OVERSIGHT)

PAGES: Final = (AUDIT,)
FORMS: Final = (
    Form("/practice/audit/export", AUDIT, Extraction, export, says={"too_large": ("first", "audit.export.large")}),
    Form("/practice/audit/verify", AUDIT, Nothing, verify, done="audit-verified", entered=checked),
)
"""``pages`` has each page and each form."""
