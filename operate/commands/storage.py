"""What commands open of what is stored."""

from contextlib import AbstractAsyncContextManager

from practice.storage import Storage, open_storage
from vault.clock import utc_now
from vault.destruction.deadline import nobody_can_say
from vault.records.scope import Scope
from vault.settings import VaultSettings

OPERATOR = Scope.operator()
"""Whoever typed the command, before it is known whom it is about."""


def about(person: str) -> Scope:
    """Whoever typed the command, about one account."""
    return Scope.operator(person)


def beside(settings: VaultSettings) -> AbstractAsyncContextManager[Storage]:
    """Storage beside a server that may be running on it, of whose consults a command knows nothing."""
    return open_storage(settings, in_progress=nobody_can_say, now=utc_now, exclusive=False)
