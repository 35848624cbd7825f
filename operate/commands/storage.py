"""What commands open of what is stored."""

from contextlib import AbstractAsyncContextManager

from practice.opening import open_storage
from practice.storage import Storage, Store
from vault.clock import utc_now
from vault.destruction.deadline import left_to_the_server, nobody_can_say
from vault.records.scope import Scope
from vault.settings import VaultSettings

OPERATOR = Scope.operator()
"""Whoever typed the command, before it is known whom it is about."""


def about(person: str) -> Scope:
    """Whoever typed the command, about one account."""
    return Scope.operator(person)


def beside(settings: VaultSettings, *, mail: bool = False) -> AbstractAsyncContextManager[Storage]:
    """Storage beside a server that may be running on it, of whose consults a command knows nothing.

    ``mail``: whether that server sends some, and so is left what is to be told.
    """
    return open_storage(settings, in_progress=nobody_can_say, now=utc_now, exclusive=False, mail=mail)


def asking(storage: Storage) -> Store:
    """The same, to ask for destruction: what a server keeps elsewhere, that server clears."""
    return storage.destroying(on_destroy=left_to_the_server, on_close=left_to_the_server, on_handed=left_to_the_server)
