"""A server's own organisation, a practice beside it, and who answers in each."""

from dataclasses import dataclass
from typing import Any

import pytest

from practice.accounts.model import Practitioner
from practice.requests.model import Filed, Filing, Outcome, Request, What
from practice.requests.purposes import Purpose
from practice.storage import Store
from tests.organisations import OPERATOR, PRACTICE, found, join, scope_of
from tests.people import PASSWORD
from tests.practice.posting import sqlite_store, store
from vault.records.scope import SERVER, Scope

__all__ = ["sqlite_store", "store"]


TEXT = "Wat weet u van mij?"


@dataclass
class House:
    """A server's own organisation with its officer, and a practice with a doctor, an owner and an officer."""

    store: Store
    host: str
    officer: Practitioner
    practice: str
    doctor: Practitioner
    theirs: Practitioner

    async def scope(self, who: Practitioner) -> Scope:
        return await scope_of(self.store, who.id)

    async def form(self, text: str = TEXT, what: What = "access", mail: str = "jan@example.org", **more: Any) -> Filed:
        return await self.store.requests.file(SERVER, Filing(what, "form", "nl", text, mail=mail, **more))

    async def dashboard(self, what: What = "access", purpose: Purpose | None = None, text: str = TEXT) -> Filed:
        filing = Filing(what, "dashboard", "nl", text, purpose)
        return await self.store.requests.file(await self.scope(self.doctor), filing)

    async def queue(self, who: Practitioner) -> list[Request]:
        return list((await self.store.decisions.queue(await self.scope(who))).requests)

    async def decide(
        self, who: Practitioner, one: Request, outcome: Outcome = "granted", text: str = "Gedaan."
    ) -> Request:
        return await self.store.decisions.decide(await self.scope(who), one.id, outcome, text)


@pytest.fixture
async def house(store: Store) -> House:
    host = await store.organisation.establish(OPERATOR, PRACTICE)
    officer, doctor, owner, theirs = [
        await store.practitioners.add(f"{name}@example.org", PASSWORD, name.title(), "nl")
        for name in ("officer", "doctor", "owner", "theirs")
    ]
    await join(store, host, officer.id, ["officer"])
    practice = (await found(store, owner.id, ["owner"])).owner
    await join(store, practice, doctor.id, ["practitioner"])
    await join(store, practice, theirs.id, ["officer"])
    return House(store, host, officer, practice, doctor, theirs)
