"""Handing appointments over: to another practitioner, whole, once, and for good."""

import asyncio
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from practice.accounts.model import Retention
from practice.agenda.records import appointments
from practice.kinds import KINDS
from practice.organisation.model import MemberRole
from tests.opening import Elsewhere, of, open_store
from tests.organisations import found, scope_of
from tests.people import PASSWORD, Time, caught_up, plan
from tests.practice.handing import Cast, acts, asked, whole
from vault.backup import data
from vault.errors import DomainError
from vault.proof import Folder, prove
from vault.records.scope import Scope
from vault.settings import VaultSettings

TIMES = 8
"""As documents and pages say it."""


async def test_the_taker_has_it_the_giver_has_it_no_more_and_the_link_leads_on(
    cast: Cast, settings: VaultSettings, time: Time
) -> None:
    store = cast.store
    planned = await plan(store, cast.alice, "Jan Jansen", days=3)
    assert await cast.hand_over() == 1
    assert await cast.agenda(cast.alice) == []
    (taken,) = await cast.agenda(cast.bob)
    assert [row.id for row in await store.database.ask(select(appointments.c.id))] == [taken.id], "no row is left"
    assert (taken.patient, taken.starts_at, taken.minutes, taken.secret) == (
        *("Jan Jansen", planned.starts_at, 30, planned.secret),
    )
    assert taken.id != planned.id
    assert await cast.visited(planned) == await cast.visited(taken) == taken
    for person, code in ((cast.alice, "gone"), (cast.bob, "not_found")):
        with pytest.raises(DomainError, match=code):
            await store.appointments.get(of(person.id), planned.id)
    with pytest.raises(DomainError, match="not_found"):
        await store.appointments.get(of(cast.alice.id), taken.id)
    wrong = replace(planned, secret="A" * 22)
    assert await cast.visited(wrong) is None
    receipts = await store.appointments.receipts(of(cast.alice.id))
    assert len(receipts) == 1, "of what Alice had"
    assert await store.appointments.receipts(of(cast.bob.id)) == []
    assert [act for act in await acts(store) if act in ("appointment-handed-over", "destroyed")] == [
        *("appointment-handed-over", "destroyed"),
    ]
    assert (await store.audit.verify()).bad is None
    assert await asked(store) == []
    await whole(store, settings, time)
    assert await store.keys.missing([planned.id, taken.id]) == [planned.id]
    ended = await store.appointments.end(Scope.consult(taken.id, cast.bob.id), taken.id)
    assert ended.state == "ended"


@pytest.mark.duty("S-27", "S-29")
async def test_what_was_held_or_missed_stays_and_dies_by_its_own_setting(cast: Cast, time: Time) -> None:
    store = cast.store
    held, missed, soon = [await plan(store, cast.alice, name, hours=1) for name in ("held", "missed", "soon")]
    await store.appointments.end(Scope.consult(held.id, held.owner), held.id)
    time.pass_(hours=1, minutes=59)
    assert (await store.handing.prospect(cast.noor, cast.alice.id)).remaining.free == 2, "both may still be held"
    await store.retention.destroy(of(cast.alice.id), soon.id)
    time.pass_(minutes=2)
    coming = await plan(store, cast.alice, "coming", days=2)
    assert await cast.hand_over() == 1
    assert {one.patient for one in await cast.agenda(cast.alice)} == {"held", "missed"}
    assert await cast.visited(coming) is not None
    time.pass_(days=31)
    await store.retention.sweep()
    assert await cast.agenda(cast.alice) == []
    assert len(await store.appointments.receipts(of(cast.alice.id))) == 4
    assert missed.due is not None


@pytest.mark.duty("S-29")
@pytest.mark.parametrize(
    ("before", "now", "later", "days"),
    [
        ("7d", "90d", "manual", 7),
        ("90d", "7d", "90d", 90),
        ("manual", "30d", "manual", 365),
        ("90d", "manual", "24h", 1),
        ("end", "manual", "90d", 0),
    ],
)
async def test_of_both_settings_the_earlier_holds_for_good(
    cast: Cast, before: Retention, now: Retention, later: Retention, days: int
) -> None:
    store = cast.store
    await store.practitioners.set_retention(of(cast.alice.id), before)
    await store.practitioners.set_retention(of(cast.bob.id), now)
    planned = await plan(store, cast.alice, days=3)
    await cast.hand_over()
    (taken,) = await cast.agenda(cast.bob)
    both = [one.due for one in (taken, planned) if one.due]
    assert taken.due == min(both), "what it was at most"
    await store.practitioners.set_retention(of(cast.bob.id), later)
    (taken,) = await cast.agenda(cast.bob)
    over = taken.ends_at + timedelta(minutes=30)
    assert taken.due is not None
    assert (taken.due - over).days == days


async def test_a_running_consult_is_left_alone_and_said_so(cast: Cast, elsewhere: Elsewhere) -> None:
    store = cast.store
    running, coming = await plan(store, cast.alice, "running"), await plan(store, cast.alice, "coming", days=1)

    async def runs(appointment: str) -> bool:
        return appointment == running.id

    elsewhere.in_progress = runs
    assert (await store.handing.prospect(cast.noor, cast.alice.id)).remaining.running == 1
    assert await cast.hand_over() == 1
    remaining = (await store.handing.prospect(cast.noor, cast.alice.id)).remaining
    assert (remaining.free, remaining.running, remaining.taker) == (0, 1, None)
    assert [one.id for one in await cast.agenda(cast.alice)] == [running.id]
    assert await cast.visited(running) == running
    taken = await cast.visited(coming)
    assert taken is not None
    assert taken.owner == cast.bob.id


async def test_where_nobody_can_say_what_runs_it_waits(cast: Cast, elsewhere: Elsewhere, time: Time) -> None:
    store, planned = cast.store, await plan(cast.store, cast.alice, days=1)

    async def unknown(_: str) -> None:
        return None

    elsewhere.in_progress = unknown
    assert await cast.hand_over() == 0
    remaining = (await store.handing.prospect(cast.noor, cast.alice.id)).remaining
    assert (remaining.free, remaining.running, remaining.taker) == (1, None, cast.bob.id)
    with pytest.raises(DomainError, match="conflict"):
        await cast.hand_over()
    await store.retention.sweep()
    assert await cast.visited(planned) == planned
    elsewhere.in_progress = Elsewhere().in_progress
    await store.retention.sweep()
    (taken,) = await cast.agenda(cast.bob)
    assert await cast.visited(planned) == taken
    assert await asked(store) == []


async def test_somebody_deactivated_is_handed_over_from_and_not_to(cast: Cast) -> None:
    store = cast.store
    await plan(store, cast.alice, days=1)
    await store.organisation.set_state(cast.noor, cast.alice.id, "deactivated")
    takers = (await store.handing.prospect(cast.noor, cast.bob.id)).takers
    assert {one.member.account for one in takers} == {cast.noor.owner}
    with pytest.raises(DomainError, match="invalid") as refused:
        await cast.hand_over(cast.bob, cast.alice)
    assert refused.value.field == "to"
    assert await cast.hand_over() == 1
    with pytest.raises(DomainError, match="invalid"):
        await cast.hand_over(cast.bob, cast.bob)


@pytest.mark.parametrize("role", ["auditor", "practitioner", "assistant", "department_administrator", "support"])
async def test_without_the_right_it_is_nowhere(cast: Cast, role: MemberRole) -> None:
    store = cast.store
    await plan(store, cast.alice, days=1)
    await store.organisation.set_roles(cast.noor, cast.bob.id, [role])
    scope = await scope_of(store, cast.bob.id)
    for call in (
        store.handing.prospect(scope, cast.alice.id),
        store.handing.hand_over(scope, cast.alice.id, cast.noor.owner),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    assert len(await cast.agenda(cast.alice)) == 1


async def test_an_administrator_touches_no_owner_and_nobody_another_organisation(cast: Cast) -> None:
    store = cast.store
    await store.organisation.set_roles(cast.noor, cast.bob.id, ["administrator", "practitioner"])
    bob = await scope_of(store, cast.bob.id)
    with pytest.raises(DomainError, match="not_found"):
        await store.handing.prospect(bob, cast.noor.owner)
    with pytest.raises(DomainError, match="not_found"):
        await store.handing.hand_over(bob, cast.noor.owner, cast.bob.id)
    stranger = await store.practitioners.add("eve@example.org", PASSWORD, "Eve", "nl")
    await found(store, stranger.id, ["owner", "practitioner"])
    theirs, ours = await plan(store, stranger, days=1), await plan(store, cast.alice, days=1)
    with pytest.raises(DomainError, match="not_found"):
        await cast.hand_over(giver=stranger)
    with pytest.raises(DomainError, match="invalid"):
        await cast.hand_over(taker=stranger)
    assert await cast.visited(theirs) == theirs
    assert await cast.visited(ours) == ours


async def test_it_goes_on_and_back_again(cast: Cast, settings: VaultSettings, time: Time) -> None:
    planned = await plan(cast.store, cast.alice, days=30)
    seen = [planned]
    people = [cast.alice, cast.bob]
    for _ in range(TIMES):
        assert await cast.hand_over(*people) == 1
        people.reverse()
        (taken,) = await cast.agenda(people[0])
        seen.append(taken)
    assert len({one.id for one in seen}) == TIMES + 1
    for one in seen:
        assert await cast.visited(one) == taken, "every link that there ever was"
    assert await cast.hand_over(*people) == 0, "a link leads on no further"
    assert await cast.visited(planned) == taken
    await whole(cast.store, settings, time)
    await cast.store.retention.destroy(of(people[0].id), taken.id)
    for one in seen:
        assert await cast.visited(one) is None


@pytest.mark.duty("S-31")
async def test_nothing_is_left_of_what_the_giver_had(
    cast: Cast, settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    await plan(cast.store, cast.alice, days=1)
    await asyncio.to_thread(data.write, settings, KINDS, tmp_path / "backups", time.now())
    await cast.hand_over()
    await cast.store.retention.sweep()
    (receipt,) = await cast.store.appointments.receipts(of(cast.alice.id))
    folders = [Folder("backups", tmp_path / "backups", copies=True)]
    proof = await prove(settings, KINDS, receipt.receipt, redis=None, folders=folders)
    assert proof.destroyed, proof.text()


@pytest.mark.duty("S-31")
async def test_a_backup_of_before_brings_back_nothing_of_the_givers(
    cast: Cast, settings: VaultSettings, time: Time, tmp_path: Path, sqlite_settings: VaultSettings
) -> None:
    """Nor the taker's: what came after a backup is not in it. Who restores one is told of keys without a row."""
    store = cast.store
    if not store.database.sqlite:
        pytest.skip("a backup is one and the same file")
    planned, kept = await plan(store, cast.alice, days=1), await plan(store, cast.bob, days=1)
    await asyncio.to_thread(data.write, settings, KINDS, tmp_path / "backups", time.now())
    await cast.hand_over()
    await store.retention.sweep()
    elsewhere = settings.model_copy(update={"data": tmp_path / "other"})
    await asyncio.to_thread(copied, settings, elsewhere)
    back = await data.restore(elsewhere, KINDS, tmp_path / "backups")
    assert (back.destroyed, back.unreadable) == (1, 0)
    async with open_store(elsewhere, now=time.now, boot=time.boottime) as restored:
        again = Cast(restored, cast.noor, cast.alice, cast.bob)
        await caught_up(restored)
        assert await again.agenda(cast.alice) == []
        assert await again.agenda(cast.bob) == [kept]
        assert await again.visited(planned) is None
        assert restored.retention.damage == (0, 0)


def copied(settings: VaultSettings, to: VaultSettings) -> None:
    """The key store and what opens it, without the database."""
    for name in ("keys", "secrets"):
        shutil.copytree(settings.data / name, to.data / name)


async def test_a_backup_has_nothing_that_is_still_to_be_handed_over(
    cast: Cast, elsewhere: Elsewhere, settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    async def unknown(_: str) -> None:
        return None

    elsewhere.in_progress = unknown
    await plan(cast.store, cast.alice, days=1)
    await cast.hand_over()
    assert len(await asked(cast.store)) == 1
    written = await asyncio.to_thread(data.write, settings, KINDS, tmp_path / "backups", time.now())
    assert b"handing-" not in await asyncio.to_thread(written.path.read_bytes)


async def test_done_it_is_any_servers_turn_and_the_old_keys_are_to_be_replaced(
    cast: Cast, settings: VaultSettings, time: Time
) -> None:
    store, woken = cast.store, cast.store.retention.rotation._wake
    woken.clear()
    assert await cast.hand_over() == 0
    assert not woken.is_set(), "nothing was destroyed"
    await plan(store, cast.alice, days=1)
    assert await cast.hand_over() == 1
    assert woken.is_set()
    async with open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as other:
        assert await other.retention._sweeps.take(), "at once"
