"""Which consult a socket's claims let it into, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from practice.agenda.model import Appointment
from practice.storage import Storage
from rooms.consult_state import Consult
from rooms.live import LiveConsults
from signaling.protocol.errors import ProtocolError, UserError
from signaling.scopes import of_claims
from signaling.tickets import Claims
from signaling.window import JoinWindow, seconds_until


@dataclass(frozen=True)
class Entering:
    """Foreign appointments do not exist; a patient comes while the waiting room is open, whatever the page says."""

    live: LiveConsults
    store: Storage
    window: JoinWindow
    now: Callable[[], datetime]

    async def owner(self, claims: Claims, appointment: str) -> str:
        """Whose appointment it is. Raises forbidden not_found too_early ended gone try_again.

        Storage is asked only where the document and the claims do not tell: hundreds who come back at once should not
        wait for the database.
        """
        self._refuse_strangers(claims, appointment)
        consult = await self.live.load(appointment)
        waited = claims.practitioner is None and claims.kind == "resume" and not claims.admitted
        if consult and claims.practitioner in (None, consult.owner) and not waited:
            return consult.owner
        found = await self.store.appointments.get(of_claims(claims), appointment)
        if found.state != "planned" or (waited and self._in_vain(found, consult)):
            raise UserError("ended")
        return found.owner

    def _refuse_strangers(self, claims: Claims, appointment: str) -> None:
        if (claims.role == "practitioner") != (claims.practitioner is not None):
            raise ProtocolError("forbidden")
        if claims.practitioner is None and claims.appointment != appointment:
            raise UserError("not_found")
        left = seconds_until(claims.opens_at, self.now()) if claims.opens_at else 0
        if left:
            raise UserError("too_early", retry_after=left)

    def _in_vain(self, appointment: Appointment, consult: Consult | None) -> bool:
        """Whether the link that this ticket came from does not open the waiting room any more."""
        now = self.now()
        running = consult is not None and bool(consult.admitted)
        return self.window.closes_at(appointment, now, running=running) <= now
