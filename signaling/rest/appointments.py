"""The practitioner's appointments and the receipts of those that are gone."""

from datetime import date, datetime, timedelta

from practice.agenda import model
from practice.agenda.records import APPOINTMENTS
from practice.agenda.store import FURTHEST
from signaling.addresses import public_origin
from signaling.protocol.errors import Doubt, Doubtful, ProtocolError, UserError
from signaling.protocol.rest import AppointmentList, AppointmentView, Receipt, ReceiptList, UnreadableView
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, SETTINGS, STORE, ZONE
from signaling.window import JoinWindow
from vault.keys.receipt import Receipt as Destroyed

MAX_DAYS = 400
DAY = timedelta(days=1)


async def list_days(call: Call) -> AppointmentList:
    """The appointments on the practice's days from ``first`` to ``last``, both included; today without them."""
    zone = call.request.app[ZONE]
    today = call.request.app[NOW]().astimezone(zone).date()
    query = call.request.query
    first = date.fromisoformat(query["first"]) if "first" in query else today
    last = date.fromisoformat(query["last"]) if "last" in query else max(first, today)
    if not 0 <= (last - first).days <= MAX_DAYS:
        raise ProtocolError("invalid", field="last")
    found = await call.request.app[STORE].appointments.agenda(call.scope, first, last, zone)
    return AppointmentList(
        appointments=[_view(call, appointment) for appointment in found.appointments],
        unreadable=[UnreadableView(appointment=one.id, newer=one.newer) for one in found.damaged],
    )


async def create(call: Call) -> AppointmentView:
    """What is seldom meant is asked about first: a time at which nobody can come any more, or at which
    there is something else."""
    starts_at = datetime.fromisoformat(call.body.starts_at)
    doubts = [] if call.body.anyway else await _doubts(call, starts_at, timedelta(minutes=call.body.minutes))
    if doubts:
        raise Doubtful(doubts)
    appointment = await call.request.app[STORE].appointments.create(
        call.scope, call.body.patient, starts_at, call.body.minutes, call.body.language
    )
    return _view(call, appointment)


async def _doubts(call: Call, starts_at: datetime, length: timedelta) -> list[Doubt]:
    app = call.request.app
    now, zone = app[NOW](), app[ZONE]
    if abs(starts_at - now) > FURTHEST:
        return []  # refused for that
    ends_at = starts_at + length
    found: list[Doubt] = ["past"] if ends_at + JoinWindow.of(app[SETTINGS]).late <= now else []
    around = starts_at.astimezone(zone).date()
    near = await app[STORE].appointments.list(call.scope, around - DAY, around + DAY, zone)
    if any(one.state == "planned" and one.starts_at < ends_at and starts_at < one.ends_at for one in near):
        found.append("double")
    return found


async def get(call: Call) -> AppointmentView:
    return _view(call, await call.request.app[STORE].appointments.get(call.scope, call.path["appointment"]))


async def end(call: Call) -> AppointmentView:
    """End an appointment that no consult ended, so that its retention begins."""
    store, appointment = call.request.app[STORE], call.path["appointment"]
    await store.appointments.get(call.scope, appointment)
    return _view(call, await store.appointments.end(call.scope, appointment))


async def reopen(call: Call) -> AppointmentView:
    """Take back an end that came too early, while the patient's link would still let somebody in."""
    appointments, appointment = call.request.app[STORE].appointments, call.path["appointment"]
    found = await appointments.get(call.scope, appointment)
    if not _in_time(call, found):
        raise UserError("ended")
    return _view(call, await appointments.reopen(call.scope, appointment))


async def destroy(call: Call) -> Receipt:
    """Destroy irrecoverably, now."""
    receipt = await call.request.app[STORE].retention.destroy(call.scope, call.path["appointment"], APPOINTMENTS)
    return receipt_view(receipt)


async def receipts(call: Call) -> ReceiptList:
    found = await call.request.app[STORE].appointments.receipts(call.scope)
    return ReceiptList(receipts=[receipt_view(receipt) for receipt in found])


def _in_time(call: Call, appointment: model.Appointment) -> bool:
    """Whether it is not too late to come to it, if it has not ended."""
    app = call.request.app
    return app[NOW]() <= appointment.ends_at + JoinWindow.of(app[SETTINGS]).late


def _view(call: Call, appointment: model.Appointment) -> AppointmentView:
    app = call.request.app
    return AppointmentView(
        appointment=appointment.id,
        patient=appointment.patient,
        starts_at=appointment.starts_at.isoformat(),
        minutes=appointment.minutes,
        language=appointment.language,
        state="planned" if appointment.state == "planned" else "ended",
        destroyed_at=appointment.due.isoformat() if appointment.due else None,
        reopens=appointment.state == "ended" and _in_time(call, appointment),
        link=patient_link(public_origin(app[SETTINGS]), appointment),
    )


def patient_link(origin: str, appointment: model.Appointment) -> str:
    """The patient's link; what stands behind ``#`` never reaches a server's log or a Referer."""
    return f"{origin}/c#{appointment.id}{appointment.secret}"


def receipt_view(receipt: Destroyed) -> Receipt:
    return Receipt(
        receipt=receipt.receipt, destroyed_at=receipt.destroyed_at.isoformat(), generation=receipt.generation
    )
