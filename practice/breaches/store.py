"""The register of breaches (GDPR 33 (5)): for the data protection officer of an organisation, and nobody else.

**The clock of 72 hours begins when it was found**, not when it was entered, and only two things end it: the moment at
which the authority was told, and a reason why it need not be. Nothing is taken out of the register.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from sqlalchemy import bindparam, func, select

from practice.breaches.model import MOST, MOST_PEOPLE, RISKS, Breach, Clocks, Facts, Register
from practice.breaches.records import BREACHES, TEXTS, breaches
from practice.names import written
from practice.organisation.records import takes_members
from practice.organisation.rights import Right, demand
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore
from vault.records.writing import always

THEIRS: Final = BREACHES.living().where(breaches.c.owner == bindparam("organisation")).order_by(breaches.c.id)
ROW: Final = THEIRS.where(breaches.c.id == bindparam("wanted"))


class Breaches(RecordStore):
    """``store.breaches``. Errors of all: ``not_found`` (also without the right), ``locked``, ``try_again``."""

    async def of(self, scope: Scope) -> Register:
        """All of the organisation's."""
        rows = await self._database.ask(THEIRS, {"organisation": demand(scope, Right.REQUESTS)})
        opened = await self._reader.open(BREACHES, rows)
        now, order = self._now(), ("late", "running", "told", "settled")
        found = sorted(opened.living, key=lambda one: (order.index(one.phase(now)), one.due, one.id))
        return Register(tuple(found), len(opened.damaged))

    async def get(self, scope: Scope, breach_id: str) -> Breach:
        """One of them. Errors: ``unreadable``."""
        bound = {"organisation": demand(scope, Right.REQUESTS), "wanted": breach_id}
        rows = await self._database.ask(ROW, bound)
        if not rows:
            raise DomainError("not_found")
        return (await self._reader.one(BREACHES, rows[0]))[0]

    async def enter(self, scope: Scope, facts: Facts) -> Breach:
        """A new one. Errors: ``invalid``, with the field."""
        organisation = demand(scope, Right.REQUESTS)
        made = Breach(new_id(), organisation, scope.owner, self._now(), self._checked(facts))

        if not await self._writer.first(BREACHES, made, partial(takes_members, organisation=organisation)):
            raise DomainError("not_found")
        return made

    async def change(self, scope: Scope, breach_id: str, facts: Facts, seen: int) -> Breach:
        """What is known by now, where nobody changed it since the version that was ``seen``.

        Errors: ``invalid`` with the field, ``conflict``, ``unreadable``.
        """
        before = await self.get(scope, breach_id)
        after = replace(before, facts=self._checked(facts), version=seen + 1)
        if before.version != seen or not await self._writer.instead(BREACHES, after, always):
            raise DomainError("conflict")
        return after

    async def clocks(self) -> Clocks:
        """How many clocks run, and how many are over."""
        now = int(self._now().timestamp())
        waits = (BREACHES.is_living, breaches.c.settled == 0)
        query = select(func.count().label("every"), func.count().filter(breaches.c.due <= now).label("late")).where(
            *waits
        )
        (row,) = await self._database.ask(query)
        return Clocks(row.every - row.late, row.late)

    def _checked(self, facts: Facts) -> Facts:
        """The same as it is kept. Errors: ``invalid``, with the field."""
        now = self._now()
        texts = {name: written(getattr(facts, name), name, MOST) for name in TEXTS}
        if not texts["what"]:
            raise DomainError("invalid", "what")
        for name in ("found", "told", "concerned"):
            at = getattr(facts, name)
            if at is not None and (at > now or (name != "found" and at < facts.found)):
                raise DomainError("invalid", name)
        if facts.people is not None and not 0 <= facts.people <= MOST_PEOPLE:
            raise DomainError("invalid", "people")
        if facts.risk not in RISKS:
            raise DomainError("invalid", "risk")
        made: Facts = replace(facts, **texts)  # type: ignore[arg-type]  # texts of fields that are texts
        late = made.told is not None and made.told >= Breach("", "", "", now, made).due
        if late and not made.late:
            raise DomainError("invalid", "late")
        if made.untold and made.risk != "none":
            raise DomainError("invalid", "untold")
        if made.concerned is not None and not made.words:
            raise DomainError("invalid", "words")
        return made
