"""Departments, and their administrators: who changes the people there, below their own role, and sees nobody else."""

from collections.abc import Collection
from dataclasses import dataclass

import pytest
from sqlalchemy import select, update

from practice.accounts.model import Practitioner
from practice.organisation.model import Department, Invited, Member, MemberRole
from practice.organisation.records import departments, members
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE, found, scope_of
from tests.people import PASSWORD, Time
from tests.practice.handing import joined, whole
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings

ASSISTANT: tuple[MemberRole, ...] = ("assistant",)


@dataclass
class House:
    """Noor owns it. Dora administers Cardiology, where Alice is; Bob is in Surgery, Emil in both, Fay in none."""

    store: Store
    people: dict[str, Practitioner]
    cardiology: Department
    surgery: Department

    def id(self, name: str) -> str:
        return self.people[name].id

    async def scope(self, name: str) -> Scope:
        return await scope_of(self.store, self.id(name))

    async def put(self, name: str, *into: Department) -> Member:
        return await self.store.organisation.set_departments(
            await self.scope("noor"), self.id(name), [one.id for one in into]
        )

    async def be(self, name: str, *roles: MemberRole) -> None:
        await self.store.organisation.set_roles(await self.scope("noor"), self.id(name), roles)

    async def seen(self, name: str) -> set[str]:
        roster = await self.store.organisation.roster(await self.scope(name))
        assert roster.damaged == []
        return {one.account.display_name for one in roster.people if one.account}

    async def invite(
        self, name: str, mail: str, roles: Collection[MemberRole] = ASSISTANT, into: Collection[str] = ()
    ) -> Invited:
        store = self.store
        return await store.invitations.invite(
            await self.scope(name), mail, roles, "nl", lambda one, _: store.notices.of(one.owner), into
        )

    async def member(self, account: str) -> Member:
        return (await self.store.organisation.person(await self.scope("noor"), account)).member


async def fill(store: Store) -> House:
    await store.organisation.establish(OPERATOR, PRACTICE)
    people = {name: await joined(store, name) for name in ("noor", "dora", "alice", "bob", "emil", "fay")}
    noor = await scope_of(store, people["noor"].id)
    cardiology, surgery = [await store.departments.make(noor, name) for name in ("Cardiologie", "Heelkunde")]
    house = House(store, people, cardiology, surgery)
    await house.be("dora", "department_administrator")
    for name, into in (("dora", [cardiology]), ("alice", [cardiology]), ("bob", [surgery])):
        await house.put(name, *into)
    await house.put("emil", cardiology, surgery)
    return house


@pytest.fixture
async def house(sqlite_store: Store) -> House:
    return await fill(sqlite_store)


async def test_departments_are_made_renamed_and_closed(store: Store, settings: VaultSettings, time: Time) -> None:
    house = await fill(store)
    noor = await house.scope("noor")
    assert [one.name for one in await store.departments.of(noor)] == ["Cardiologie", "Heelkunde"]
    renamed = await store.departments.rename(noor, house.surgery.id, "Chirurgie", 1)
    assert [one.name for one in await store.departments.of(noor)] == ["Cardiologie", "Chirurgie"]
    assert "Chirurgie" not in repr(renamed)
    await store.departments.close(noor, house.cardiology.id)
    assert await store.departments.of(noor) == [renamed]
    await store.retention.sweep()
    assert [row.id for row in await store.database.ask(select(departments.c.id))] == [house.surgery.id]
    assert await store.keys.receipt(house.surgery.owner, house.cardiology.id) is not None
    await whole(store, settings, time)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\u200b", "x" * 101])
async def test_what_is_no_name_changes_nothing(house: House, name: str) -> None:
    noor, store = await house.scope("noor"), house.store
    for call in (store.departments.make(noor, name), store.departments.rename(noor, house.surgery.id, name, 1)):
        with pytest.raises(DomainError, match="invalid") as refused:
            await call
        assert refused.value.field == "name"
    assert [one.name for one in await store.departments.of(noor)] == ["Cardiologie", "Heelkunde"]


async def test_a_name_stands_once_and_a_change_on_top_of_another_is_refused(house: House) -> None:
    noor, store = await house.scope("noor"), house.store
    await store.departments.rename(noor, house.surgery.id, "HEELKUNDE", 1)
    for call in (
        store.departments.make(noor, "cardiologie"),
        store.departments.rename(noor, house.surgery.id, "Cardiologie ", 2),
        store.departments.rename(noor, house.surgery.id, "Chirurgie", 1),
    ):
        with pytest.raises(DomainError, match="conflict"):
            await call


@pytest.mark.parametrize("role", ["practitioner", "assistant", "auditor", "support", "department_administrator"])
async def test_nobody_else_makes_or_changes_departments(house: House, role: MemberRole) -> None:
    await house.be("alice", role)
    scope, store = await house.scope("alice"), house.store
    for call in (
        store.departments.make(scope, "Neurologie"),
        store.departments.rename(scope, house.cardiology.id, "Neurologie", 1),
        store.departments.close(scope, house.cardiology.id),
        store.organisation.set_departments(scope, house.id("alice"), []),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    assert len(await store.departments.of(await house.scope("noor"))) == 2


async def test_who_administers_a_department_sees_who_is_in_it_and_nobody_else(house: House) -> None:
    store, dora = house.store, await house.scope("dora")
    assert await house.seen("dora") == {"dora", "alice", "emil"}
    assert await store.departments.of(dora) == [house.cardiology]
    for name in ("noor", "bob", "fay"):
        for call in (
            store.organisation.person(dora, house.id(name)),
            store.organisation.set_roles(dora, house.id(name), ["assistant"]),
            store.organisation.set_state(dora, house.id(name), "deactivated"),
        ):
            with pytest.raises(DomainError, match="not_found"):
                await call
    await house.put("dora")
    assert await house.seen("dora") == {"dora"}


async def test_a_department_that_there_is_not_is_neither_renamed_nor_closed(house: House) -> None:
    noor, departments = await house.scope("noor"), house.store.departments
    for call in (departments.rename(noor, "A" * 22, "Neurologie", 1), departments.close(noor, "A" * 22)):
        with pytest.raises(DomainError, match="not_found"):
            await call


async def test_they_change_whom_they_alone_have_and_only_below_their_own_role(house: House) -> None:
    store, dora, organisation = house.store, await house.scope("dora"), house.store.organisation
    assert (await organisation.set_roles(dora, house.id("alice"), ["assistant"])).roles == {"assistant"}
    assert not (await organisation.set_state(dora, house.id("alice"), "deactivated")).active
    assert (await organisation.set_state(dora, house.id("alice"), "active")).active
    above: list[list[MemberRole]] = [
        ["owner"], ["administrator"], ["department_administrator"], ["assistant", "auditor"], ["support"],
    ]  # fmt: skip
    for roles in above:
        with pytest.raises(DomainError, match="not_found"):
            await organisation.set_roles(dora, house.id("alice"), roles)
    for name in ("emil", "dora"):
        assert not (await organisation.person(dora, house.id(name))).changeable, name
        with pytest.raises(DomainError, match="not_found"):
            await organisation.set_roles(dora, house.id(name), ["practitioner"])
        with pytest.raises(DomainError, match="not_found"):
            await organisation.set_state(dora, house.id(name), "deactivated")
    for roles in above:
        await house.be("alice", *roles)
        assert not (await organisation.person(dora, house.id("alice"))).changeable
        with pytest.raises(DomainError, match="not_found"):
            await organisation.set_state(dora, house.id("alice"), "deactivated")
    assert (await house.member(house.id("alice"))).active
    assert len(await store.departments.of(await house.scope("noor"))) == 2


async def test_a_department_that_closed_gives_nobody_a_reach(house: House) -> None:
    store = house.store
    await store.departments.close(await house.scope("noor"), house.cardiology.id)
    assert await house.seen("dora") == {"dora"}
    assert await store.departments.of(await house.scope("dora")) == []
    async with store.database.write() as connection:  # whoever can only write there brings it back
        await connection.execute(update(departments).values(state="kept"))
    await store.retention.sweep()
    await store.retention.destroy(Scope.operator(house.cardiology.owner), house.cardiology.id)
    assert await house.seen("dora") == {"dora"}


async def test_of_two_who_close_it_one_does(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    noor, departments = await house.scope("noor"), house.store.departments
    real = departments._one

    async def overtaken(organisation: str, department: str) -> Department:
        found = await real(organisation, department)
        monkeypatch.setattr(departments, "_one", real)
        await departments.close(noor, department)
        return found

    monkeypatch.setattr(departments, "_one", overtaken)
    with pytest.raises(DomainError, match="not_found"):
        await departments.close(noor, house.surgery.id)
    assert await departments.of(noor) == [house.cardiology]


async def test_a_role_in_another_organisation_or_of_no_member_reaches_nobody(house: House) -> None:
    roles: frozenset[MemberRole] = frozenset({"department_administrator"})
    for account, organisation in ((house.id("dora"), "A" * 22), ("A" * 22, house.cardiology.owner)):
        with pytest.raises(DomainError, match="not_found"):
            await house.store.departments.of(Scope.practitioner(account, organisation, roles))


async def test_who_cannot_be_read_is_said_to_whom_sees_everybody(house: House) -> None:
    async with house.store.database.write() as connection:
        await connection.execute(update(members).where(members.c.account == house.id("alice")).values(content=b"x"))
    for name, code in (("noor", "unreadable"), ("dora", "not_found")):
        with pytest.raises(DomainError, match=code):
            await house.store.organisation.person(await house.scope(name), house.id("alice"))


async def test_who_has_another_role_too_sees_more_and_changes_no_more(house: House) -> None:
    await house.be("dora", "department_administrator", "auditor")
    assert len(await house.seen("dora")) == 6
    with pytest.raises(DomainError, match="not_found"):
        await house.store.organisation.set_state(await house.scope("dora"), house.id("bob"), "deactivated")
    await house.be("dora", "department_administrator", "administrator")
    await house.store.organisation.set_state(await house.scope("dora"), house.id("bob"), "deactivated")


async def test_somebody_is_in_departments_that_there_are(house: House) -> None:
    noor, organisation = await house.scope("noor"), house.store.organisation
    other = await house.store.practitioners.add("eve@example.org", PASSWORD, "Eve", "nl")
    await found(house.store, other.id, ["owner"])
    theirs = await house.store.departments.make(await scope_of(house.store, other.id), "Elders")
    for wrong in ([theirs.id], ["A" * 22], [house.surgery.id, "x"]):
        with pytest.raises(DomainError, match="invalid") as refused:
            await organisation.set_departments(noor, house.id("fay"), wrong)
        assert refused.value.field == "departments"
    member = await house.put("fay", house.surgery)
    with pytest.raises(DomainError, match="conflict"):
        await organisation.set_departments(noor, house.id("fay"), [], member.version - 1)
    assert (await house.put("fay")).departments == frozenset()


# --- invitations -----------------------------------------------------------------------------------------------------


async def test_they_invite_into_their_departments_and_below_their_role(house: House) -> None:
    cardiology, store = house.cardiology.id, house.store
    made = await house.invite("dora", "new@example.org", ["practitioner"], [cardiology])
    person = await store.invitations.accept(made.token, "New", "nl", PASSWORD)
    assert (await house.member(person.id)).departments == {cardiology}
    assert "New" in await house.seen("dora")
    for roles, into, code in (
        (["assistant"], [], "invalid"),
        (["assistant"], [house.surgery.id], "invalid"),
        (["assistant"], [cardiology, house.surgery.id], "invalid"),
        (["assistant"], ["A" * 22], "invalid"),
        (["department_administrator"], [cardiology], "not_found"),
        (["owner"], [cardiology], "not_found"),
        (["auditor"], [cardiology], "not_found"),
    ):
        with pytest.raises(DomainError) as refused:
            await house.invite("dora", "other@example.org", roles, into)  # type: ignore[arg-type]  # lists of texts
        assert refused.value.code == code
    assert await store.invitations.waiting(await house.scope("noor")) == []


async def test_they_see_and_withdraw_invitations_into_their_departments_alone(house: House) -> None:
    store, dora = house.store, await house.scope("dora")
    mine = await house.invite("noor", "a@example.org", into=[house.cardiology.id])
    both = await house.invite("noor", "b@example.org", into=[house.cardiology.id, house.surgery.id])
    others = [
        await house.invite("noor", "c@example.org", into=[house.surgery.id]),
        await house.invite("noor", "d@example.org"),
    ]
    waiting = await store.invitations.waiting(dora)
    assert [one.id for one in waiting] == [mine.invitation.id, both.invitation.id]
    for one in (both, *others):
        with pytest.raises(DomainError, match="not_found"):
            await store.invitations.withdraw(dora, one.invitation.id)
        with pytest.raises(DomainError, match="not_found"):
            await store.invitations.again(dora, one.invitation.id, lambda each, _: store.notices.of(each.owner))
    await store.invitations.withdraw(dora, mine.invitation.id)
    assert len(await store.invitations.waiting(await house.scope("noor"))) == 3


async def test_nobody_learns_from_an_invitation_that_somebody_out_of_reach_is_a_member(house: House) -> None:
    cardiology = [house.cardiology.id]
    made = await house.invite("dora", "bob@example.org", into=cardiology)
    with pytest.raises(DomainError, match="conflict"):
        await house.invite("dora", "alice@example.org", into=cardiology)
    with pytest.raises(DomainError, match="conflict"):
        await house.invite("noor", "fay@example.org")
    with pytest.raises(DomainError, match="conflict"):
        await house.store.invitations.accept(made.token, "Bob", "nl", PASSWORD)


async def test_nobody_learns_that_an_address_is_invited_out_of_reach(house: House) -> None:
    store, noor, mail = house.store, await house.scope("noor"), "new@example.org"
    theirs = await house.invite("noor", mail, into=[house.surgery.id])
    made = await house.invite("dora", mail, into=[house.cardiology.id])
    with pytest.raises(DomainError, match="conflict"):
        await house.invite("dora", mail, into=[house.cardiology.id])
    with pytest.raises(DomainError, match="conflict"):
        await house.invite("noor", mail)
    assert len(await store.invitations.waiting(noor)) == 2, "who looks after all sees both"
    again = await store.invitations.again(noor, theirs.invitation.id, lambda one, _: store.notices.of(one.owner))
    person = await store.invitations.accept(made.token, "New", "nl", PASSWORD)
    assert (await house.member(person.id)).departments == {house.cardiology.id}
    with pytest.raises(DomainError, match="conflict"):
        await store.invitations.accept(again.token, "New", "nl", PASSWORD)


@pytest.mark.parametrize("how", ["department closed", "out of the department", "other roles", "deactivated"])
async def test_a_link_is_dead_when_who_sent_it_looks_after_the_department_no_more(house: House, how: str) -> None:
    store, noor = house.store, await house.scope("noor")
    made = await house.invite("dora", "new@example.org", into=[house.cardiology.id])
    assert await store.invitations.stands(made.token)
    match how:
        case "department closed":
            await store.departments.close(noor, house.cardiology.id)
        case "out of the department":
            await house.put("dora", house.surgery)
        case "other roles":
            await house.be("dora", "practitioner")
        case "deactivated":
            await store.organisation.set_state(noor, house.id("dora"), "deactivated")
    assert not await store.invitations.stands(made.token)
    with pytest.raises(DomainError, match="link_invalid"):
        await store.invitations.accept(made.token, "New", "nl", PASSWORD)


async def test_an_owners_link_outlives_a_department(house: House) -> None:
    made = await house.invite("noor", "new@example.org", into=[house.cardiology.id, house.surgery.id])
    await house.store.departments.close(await house.scope("noor"), house.cardiology.id)
    person = await house.store.invitations.accept(made.token, "New", "nl", PASSWORD)
    assert (await house.member(person.id)).departments == {house.surgery.id}


async def test_what_a_program_of_before_wrote_is_in_no_department(house: House) -> None:
    member = await house.member(house.id("fay"))
    assert member.departments == frozenset()
    assert (await house.member(house.id("alice"))).departments == {house.cardiology.id}
    assert "departments" not in (await house.member(house.id("alice"))).unknown
    with pytest.raises(DomainError, match="not_found"):
        await house.store.departments.of(of(house.id("fay")))
