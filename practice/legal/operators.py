"""Operators entered by name, each with an app that shows codes (RFC 6238): two of them together do what a law demands.

**The first two come freely**, for somebody has to begin; every other is let in by two who are there, and taken out by
another while two stay: one alone never comes to hold the apps of two. Each code is good once, also where two commands
use it at the same moment. They are records under the key of this server's organisation: who can only write to the
database makes nobody one.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.factors import codes
from practice.legal.model import Operator
from practice.legal.records import OPERATORS, operators
from practice.names import named
from practice.organisation.founding import founded
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore
from vault.records.writing import always

FREE: Final = 2
"""So many are entered without anybody's leave, and from then on so many stay."""

LONGEST: Final = 80
MANY: Final = 20
THEIRS: Final = OPERATORS.living().where(operators.c.owner == bindparam("owner")).order_by(operators.c.id)

Proof = tuple[str, str]
"""The name of an operator, and what their app shows."""


class Operators(RecordStore):
    """``store.operators``. Errors of all: ``locked``, ``try_again``, ``not_found`` (another scope than a command's)."""

    async def of(self, scope: Scope) -> list[Operator]:
        """All, by name. Errors: ``unreadable`` (one of them: nobody acts before it is taken out)."""
        scope.demand("operator")
        rows = await self._database.ask(THEIRS, {"owner": await self._house()})
        opened = await self._reader.open(OPERATORS, rows)
        if opened.damaged:
            raise DomainError("unreadable")
        return sorted(opened.living, key=lambda one: one.name.casefold())

    async def add(
        self, scope: Scope, name: str, secret: str, code: str, leave: tuple[Proof, Proof] | None = None
    ) -> Operator:
        """Enter one, whose app has shown a code of ``secret``; with the ``leave`` of two others from the third on.

        Errors: ``invalid`` (``name``), ``conflict`` (the name is taken, there are many, or one gave leave twice),
        ``factor_refused`` (a code, or no leave).
        """
        known, shown = await self.of(scope), named(name, "name", LONGEST)
        if len(known) >= MANY or any(one.name.casefold() == shown.casefold() for one in known):
            raise DomainError("conflict")
        step = codes.accepted(secret, codes.plain(code), self._now(), 0)
        if step is None:
            raise DomainError("factor_refused")
        if len(known) >= FREE:
            if leave is None:
                raise DomainError("factor_refused")
            await self.two(scope, *leave)
        house = await self._house()
        made = Operator(new_id(), house, shown, secret, step, self._now())
        if not await self._writer.first(OPERATORS, made, partial(_as_seen, house, known)):
            raise DomainError("conflict")
        return made

    async def remove(self, scope: Scope, name: str, leave: Proof) -> Operator:
        """Take one out, with the ``leave`` of another.

        Errors: ``not_found``, ``factor_refused``, ``bad_state`` (two would not be left: who comes instead is entered
        first), ``conflict`` (another one came or went meanwhile).
        """
        known = await self.of(scope)
        one = next((one for one in known if one.name.casefold() == name.strip().casefold()), None)
        if one is None:
            raise DomainError("not_found")
        if len(known) <= FREE:
            raise DomainError("bad_state")
        await self._proved([other for other in known if other.id != one.id], leave)
        async with self._database.write() as connection:
            if not await _as_seen(one.owner, known, connection):
                raise DomainError("conflict")
            await connection.execute(OPERATORS.marking().where(operators.c.id == one.id))
        self._sweep()
        return one

    async def two(self, scope: Scope, first: Proof, second: Proof) -> tuple[Operator, Operator]:
        """Both, who are two people, each with a code that was not used before.

        Errors: ``factor_refused`` (a name or a code; which is not said), ``conflict`` (they are one person).
        """
        known = await self.of(scope)
        if first[0].strip().casefold() == second[0].strip().casefold():
            raise DomainError("conflict")
        return await self._proved(known, first), await self._proved(known, second)

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _house(self) -> str:
        async with self._database.read() as connection:
            house = await founded(connection)
        if house is None:
            raise DomainError("not_found")
        return house

    async def _proved(self, known: Sequence[Operator], proof: Proof) -> Operator:
        name, code = proof
        one = next((one for one in known if one.name.casefold() == name.strip().casefold()), None)
        step = codes.accepted(one.secret, codes.plain(code), self._now(), one.step) if one else None
        if one is None or step is None:
            raise DomainError("factor_refused")
        after = replace(one, step=step, version=one.version + 1)
        if not await self._writer.instead(OPERATORS, after, always):
            raise DomainError("factor_refused")
        return after


async def _as_seen(house: str, known: Sequence[Operator], connection: AsyncConnection) -> bool:
    """Whether they are the same still, who are held until this transaction ends."""
    rows = (await connection.execute(THEIRS.with_for_update(), {"owner": house})).all()
    return {row.id for row in rows} == {one.id for one in known}
