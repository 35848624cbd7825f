"""The ticket into one consult, as one answer: token, protocol, limits."""

from typing import Any, Final

from rooms.consult import HOLD
from signaling.gate import SIGNALING
from signaling.protocol.capabilities import CAPABILITIES, SUPPORTED
from signaling.protocol.events import CHAT_LENGTH, SDP_LENGTH
from signaling.protocol.rest import Bounds, Protocol
from signaling.replays import KEPT_SECONDS
from signaling.rest.endpoint import BODY_BYTES, Call
from signaling.sockets.limits import Limits
from signaling.sockets.repeats import REMEMBERED_SECONDS
from signaling.tickets import Claims
from signaling.typedefs import SETTINGS, TICKETS

PROTOCOL: Final = Protocol(supported=SUPPORTED, capabilities=sorted(CAPABILITIES))


async def entrance(call: Call, access: Claims, appointment: str, until: int | None) -> dict[str, Any]:
    """What every ticket says. ``until``: with a refresh token that lives so long, in seconds since the Unix epoch."""
    app = call.request.app
    tickets, seconds = app[TICKETS], app[SETTINGS].access_seconds
    fields: dict[str, Any] = {}
    if until is not None:
        access, token = await app[SIGNALING].refresh.begin(access, until)
        fields = {"refresh_token": token, "refresh_expires_in": max(1, until - tickets.expires_in(0))}
    return fields | {
        "access_token": tickets.issue(access.model_copy(update={"link": None, "expires": tickets.expires_in(seconds)})),
        "expires_in": seconds,
        "appointment": appointment,
        "protocol": PROTOCOL,
        "limits": bounds(app[SIGNALING].gate.limits),
    }


def bounds(limits: Limits) -> Bounds:
    """The numbers that the code itself goes by."""
    return Bounds(
        message_bytes=limits.message_bytes,
        chat_bytes=CHAT_LENGTH,
        sdp_bytes=SDP_LENGTH,
        body_bytes=BODY_BYTES,
        events_per_second=limits.events_per_second,
        events_burst=limits.events_burst,
        authenticate_within=limits.authenticate_within,
        seat_seconds=int(HOLD.total_seconds()),
        replay_seconds=KEPT_SECONDS,
        once_seconds=REMEMBERED_SECONDS,
    )
