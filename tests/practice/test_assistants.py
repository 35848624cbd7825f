"""Assistants work for those whom an administrator names, see what those let them see, and get at nobody else's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select, update

from practice.accounts.model import Practitioner
from practice.agenda.labels import initials, pseudonym
from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENTS
from practice.assistants.model import Engaged, Engagement
from practice.assistants.records import ENGAGEMENTS, engagements
from practice.kinds import KINDS
from practice.organisation.model import MemberRole
from practice.organisation.records import MEMBERS
from practice.organisation.standings import MOMENT
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE, found, scope_of
from tests.people import START, Time, caught_up, plan
from tests.practice.handing import FIRST, LAST, joined, whole
from vault import audit
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.records.scope import SERVER, Label, Scope
from vault.records.writing import Writer, always
from vault.settings import VaultSettings


@dataclass
class Practice:
    """Noor owns it; Ana works for Alice, and for Bob as well where a test says so."""

    store: Store
    noor: Practitioner
    alice: Practitioner
    bob: Practitioner
    ana: Practitioner

    async def scope(self, person: Practitioner) -> Scope:
        return await scope_of(self.store, person.id)

    async def engage(self, practitioner: Practitioner, assistant: Practitioner | None = None) -> Engagement:
        scope = await self.scope(self.noor)
        return await self.store.assistants.engage(scope, (assistant or self.ana).id, practitioner.id)

    async def acting(self, practitioner: Practitioner, assistant: Practitioner | None = None) -> Scope:
        scope = await self.scope(assistant or self.ana)
        return await self.store.assistants.acting(scope, practitioner.id)

    async def show(self, one: Engagement, label: Label) -> None:
        (seen,) = await self.store.assistants.mine(await scope_of(self.store, one.owner))
        assert seen.engagement.id == one.id
        await self.store.assistants.say(
            await scope_of(self.store, one.owner), one.id, label, False, seen.engagement.version
        )

    async def refused(self, practitioner: Practitioner) -> None:
        """Ana works for this one no more, whichever way it is asked."""
        with pytest.raises(DomainError, match="not_found"):
            await self.acting(practitioner)
        assert practitioner.id not in {one.engagement.owner for one in await self.served()}

    async def served(self) -> Sequence[Engaged]:
        standing = await self.store.organisation.standing(self.ana.id)
        if standing is None or "assistant" not in standing.roles:
            return []
        return await self.store.assistants.served(await self.scope(self.ana))


async def fill(store: Store) -> Practice:
    await store.organisation.establish(OPERATOR, PRACTICE)
    noor, alice, bob, ana = [await joined(store, name) for name in ("noor", "alice", "bob", "ana")]
    await store.organisation.set_roles(await scope_of(store, noor.id), ana.id, ["assistant"])
    return Practice(store, noor, alice, bob, ana)


@pytest.fixture
async def practice(sqlite_store: Store) -> Practice:
    return await fill(sqlite_store)


# --- what an assistant does ------------------------------------------------------------------------------------------


async def test_an_assistant_plans_reads_ends_and_destroys_for_whom_they_work(store: Store) -> None:
    practice = await fill(store)
    await practice.engage(practice.alice)
    scope = await practice.acting(practice.alice)
    made = await store.appointments.create(scope, "Jan Jansen", START, 30, "nl")
    assert (made.owner, made.patient) == (practice.alice.id, "Jan Jansen")
    assert await store.appointments.get(of(practice.alice.id), made.id) == made
    assert await store.appointments.list(scope, FIRST, LAST) == [made]
    assert (await store.appointments.end(scope, made.id)).state == "ended"
    assert (await store.appointments.reopen(scope, made.id)).state == "planned"
    receipt = await store.retention.destroy(scope, made.id, APPOINTMENTS)
    assert receipt in await store.appointments.receipts(of(practice.alice.id))
    entry = [one async for one in store.audit.entries()][-1]
    assert (entry.act, entry.actor_name) == ("destroyed", await store.audit.name(audit.practitioner(practice.ana.id)))


async def test_of_all_others_there_is_nothing(practice: Practice) -> None:
    store = practice.store
    await practice.engage(practice.alice)
    theirs = await plan(store, practice.bob)
    scope = await practice.acting(practice.alice)
    for call in (
        store.appointments.get(scope, theirs.id),
        store.appointments.end(scope, theirs.id),
        store.appointments.reopen(scope, theirs.id),
        store.retention.destroy(scope, theirs.id, APPOINTMENTS),
        practice.acting(practice.bob),
        practice.acting(practice.ana),
        practice.acting(practice.noor, practice.alice),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    assert await store.appointments.list(scope, FIRST, LAST) == []
    assert await store.appointments.get(of(practice.bob.id), theirs.id) == theirs


async def test_beside_the_agenda_nothing_of_a_practitioner_is_an_assistants(practice: Practice) -> None:
    store = practice.store
    one = await practice.engage(practice.alice)
    sentence = await store.sentences.say(of(practice.alice.id), "nl", "Ik kom zo.")
    scope = await practice.acting(practice.alice)
    for call in (
        store.retention.destroy(scope, sentence.id),
        store.retention.destroy(scope, one.id, ENGAGEMENTS),
        store.retention.destroy(scope, one.id, APPOINTMENTS, ENGAGEMENTS),
        store.retention.destroy_all(scope),
        store.retention.close(scope),
        store.appointments.receipts(scope),
        store.practitioners.get(scope),
        store.practitioners.set_retention(scope, "end"),
        store.sentences.of(scope),
        store.sentences.say(scope, "nl", "Van een ander."),
        store.factors.of(scope),
        store.exports.all_of(scope),
        store.assistants.mine(scope),
        store.assistants.say(scope, one.id, "whole", False, 1),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    assert [each.text for each in (await store.sentences.of(of(practice.alice.id))).sentences] == ["Ik kom zo."]


@pytest.mark.parametrize(("label", "shown"), [("whole", "Jan Jansen"), ("initials", "J. J."), ("pseudonym", None)])
async def test_a_label_is_shown_as_the_practitioner_says(practice: Practice, label: Label, shown: str | None) -> None:
    store = practice.store
    planned = await plan(store, practice.alice)
    await practice.show(await practice.engage(practice.alice), label)
    scope = await practice.acting(practice.alice)
    wanted = shown or pseudonym(planned.id)
    made = await store.appointments.create(scope, "Piet de Vries", START, 30, "nl")
    seen: list[Appointment] = [
        await store.appointments.get(scope, planned.id),
        *(one for one in await store.appointments.list(scope, FIRST, LAST) if one.id == planned.id),
        await store.appointments.end(scope, planned.id),
        await store.appointments.reopen(scope, planned.id),
    ]
    assert [one.patient for one in seen] == [wanted] * 4
    assert made.patient == {"whole": "Piet de Vries", "initials": "P. D. V.", "pseudonym": pseudonym(made.id)}[label]
    assert {one.patient for one in await store.appointments.list(of(practice.alice.id), FIRST, LAST)} == {
        "Jan Jansen", "Piet de Vries",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Jan Jansen", "J. J."),
        ("  mevrouw  de Vries ", "M. D. V."),
        ("(Jan) 't Hart", "J. T. H."),
        ("a b c d e", "A. B. C. D."),
        ("مريم سعيد", "م. س."),
        ("12345", "1."),
        ("- ☂", "*"),
    ],
)
def test_initials(label: str, shown: str) -> None:
    assert initials(label) == shown


def test_a_pseudonym_follows_from_the_id_alone() -> None:
    assert pseudonym("A" * 22) == pseudonym("A" * 22) != pseudonym("B" * 22)
    assert re.fullmatch("[A-Z2-7]{3}-[A-Z2-7]{3}", pseudonym("A" * 22))


# --- who says so -----------------------------------------------------------------------------------------------------


async def test_who_works_for_whom_is_listed_on_both_sides(practice: Practice) -> None:
    store = practice.store
    first, second = await practice.engage(practice.bob), await practice.engage(practice.alice)
    listed = await store.assistants.of(await practice.scope(practice.noor), practice.ana.id)
    assert [(one.engagement, one.name) for one in listed] == [(second, "alice"), (first, "bob")]
    assert await store.assistants.served(await practice.scope(practice.ana)) == listed
    (mine,) = await store.assistants.mine(await practice.scope(practice.alice))
    assert (mine.engagement, mine.name) == (second, "ana")
    assert "ana" not in repr(mine)


async def test_who_cannot_work_or_be_worked_for_is_refused(practice: Practice) -> None:
    store, noor = practice.store, await practice.scope(practice.noor)
    stranger = await store.practitioners.add("eve@example.org", "correct horse battery", "Eve", "nl")
    await found(store, stranger.id, ["owner", "practitioner", "assistant"])
    await practice.engage(practice.alice)
    for assistant, practitioner, code in (
        (practice.ana.id, practice.alice.id, "conflict"),
        (practice.ana.id, practice.ana.id, "invalid"),
        (practice.ana.id, stranger.id, "invalid"),
        (practice.ana.id, "A" * 22, "invalid"),
        (practice.bob.id, practice.alice.id, "bad_state"),
        (stranger.id, practice.alice.id, "not_found"),
        ("A" * 22, practice.alice.id, "not_found"),
    ):
        with pytest.raises(DomainError) as refused:
            await store.assistants.engage(noor, assistant, practitioner)
        assert refused.value.code == code
    assert len(await store.assistants.of(noor, practice.ana.id)) == 1


@pytest.mark.parametrize("role", ["practitioner", "assistant", "auditor", "support", "department_administrator", None])
async def test_nobody_else_says_for_whom_somebody_works(practice: Practice, role: MemberRole | None) -> None:
    store, noor = practice.store, await practice.scope(practice.noor)
    one = await practice.engage(practice.alice)
    if role:
        await store.organisation.set_roles(noor, practice.bob.id, [role])
    scope = await practice.scope(practice.bob) if role else SERVER
    for call in (
        store.assistants.of(scope, practice.ana.id),
        store.assistants.engage(scope, practice.ana.id, practice.alice.id),
        store.assistants.release(scope, practice.ana.id, one.id),
        store.assistants.say(scope, one.id, "pseudonym", False, 1),
        store.assistants.part(scope, one.id),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    assert (await practice.acting(practice.alice)).label == "whole"


async def test_a_change_on_top_of_another_is_refused(practice: Practice) -> None:
    one = await practice.engage(practice.alice)
    await practice.show(one, "initials")
    alice = await practice.scope(practice.alice)
    with pytest.raises(DomainError, match="conflict"):
        await practice.store.assistants.say(alice, one.id, "whole", False, 1)
    with pytest.raises(DomainError, match="invalid"):
        await practice.store.assistants.say(alice, one.id, "all", False, 2)  # type: ignore[arg-type]  # what is refused
    assert (await practice.acting(practice.alice)).label == "initials"


# --- the end of it ---------------------------------------------------------------------------------------------------


async def rows(store: Store) -> list[str]:
    return [row.state for row in await store.database.ask(select(engagements.c.state))]


async def test_it_ends_with_what_either_was_and_leaves_nothing(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    practice = await fill(store)
    noor = await practice.scope(practice.noor)
    organisation, ana, alice = store.organisation, practice.ana.id, practice.alice.id

    async def end(how: str) -> None:
        one = await practice.engage(practice.alice)
        await practice.acting(practice.alice)
        match how:
            case "released":
                await store.assistants.release(noor, ana, one.id)
            case "parted":
                await store.assistants.part(await practice.scope(practice.alice), one.id)
            case "assistant deactivated":
                await organisation.set_state(noor, ana, "deactivated")
                await organisation.set_state(noor, ana, "active")
            case "practitioner deactivated":
                await organisation.set_state(noor, alice, "deactivated")
                await organisation.set_state(noor, alice, "active")
            case "assistant no more":
                await organisation.set_roles(noor, ana, ["auditor"])
                await organisation.set_roles(noor, ana, ["assistant"])
            case "practitioner no more":
                await organisation.set_roles(noor, alice, ["auditor"])
                await organisation.set_roles(noor, alice, ["practitioner"])
            case "handed over":
                await store.handing.hand_over(noor, alice, practice.bob.id)
        assert await rows(store) == ["destroying"], how
        await practice.refused(practice.alice)
        await store.retention.sweep()
        assert await rows(store) == []
        assert isinstance(await store.keys.receipt(alice, one.id), Receipt)

    for how in (
        "released", "parted", "assistant deactivated", "practitioner deactivated", "assistant no more",
        "practitioner no more", "handed over",
    ):  # fmt: skip
        await end(how)
    await whole(store, settings, time)


@pytest.mark.parametrize("who", ["ana", "alice"])
async def test_it_ends_with_either_account(store: Store, settings: VaultSettings, time: Time, who: str) -> None:
    practice = await fill(store)
    one = await practice.engage(practice.alice)
    await practice.engage(practice.bob)
    await store.retention.close(of(getattr(practice, who).id))
    await caught_up(store)
    assert await store.keys.receipt(practice.alice.id, one.id) is not None or who == "alice"
    assert await rows(store) == (["kept"] if who == "alice" else [])
    await whole(store, settings, time)


async def test_other_roles_leave_it_as_it_is(practice: Practice) -> None:
    noor = await practice.scope(practice.noor)
    await practice.engage(practice.alice)
    await practice.store.organisation.set_roles(noor, practice.ana.id, ["assistant", "auditor"])
    await practice.store.organisation.set_roles(noor, practice.alice.id, ["practitioner", "assistant"])
    await practice.acting(practice.alice)


async def test_whoever_can_only_write_to_the_database_engages_nobody(practice: Practice) -> None:
    """A row turned over to another account or another practitioner opens nothing."""
    store = practice.store
    await practice.engage(practice.alice)
    eve = await joined(store, "eve")
    await store.organisation.set_roles(await practice.scope(practice.noor), eve.id, ["assistant"])
    for column, value in (("account", eve.id), ("owner", practice.bob.id)):
        async with store.database.write() as connection:
            before = (await connection.execute(select(engagements))).one()
            await connection.execute(update(engagements).values({column: value}))
        for assistant in (eve, practice.ana):
            for practitioner in (practice.alice, practice.bob):
                with pytest.raises(DomainError, match="not_found"):
                    await practice.acting(practitioner, assistant)
        async with store.database.write() as connection:
            await connection.execute(update(engagements).values({column: getattr(before, column)}))
    await practice.acting(practice.alice)


async def test_what_a_socket_asks_is_at_most_a_moment_old(practice: Practice) -> None:
    store, now = practice.store, 1000.0
    store.assistants._clock = store.organisation.standings._clock = lambda: now
    assert await store.assistants.recent(practice.ana.id) == {}
    one = await practice.engage(practice.alice)
    assert await store.assistants.recent(practice.ana.id) == {practice.alice.id: one}
    assert await store.assistants.recent(practice.bob.id) == {}
    await store.organisation.set_state(await practice.scope(practice.noor), practice.alice.id, "deactivated")
    now += MOMENT
    assert await store.assistants.recent(practice.ana.id) == {}


def test_it_is_a_kind_that_is_about_both() -> None:
    assert ENGAGEMENTS in tuple(KINDS)
    assert ENGAGEMENTS.about is engagements.c.account


async def test_where_nothing_ended_it_both_are_looked_at_all_the_same(practice: Practice) -> None:
    """A server of before changes roles and knows no engagement."""
    store, noor = practice.store, await practice.scope(practice.noor)
    await practice.engage(practice.alice)
    member = (await store.organisation.person(noor, practice.alice.id)).member
    for changed in ({"roles": frozenset({"auditor"})}, {"state": "deactivated"}):
        after = replace(member, version=member.version + 1, **changed)
        assert await Writer(store.database, store.keys, store.clock.wall).instead(MEMBERS, after, always)
        assert await rows(store) == ["kept"]
        await practice.refused(practice.alice)
        member = replace(member, version=after.version + 1)
        assert await Writer(store.database, store.keys, store.clock.wall).instead(MEMBERS, member, always)
        await practice.acting(practice.alice)
