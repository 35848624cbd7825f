"""Who hands appointments over to whom in tests, and what is looked at afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from practice.accounts.model import Practitioner, Retention
from practice.agenda.model import Appointment
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.people import PASSWORD, START, Time, caught_up
from vault import keystore
from vault.database.tables import marks
from vault.records.scope import Scope
from vault.settings import VaultSettings

FIRST, LAST = START.date(), START.date() + timedelta(days=900)


@dataclass
class Cast:
    """Noor owns the practice; Alice leaves it, and Bob takes over."""

    store: Store
    noor: Scope
    alice: Practitioner
    bob: Practitioner

    async def hand_over(self, giver: Practitioner | None = None, taker: Practitioner | None = None) -> int:
        return await self.store.handing.hand_over(self.noor, (giver or self.alice).id, (taker or self.bob).id)

    async def agenda(self, person: Practitioner) -> Sequence[Appointment]:
        seen = await self.store.appointments.agenda(of(person.id), FIRST, LAST)
        assert seen.damaged == []
        return seen.appointments

    async def visited(self, link: Appointment) -> Appointment | None:
        visit = await self.store.appointments.by_link(Scope.guest(link.id), link.secret)
        assert visit is None or (await visit.host()).id == visit.appointment.owner
        return visit.appointment if visit else None


async def joined(store: Store, name: str, retention: Retention = "30d") -> Practitioner:
    made = await store.organisation.add_account(OPERATOR, f"{name}@example.org", PASSWORD, name, "nl")
    await store.practitioners.set_retention(of(made.id), retention)
    return made


@pytest.fixture
async def cast(store: Store) -> Cast:
    await store.organisation.establish(OPERATOR, PRACTICE)
    noor, alice, bob = [await joined(store, name) for name in ("noor", "alice", "bob")]
    return Cast(store, await scope_of(store, noor.id), alice, bob)


async def whole(store: Store, settings: VaultSettings, time: Time) -> None:
    """Every row has its key and opens, every key has its row, now and when unconfirmed keys are forgotten."""
    time.pass_(minutes=20)
    await caught_up(store)
    assert store.retention.damage == (0, 0)
    assert await store.keys.unconfirmed() == []
    assert (await keystore.verify(settings, KINDS, time.now)).findings == ()


async def acts(store: Store) -> list[str]:
    return [entry.act async for entry in store.audit.entries()]


async def asked(store: Store) -> list[str]:
    query = select(marks.c.name).where(marks.c.name.startswith("handing-"))
    return [row.name for row in await store.database.ask(query)]
