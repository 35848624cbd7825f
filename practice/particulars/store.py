"""What somebody tells of themselves: read and changed by nobody else, until they take it back or the account ends.

A kind of record (``vault.records.records``) without a due time. Taking all of it back is ``store.retention.destroy``.
"""

from dataclasses import replace

from practice.accounts.sole import SoleRecords
from practice.particulars.check import checked
from practice.particulars.model import Particulars, Told
from practice.particulars.records import PARTICULARS
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means


class AllParticulars:
    """``store.particulars``. Errors of all: ``not_found`` (the scope), ``unreadable``, ``locked``, ``try_again``."""

    def __init__(self, means: Means) -> None:
        self._sole = SoleRecords(means, PARTICULARS)
        self._now = means.now

    async def of(self, scope: Scope) -> Particulars:
        """What somebody told; version 0 where that is nothing."""
        owner = scope.owner
        return await self._sole.of(owner) or Particulars("", owner, Told())

    async def tell(self, scope: Scope, told: Told, seen: int) -> Particulars:
        """All of it anew, where nobody changed it since the version that was ``seen``.

        Errors: ``invalid`` with the field, ``conflict``, ``not_found`` (also: the account is closing).
        """
        told, before = checked(told, self._now().date()), await self.of(scope)
        return await self._sole.put(replace(before, id=before.id or new_id(), told=told, version=seen + 1), before)
