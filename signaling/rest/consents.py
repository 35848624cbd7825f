"""Agreeing before the waiting room, and taking it back; how old a patient is, said by who plans (S-16, S-44)."""

from datetime import date

from practice.agenda.ages import Age
from practice.agenda.model import Appointment
from practice.consents.store import Reading
from signaling.gate import SIGNALING
from signaling.leaving import consent_withdrawn, link_renewed
from signaling.protocol.consents import ConsentGiven, ConsentsView, ConsentText
from signaling.protocol.rest import AppointmentView
from signaling.rest.appointments import reach, with_told
from signaling.rest.endpoint import Call
from signaling.rest.join import Visited, parts_of, visited
from signaling.scopes import of_link
from signaling.typedefs import STORE
from vault.audit import PATIENT, Act


async def read(call: Call) -> ConsentsView:
    """What this link asks. It says nothing of the appointment but that."""
    found = await visited(call)
    await call.request.app[STORE].audit.record(Act.LINK_OPENED, PATIENT, found.visit.subject)
    return view(await reading(call, found))


async def give(call: Call) -> ConsentsView:
    """All that was shown, by one press."""
    found = await visited(call)
    await agree(call, found, call.body.versions)
    return view(await reading(call, await visited(call)))


async def withdraw(call: Call) -> None:
    """What was agreed to by this link: its consult ends, and what is kept of it is destroyed."""
    await take_back(call, await visited(call, over=True))


async def reading(call: Call, found: Visited) -> Reading:
    """What the link asks, in the language of the body."""
    store, visit = call.request.app[STORE].consents, found.visit
    return await store.reading(of_link(visit.appointment.id), visit, call.body.language)


async def agree(call: Call, found: Visited, versions: list[str]) -> None:
    """On disk, and entered, when this returns; the desk shows it. Errors: as ``store.consents.give``."""
    app, visit, (_, secret) = call.request.app, found.visit, _parts(call)
    scope = of_link(visit.appointment.id)
    after = await app[STORE].consents.give(scope, secret, versions, visit)
    await app[STORE].audit.record(Act.CONSENT_GIVEN, PATIENT, visit.subject)
    await app[SIGNALING].told(after.owner)


async def take_back(call: Call, found: Visited) -> Appointment:
    """Media ends before anything else is said. Errors: as ``store.consents.withdraw``."""
    app, visit, (_, secret) = call.request.app, found.visit, _parts(call)
    after = await app[STORE].consents.withdraw(of_link(visit.appointment.id), secret, visit)
    await consent_withdrawn(app[SIGNALING], after)
    await app[STORE].audit.record(Act.CONSENT_WITHDRAWN, PATIENT, visit.subject)
    return after


def _parts(call: Call) -> tuple[str, str]:
    parts = parts_of(call.body.link)
    assert parts is not None  # what was visited has both
    return parts


def view(found: Reading) -> ConsentsView:
    """As whoever has the link reads it."""
    return ConsentsView(
        texts=[
            ConsentText(purpose=one.purpose, version=one.version, language=one.language, text=one.text)
            for one in found.texts
        ],
        given=[
            ConsentGiven(
                purpose=one.purpose,
                version=one.version,
                given=one.given.isoformat(),
                text=text.text if text else None,
            )
            for one, text in found.given
        ],
        missing=found.missing,
    )


async def say_age(call: Call) -> AppointmentView:
    """Whoever waits and has to agree to more by it comes again by their link, and is asked."""
    day = call.body.sixteen
    age = Age(call.body.band, None if day is None else date.fromisoformat(day))
    after = await call.request.app[STORE].consents.say_age(await reach(call), call.path["appointment"], age)
    await asked_again(call, after)
    return await with_told(call, after)


async def asked_again(call: Call, after: Appointment) -> None:
    """Who is in a consult that runs stays: whoever sees them said their age."""
    signaling = call.request.app[SIGNALING]
    if after.is_of_a_child and not await signaling.in_progress(after.id):
        await link_renewed(signaling, after)
    await signaling.told(after.owner)


async def lift(call: Call) -> AppointmentView:
    """By the practitioner alone, who says why."""
    body, store = call.body, call.request.app[STORE].consents
    after = await store.lift(call.scope, call.path["appointment"], body.reason, body.note)
    await call.request.app[SIGNALING].told(after.owner)
    return await with_told(call, after)
