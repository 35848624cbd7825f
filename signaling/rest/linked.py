"""What a link is about, before anybody comes and afterwards; and what a patient says of coming."""

import asyncio
from typing import Final

from practice.accounts.model import Language
from practice.agenda.model import calendar_entry, patient_link
from practice.calendars import Busy, written
from signaling.addresses import public_origin
from signaling.gate import SIGNALING
from signaling.news import tell
from signaling.protocol.errors import UserError
from signaling.protocol.waiting import LinkedAppointment, LinkedCalendar
from signaling.rest.endpoint import Call
from signaling.rest.join import Visited, parts_of, visited
from signaling.scopes import of_link
from signaling.typedefs import SETTINGS, STORE
from signaling.window import JoinWindow
from vault.audit import PATIENT, Act

TITLES: Final[dict[Language, str]] = {
    "nl": "Afspraak via beeldbellen",
    "en": "Video appointment",
    "de": "Videotermin",
    "fr": "Rendez-vous vidéo",
}


async def about(call: Call) -> LinkedAppointment:
    """With whom and when, for as long as the appointment is kept: whoever comes too late is told that."""
    found = await visited(call, over=True)
    await call.request.app[STORE].audit.record(Act.LINK_OPENED, PATIENT, found.visit.subject)
    return await _view(call, found)


async def calendar(call: Call) -> LinkedCalendar:
    """The appointment for a calendar: when, and the link; nothing of what it is about, and nobody's name.

    It stays the same one there when it moves.
    """
    app, found = call.request.app, await visited(call)
    await app[STORE].audit.record(Act.LINK_OPENED, PATIENT, found.visit.subject)
    one, origin, summary = found.visit.appointment, public_origin(app[SETTINGS]), TITLES[call.body.language]
    uid, sequence = calendar_entry(one)
    entry = Busy(uid, one.starts_at, one.minutes, summary, url=patient_link(origin, one), sequence=sequence)
    made = await asyncio.to_thread(written, [entry], found.now)  # zones are files
    return LinkedCalendar(calendar=made.decode())


async def wish(call: Call) -> LinkedAppointment:
    """Say that one cannot come, or asks for another time. The desk shows it; nothing else changes."""
    app, body = call.request.app, call.body
    found = await visited(call)
    parts = parts_of(body.link)
    after = parts and await app[STORE].appointments.wish(of_link(parts[0]), parts[1], body.wish, body.typed)
    if not after:
        raise UserError("link_invalid")
    await app[STORE].audit.record(Act.PATIENT_SAID, PATIENT, after.subject, detail=body.wish)
    await app[SIGNALING].corrected(after.appointment)
    if after.appointment.wish != found.visit.appointment.wish:
        await tell(app, after.appointment.owner, "wished")
    return await _view(call, found._replace(visit=after))


async def _view(call: Call, found: Visited) -> LinkedAppointment:
    one, now = found.visit.appointment, found.now
    early = now < JoinWindow.of(call.request.app[SETTINGS]).opens_at(one)
    practitioner = await found.visit.host()
    return LinkedAppointment(
        practitioner_name=practitioner.display_name,
        starts_at=one.starts_at.isoformat(),
        minutes=one.minutes,
        language=one.language,
        window="over" if found.closes <= now else "early" if early else "open" if now <= one.ends_at else "late",
        wish=one.wish,
    )
