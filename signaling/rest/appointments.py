"""The practitioner's appointments, also for who works for them, and the receipts of those that are gone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from aiohttp import web

from practice.agenda import model
from practice.agenda.ages import Age
from practice.agenda.changes import FURTHEST, Clash, Correction
from practice.agenda.consenting import Missing
from practice.agenda.records import APPOINTMENTS
from practice.invitations.model import Dispatch, newest
from practice.organisation.rights import Right, allowed
from signaling.addresses import public_origin
from signaling.gate import SIGNALING
from signaling.leaving import link_renewed
from signaling.limiter import TOLD_AGAIN
from signaling.protocol.errors import Conflict, Current, Doubt, Doubtful, ProtocolError, Taken, UserError
from signaling.protocol.guests import GuestView
from signaling.protocol.rest import AppointmentList, AppointmentView, Receipt, ReceiptList, UnreadableView
from signaling.protocol.told import ToldView
from signaling.rest.doubts import found_in
from signaling.rest.endpoint import Call
from signaling.typedefs import LIMITER, NOW, SETTINGS, STORE, ZONE
from signaling.window import JoinWindow
from vault.audit import Act, practitioner
from vault.audit import appointment as subject
from vault.keys.receipt import Receipt as Destroyed
from vault.records.scope import Scope

MAX_DAYS = 400
DAY = timedelta(days=1)
NAMED = 5
"""So many of the times that are taken are named."""


async def list_days(call: Call) -> AppointmentList:
    """The appointments on the practice's days from ``first`` to ``last``, both included; today without them."""
    zone = call.request.app[ZONE]()
    today = call.request.app[NOW]().astimezone(zone).date()
    query = call.request.query
    first = date.fromisoformat(query["first"]) if "first" in query else today
    last = date.fromisoformat(query["last"]) if "last" in query else max(first, today)
    if not 0 <= (last - first).days <= MAX_DAYS:
        raise ProtocolError("invalid", field="last")
    scope = await reach(call)
    found = await call.request.app[STORE].appointments.agenda(scope, first, last, zone)
    told = await call.request.app[STORE].outbox.of(found.appointments)
    lacks = await call.request.app[STORE].consents.missing_in(scope, found.appointments)
    return AppointmentList(
        appointments=[view(call, one, told.get(one.id, ()), lacks.get(one.id)) for one in found.appointments],
        unreadable=[UnreadableView(appointment=one.id, newer=one.newer) for one in found.damaged],
    )


async def create(call: Call) -> AppointmentView:
    """What is seldom meant is asked about first: a time at which nobody can come any more, or at which
    there is something else, and a label that says more of a patient than whom to expect."""
    app, starts_at, scope = call.request.app, datetime.fromisoformat(call.body.starts_at), await reach(call)
    length = timedelta(minutes=call.body.minutes)
    doubts = [] if call.body.anyway else await found_doubtful(app, scope, starts_at, length)
    doubts += [] if call.body.anyway else found_in(call.body.patient)
    if doubts:
        raise Doubtful(doubts, await taken(app, scope, starts_at, length))
    body = call.body
    appointment = await app[STORE].appointments.create(
        *(scope, body.patient, starts_at, body.minutes, body.language),
        mail=body.mail,
        phone=body.phone,
        code=body.code,
        age=Age(body.band),
    )
    await app[SIGNALING].told(appointment.owner)
    return await with_told(call, appointment)


async def change(call: Call) -> AppointmentView:
    """Correct one. Asked about is only what is changed: who mends a name was asked about the time before."""
    app, body, scope, wanted = call.request.app, call.body, await reach(call), call.path["appointment"]
    starts_at = None if body.starts_at is None else datetime.fromisoformat(body.starts_at)
    correction = Correction(
        body.seen,
        body.patient,
        starts_at,
        body.minutes,
        body.language,
        mail=body.mail,
        phone=body.phone,
        code=body.code,
    )
    found = await app[STORE].appointments.get(scope, wanted)
    if not body.anyway and body.seen == found.version:
        doubts = await moved_doubtfully(app, scope, found, correction)
        doubts += found_in(body.patient) if body.patient and body.patient != found.patient else []
        if doubts:
            length = timedelta(minutes=correction.minutes or found.minutes)
            raise Doubtful(doubts, await taken(app, scope, starts_at or found.starts_at, length, but=wanted))
    appointment = await corrected(call, scope, wanted, correction)
    # Who is in is seen by whom they are with, who corrects an address in their presence.
    if appointment.secret != found.secret and not await app[SIGNALING].in_progress(wanted):
        await link_renewed(app[SIGNALING], appointment)
    return await with_told(call, appointment)


async def moved_doubtfully(
    app: web.Application, scope: Scope, found: model.Appointment, correction: Correction
) -> list[Doubt]:
    """What of the time that one is moved to is seldom meant; nothing where it stays."""
    starts_at, minutes = correction.starts_at or found.starts_at, correction.minutes or found.minutes
    if (starts_at, minutes) == (found.starts_at, found.minutes):
        return []
    return await found_doubtful(app, scope, starts_at, timedelta(minutes=minutes), but=found.id)


async def corrected(call: Call, scope: Scope, wanted: str, correction: Correction) -> model.Appointment:
    """The appointment as it is from now on, of which everybody who waits or watches is told.

    Errors: ``Conflict`` with what somebody else made of it, which whoever asks has then read; as of the store.
    """
    app = call.request.app
    held = await app[SIGNALING].in_progress(wanted)
    try:
        appointment = await app[STORE].appointments.change(scope, wanted, replace(correction, held=held))
    except Clash as clash:
        read = practitioner(call.practitioner), subject(clash.current.owner, wanted)
        await app[STORE].audit.record(Act.APPOINTMENT_READ, *read)
        raise Conflict(_current(clash.current)) from None
    await app[SIGNALING].corrected(appointment)
    return appointment


async def invite(call: Call) -> AppointmentView:
    """Tell the patient of it again, if wanted with another link, so that whoever came by the one before is out: a few
    times a day, for each may be unwanted.
    """
    app, scope, wanted = call.request.app, await reach(call), call.path["appointment"]
    if await app[STORE].appointments.is_told(scope, wanted):
        await demand_seldom(app, wanted)
    appointment = await app[STORE].appointments.invite(scope, wanted, new_link=call.body.new_link)
    if call.body.new_link:
        await link_renewed(app[SIGNALING], appointment)
    await app[SIGNALING].told(appointment.owner)
    return await with_told(call, appointment)


async def demand_seldom(app: web.Application, wanted: str) -> None:
    """Each may be unwanted. Errors: ``told_often``."""
    try:
        await app[LIMITER].count(TOLD_AGAIN, wanted)
    except ProtocolError as used_up:
        raise UserError("told_often", retry_after=used_up.retry_after) from None


def _current(appointment: model.Appointment) -> Current:
    return Current(
        version=appointment.version,
        patient=appointment.patient,
        starts_at=appointment.starts_at.isoformat(),
        minutes=appointment.minutes,
        language=appointment.language,
    )


async def found_doubtful(
    app: web.Application, scope: Scope, starts_at: datetime, length: timedelta, *, but: str | None = None
) -> list[Doubt]:
    """What of a new time is seldom meant. ``but`` is the appointment that moves, which is no other."""
    now = app[NOW]()
    if abs(starts_at - now) > FURTHEST:
        return []  # refused for that
    found: list[Doubt] = ["past"] if starts_at + length + JoinWindow.of(app[SETTINGS]).late <= now else []
    if await taken(app, scope, starts_at, length, but=but):
        found.append("double")
    return found


async def taken(
    app: web.Application, scope: Scope, starts_at: datetime, length: timedelta, *, but: str | None = None
) -> list[Taken]:
    """The first few times at which there is something else meanwhile."""
    ends_at, zone = starts_at + length, app[ZONE]()
    around = starts_at.astimezone(zone).date()
    near = await app[STORE].appointments.list(scope, around - DAY, around + DAY, zone)
    near = [one for one in near if one.number is None]  # who walked in is received when it suits
    others = [one for one in near if one.state == "planned" and not one.cancelled_at and one.id != but]
    found = [one for one in others if one.starts_at < ends_at and starts_at < one.ends_at]
    return [Taken(starts_at=one.starts_at.isoformat(), minutes=one.minutes) for one in found[:NAMED]]


async def get(call: Call) -> AppointmentView:
    return await with_told(
        call, await call.request.app[STORE].appointments.get(await reach(call), call.path["appointment"])
    )


async def end(call: Call) -> AppointmentView:
    """End an appointment that no consult ended, so that its retention begins."""
    app, scope, wanted = call.request.app, await reach(call), call.path["appointment"]
    store = app[STORE].appointments
    await store.get(scope, wanted)
    appointment = await store.end(scope, wanted)
    await app[SIGNALING].told(appointment.owner)
    return view(call, appointment)


async def reopen(call: Call) -> AppointmentView:
    """Take back an end that came too early, while the patient's link would still let somebody in."""
    app, scope, appointment = call.request.app, await reach(call), call.path["appointment"]
    if not in_time(app, await app[STORE].appointments.get(scope, appointment)):
        raise UserError("ended")
    reopened = await app[STORE].appointments.reopen(scope, appointment)
    await app[SIGNALING].told(reopened.owner)
    return view(call, reopened)


async def attend(call: Call) -> AppointmentView:
    """Correct what its consult showed, or say what nobody could see."""
    app, scope = call.request.app, await reach(call)
    appointment = await app[STORE].appointments.attend(scope, call.path["appointment"], call.body.attended)
    await app[SIGNALING].told(appointment.owner)
    return view(call, appointment)


async def cancel(call: Call) -> AppointmentView:
    """Take it off the agenda: until it is destroyed, that can be taken back, by whoever sees it."""
    app, scope, wanted = call.request.app, await reach(call), call.path["appointment"]
    store = app[STORE].appointments
    await store.get(scope, wanted)
    appointment = await store.cancel(scope, wanted, held=await app[SIGNALING].in_progress(wanted), tell=call.body.tell)
    await app[SIGNALING].told(appointment.owner)
    return await with_told(call, appointment)


async def keep(call: Call) -> AppointmentView:
    """It is planned as before."""
    app, scope = call.request.app, await reach(call)
    appointment = await app[STORE].appointments.keep(scope, call.path["appointment"])
    await app[SIGNALING].told(appointment.owner)
    return await with_told(call, appointment)


async def destroy(call: Call) -> Receipt:
    """Destroy irrecoverably, now. Storage enters that; for whom it was done stands behind it."""
    store, scope = call.request.app[STORE], await reach(call)
    receipt = await store.retention.destroy(scope, call.path["appointment"], APPOINTMENTS)
    if call.whom != call.practitioner:
        await store.audit.record(
            Act.WORKED_FOR, practitioner(call.practitioner), practitioner(call.whom), Act.DESTROYED
        )
    await call.request.app[SIGNALING].told(call.whom)
    return receipt_view(receipt)


async def reach(call: Call) -> Scope:
    """One's own appointments, or those of whom one works for. Errors: ``not_found``."""
    if call.whom != call.practitioner:
        return await call.request.app[STORE].assistants.acting(call.scope, call.whom)
    if not allowed(Right.AGENDA, call.scope.roles):
        raise UserError("not_found")
    return call.scope


async def receipts(call: Call) -> ReceiptList:
    found = await call.request.app[STORE].appointments.receipts(call.scope)
    return ReceiptList(receipts=[receipt_view(receipt) for receipt in found])


def in_time(app: web.Application, appointment: model.Appointment) -> bool:
    """Whether it is not too late to come to it, if it has not ended."""
    return app[NOW]() <= appointment.ends_at + JoinWindow.of(app[SETTINGS]).late


async def with_told(call: Call, appointment: model.Appointment) -> AppointmentView:
    """With what its patient was told, and what they have not agreed to."""
    found = await call.request.app[STORE].outbox.of([appointment])
    lacks = await call.request.app[STORE].consents.missing_in(await reach(call), [appointment])
    return view(call, appointment, found.get(appointment.id, ()), lacks.get(appointment.id))


def view(
    call: Call, appointment: model.Appointment, told: Sequence[Dispatch] = (), missing: Missing | None = None
) -> AppointmentView:
    """As whoever may see it reads it, with what its patient was told, and has not agreed to."""
    app = call.request.app
    return AppointmentView(
        appointment=appointment.id,
        version=appointment.version,
        patient=appointment.patient,
        starts_at=appointment.starts_at.isoformat(),
        minutes=appointment.minutes,
        language=appointment.language,
        state="planned" if appointment.state == "planned" else "ended",
        destroyed_at=appointment.due.isoformat() if appointment.due else None,
        wish=appointment.wish,
        number=appointment.number,
        cancelled=appointment.cancelled_at is not None,
        attended=appointment.attended,
        reopens=appointment.state == "ended" and in_time(app, appointment),
        link=model.patient_link(public_origin(app[SETTINGS]), appointment),
        mail=appointment.contact.mail if appointment.contact else None,
        phone=appointment.contact.phone if appointment.contact else None,
        told=_told_to(None, told),
        code=appointment.code,
        guests=[_guest_view(call, appointment, one, told) for one in appointment.guests],
        band=appointment.band,
        lifted=appointment.lifted.reason if appointment.lifted else None,
        missing=missing if appointment.state == "planned" else None,
    )


def _told_to(guest: str | None, told: Sequence[Dispatch]) -> list[ToldView]:
    theirs = [one for one in told if one.guest == guest]
    return [_told_view(one) for one in newest(theirs)] if theirs else []


def _guest_view(call: Call, appointment: model.Appointment, one: model.Guest, told: Sequence[Dispatch]) -> GuestView:
    link = model.patient_link(public_origin(call.request.app[SETTINGS]), model.told_as(appointment, one))
    return GuestView(
        guest=one.id,
        name=one.name,
        role=one.role,
        language=one.language,
        link=link,
        mail=one.contact.mail if one.contact else None,
        phone=one.contact.phone if one.contact else None,
        told=_told_to(one.id, told),
    )


def _told_view(one: Dispatch) -> ToldView:
    assert one.state != "void"
    at = None if one.state == "queued" or one.at is None else one.at.isoformat()
    return ToldView(way=one.way, word=one.word, state=one.state, at=at, reason=one.reason)


def receipt_view(receipt: Destroyed) -> Receipt:
    return Receipt(
        receipt=receipt.receipt, destroyed_at=receipt.destroyed_at.isoformat(), generation=receipt.generation
    )
