"""What follows from what a consult shows: it is counted for an organisation's statistics, no child (S-16), and its
appointment was held, or missed.
"""

from practice.agenda.model import Attendance
from practice.storage import Storage
from rooms.consult_events import Tally
from rooms.consult_state import Consult
from signaling.consults.showing import Showing
from signaling.scopes import of_consult, of_server
from vault.errors import DomainError


async def counted(storage: Storage, consult: Consult, what: Tally) -> None:
    """One more, unless its patient is under 16, or nobody can read any more whether they are."""
    try:
        planned = await storage.appointments.get(of_consult(consult), consult.appointment)
    except DomainError:
        return
    if not planned.is_of_a_child:
        await storage.statistics.count(of_server(), what, {consult.owner: 1})


async def noted(storage: Storage, showing: Showing, consult: Consult, attended: Attendance) -> None:
    """Whether an appointment was held, as its consult shows. What is destroyed meanwhile needs no word."""
    try:
        await storage.appointments.attend(of_consult(consult), consult.appointment, attended)
    except DomainError as error:
        if error.code not in ("gone", "not_found"):
            raise
    else:
        await showing.tell_desks(consult.owner)
