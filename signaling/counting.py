"""Which consults are counted for an organisation's statistics: those of children never are (S-16)."""

from practice.storage import Storage
from rooms.consult_events import Tally
from rooms.consult_state import Consult
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
