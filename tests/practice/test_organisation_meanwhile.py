"""What somebody else does between a look at an organisation and a change of it, and what is left of what is gone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from practice.accounts.records import practitioners
from practice.organisation.founding import MARK
from practice.organisation.model import FIRST, PRACTITIONER, Colours, Member, Organisation
from practice.organisation.records import MEMBERS, members, organisations, seal_organisation
from practice.organisation.store import TRIES
from practice.storage import Store
from tests.client.waiting import PATIENCE
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.people import PASSWORD, Time, alice
from tests.practice.test_first_link import OURS, begin, made
from tests.practice.test_organisation import joined, practice, roles, rows, whole
from tests.practice.test_while_it_closes import waits
from vault.database.tables import marks
from vault.errors import DomainError, Unreadable
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.writing import Writer
from vault.settings import VaultSettings


def instead(patch: pytest.MonkeyPatch, of: Any, name: str, before: Callable[[], Awaitable[Any]]) -> None:
    """Somebody does this just before the next call of a method, and the call goes on."""
    real = getattr(of, name)

    async def later(*what: Any, **more: Any) -> Any:
        patch.setattr(of, name, real)
        await before()
        return await real(*what, **more)

    patch.setattr(of, name, later)


# --- roles -----------------------------------------------------------------------------------------------------------


async def test_who_saw_another_version_changes_no_roles(store: Store) -> None:
    owner, other, *_ = await practice(store)
    scope = await scope_of(store, owner.id)
    assert (await store.organisation.set_roles(scope, other.id, ["auditor"], seen=1)).version == 2
    with pytest.raises(DomainError, match="conflict"):
        await store.organisation.set_roles(scope, other.id, ["support"], seen=1)
    assert await roles(store, other.id) == {"auditor"}
    assert (await store.organisation.set_roles(scope, other.id, ["support"], seen=2)).version == 3


async def test_a_change_upon_a_change_is_made_upon_what_is_there_then(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other, *_ = await practice(store)
    scope = await scope_of(store, owner.id)

    async def deactivated() -> None:
        await store.organisation.set_state(scope, other.id, "deactivated")

    instead(monkeypatch, store.organisation._writer, "instead", deactivated)
    changed = await store.organisation.set_roles(scope, other.id, ["auditor"])
    assert (changed.state, changed.version) == ("deactivated", 3)
    assert changed.roles == {"auditor"}
    instead(monkeypatch, store.organisation._writer, "instead", deactivated)
    await store.organisation.name_owner(Scope.operator(other.id))
    assert await roles(store, other.id) == {"auditor", "owner"}


async def test_who_is_never_first_changes_nothing(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, other, *_ = await practice(sqlite_store)
    scope, tries = await scope_of(sqlite_store, owner.id), 0

    async def too_late(*_: object, **__: object) -> bool:
        nonlocal tries
        tries += 1
        return False

    monkeypatch.setattr(Writer, "instead", too_late)
    for call in (
        sqlite_store.organisation.set_roles(scope, other.id, ["auditor"]),
        sqlite_store.organisation.name_owner(Scope.operator(other.id)),
    ):
        with pytest.raises(DomainError, match="try_again"):
            await call
    assert tries == 2 * TRIES
    assert await roles(sqlite_store, other.id) == PRACTITIONER


# --- what is gone or cannot be read ----------------------------------------------------------------------------------


async def test_an_organisation_that_is_gone_is_nowhere(store: Store, time: Time) -> None:
    owner, *_ = await practice(store)
    scope = await scope_of(store, owner.id)
    assert scope.organisation is not None
    nowhere = Scope.practitioner(owner.id, new_id(), frozenset({"owner"}))
    for call in (
        store.organisation.get(nowhere),
        store.organisation.change(nowhere, OURS, 1),
        store.endings.begin(nowhere),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    assert await store.endings.under_way() == []
    await store.keys.destroy([(scope.organisation, scope.organisation)], time.now())
    for call in (store.organisation.get(scope), store.organisation.change(scope, OURS, 1)):
        with pytest.raises(DomainError, match="not_found"):
            await call


async def test_one_that_ends_while_it_is_changed_says_nothing_else(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, *_ = await practice(store)
    scope = await scope_of(store, owner.id)
    (before,) = await rows(store, organisations)

    async def ends() -> None:
        await store.keys.destroy([(before.id, before.id)], time.now())

    async def once_more() -> None:
        instead(monkeypatch, store.keys, "get", ends)

    instead(monkeypatch, store.keys, "get", once_more)
    with pytest.raises(DomainError, match="not_found"):
        await store.organisation.change(scope, OURS, 1)
    assert await rows(store, organisations) == [before]


async def test_a_member_is_listed_whatever_became_of_the_account(store: Store, time: Time) -> None:
    """Its key is gone, it does not open, or its row is gone as in the middle of closing."""
    owner, *others = await practice(store)
    scope = await scope_of(store, owner.id)
    keyless, broken, gone = (one.id for one in others)
    await store.keys.destroy([(keyless, keyless)], time.now())
    async with store.database.write() as connection:
        spoilt = update(practitioners).where(practitioners.c.id == broken).values(profile=b"x" * 300)
        await connection.execute(spoilt)
        await connection.execute(delete(practitioners).where(practitioners.c.id == gone))
    listed = {one.member.account: one.account for one in (await store.organisation.roster(scope)).people}
    assert listed == {owner.id: owner, broken: None, keyless: None, gone: None}
    for account in (broken, keyless, gone):
        person = await store.organisation.person(scope, account)
        assert (person.member.account, person.account) == (account, None)


@pytest.mark.parametrize("field", ["language", "zone", "address", "phone", "organisation", "colours"])
async def test_what_no_organisation_says_is_refused_by_its_field(sqlite_store: Store, field: str) -> None:
    owner, *_ = await practice(sqlite_store)
    wrong: dict[str, Any] = {"language": "tlh", "zone": "Mars", "address": "x" * 401, "phone": "9" * 41}
    wrong["colours"] = Colours("#ffffff", "#FFFFFF")
    changes = {"name": "x" * 201} if field == "organisation" else {field: wrong[field]}
    with pytest.raises(DomainError, match="invalid") as refused:
        await sqlite_store.organisation.change(await scope_of(sqlite_store, owner.id), replace(OURS, **changes), 1)
    assert refused.value.field == field
    longest = replace(OURS, name="x" * 200, address="x" * 400, phone="9" * 40)
    changed = await sqlite_store.organisation.change(await scope_of(sqlite_store, owner.id), longest, 1)
    assert changed.profile == longest


async def test_to_whom_nobody_can_say_who_they_are_nothing_is_handed_over(store: Store) -> None:
    owner, other, *_ = await practice(store)
    async with store.database.write() as connection:
        theirs = members.c.account == other.id
        await connection.execute(update(members).where(theirs).values(content=b"x" * 300))
    with pytest.raises(Unreadable):
        await store.handing.hand_over(await scope_of(store, owner.id), owner.id, other.id)


# --- the first account -----------------------------------------------------------------------------------------------


async def test_a_common_password_leaves_the_link_as_it_was(sqlite_store: Store) -> None:
    secret = await made(sqlite_store)
    for password in ("password1", "alice@example.org"):
        with pytest.raises(DomainError, match="password_common"):
            await begin(sqlite_store, secret, password=password)
    await begin(sqlite_store, secret)


async def test_an_account_that_is_made_meanwhile_is_the_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = await made(store)
    instead(monkeypatch, store.organisation._joining, "add", lambda: alice(store))
    with pytest.raises(DomainError, match="link_invalid"):
        await begin(store, secret, "bob@example.org")
    assert await store.practitioners.id_by_mail(OPERATOR, "bob@example.org") is None
    assert (await store.organisation.get(OPERATOR)).profile == PRACTICE


async def test_an_organisation_that_says_something_else_meanwhile_is_not_written_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await made(store)

    async def changed() -> None:
        async with store.database.write() as connection:
            await connection.execute(update(organisations).values(version=organisations.c.version + 1))

    instead(monkeypatch, store.organisation._joining, "add", changed)
    with pytest.raises(DomainError, match="try_again"):
        await begin(store, secret)
    assert await store.practitioners.id_by_mail(OPERATOR, "alice@example.org") is None
    person = await begin(store, secret)
    assert await roles(store, person.id) == FIRST


# --- two servers that start at once ----------------------------------------------------------------------------------


async def writes(store: Store, before: set[str]) -> None:
    """Until somebody has made a key and waits for whoever writes now."""
    if not store.database.sqlite:
        await waits(store)
    async with asyncio.timeout(PATIENCE):
        while set(await store.keys.ids()) == before:  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.02)


async def test_of_two_that_found_another_in_place_of_one_that_is_gone_one_does(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    gone = await store.organisation.establish(OPERATOR, PRACTICE)
    await store.retention.close(Scope.operator(gone))
    theirs = Organisation(new_id(), PRACTICE, 1)
    key = await store.keys.add_practitioner(theirs.id, time.now())
    keys = set(await store.keys.ids())
    async with store.database.write() as connection:
        await connection.execute(insert(organisations).values(seal_organisation(key, theirs)))
        ours = update(marks).where(marks.c.name == MARK)
        await connection.execute(ours.values(value=theirs.id))
        second = asyncio.create_task(store.organisation.establish(OPERATOR, OURS))
        await writes(store, keys)
    assert await second == theirs.id
    assert set(await store.keys.ids()) == keys, "who came second leaves none"
    await whole(store, settings, time)


async def test_of_two_that_make_one_account_a_member_one_does(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    organisation = await store.organisation.establish(OPERATOR, PRACTICE)
    person = await alice(store)
    theirs = Member(new_id(), organisation, person.id, FIRST, "active", 1)
    key = await store.keys.add(organisation, theirs.id, time.now())
    keys = set(await store.keys.ids())
    async with store.database.write() as connection:
        await connection.execute(insert(members).values(MEMBERS.seal(key, theirs)))
        second = asyncio.create_task(store.organisation.enrol())
        await writes(store, keys)
    assert await second == 1
    assert set(await store.keys.ids()) == keys
    assert await roles(store, person.id) == FIRST
    await whole(store, settings, time)


@pytest.mark.parametrize("step", ["found", "join"])
async def test_a_database_that_goes_away_is_no_conflict(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whether it was written nobody knows, so no key is forgotten."""
    store = sqlite_store
    if step == "join":
        await store.organisation.establish(OPERATOR, PRACTICE)
        await alice(store)
    keys = set(await store.keys.ids())

    async def away() -> None:
        raise DomainError("try_again")

    monkeypatch.setattr(store.database, "present", away)
    with pytest.raises(DomainError, match="try_again"):
        await (store.organisation.establish(OPERATOR, PRACTICE) if step == "found" else store.organisation.enrol())
    monkeypatch.undo()
    assert len(set(await store.keys.ids()) - keys) == 1
    organisation = await store.organisation.establish(OPERATOR, PRACTICE)
    assert [row.id for row in await rows(store, organisations)] == [organisation]
    assert len(await rows(store, members)) == (1 if step == "join" else 0)


async def test_an_account_whose_row_may_have_come_keeps_its_members_key(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_store
    await store.organisation.establish(OPERATOR, PRACTICE)

    async def away() -> None:
        raise DomainError("try_again")

    monkeypatch.setattr(store.database, "present", away)
    with pytest.raises(DomainError, match="try_again"):
        await joined(store, "alice")
    monkeypatch.undo()
    person = await store.practitioners.authenticate("alice@example.org", PASSWORD)
    assert person is not None
    assert await roles(store, person.id) == FIRST


# --- it ends ---------------------------------------------------------------------------------------------------------


async def test_it_is_the_last_when_no_account_but_it_is_being_closed(store: Store) -> None:
    owner, other, *_ = await practice(store)
    organisation = (await scope_of(store, owner.id)).organisation
    assert organisation is not None
    assert await store.endings.is_last(organisation)
    await store.retention.request_closure(Scope.operator(other.id))
    assert not await store.endings.is_last(organisation)
    await store.retention.close(Scope.operator(other.id))
    assert await store.endings.is_last(organisation)
    await store.retention.request_closure(Scope.operator(organisation))
    assert await store.endings.is_last(organisation)


async def test_what_ended_is_forgotten_and_what_ends_is_not(store: Store) -> None:
    owner, *_ = await practice(store)
    organisation = await store.endings.begin(await scope_of(store, owner.id))
    async with store.database.write() as connection:
        await connection.execute(insert(marks).values(name=f"ending-{new_id()}", value="1"))
    await store.endings.done()
    ending = [row.name for row in await rows(store, marks) if row.name.startswith("ending-")]
    assert ending == [f"ending-{organisation}"]
    assert [one.organisation for one in await store.endings.under_way()] == [organisation]
