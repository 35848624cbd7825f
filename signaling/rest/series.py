"""Appointments that are repeated."""

from datetime import date, datetime, timedelta

from practice.agenda.ages import Age
from practice.agenda.changes import demand_possible
from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENTS
from practice.agenda.series import starts
from signaling.gate import SIGNALING
from signaling.protocol.errors import Doubt, Doubtful, Taken
from signaling.protocol.rest import AppointmentList
from signaling.rest.appointments import NAMED, found_doubtful, reach, taken, view
from signaling.rest.doubts import found_in
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, STORE, ZONE
from vault.records.scope import Scope


async def create(call: Call) -> AppointmentList:
    """All of them or none. What is seldom meant of any of them is asked about first, at once."""
    app, body, scope = call.request.app, call.body, await reach(call)
    first = datetime.fromisoformat(body.starts_at)
    wanted = starts(first, body.weeks, date.fromisoformat(body.until), app[ZONE]())
    for one in (wanted[0], wanted[-1]):
        demand_possible(app[NOW](), one, body.minutes, body.language)
    if not body.anyway:
        await demand_all_meant(call, scope, wanted)
    store = app[STORE]
    made: list[Appointment] = []
    try:
        for one in wanted:
            planned = await store.appointments.create(
                *(scope, body.patient, one, body.minutes, body.language),
                mail=body.mail,
                phone=body.phone,
                code=body.code,
                age=Age(body.band),
            )
            made.append(planned)
    except Exception:
        for planned in made:
            await store.retention.destroy(scope, planned.id, APPOINTMENTS)
        raise
    await app[SIGNALING].told(made[0].owner)
    return AppointmentList(appointments=[view(call, one) for one in made])


async def demand_all_meant(call: Call, scope: Scope, wanted: list[datetime]) -> None:
    """Errors: ``doubtful``, with what is asked about any of them."""
    app, length = call.request.app, timedelta(minutes=call.body.minutes)
    doubts: list[Doubt] = []
    times: list[Taken] = []
    for one in wanted:
        found = await found_doubtful(app, scope, one, length)
        times += await taken(app, scope, one, length) if "double" in found else []
        doubts += [doubt for doubt in found if doubt not in doubts]
    doubts += found_in(call.body.patient)
    if doubts:
        raise Doubtful(doubts, times[:NAMED])
