"""The bank account of somebody: read whole and changed after a second factor, which who calls this has asked for.

A kind of record (``vault.records.records``) without a due time. Taking it out is ``store.retention.destroy``.
"""

from dataclasses import replace

from practice.accounts.sole import SoleRecords
from practice.billing.iban import iban
from practice.billing.model import BankAccount
from practice.billing.records import BANK_ACCOUNTS
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means
from vault.records.writing import Along


class BankAccounts:
    """``store.bank_accounts``. Errors of all: ``not_found`` (the scope), ``unreadable``, ``locked``, ``try_again``."""

    def __init__(self, means: Means) -> None:
        self._sole = SoleRecords(means, BANK_ACCOUNTS)

    async def of(self, scope: Scope) -> BankAccount:
        """What there is; version 0 where that is nothing."""
        owner = scope.owner
        return await self._sole.of(owner) or BankAccount("", owner)

    async def set_iban(self, scope: Scope, number: str, seen: int, along: Along | None = None) -> BankAccount:
        """Another one, where nobody changed it since the version that was ``seen``; ``along`` writes mail about it.

        Errors: ``invalid`` (it is none), ``conflict``, ``not_found`` (also: the account is closing).
        """
        plain, before = iban(number), await self.of(scope)
        after = replace(before, id=before.id or new_id(), iban=plain, version=seen + 1)
        return await self._sole.put(after, before, along)
