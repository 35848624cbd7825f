"""What a practitioner gives a patient by a way of their own: a text to paste, and the link as a QR code."""

import asyncio
from typing import Final

from practice.agenda.model import patient_link
from practice.invitations.handout import handout
from signaling.addresses import public_origin
from signaling.couriers import letterhead
from signaling.protocol.errors import UserError
from signaling.protocol.handouts import Handout, QrCode
from signaling.rest.appointments import reach
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, SETTINGS, STORE, ZONE

QUIET: Final = 4
"""Modules of light around a code (ISO/IEC 18004, 9.1)."""


async def get(call: Call) -> Handout:
    """Of one that is to come. Errors: ``ended``, those of an appointment."""
    app = call.request.app
    one = await app[STORE].appointments.get(await reach(call), call.path["appointment"])
    if one.state != "planned" or one.cancelled_at:
        raise UserError("ended")
    profile, _ = await letterhead(app[STORE], one.owner)
    link = patient_link(public_origin(app[SETTINGS]), one)
    # Zones and languages are files.
    text = await asyncio.to_thread(handout, one, link, profile, app[ZONE](), app[NOW]())
    return Handout(appointment=one.id, text=text, qr=drawn(link))


def drawn(text: str) -> QrCode:
    """Each row's dark runs, drawn as bars."""
    import segno  # a code is asked for seldom

    rows = segno.make(text, error="m", micro=False).matrix
    bars = []
    for y, row in enumerate(rows, QUIET):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end] == row[x]:
                end += 1
            if row[x]:
                bars.append(f"M{x + QUIET} {y}h{end - x}v1h-{end - x}z")
            x = end
    return QrCode(size=len(rows) + 2 * QUIET, path="".join(bars))
