"""The organisation and its members: made from accounts alone, once, and never without an owner against its will."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Practitioner
from practice.accounts.records import practitioners
from practice.kinds import KINDS
from practice.organisation import founding
from practice.organisation.founding import MARK, Founding
from practice.organisation.model import FIRST, PRACTITIONER, Member, MemberRole, Standing
from practice.organisation.records import members, organisations
from practice.storage import Store
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.people import PASSWORD, Time, alice, caught_up, charlie, plan
from vault import keystore
from vault.database.tables import marks
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings


async def rows(store: Store, table: Table) -> Sequence[Any]:
    async with store.database.read() as connection:
        return (await connection.execute(select(table).order_by(*table.primary_key))).all()


async def roles(store: Store, account: str) -> frozenset[str]:
    standing = await store.organisation.standing(account)
    return frozenset() if standing is None else standing.roles


async def joined(store: Store, name: str) -> Practitioner:
    return await store.organisation.add_account(OPERATOR, f"{name}@example.org", PASSWORD, name, "nl")


async def whole(store: Store, settings: VaultSettings, time: Time) -> None:
    """Every row has its key and opens, every key has its row, now and when unconfirmed keys are forgotten."""
    time.pass_(minutes=20)
    await caught_up(store)
    assert store.retention.damage == (0, 0)
    assert (await keystore.verify(settings, KINDS, time.now)).findings == ()


# --- the step from accounts alone ------------------------------------------------------------------------------------


async def test_the_only_account_becomes_owner_and_practitioner(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    person = await alice(store)
    assert await store.organisation.standing(person.id) == Standing(person.id, None, PRACTITIONER)
    organisation = await store.organisation.establish(OPERATOR, PRACTICE)
    assert await store.organisation.standing(person.id) == Standing(person.id, organisation, FIRST)
    assert (await store.organisation.get(await scope_of(store, person.id))).profile == PRACTICE
    await whole(store, settings, time)


async def test_of_several_nobody_is_an_owner_until_the_operator_names_one(store: Store) -> None:
    one, other = await alice(store), await charlie(store)
    organisation = await store.organisation.establish(OPERATOR, PRACTICE)
    assert [await roles(store, person.id) for person in (one, other)] == [PRACTITIONER, PRACTITIONER]
    await store.organisation.name_owner(Scope.operator(other.id))
    assert await store.organisation.standing(other.id) == Standing(other.id, organisation, FIRST)
    assert await roles(store, one.id) == PRACTITIONER
    with pytest.raises(DomainError, match="not_found"):
        await store.organisation.name_owner(Scope.operator(new_id()))


async def test_again_it_changes_nothing(store: Store) -> None:
    await alice(store)
    first = await store.organisation.establish(OPERATOR, PRACTICE)
    before = await rows(store, organisations), await rows(store, members), set(await store.keys.ids())
    assert await store.organisation.establish(OPERATOR, replace(PRACTICE, name="Another")) == first
    assert (await rows(store, organisations), await rows(store, members), set(await store.keys.ids())) == before


async def test_servers_that_start_at_once_make_one(settings: VaultSettings, time: Time) -> None:
    """Each has opened everything itself, as two nodes have."""
    options: dict[str, Any] = {"now": time.now, "boot": time.boottime}
    async with open_store(settings, **options) as one, open_store(settings, exclusive=False, **options) as other:
        for number in range(5):
            await one.practitioners.add(f"{number}@example.org", PASSWORD, "Somebody", "nl")
        made = await asyncio.gather(*(each.organisation.establish(OPERATOR, PRACTICE) for each in (one, other)))
        assert made[0] == made[1]
        assert len(await rows(one, organisations)) == 1
        assert len(await rows(one, members)) == 5
        await whole(one, settings, time)
        assert len(await one.keys.ids()) == 1 + 5 + 1 + 5, "nobody's, accounts', the organisation's, members'"


async def test_one_that_is_made_while_another_server_looks_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, made = founding.founded, []

    async def looked(connection: AsyncConnection) -> str | None:
        monkeypatch.setattr(founding, "founded", looks)
        found = await looks(connection)
        made.append(await store.organisation.establish(OPERATOR, PRACTICE))
        return found

    monkeypatch.setattr(founding, "founded", looked)
    made.append(await store.organisation.establish(OPERATOR, PRACTICE))
    assert made[0] == made[1]
    assert len(await rows(store, organisations)) == 1


async def test_one_who_comes_second_leaves_no_key(store: Store, settings: VaultSettings, time: Time) -> None:
    """Another server made the organisation, and the member, between its look and its write."""
    person = await alice(store)
    late = Founding(store.database, store.keys, time.now)
    first = await store.organisation.establish(OPERATOR, PRACTICE)
    keys = set(await store.keys.ids())
    with pytest.raises(DomainError, match="conflict"):
        async with store.database.write() as connection:
            await late._name(connection, new_id(), None)
    await late._join(first, [person.id], PRACTITIONER)
    assert set(await store.keys.ids()) == keys
    assert await roles(store, person.id) == FIRST
    await whole(store, settings, time)


def cut_off(store: Store, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Whoever asks the key store for the so many and first time does not come back from it."""
    left, inner = step, store.keys._run

    async def cut(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise asyncio.CancelledError
        return await inner(*arguments, **named)

    monkeypatch.setattr(store.keys, "_run", cut)


@pytest.mark.parametrize("step", range(1, 6))
async def test_cut_off_anywhere_the_next_start_finishes_it(
    store: Store, settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    for number in range(2):
        await store.practitioners.add(f"{number}@example.org", PASSWORD, "Somebody", "nl")
    cut_off(store, monkeypatch, step)
    with pytest.raises(asyncio.CancelledError):
        await store.organisation.establish(OPERATOR, PRACTICE)
    monkeypatch.undo()
    await store.organisation.establish(OPERATOR, PRACTICE)
    assert len(await rows(store, organisations)) == 1
    assert len(await rows(store, members)) == 2
    await whole(store, settings, time)


async def test_an_account_of_an_older_server_becomes_a_member_at_the_next_start(store: Store) -> None:
    one = await alice(store)
    await store.organisation.establish(OPERATOR, PRACTICE)
    other = await charlie(store)
    assert await store.organisation.standing(other.id) == Standing(other.id, None, PRACTITIONER)
    organisation = await store.organisation.establish(OPERATOR, PRACTICE)
    assert await store.organisation.standing(other.id) == Standing(other.id, organisation, PRACTITIONER)
    assert await roles(store, one.id) == FIRST


async def test_of_many_accounts_the_rest_become_members_while_the_server_works(
    store: Store, settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("practice.organisation.founding.PART", 2)
    for number in range(5):
        await store.practitioners.add(f"{number}@example.org", PASSWORD, "Somebody", "nl")
    assert await store.organisation.enrol() == 0, "there is no organisation yet"
    await store.organisation.establish(OPERATOR, PRACTICE)
    assert len(await rows(store, members)) == 2
    assert await store.organisation.enrol() == 3
    assert await store.organisation.enrol() == 0
    assert len(await rows(store, members)) == 5
    await whole(store, settings, time)


async def test_one_that_is_gone_is_made_anew(store: Store) -> None:
    first = await store.organisation.establish(OPERATOR, PRACTICE)
    await store.retention.close(Scope.operator(first))
    assert await rows(store, organisations) == []
    second = await store.organisation.establish(OPERATOR, PRACTICE)
    assert second != first
    (mark,) = [row.value for row in await rows(store, marks) if row.name == MARK]
    assert mark == second


# --- accounts and members --------------------------------------------------------------------------------------------


async def test_an_account_comes_with_its_member_or_not_at_all(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    with pytest.raises(DomainError, match="not_found"):
        await joined(store, "alice")  # there is no organisation yet
    await store.organisation.establish(OPERATOR, PRACTICE)
    first, second = await joined(store, "alice"), await joined(store, "bob")
    assert await roles(store, first.id) == FIRST
    assert await roles(store, second.id) == PRACTITIONER
    keys = set(await store.keys.ids())
    for mail, password, code in (("bob@example.org", PASSWORD, "conflict"), ("x@example.org", "short", "invalid")):
        with pytest.raises(DomainError, match=code):
            await store.organisation.add_account(OPERATOR, mail, password, "Bob", "nl")
    assert set(await store.keys.ids()) == keys
    assert len(await rows(store, members)) == 2
    await whole(store, settings, time)


async def test_a_closed_account_takes_its_member_along(store: Store, settings: VaultSettings, time: Time) -> None:
    await store.organisation.establish(OPERATOR, PRACTICE)
    first, second = await joined(store, "alice"), await joined(store, "bob")
    ending = next(row for row in await rows(store, members) if row.account == second.id)
    closed = await store.retention.close(Scope.practitioner(second.id))
    assert (closed.destroyed, closed.waiting) == (1, 0)
    assert [row.account for row in await rows(store, members)] == [first.id]
    assert await store.keys.receipt(ending.owner, ending.id) is not None
    async with store.database.write() as connection:
        await connection.execute(insert(members).values(dict(ending._mapping)))
    await caught_up(store)
    assert [row.account for row in await rows(store, members)] == [first.id], "an older database brings none back"
    await whole(store, settings, time)


async def test_a_closure_that_is_asked_for_takes_the_role_at_once(store: Store) -> None:
    await store.organisation.establish(OPERATOR, PRACTICE)
    person = await joined(store, "alice")
    await store.retention.request_closure(Scope.practitioner(person.id))
    assert [row.state for row in await rows(store, members)] == ["destroying"]
    await store.retention.sweep()
    assert await rows(store, members) == []


async def test_the_member_of_an_account_that_an_older_server_closed_is_destroyed(store: Store, time: Time) -> None:
    await store.organisation.establish(OPERATOR, PRACTICE)
    first, second = await joined(store, "alice"), await joined(store, "bob")
    await store.keys.destroy([(second.id, second.id)], time.now())
    async with store.database.write() as connection:
        await connection.execute(delete(practitioners).where(practitioners.c.id == second.id))
    await caught_up(store)
    assert [row.account for row in await rows(store, members)] == [first.id]


async def test_the_organisations_key_opens_nothing_of_its_members(store: Store) -> None:
    organisation = await store.organisation.establish(OPERATOR, PRACTICE)
    person = await joined(store, "alice")
    planned = await plan(store, person)
    said = await store.sentences.say(Scope.practitioner(person.id), "nl", "Ik kom zo.")
    wanted = [(organisation, one) for one in (person.id, planned.id, said.id)]
    assert await store.keys.get_many(wanted) == {}
    with pytest.raises(DomainError, match="not_found"):
        await store.retention.destroy(await scope_of(store, person.id), (await rows(store, members))[0].id)
    with pytest.raises(DomainError, match="not_found"):
        await store.appointments.get(Scope.practitioner(organisation), planned.id)


# --- roles -----------------------------------------------------------------------------------------------------------


async def practice(store: Store) -> list[Practitioner]:
    """An owner, a practitioner, an administrator and another practitioner."""
    await store.organisation.establish(OPERATOR, PRACTICE)
    people = [await joined(store, name) for name in ("alice", "bob", "dora", "emil")]
    await store.organisation.set_roles(await scope_of(store, people[0].id), people[2].id, ["administrator"])
    return people


async def test_the_roster_has_everybody_by_name(store: Store) -> None:
    people = await practice(store)
    roster = await store.organisation.roster(await scope_of(store, people[2].id))
    shown = [(one.account and one.account.display_name, one.member.roles) for one in roster.people]
    assert shown == [("alice", FIRST), ("bob", PRACTITIONER), ("dora", {"administrator"}), ("emil", PRACTITIONER)]
    assert roster.damaged == []
    assert "alice" not in repr(roster)
    assert "owner" not in repr(roster.people[0].member.roles & {"nobody"}) and "administrator" not in repr(roster)


async def test_a_change_of_roles_counts_at_once(store: Store) -> None:
    owner, other, *_ = await practice(store)
    scope = await scope_of(store, owner.id)
    assert await roles(store, other.id) == PRACTITIONER
    changed = await store.organisation.set_roles(scope, other.id, ["practitioner", "auditor"])
    assert changed.version == 2
    assert await roles(store, other.id) == {"practitioner", "auditor"}
    await store.organisation.set_state(scope, other.id, "deactivated")
    assert await store.organisation.standing(other.id) is None
    await store.organisation.set_state(scope, other.id, "active")
    assert await roles(store, other.id) == {"practitioner", "auditor"}


@pytest.mark.parametrize("wanted", [[], ["boss"], ["practitioner", "boss"]])
async def test_what_is_no_role_changes_nothing(sqlite_store: Store, wanted: list[Any]) -> None:
    owner, other, *_ = await practice(sqlite_store)
    with pytest.raises(DomainError, match="invalid") as refused:
        await sqlite_store.organisation.set_roles(await scope_of(sqlite_store, owner.id), other.id, wanted)
    assert refused.value.field == "roles"
    with pytest.raises(DomainError, match="invalid"):
        await sqlite_store.organisation.set_state(
            await scope_of(sqlite_store, owner.id),
            other.id,
            "asleep",  # type: ignore[arg-type]  # what is refused
        )
    assert await roles(sqlite_store, other.id) == PRACTITIONER


async def test_the_last_owner_stays_one(store: Store) -> None:
    owner, other, *_ = await practice(store)
    scope = await scope_of(store, owner.id)
    for change in (
        store.organisation.set_roles(scope, owner.id, ["practitioner"]),
        store.organisation.set_state(scope, owner.id, "deactivated"),
    ):
        with pytest.raises(DomainError, match="last_owner"):
            await change
    await store.organisation.set_roles(scope, other.id, ["owner"])
    await store.organisation.set_state(scope, other.id, "deactivated")
    with pytest.raises(DomainError, match="last_owner"):  # one who cannot sign in does not count
        await store.organisation.set_roles(scope, owner.id, ["practitioner"])
    await store.organisation.set_state(scope, other.id, "active")
    await store.organisation.set_roles(scope, owner.id, ["practitioner"])
    assert await roles(store, owner.id) == PRACTITIONER
    assert await roles(store, other.id) == {"owner"}


async def test_two_owners_who_let_each_other_go_at_once_are_not_both_gone(settings: VaultSettings, time: Time) -> None:
    options: dict[str, Any] = {"now": time.now, "boot": time.boottime}
    async with open_store(settings, **options) as one, open_store(settings, exclusive=False, **options) as other:
        owner, second, *_ = await practice(one)
        scope = await scope_of(one, owner.id)
        await one.organisation.set_roles(scope, second.id, ["owner", "practitioner"])
        for _ in range(5):
            scopes = [await scope_of(one, person.id) for person in (owner, second)]
            done = await asyncio.gather(
                one.organisation.set_roles(scopes[0], second.id, ["practitioner"]),
                other.organisation.set_roles(scopes[1], owner.id, ["practitioner"]),
                return_exceptions=True,
            )
            assert [isinstance(each, Member) for each in done].count(True) == 1, done
            assert [each.code for each in done if isinstance(each, DomainError)] in (["last_owner"], ["try_again"])
            for person in (owner, second):
                await one.organisation.name_owner(Scope.operator(person.id))


async def test_an_administrator_makes_no_owner_and_unmakes_none(store: Store) -> None:
    owner, other, administrator, _ = await practice(store)
    scope = await scope_of(store, administrator.id)
    for change in (
        store.organisation.set_roles(scope, administrator.id, ["administrator", "owner"]),
        store.organisation.set_roles(scope, owner.id, ["practitioner"]),
        store.organisation.set_state(scope, owner.id, "deactivated"),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await change
    await store.organisation.set_roles(scope, other.id, ["assistant"])
    assert await roles(store, other.id) == {"assistant"}


@pytest.mark.parametrize("role", ["practitioner", "assistant", "auditor", "support", "department_administrator"])
async def test_nobody_else_changes_anything(sqlite_store: Store, role: MemberRole) -> None:
    store = sqlite_store
    owner, other, _, last = await practice(store)
    await store.organisation.set_roles(await scope_of(store, owner.id), other.id, [role])
    scope = await scope_of(store, other.id)
    calls: list[Any] = [
        store.organisation.set_roles(scope, other.id, ["owner"]),
        store.organisation.set_roles(scope, last.id, ["auditor"]),
        store.organisation.set_state(scope, last.id, "deactivated"),
        store.organisation.name_owner(scope),
        store.organisation.add_account(scope, "x@example.org", PASSWORD, "X", "nl"),
        store.organisation.establish(scope, PRACTICE),
        store.organisation.change(scope, PRACTICE, 1),
    ]
    if role == "department_administrator":
        assert [one.member.account for one in (await store.organisation.roster(scope)).people] == [other.id]
    elif role != "auditor":
        calls.append(store.organisation.roster(scope))
    for call in calls:
        with pytest.raises(DomainError, match="not_found"):
            await call
    assert await roles(store, last.id) == PRACTITIONER


@pytest.mark.parametrize("scope", [SERVER, Scope.guest("A" * 22), Scope.consult("A" * 22, "B" * 22), OPERATOR])
async def test_a_scope_that_is_no_members_has_no_roster(sqlite_store: Store, scope: Scope) -> None:
    owner, *_ = await practice(sqlite_store)
    for call in (
        sqlite_store.organisation.roster(scope),
        sqlite_store.organisation.set_roles(scope, owner.id, ["practitioner"]),
        sqlite_store.organisation.set_state(scope, owner.id, "deactivated"),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
