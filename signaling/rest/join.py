"""The patient's link: what it opens, and one answer for all that it does not."""

import re
from datetime import datetime, timedelta

from rooms.model import Appointment
from signaling.addresses import client_address
from signaling.limiter import JOIN_ADDRESS
from signaling.protocol.errors import UserError
from signaling.protocol.rest import Join
from signaling.rest.appointments import in_time
from signaling.rest.endpoint import Call
from signaling.tickets import Claims
from signaling.typedefs import LIMITER, NOW, SETTINGS, STORE, TICKETS

LINK = re.compile(r"([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{22})")
NOBODY = "A" * 22


async def join(call: Call) -> Join:
    """An access token for the waiting room. A visit never consumes a link; one that is not good is ``link_invalid``.

    A link of the wrong shape, of nobody, destroyed, ended or expired is looked up all the same, with the same work.
    """
    app = call.request.app
    address = client_address(call.request, app[SETTINGS].trusted_proxies)
    limiter = app[LIMITER]
    parts = LINK.fullmatch(call.body.link)
    appointment = await app[STORE].appointments.by_link(*(parts.groups() if parts else (NOBODY, NOBODY)))
    now = app[NOW]()
    dead = appointment is None or appointment.state != "planned" or not in_time(appointment, now, app[SETTINGS])
    if parts is None or appointment is None or dead:
        await limiter.count(JOIN_ADDRESS, address)
        raise UserError("link_invalid")
    return await _joined(call, appointment, now)


async def _joined(call: Call, appointment: Appointment, now: datetime) -> Join:
    app = call.request.app
    settings, tickets = app[SETTINGS], app[TICKETS]
    practitioner = await app[STORE].practitioners.get(appointment.owner)
    opens_at = appointment.starts_at - timedelta(minutes=settings.join_early_minutes)
    claims = Claims(
        kind="access",
        role="patient",
        appointment=appointment.id,
        seat="patient",
        expires=tickets.expires_in(settings.access_seconds),
    )
    return Join(
        access_token=tickets.issue(claims),
        expires_in=settings.access_seconds,
        appointment=appointment.id,
        role="patient",
        practitioner_name=practitioner.display_name,
        starts_at=appointment.starts_at.isoformat(),
        minutes=appointment.minutes,
        language=appointment.language,
        window="early" if now < opens_at else "open" if now <= appointment.ends_at else "late",
        opens_at=opens_at.isoformat(),
    )
