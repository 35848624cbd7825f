"""A patient's or a guest's own data: seen, taken along, and erased by themselves (S-41, S-43, S-46).

Of others who take part it has the name and the role, which whoever comes sees anyway, and never where they are reached.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from practice.agenda.model import calendar_entry
from practice.agenda.records import APPOINTMENTS
from practice.calendars import Busy, written
from practice.invitations.model import Dispatch
from practice.notices.model import News
from signaling.gate import SIGNALING
from signaling.rest.endpoint import Call
from signaling.rest.linked import TITLES
from signaling.scopes import of_practitioner
from signaling.typedefs import NOW, STORE, ZONE
from vault.audit import PATIENT, Act
from vault.errors import DomainError
from web.forms import Download, Fields, Form, Page, Shown, Wrong
from web.locale import CATALOGUES, NAMES
from web.moments import moment
from web.render import render, spoken
from web.rights.holder import Holder, forget, holder, read
from web.rights.section import Section

FORMAT: Final = "spreekkamer-own-data"
VERSION: Final = 1

TYPES: Final = {"json": "application/json", "html": "text/html", "ics": "text/calendar"}


class Taken(Fields):
    """As which file."""

    kind: Literal["json", "html", "ics"]


class Erased(Fields):
    """It was meant."""

    sure: bool = False


@dataclass(frozen=True)
class Own:
    """All that is held of who reads; ``host`` is what the practitioner is called."""

    found: Holder = field(repr=False)
    host: str
    messages: list[Dispatch]


async def held(call: Call) -> Own:
    """Of who typed the code."""
    store, found = call.request.app[STORE], await holder(call)
    person = await store.practitioners.get(of_practitioner(found.planned.owner))
    sent = (await store.outbox.of([found.planned])).get(found.planned.id, [])
    seat = found.guest.id if found.guest else None
    return Own(found, person.display_name, [one for one in sent if one.guest == seat])


def as_file(own: Own, made_at: str) -> dict[str, Any]:
    """In types of JSON."""
    told, planned = own.found.told, own.found.planned
    contact = told.contact
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": made_at,
        "appointment": {
            "starts_at": planned.starts_at.isoformat(),
            "minutes": planned.minutes,
            "practitioner": own.host,
            "state": "cancelled" if planned.cancelled_at else planned.state,
            "attended": None if own.found.guest else planned.attended,
            "destroyed_at": planned.due.isoformat() if planned.due else None,
        },
        "you": {
            "name": told.patient,
            "role": own.found.guest.role if own.found.guest else "patient",
            "language": told.language,
            "mail": contact.mail if contact else None,
            "phone": contact.phone if contact else None,
            "code_asked": told.code,
            "said": told.wish,
            "number": None if own.found.guest else planned.number,
        },
        "others": [{"name": one.name, "role": one.role} for one in told.guests],
        "messages": [
            {"way": one.way, "what": one.word, "state": one.state, "at": (one.at or one.written).isoformat()}
            for one in own.messages
        ],
    }


def lines(call: Call, own: Own) -> list[tuple[str, str]]:
    """The same in words: what it is called, and what is held."""
    app = call.request.app
    language: Any = spoken(call.request)[0]
    t, told, planned = CATALOGUES[language].text, own.found.told, own.found.planned

    def said(at: Any) -> str:
        return moment(at, app[NOW](), app[ZONE](), language)

    others = [f"{one.name} ({t(f'guests.role.{one.role}')})" for one in told.guests]
    state = "cancelled" if planned.cancelled_at else planned.attended or planned.state
    return [
        (t("own.what"), TITLES[language]),
        (t("data.field.starts_at"), said(planned.starts_at)),
        (t("data.field.minutes"), str(planned.minutes)),
        (t("own.host"), own.host),
        (t("data.field.state"), t(f"day.{state}")),
        (t("own.name"), told.patient),
        *([(t("guests.role"), t(f"guests.role.{own.found.guest.role}"))] if own.found.guest else []),
        (t("data.field.language"), NAMES[told.language]),
        (t("own.mail"), (told.contact.mail if told.contact else None) or t("own.nothing")),
        (t("own.phone"), (told.contact.phone if told.contact else None) or t("own.nothing")),
        (t("data.field.code"), t("data.yes") if told.code else t("data.no")),
        (t("own.said"), t(f"day.wish.{told.wish}") if told.wish else t("own.nothing")),
        (t("data.field.guests"), ", ".join(others) or t("own.nothing")),
        (
            t("own.messages"),
            "; ".join(
                f"{t(f'told.{one.word}')}, {t(f'told.way.{one.way}')}, {said(one.at or one.written)}"
                for one in own.messages
            )
            or t("own.nothing"),
        ),
        (t("own.until"), said(planned.due) if planned.due else t("own.until.manual")),
    ]


async def show(call: Call) -> Mapping[str, object]:
    """All of it."""
    own = await held(call)
    return {"holder": own.found, "lines": lines(call, own), "guest": own.found.guest is not None}


async def take(call: Call) -> Download:
    """The same as a file: for people, for programs, or for a calendar."""
    app, own = call.request.app, await held(call)
    now, kind, planned = app[NOW](), call.body.kind, own.found.planned
    language, asked = spoken(call.request)
    if kind == "json":
        body = json.dumps(as_file(own, now.isoformat()), ensure_ascii=False, indent=2).encode()
    elif kind == "html":
        shown = {"lines": lines(call, own), "now": now}
        body = render(app, "rights/own_file.html", language, asked, shown).encode()
    else:
        uid, sequence = calendar_entry(planned)
        name, off = CATALOGUES[language].text("own.with", name=own.host), planned.cancelled_at is not None
        entry = Busy(uid, planned.starts_at, planned.minutes, name, sequence=sequence, cancelled=off)
        body = await asyncio.to_thread(written, [entry], now)  # zones are files
    await app[STORE].audit.record(Act.DATA_EXPORTED, PATIENT, own.found.subject)
    return Download(f"spreekkamer-{now:%Y-%m-%d}.{kind}", TYPES[kind], body)


async def erase(call: Call) -> Shown:
    """The appointment of a patient is destroyed as any is, at once; of a guest what it holds of them. The practitioner
    is told in the same transaction, or at the desk, and not by whom.
    """
    app, found = call.request.app, await holder(call)
    if not call.body.sure:
        raise Wrong({"sure": "unticked"})
    store, owner = app[STORE], of_practitioner(found.planned.owner)
    receipt, kept = "", False
    if found.guest is not None:
        after = await store.guests.erase(owner, found.planned.id, found.guest.id)
        await store.audit.record(Act.APPOINTMENT_CHANGED, PATIENT, found.subject)
        await app[SIGNALING].uninvited(after, found.guest.id)
    else:
        person = await store.practitioners.get(owner)
        mail = store.notices.of(person.id, News("erased", person.mail, person.language))
        try:
            destroyed = await store.retention.destroy(owner, found.planned.id, APPOINTMENTS, along=mail, by=PATIENT)
            receipt = destroyed.receipt
        except DomainError as error:
            if error.code != "bad_state":
                raise
            kept = True  # a law demands it: nobody sees it any more, and it is destroyed when that ends
    await app[SIGNALING].told(found.planned.owner)
    forget(call)
    return Shown("rights/erased.html", {"receipt": receipt, "kept": kept})


SECTION: Final = Section("own", "/c/rights/mine/data")
OWN: Final = Page(SECTION.path, "rights/own.html", show, entered=read, public=True)

PAGES: Final = (OWN,)
FORMS: Final = (
    Form(f"{SECTION.path}/take", OWN, Taken, take),
    Form(f"{SECTION.path}/erase", OWN, Erased, erase),
)
"""``pages`` has each page and each form."""
