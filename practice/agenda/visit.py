"""A right link that was opened: the appointment, whose it is and its name in the trail, from one look at the rows."""

from dataclasses import dataclass, field
from typing import NamedTuple

from practice.accounts.model import Practitioner
from practice.accounts.people import People
from practice.agenda.model import Appointment, Guest
from vault import audit
from vault.audit import Party
from vault.errors import DomainError
from vault.keys.opening import Both


class Host(NamedTuple):
    """The row of an appointment's practitioner."""

    id: str
    profile: bytes
    version: int


@dataclass(frozen=True)
class Visit:
    """``appointments.by_link``, as whose link it is is told of it: ``guest`` is who that is if not the patient.

    The keys are those that opened the link and go with it.
    """

    appointment: Appointment
    _people: People = field(repr=False, compare=False)
    _keys: Both = field(repr=False, compare=False)
    _host: Host = field(repr=False, compare=False)
    unopened: bool = False
    """Whether somebody was sent something since whose link nobody opened."""

    guest: Guest | None = None
    whole: Appointment | None = field(default=None, repr=False, compare=False)
    """The appointment itself, of which whose link it is is told nothing but by what it says of consents."""

    @property
    def seat(self) -> str:
        """Whose link it is, as seats and consents name them."""
        return self.guest.id if self.guest else "patient"

    @property
    def subject(self) -> Party:
        """The appointment in the audit trail, with its name there: its key was at hand."""
        return audit.appointment(self.appointment.owner, self.appointment.id).named(self._keys.key)

    async def host(self) -> Practitioner:
        """Whose appointment it is. Errors: ``not_found``, ``unreadable``."""
        key = self._keys.own
        if key is None:
            key, known = await self._people.key(self._host.id)
            if not known:
                raise DomainError("not_found")
        return self._people.profile(key, self._host)
