"""A patient's or a guest's own data: seen, taken along, and erased by themselves (S-41, S-43, S-46).

Of others who take part it has the name and the role, which whoever comes sees anyway, and never where they are reached.
What a practitioner's own archive has of an appointment is in it, of a guest as far as it is theirs.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from practice.accounts.model import Language
from practice.agenda.consenting import PATIENT_SEAT
from practice.agenda.model import Appointment, Consent, calendar_entry
from practice.agenda.records import APPOINTMENTS, export_appointment
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
from vault.records.content import stamp
from web.forms import Download, Fields, Form, Page, Shown, Wrong
from web.locale import CATALOGUES, NAMES
from web.moments import day_of, moment
from web.render import render, spoken
from web.rights.holder import Holder, forget, holder, read
from web.rights.section import Section

FORMAT: Final = "spreekkamer-own-data"
VERSION: Final = 2

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
    now: datetime

    @property
    def theirs(self) -> Appointment:
        """The appointment with what is held of who reads; of a guest nothing of the patient."""
        planned, guest = self.found.planned, self.found.guest
        if guest is None:
            return planned
        agreed = tuple(one for one in planned.consents if one.seat == guest.id)
        return replace(self.found.told, attended=None, number=None, consents=agreed, guests=(guest,))

    @property
    def preserved(self) -> datetime | None:
        """Until when a law has it kept, once its practitioner may know."""
        return self.found.planned.known_to_stay(self.now)


async def held(call: Call) -> Own:
    """Of who typed the code."""
    store, found = call.request.app[STORE], await holder(call)
    person = await store.practitioners.get(of_practitioner(found.planned.owner))
    sent = (await store.outbox.of([found.planned])).get(found.planned.id, [])
    seat = found.guest.id if found.guest else None
    return Own(found, person.display_name, [one for one in sent if one.guest == seat], call.request.app[NOW]())


def as_file(own: Own, made_at: str) -> dict[str, Any]:
    """In types of JSON: the appointment as its archive has it."""
    found = export_appointment(own.theirs)
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": made_at,
        "practitioner": own.host,
        "role": own.found.guest.role if own.found.guest else "patient",
        "name": found.pop("patient"),
        "appointment": found | {"guests": [{"name": one.name, "role": one.role} for one in own.found.told.guests]},
        "preserved_until": stamp(own.preserved),
        "messages": [
            {"way": one.way, "what": one.word, "state": one.state, "at": (one.at or one.written).isoformat()}
            for one in own.messages
        ],
    }


def lines(call: Call, own: Own) -> list[tuple[str, str]]:
    """The same in words: what it is called, and what is held."""
    app = call.request.app
    language: Any = spoken(call.request)[0]
    t, told, planned, theirs = CATALOGUES[language].text, own.found.told, own.found.planned, own.theirs

    def said(at: Any) -> str:
        return moment(at, app[NOW](), app[ZONE](), language)

    others = [f"{one.name} ({t(f'guests.role.{one.role}')})" for one in told.guests]
    state = "cancelled" if planned.cancelled_at else theirs.attended or planned.state
    return [
        (t("own.what"), TITLES[language]),
        (t("data.field.starts_at"), said(planned.starts_at)),
        (t("data.field.minutes"), str(planned.minutes)),
        (t("own.host"), own.host),
        (t("data.field.state"), t(f"day.{state}")),
        (t("own.name"), told.patient),
        *([(t("data.field.ended_at"), said(planned.ended_at))] if planned.ended_at else []),
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
        *_before(theirs, language, said),
        *([(t("own.preserved"), said(own.preserved))] if own.preserved else []),
        (t("own.until"), said(planned.due) if planned.due else t("own.until.manual")),
    ]


def _before(theirs: Appointment, language: Language, said: Callable[[datetime], str]) -> Iterator[tuple[str, str]]:
    """What was said, agreed to and answered before the consult."""
    t, roles = CATALOGUES[language].text, {one.id: one.role for one in theirs.guests}

    def given(one: Consent) -> str:
        by = t(f"guests.role.{roles.get(one.seat, 'guest')}") if one.seat != PATIENT_SEAT else t("own.patient")
        return f"{t(f'own.consent.{one.purpose}')} ({by}, {said(one.given)})"

    if theirs.age.band:
        yield t("data.field.band"), t(f"band.{theirs.age.band}")
    if theirs.age.sixteen:
        yield t("data.field.sixteen"), day_of(theirs.age.sixteen, language)
    if theirs.asks:
        yield t("data.field.asks"), ", ".join(t(f"own.consent.{one}") for one in theirs.asks)
    if theirs.consents:
        yield t("data.field.consents"), "; ".join(map(given, theirs.consents))
    if lifted := theirs.lifted:
        yield t("data.field.unguarded"), f"{t(f'lift.{lifted.reason}')}, {said(lifted.at)}. {lifted.note}".strip()
    answers = theirs.answers or ("",) * len(theirs.questions)
    for question, typed in zip(theirs.questions, answers, strict=True):
        plain = t(f"questions.{typed}") if question.kind == "yesno" and typed else typed
        yield question.label, plain or t("questions.open")


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
