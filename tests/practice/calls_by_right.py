"""Every method that has to do with requests and demands a scope, called with one and an id, for ``calls``."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from practice.requests.model import Filing
from practice.requests.store import nobody
from practice.storage import Store
from vault.records.content import new_id
from vault.records.scope import Scope

BY_RIGHT: Mapping[str, Callable[[Store, Scope, str, Any], Awaitable[Any]]] = {
    "requests.file": lambda store, scope, *_: store.requests.file(scope, Filing("access", "form", "nl", new_id())),
    "requests.mine": lambda store, scope, *_: store.requests.mine(scope),
    "decisions.queue": lambda store, scope, *_: store.decisions.queue(scope),
    "decisions.get": lambda store, scope, row, _: store.decisions.get(scope, row),
    "decisions.read": lambda store, scope, row, _: store.decisions.read(scope, row),
    "decisions.ask_back": lambda store, scope, row, _: store.decisions.ask_back(scope, row, "Welke?"),
    "decisions.extend": lambda store, scope, row, _: store.decisions.extend(scope, row, "Veel", nobody),
    "decisions.discard": lambda store, scope, row, _: store.decisions.discard(scope, row),
    "decisions.decide": lambda store, scope, row, _: store.decisions.decide(scope, row, "granted", "Gedaan"),
}
