"""Who takes part in an appointment beside patient and practitioner, for who plans it."""

from practice.agenda.guests import Invitee
from signaling.gate import SIGNALING
from signaling.protocol.rest import AppointmentView
from signaling.rest.appointments import demand_seldom, reach, with_told
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE


async def add(call: Call) -> AppointmentView:
    """Before the consult or during it."""
    app, body = call.request.app, call.body
    invitee = Invitee(body.name, body.role, body.language, body.mail, body.phone)
    appointment = await app[STORE].guests.add(await reach(call), call.path["appointment"], invitee)
    await app[SIGNALING].invited(appointment)
    return await with_told(call, appointment)


async def renew(call: Call) -> AppointmentView:
    """Another link, of which they are told; whoever came by the one before is out."""
    app, guest, scope, wanted = call.request.app, call.path["guest"], await reach(call), call.path["appointment"]
    if await app[STORE].appointments.is_told(scope, wanted, guest):
        await demand_seldom(app, wanted)
    appointment = await app[STORE].guests.renew(scope, wanted, guest)
    await app[SIGNALING].uninvited(appointment, guest)
    return await with_told(call, appointment)


async def remove(call: Call) -> AppointmentView:
    """They take part no more, also where they are in the consult."""
    app, guest = call.request.app, call.path["guest"]
    appointment = await app[STORE].guests.remove(await reach(call), call.path["appointment"], guest)
    await app[SIGNALING].uninvited(appointment, guest)
    return await with_told(call, appointment)
