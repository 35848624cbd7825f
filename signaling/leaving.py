"""What ends when somebody may do less than before: at once here, within seconds on every other node.

**Storage first.** What is noted there refuses everything from then on, also where Redis is away and nobody can be told;
the sockets that are open then are refused at their next event (``signaling.sockets.acceptance``).
"""

import asyncio
import logging
from typing import Final

from redis.exceptions import RedisError

from practice.agenda.model import Appointment
from practice.organisation.model import Member
from practice.organisation.rights import Right, allowed
from practice.storage import Storage
from signaling.admission import patient_of
from signaling.gate import Signaling
from vault.errors import DomainError

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0


async def left(storage: Storage, signaling: Signaling, member: Member) -> None:
    """Somebody was deactivated: their sessions, sockets, resume tickets and apps are no more."""
    await storage.sessions.end_all(member.account)
    await signaling.sign_out(member.account)


async def link_renewed(signaling: Signaling, appointment: Appointment) -> None:
    """The patient's link is another: whoever came by the one before is out, and no ticket of theirs opens anything."""
    try:
        await signaling.admission.link_renewed(appointment.id)
        await signaling.consults.seats.vacate(appointment.id, "patient")
        await signaling.gate.sign_out([patient_of(appointment.id)], "token_invalid")
    except (DomainError, RedisError):
        # It is written; who is in may stay, whom the practitioner sees and can put out.
        logger.warning("whoever came by a patient's former link could not be told so")


async def consent_withdrawn(signaling: Signaling, appointment: Appointment) -> None:
    """The consult ends for all who are in it, and nothing that came of the patient's link opens anything. What cannot
    be told now is told by the sweep, which waits for no consult of such an appointment.
    """
    try:
        await signaling.consults.seats.close(appointment.id, "cancelled")
        await signaling.admission.link_renewed(appointment.id)
        await signaling.gate.sign_out([appointment.id, patient_of(appointment.id)], "token_invalid")
        await signaling.consults.showing.tell_desks(appointment.owner)
    except (DomainError, RedisError):
        logger.warning("whoever is in a consult of which a consent was withdrawn could not be told so")


async def changed(signaling: Signaling, member: Member) -> None:
    """Somebody's roles are others: without the right to consults, their sockets and tickets are no more."""
    if not allowed(Right.CONSULT, member.roles):
        await signaling.sign_out(member.account)


async def recovered(signaling: Signaling, account: str) -> None:
    """Somebody's second factor was lifted: what storage ended is over for sockets, tickets and apps too."""
    await signaling.sign_out(account)


async def look_after(storage: Storage, signaling: Signaling) -> None:
    """Until cancelled: the rest of what commands end, which reach nothing but storage."""
    while True:
        try:
            await look(storage, signaling)
        except (DomainError, RedisError):
            logger.warning("what a command ended could not be ended everywhere; it is tried again")
        except Exception:
            logger.exception("looking for what commands ended failed")
        await asyncio.sleep(LOOK_SECONDS)


async def look(storage: Storage, signaling: Signaling) -> None:
    """Once. Cut off between the two it is done again, which ends nothing more than what is to end. Errors:
    DomainError, RedisError.
    """
    for account in await storage.sessions.ended_by_commands():
        await signaling.sign_out(account)
        await storage.sessions.ended_fully(account)
