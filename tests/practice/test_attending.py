"""Whether an appointment was held: its consult says so, and somebody corrects it by hand once it has begun."""

import pytest

from practice.storage import Store
from tests.opening import of
from tests.people import Time, alice, charlie, plan
from vault.errors import DomainError
from vault.records.scope import Scope


async def test_what_the_consult_showed_is_corrected_by_hand(sqlite_store: Store, time: Time) -> None:
    store = sqlite_store
    one = await plan(store, await alice(store))
    by_hand, live = of(one.owner), Scope.consult(one.id, one.owner)
    with pytest.raises(DomainError, match="bad_state"):
        await store.appointments.attend(by_hand, one.id, "missed")
    assert (await store.appointments.attend(live, one.id, "held")).attended == "held", "people meet early"
    time.pass_(hours=1)
    assert (await store.appointments.attend(by_hand, one.id, "missed")).attended == "missed"
    found = await store.appointments.get(by_hand, one.id)
    assert (found.attended, found.version, found.due) == ("missed", one.version + 2, one.due)
    await store.appointments.end(by_hand, one.id)
    assert (await store.appointments.attend(by_hand, one.id, "held")).state == "ended"
    for stranger in (of((await charlie(store)).id), Scope.consult("x" * 22, one.owner)):
        with pytest.raises(DomainError, match="not_found"):
            await store.appointments.attend(stranger, one.id, "missed")


async def test_what_is_past_due_is_not_corrected_and_what_was_cancelled_neither(
    sqlite_store: Store, time: Time
) -> None:
    store = sqlite_store
    person = await alice(store)
    await store.practitioners.set_retention(of(person.id), "end")
    one = await plan(store, person)
    time.pass_(hours=1)
    await store.appointments.cancel(of(person.id), one.id, held=False)
    with pytest.raises(DomainError, match="ended"):
        await store.appointments.attend(of(person.id), one.id, "held")
    time.pass_(minutes=1)
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.attend(of(person.id), one.id, "held")
