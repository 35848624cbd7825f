"""An archive that is taken back while its account changes what it asks: all of it as it is asked then, or nothing."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from practice.portability.taken import Taken, Taking
from practice.storage import Store
from tests.opening import of
from tests.people import PASSWORD
from vault.errors import DomainError


def taken(store: Store) -> Taken:
    begins = store.clock.now() + timedelta(days=1)
    taking = Taking(store.clock.now())
    taking.add(
        [
            f'["appointments", {{"patient": "Charlie", "starts_at": "{begins.isoformat()}", "minutes": 30, '
            '"language": "nl", "state": "planned"}]'.encode()
        ]
    )
    return taking.whole()


async def test_what_is_asked_meanwhile_is_asked_of_all_or_nothing_is_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await store.practitioners.add("alice@example.org", PASSWORD, "Alice", "nl", "7d")
    scope, loop, sealed = of(alice.id), asyncio.get_running_loop(), store.imports._sealed

    def asked_meanwhile(*given: Any) -> Any:
        asyncio.run_coroutine_threadsafe(store.consents.ask(scope, ["video"], 0), loop).result()
        return sealed(*given)

    with monkeypatch.context() as patched:
        patched.setattr(store.imports, "_sealed", asked_meanwhile)
        with pytest.raises(DomainError, match="try_again"):
            await store.imports.take(scope, taken(store))
    assert (await store.exports.all_of(scope))[0].by_id == {}
    assert (await store.imports.take(scope, taken(store))).appointments == 1
    (row,) = (await store.exports.all_of(scope))[0].by_id
    assert (await store.appointments.get(scope, row)).asks == ("video",)
