"""The code that a patient's link may ask for: sent, and typed."""

import logging

from aiohttp.web import StreamResponse

from practice.agenda.model import Appointment
from practice.invitations.model import WAYS, Way
from practice.invitations.port import NotTold
from practice.invitations.store import Dispatches, address_of
from signaling.addresses import client_network
from signaling.link_codes import LINK_CODES_OF, issue_pass, keep_pass
from signaling.protocol.codes import CodePassed, CodeSent
from signaling.protocol.errors import ProtocolError, UserError
from signaling.rest.endpoint import Call
from signaling.rest.join import Visited, visited
from signaling.typedefs import DIGITS, SETTINGS, STORE
from vault.audit import PATIENT, Act, Party

log = logging.getLogger(__name__)


async def send(call: Call) -> CodeSent:
    """Have it sent, where no way is asked for by the first that takes it. It says nothing of the address.

    Errors: also ``bad_state`` where the link asks for none, ``try_again`` where it went by none.
    """
    found = (await asking(call)).visit
    return await sent(call, found.appointment, found.appointment.id, found.subject)


async def sent(call: Call, one: Appointment, of: str, subject: Party) -> CodeSent:
    """By the way of the body, or the first that takes it, to whom ``one`` is told; ``of`` is whose digits they are.

    Errors: ``invalid`` (another way), ``rate_limited``, ``try_again``.
    """
    app, ways = call.request.app, await ways_of(call.request.app[STORE].outbox, one)
    if call.body.way and call.body.way not in ways:
        raise ProtocolError("invalid", field="way")
    typed, seconds = await app[LINK_CODES_OF].fresh(of, client_network(call.request))
    for way in [call.body.way] if call.body.way else ways:
        try:
            await app[DIGITS].send(one, way, typed)
        except NotTold as fault:
            log.warning("a code for a link was not taken", extra={"cause": fault.step})
        else:
            await app[STORE].audit.record(Act.PATIENT_TOLD, PATIENT, subject)
            return CodeSent(way=way, ways=ways, expires_in=seconds)
    raise UserError("try_again")


async def answer(call: Call) -> CodePassed:
    """The digits are right: this device may open the link for a while."""
    app, one = call.request.app, (found := await asking(call)).visit.appointment
    await app[LINK_CODES_OF].answer(one.id, client_network(call.request), call.body.code)
    await app[STORE].audit.record(Act.LINK_OPENED, PATIENT, found.visit.subject)
    token, seconds = issue_pass(app, one)

    async def keep(response: StreamResponse) -> None:
        keep_pass(response, app[SETTINGS], token, seconds)

    call.after.append(keep)
    return CodePassed(code_pass=token, expires_in=seconds)


async def asking(call: Call) -> Visited:
    """What the link of the body is about, if it asks for a code. Errors: ``bad_state``, those of a link."""
    found = await visited(call, over=True, passed=False)
    if not found.visit.appointment.code:
        raise ProtocolError("bad_state")
    return found


async def ways_of(outbox: Dispatches, one: Appointment) -> list[Way]:
    """By which its patient can be told of it now, mail first."""
    goes = outbox.ways if await outbox.texts(one.owner) else outbox.ways - {"sms"}
    return [way for way in WAYS if way in goes and address_of(one, way)]
