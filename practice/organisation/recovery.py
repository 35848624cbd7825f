"""Somebody lost both: the telephone and the recovery codes. An owner lifts the second factor; nobody does their own.

The password stays as it is, so whoever has only that sets up another second factor before anything else.
"""

from collections.abc import Collection

from practice.factors.model import Factors
from practice.factors.store import SecondFactors
from practice.organisation.rights import Right, demand
from practice.organisation.store import Organisations
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.writing import Along


class Recovery:
    """``store.recovery``. Errors of all: ``not_found`` (no such member, also without the right), ``unreadable``,
    ``locked``, ``try_again``.
    """

    def __init__(self, organisation: Organisations, factors: SecondFactors) -> None:
        self._organisation = organisation
        self._factors = factors

    async def of(self, scope: Scope, account: str) -> Factors:
        """What a member has."""
        return await self._factors.of(await self._about(scope, account))

    async def lift(self, scope: Scope, account: str, kept: Collection[str], along: Along) -> Factors:
        """As ``SecondFactors.lift``, of a member. Errors: ``bad_state`` (nothing ends, or it is one's own)."""
        theirs = await self._about(scope, account)
        if account == scope.owner:
            raise DomainError("bad_state")
        return await self._factors.lift(theirs, kept, along)

    async def _about(self, scope: Scope, account: str) -> Scope:
        demand(scope, Right.LIFT_FACTORS)
        await self._organisation.person(scope, account)
        return scope.about(account)
