"""The trail as those see it who look after an organisation: the names of its own people, and references."""

from datetime import timedelta

import pytest

from practice.accounts.model import Practitioner
from practice.organisation import oversight, rights
from practice.organisation.model import MemberRole
from practice.organisation.oversight import Inquiry, TrailLine
from practice.organisation.rights import Right
from practice.storage import Store
from tests.organisations import OPERATOR, PRACTICE, found, scope_of
from tests.people import PASSWORD, START, Time, plan
from vault.audit import PATIENT, SERVER, Act, Draft, appointment, operator, practitioner
from vault.errors import DomainError
from vault.records.scope import Scope


async def joined(store: Store, name: str) -> Practitioner:
    return await store.organisation.add_account(OPERATOR, f"{name}@example.org", PASSWORD, name, "nl")


async def practice(store: Store) -> tuple[Practitioner, Practitioner]:
    """Alice, who owns it, and Bob."""
    await store.organisation.establish(OPERATOR, PRACTICE)
    return await joined(store, "alice"), await joined(store, "bob")


async def seen(store: Store, account: str, asked: Inquiry | None = None) -> list[tuple[str, str | None, str | None]]:
    """Act, by whom, about whom; oldest first."""
    lines = (await store.oversight.look(await scope_of(store, account), asked or Inquiry())).lines
    return [(one.entry.act, one.by, one.on) for one in reversed(lines)]


async def test_own_people_have_names_and_all_else_is_a_reference(store: Store) -> None:
    alice, bob = await practice(store)
    planned = await plan(store, bob)
    await store.audit.record_all(
        [
            Draft(Act.ROLES_CHANGED, practitioner(alice.id), practitioner(bob.id), "1"),
            Draft(Act.LINK_OPENED, PATIENT, appointment(bob.id, planned.id)),
            Draft(Act.BACKUP_MADE, operator()),
        ]
    )
    assert await seen(store, alice.id) == [
        ("roles-changed", alice.id, bob.id),
        ("link-opened", None, None),
        ("backup-made", None, None),
    ]
    assert await seen(store, alice.id, Inquiry(bob.id)) == [("roles-changed", alice.id, bob.id)]
    assert await seen(store, alice.id, Inquiry(act=Act.BACKUP_MADE)) == [("backup-made", None, None)]


@pytest.mark.duty("S-31", "S-51")
async def test_what_was_destroyed_and_who_is_gone_has_no_name_any_more(store: Store) -> None:
    alice, bob = await practice(store)
    planned = await plan(store, bob)
    await store.audit.record(Act.APPOINTMENT_READ, practitioner(bob.id), appointment(bob.id, planned.id))
    before = (await store.oversight.look(await scope_of(store, alice.id), Inquiry())).lines[0].entry
    await store.retention.close(Scope.practitioner(bob.id))
    assert ("appointment-read", None, None) in await seen(store, alice.id)
    lines = (await store.oversight.look(await scope_of(store, alice.id), Inquiry())).lines
    assert before in [one.entry for one in lines], "what it was called stays; nobody can say who that was"
    with pytest.raises(DomainError, match="not_found"):
        await store.oversight.look(await scope_of(store, alice.id), Inquiry(bob.id))


async def test_it_is_read_by_moment_in_pages(store: Store, time: Time) -> None:
    alice, _ = await practice(store)
    scope = await scope_of(store, alice.id)
    for day in range(3):
        await store.audit.record_all([Draft(Act.DESTROYED, SERVER, detail=str(n)) for n in range(40 * (day == 1) + 20)])
        time.pass_(days=1)
    second = Inquiry(first=START + timedelta(days=1), last=START + timedelta(days=2))
    page = await store.oversight.look(scope, second)
    numbers = [one.entry.number for one in page.lines]
    assert numbers == list(range(80, 30, -1))
    rest = await store.oversight.look(scope, second, page.older)
    assert [one.entry.number for one in rest.lines] == list(range(30, 20, -1))
    assert rest.older is None
    exactly = await store.oversight.look(scope, Inquiry(), 51)
    assert (len(exactly.lines), exactly.older) == (50, None)


async def test_an_export_has_all_in_order_and_says_whether_the_trail_is_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _ = await practice(store)
    scope = await scope_of(store, alice.id)
    await store.audit.record_all([Draft(Act.DESTROYED, SERVER, detail=str(n)) for n in range(60)])
    taken = await store.oversight.export(scope, Inquiry())
    assert [one.entry.number for one in taken.lines] == list(range(1, 61))
    assert (taken.report.bad, taken.report.entries) == (None, 60)
    monkeypatch.setattr(oversight, "MOST", 60)
    assert len((await store.oversight.export(scope, Inquiry())).lines) == 60
    monkeypatch.setattr(oversight, "MOST", 59)
    with pytest.raises(DomainError, match="too_large"):
        await store.oversight.export(scope, Inquiry())


async def test_when_it_was_last_checked(store: Store) -> None:
    alice, _ = await practice(store)
    scope = await scope_of(store, alice.id)
    assert await store.oversight.verified(scope) is None
    assert (await store.oversight.verify(scope)).bad is None
    await store.audit.record(Act.AUDIT_VERIFIED, operator(), detail="bad")
    last = await store.oversight.verified(scope)
    assert last is not None and last.detail == "bad"


async def test_beside_other_organisations_only_what_is_of_ones_own_people_is_seen(store: Store) -> None:
    alice, bob = await practice(store)
    eve = await store.practitioners.add("eve@example.org", PASSWORD, "Eve", "nl")
    await found(store, eve.id, ["owner"])
    await store.audit.record_all(
        [
            Draft(Act.SIGNED_IN, practitioner(alice.id)),
            Draft(Act.SIGNED_IN, practitioner(eve.id)),
            Draft(Act.ROLES_CHANGED, practitioner(eve.id), practitioner(eve.id), "2"),
            Draft(Act.BACKUP_MADE, operator()),
            Draft(Act.LIMITS_LIFTED, operator(), practitioner(bob.id)),
        ]
    )
    assert await seen(store, alice.id) == [("signed-in", alice.id, None), ("limits-lifted", None, bob.id)]
    assert await seen(store, eve.id) == [("signed-in", eve.id, None), ("roles-changed", eve.id, eve.id)]
    extract = await store.oversight.export(await scope_of(store, eve.id), Inquiry())
    assert [one.entry.act for one in extract.lines] == ["signed-in", "roles-changed"]
    for account, stranger in ((alice.id, eve.id), (eve.id, bob.id)):
        with pytest.raises(DomainError, match="not_found"):
            await store.oversight.look(await scope_of(store, account), Inquiry(stranger))


@pytest.mark.parametrize("role", ["practitioner", "assistant", "department_administrator", "support"])
async def test_without_the_right_there_is_no_trail(sqlite_store: Store, role: MemberRole) -> None:
    store = sqlite_store
    alice, bob = await practice(store)
    await store.organisation.set_roles(await scope_of(store, alice.id), bob.id, [role])
    scope = await scope_of(store, bob.id)
    for call in (
        store.oversight.look(scope, Inquiry()),
        store.oversight.export(scope, Inquiry()),
        store.oversight.verify(scope),
        store.oversight.verified(scope),
        store.oversight.backed_up(scope),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call


async def test_who_sees_the_people_sees_no_trail_without_its_own_right(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _ = await practice(sqlite_store)
    monkeypatch.setattr(rights, "RIGHTS", {**rights.RIGHTS, Right.OVERSIGHT: frozenset({"auditor"})})
    scope = await scope_of(sqlite_store, alice.id)
    assert len((await sqlite_store.organisation.roster(scope)).people) == 2
    for call in (sqlite_store.oversight.look(scope, Inquiry()), sqlite_store.oversight.export(scope, Inquiry())):
        with pytest.raises(DomainError, match="not_found"):
            await call


async def test_a_line_says_no_name_by_itself(sqlite_store: Store) -> None:
    alice, _ = await practice(sqlite_store)
    await sqlite_store.audit.record(Act.SIGNED_IN, practitioner(alice.id))
    look = await sqlite_store.oversight.look(await scope_of(sqlite_store, alice.id), Inquiry())
    assert isinstance(look.lines[0], TrailLine)
    assert "alice" not in repr(look)
