"""The sandbox of ``spreekkamer demo``: one practitioner and one appointment that starts now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from operate.commands.storage import OPERATOR
from practice.agenda.model import Appointment, patient_link
from practice.post import Letterbox
from practice.settings import PracticeSettings
from practice.storage import Storage
from signaling.scopes import of_practitioner
from signaling.typedefs import SignInLink
from vault.records.scope import SERVER, Scope

MAIL = "noor@demo.example"
BEFORE = "demo@localhost"
"""The same practitioner's in the folder of an earlier release; mail cannot be sent there."""
PRACTITIONER, PATIENT = "Dr. Noor de Vries", "Sam Bakker"
"""Names of people who do not exist, the same in every language of the pages."""
MINUTES = 120


@dataclass(frozen=True)
class Sandbox:
    """``link`` signs the practitioner in for as long as the process lives; ``post`` has what is sent, if it is kept."""

    link: SignInLink
    appointment: Appointment
    post: Letterbox | None

    def urls(self, origin: str) -> dict[str, str]:
        """The addresses to open, by the names that scripts know them by."""
        post = {"post_url": f"{origin}{self.post.path}"} if self.post else {}
        return {
            "practitioner_url": f"{origin}/signin#{self.link.token}",
            "patient_url": patient_link(origin, self.appointment),
            "health_url": f"{origin}/health/ready",
            **post,
        }


async def prepare(store: Storage, settings: PracticeSettings, now: Callable[[], datetime]) -> Sandbox:
    """Find the practitioner and today's appointment of an earlier run in this data folder, or make them.

    What would have been sent is kept, but where the settings name a mail server, which gets it.
    Nobody can sign in as the demo practitioner with a password: it is random and forgotten.
    """
    practitioner = None
    for known in (MAIL, BEFORE):
        practitioner = practitioner or await store.practitioners.by_mail(SERVER, known)
    if practitioner is None:
        practitioner = await store.organisation.add_account(OPERATOR, MAIL, token_urlsafe(32), PRACTITIONER, "nl")
    scope = of_practitioner(practitioner.id)
    appointment = await _current(store, scope, now()) or await store.appointments.create(
        scope, PATIENT, now().astimezone().replace(microsecond=0), MINUTES, "nl"
    )
    return Sandbox(
        SignInLink(token_urlsafe(32), practitioner.id), appointment, None if settings.sends else Letterbox(now)
    )


async def _current(store: Storage, scope: Scope, now: datetime) -> Appointment | None:
    """An appointment that has begun and not ended; from the list of two days, for one may pass midnight."""
    today = now.astimezone().date()
    for appointment in await store.appointments.list(scope, today - timedelta(days=1), today):
        if appointment.state == "planned" and appointment.starts_at <= now < appointment.ends_at:
            return appointment
    return None
