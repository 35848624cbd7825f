"""The sandbox of ``spreekkamer demo``: one practitioner and one appointment that starts now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from operate.commands.storage import OPERATOR
from practice.agenda.model import Appointment, patient_link
from practice.storage import Storage
from signaling.scopes import of_practitioner
from signaling.typedefs import SignInLink
from vault.records.scope import SERVER, Scope

MAIL = "demo@localhost"
PRACTITIONER, PATIENT = "Dr. Noor de Vries", "Sam Bakker"
"""Names of people who do not exist, the same in every language of the pages."""
MINUTES = 120


@dataclass(frozen=True)
class Sandbox:
    """``link`` signs the practitioner in for as long as the process lives."""

    link: SignInLink
    appointment: Appointment

    def urls(self, origin: str) -> dict[str, str]:
        """The addresses to open, by the names that scripts know them by."""
        return {
            "practitioner_url": f"{origin}/signin#{self.link.token}",
            "patient_url": patient_link(origin, self.appointment),
            "health_url": f"{origin}/health/ready",
        }


async def prepare(store: Storage, now: Callable[[], datetime]) -> Sandbox:
    """Find the practitioner and today's appointment of an earlier run in this data folder, or make them.

    Nobody can sign in as the demo practitioner with a password: it is random and forgotten.
    """
    practitioner = await store.practitioners.by_mail(SERVER, MAIL)
    if practitioner is None:
        practitioner = await store.organisation.add_account(OPERATOR, MAIL, token_urlsafe(32), PRACTITIONER, "nl")
    scope = of_practitioner(practitioner.id)
    appointment = await _current(store, scope, now()) or await store.appointments.create(
        scope, PATIENT, now().astimezone().replace(microsecond=0), MINUTES, "nl"
    )
    return Sandbox(SignInLink(token_urlsafe(32), practitioner.id), appointment)


async def _current(store: Storage, scope: Scope, now: datetime) -> Appointment | None:
    """An appointment that has begun and not ended; from the list of two days, for one may pass midnight."""
    today = now.astimezone().date()
    for appointment in await store.appointments.list(scope, today - timedelta(days=1), today):
        if appointment.state == "planned" and appointment.starts_at <= now < appointment.ends_at:
            return appointment
    return None
