"""The technical check of a consult, and the code with which support may see its timeline."""

from rooms.diagnostics import LIFETIME
from rooms.support import LIFETIME as CODE_LIFETIME
from rooms.support import SupportCodes
from rooms.technical_check import PersonCheck, check
from signaling.limiter import SUPPORT_CODES
from signaling.protocol.technical import PersonCheckView, SupportCode, TechnicalCheck
from signaling.rest.endpoint import Call
from signaling.typedefs import DIAGNOSTICS, LIMITER, REDIS, STORE


async def technical_check(call: Call) -> TechnicalCheck:
    """How the connections of one consult were, from what is left of its samples."""
    appointment = await call.request.app[STORE].appointments.get(call.scope, call.path["appointment"])
    timeline = await call.request.app[DIAGNOSTICS].timeline(appointment.id)
    return TechnicalCheck(
        appointment=appointment.id, hours=LIFETIME // 3_600_000, people=[_view(one) for one in check(timeline)]
    )


async def support_code(call: Call) -> SupportCode:
    """Six digits to read out; the code before it is void."""
    app = call.request.app
    appointment = await app[STORE].appointments.get(call.scope, call.path["appointment"])
    await app[LIMITER].count(SUPPORT_CODES, call.practitioner)
    code = await SupportCodes(app[REDIS]).give(call.practitioner, appointment.id)
    return SupportCode(appointment=appointment.id, code=code, expires_in=CODE_LIFETIME // 1000)


def _view(one: PersonCheck) -> PersonCheckView:
    return PersonCheckView(
        role=one.role,
        first=one.first.isoformat(),
        last=one.last.isoformat(),
        connection=one.connection,
        sound=one.sound,
        picture=one.picture,
        network=one.network,
        udp=one.udp,
        loss_permille=one.loss,
        rtt_ms=one.rtt,
        reconnects=one.reconnects,
        browser=one.browser,
        device=one.device,
    )
