"""A scope that is nobody's alone gets at no record."""

from datetime import timedelta

import pytest

from practice.storage import Store
from tests.people import START
from tests.practice.calls import FIRST, LAST
from vault.errors import DomainError
from vault.records.scope import SERVER, Scope


@pytest.mark.parametrize("scope", [SERVER, Scope.operator(), Scope.guest("A" * 22), Scope.consult("A" * 22, "B" * 22)])
async def test_what_is_nobodys_alone_has_no_agenda_receipts_or_account(sqlite_store: Store, scope: Scope) -> None:
    store = sqlite_store
    for call in (
        store.appointments.list(scope, FIRST, LAST),
        store.appointments.agenda(scope, FIRST, LAST),
        store.appointments.receipts(scope),
        store.appointments.create(scope, "Jan", START + timedelta(hours=1), 30, "nl"),
        store.practitioners.get(scope),
        store.practitioners.preview_retention(scope, "end"),
        store.practitioners.set_retention(scope, "end"),
        store.retention.destroy(scope, "A" * 22),
        store.retention.destroy_all(scope),
        store.retention.close(scope),
        store.retention.request_closure(scope),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call


def test_the_server_itself_gets_at_no_record() -> None:
    assert not SERVER.covers("owner", "row")
