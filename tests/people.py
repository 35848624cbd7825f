"""The cast, and time that stands still until it is told to move."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment
from practice.storage import Store
from tests.opening import of, open_store
from vault.settings import VaultSettings

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@dataclass
class Time:
    """Both clocks. ``pass_`` moves them together; ``jump`` moves only the wall."""

    wall: datetime = START
    boot: float = field(default=1000.0)

    def now(self) -> datetime:
        return self.wall

    def boottime(self) -> float:
        return self.boot

    def pass_(self, **span: float) -> None:
        self.wall += timedelta(**span)
        self.boot += timedelta(**span).total_seconds()

    def jump(self, **span: float) -> None:
        self.wall += timedelta(**span)


async def alice(store: Store) -> Practitioner:
    return await store.practitioners.add("Alice@Example.org", PASSWORD, "Dr Alice Visser", "nl")


async def charlie(store: Store) -> Practitioner:
    """Who must never get in."""
    return await store.practitioners.add("charlie@example.org", PASSWORD, "Charlie", "en")


async def plan(store: Store, owner: Practitioner, patient: str = "Jan Jansen", **later: float) -> Appointment:
    return await store.appointments.create(
        of(owner.id), patient, START + timedelta(**(later or {"hours": 1})), 30, "nl"
    )


async def caught_up(store: Store) -> int:
    """A server has started, and has compared all its rows and keys; how many were destroyed."""
    count = await store.retention.catch_up()
    await store.retention.compare()
    return count + await store.retention.sweep()


async def fill(settings: VaultSettings, time: Time) -> None:
    """A store that was used and is closed again: one person, one appointment."""
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await plan(store, await alice(store))
