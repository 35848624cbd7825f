"""An organisation that ends: marked first, joined by nobody, and gone with its key when its accounts are."""

import pytest

from practice.organisation.ending import Ending
from practice.storage import Store
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.people import PASSWORD, START, Time, alice, caught_up, charlie, plan
from vault.errors import DomainError
from vault.records.scope import Scope


async def founded(store: Store) -> str:
    """Of Alice, who owns it, and Charlie; its id."""
    for person in (await alice(store), await charlie(store)):
        await plan(store, person)
    organisation = await store.organisation.establish(OPERATOR, PRACTICE)
    await store.organisation.name_owner(Scope.operator(await account(store, "alice")))
    return organisation


async def account(store: Store, name: str) -> str:
    found = await store.practitioners.id_by_mail(OPERATOR, f"{name}@example.org")
    assert found is not None
    return found


async def scope(store: Store, name: str = "alice") -> Scope:
    return await scope_of(store, await account(store, name))


async def test_it_is_under_way_until_nothing_is_left(store: Store, time: Time) -> None:
    organisation = await founded(store)
    assert await store.endings.under_way() == []
    assert await store.endings.begin(await scope(store)) == organisation
    accounts = [await account(store, name) for name in ("alice", "charlie")]
    (found,) = await store.endings.under_way()
    assert (found.organisation, found.since, sorted(found.accounts)) == (organisation, START, sorted(accounts))
    time.pass_(minutes=3)
    await store.endings.begin(await scope(store))
    assert (await store.endings.under_way())[0].since == START, "once begun it does not begin anew"
    await store.retention.request_closure(Scope.operator(accounts[0]))
    assert await store.endings.under_way() == [Ending(organisation, START, (accounts[1],))]
    await store.retention.close(Scope.operator(accounts[1]))
    assert await store.endings.under_way() == [Ending(organisation, START, ())]
    assert await store.endings.receipt(organisation) is None
    await store.retention.request_closure(Scope.operator(organisation))
    await caught_up(store)
    assert await store.endings.under_way() == []
    assert await store.endings.receipt(organisation) is not None
    assert await store.keys.missing([organisation, *accounts]) == [organisation, *accounts]
    assert store.retention.damage == (0, 0)


async def test_nobody_joins_and_the_next_account_founds_another(store: Store, time: Time) -> None:
    organisation = await founded(store)
    await store.endings.begin(await scope(store))
    with pytest.raises(DomainError, match="not_found"):
        await store.organisation.add_account(OPERATOR, "bob@example.org", PASSWORD, "Bob", "nl")
    late = await store.practitioners.add("late@example.org", PASSWORD, "Late", "nl")
    assert await store.organisation.enrol() == 0
    another = await store.organisation.establish(OPERATOR, PRACTICE)
    assert another != organisation
    standing = await store.organisation.standing(late.id)
    assert standing is not None
    assert standing.organisation == another


async def test_whoever_is_just_joining_comes_too_late(store: Store) -> None:
    """The row was read before the mark, and is written after it."""
    organisation = await founded(store)
    await store.endings.begin(await scope(store))
    before = len(await store.keys.ids())
    with pytest.raises(DomainError, match="link_invalid"):
        await store.organisation._joining.add(organisation, "bob@example.org", PASSWORD, "Bob", "nl")
    assert len(await store.keys.ids()) == before
    assert await store.practitioners.id_by_mail(OPERATOR, "bob@example.org") is None


async def test_only_an_owner_ends_it(store: Store) -> None:
    await founded(store)
    for one in (await scope(store, "charlie"), OPERATOR, Scope.practitioner(await account(store, "alice"))):
        with pytest.raises(DomainError, match="not_found"):
            await store.endings.begin(one)
    assert await store.endings.under_way() == []


async def test_the_last_owner_does_not_leave_others_behind(store: Store) -> None:
    await founded(store)
    with pytest.raises(DomainError, match="last_owner"):
        await store.endings.leave(await scope(store))
    assert await store.endings.leave(await scope(store, "charlie")) is None
    await store.organisation.set_roles(await scope(store), await account(store, "charlie"), ["owner"])
    assert await store.endings.leave(await scope(store)) is None
    await store.organisation.set_state(await scope(store), await account(store, "charlie"), "deactivated")
    with pytest.raises(DomainError, match="last_owner"):
        await store.endings.leave(await scope(store))
    assert await store.endings.under_way() == []


async def test_it_ends_with_its_only_member(store: Store) -> None:
    organisation = await founded(store)
    await store.retention.close(Scope.operator(await account(store, "charlie")))
    assert await store.endings.leave(await scope(store)) == organisation
    assert [one.organisation for one in await store.endings.under_way()] == [organisation]
