"""Handing one patient who waits over to a colleague: that one alone, whole, once, and for good."""

import asyncio

import pytest

from practice.agenda.model import WalkIn
from practice.storage import Store
from tests.opening import of
from tests.organisations import found, scope_of
from tests.people import Time, plan
from tests.practice.handing import Cast, acts, asked, whole
from tests.practice.outcomes import outcome
from vault.database.marks import owners_handing
from vault.destruction.handing import SOME
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings


async def alices(cast: Cast) -> Scope:
    return await scope_of(cast.store, cast.alice.id)


async def code_of(cast: Cast, scope: Scope, wanted: str, to: str) -> str:
    with pytest.raises(DomainError) as refused:
        await cast.store.handing.hand_one(scope, wanted, to)
    return refused.value.code


async def test_that_one_is_the_colleagues_and_all_others_stay(cast: Cast, settings: VaultSettings, time: Time) -> None:
    store = cast.store
    waits, other = [await plan(store, cast.alice, name, hours=1) for name in ("Noor", "Piet")]
    assert await store.handing.hand_one(await alices(cast), waits.id, cast.bob.id)
    assert [one.patient for one in await cast.agenda(cast.alice)] == ["Piet"]
    (taken,) = await cast.agenda(cast.bob)
    assert (taken.patient, taken.secret) == ("Noor", waits.secret) and taken.id != waits.id
    assert await cast.visited(waits) == taken, "the link leads on"
    assert await cast.visited(other) is not None
    assert len(await store.appointments.receipts(of(cast.alice.id))) == 1
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(cast.alice.id), waits.id)
    assert "appointment-handed-over" in await acts(store)
    assert await asked(store) == []
    await whole(store, settings, time)
    assert await store.keys.missing([waits.id, taken.id]) == [waits.id]


async def test_a_number_is_one_of_the_queue_that_it_was_given_in(cast: Cast) -> None:
    store = cast.store
    now = store.clock.now()
    made = await store.appointments.create(of(cast.alice.id), "Noor", now, 10, "nl", walk_in=WalkIn("A" * 21 + "Q", 7))
    assert made.number == 7
    await store.handing.hand_one(await alices(cast), made.id, cast.bob.id)
    assert [one.number for one in await cast.agenda(cast.bob)] == [None]


async def test_only_a_colleague_who_is_there_can_take_it(cast: Cast) -> None:
    store = cast.store
    waits = await plan(store, cast.alice, "Noor", hours=1)
    scope = await alices(cast)
    stranger = await store.practitioners.add("stranger@example.org", "a long enough password", "Elsewhere", "nl")
    await found(store, stranger.id, ["owner", "practitioner"])
    for to in (stranger.id, cast.alice.id, "A" * 22, waits.id):
        assert await code_of(cast, scope, waits.id, to) == "invalid"
    assert {one.account for one in await store.handing.colleagues(scope)} == {cast.bob.id, cast.noor.owner}
    await store.organisation.set_roles(cast.noor, cast.bob.id, ["auditor"])
    assert await code_of(cast, scope, waits.id, cast.bob.id) == "invalid"
    await store.organisation.set_roles(cast.noor, cast.bob.id, ["practitioner"])
    await store.organisation.set_state(cast.noor, cast.bob.id, "deactivated")
    assert await code_of(cast, scope, waits.id, cast.bob.id) == "invalid"
    await store.organisation.set_state(cast.noor, cast.bob.id, "active")
    await store.organisation.set_roles(cast.noor, cast.alice.id, ["support"])
    assert await code_of(cast, await alices(cast), waits.id, cast.bob.id) == "not_found"
    assert [one.patient for one in await cast.agenda(cast.alice)] == ["Noor"], "what is refused changes nothing"
    assert await asked(store) == []


async def test_nobody_hands_over_what_is_anothers(cast: Cast) -> None:
    store = cast.store
    theirs = await plan(store, cast.bob, "Piet", hours=1)
    assert await code_of(cast, await alices(cast), theirs.id, cast.noor.owner) == "bad_state"
    assert [one.patient for one in await cast.agenda(cast.bob)] == ["Piet"]


async def test_of_many_at_once_each_is_whole(cast: Cast, settings: VaultSettings, time: Time) -> None:
    store = cast.store
    waits = await plan(store, cast.alice, "Noor", hours=1)
    scope = await alices(cast)

    done = await asyncio.gather(
        *(outcome(store.handing.hand_one(scope, waits.id, cast.bob.id)) for _ in range(3)),
        outcome(store.appointments.end(Scope.consult(waits.id, cast.alice.id), waits.id)),
    )
    mine, theirs = await cast.agenda(cast.alice), await cast.agenda(cast.bob)
    assert len([*mine, *theirs]) == 1, done
    assert await cast.visited(waits) is not None
    await whole(store, settings, time)


async def test_destroyed_at_the_same_moment_it_is_gone_or_the_colleagues(
    cast: Cast, settings: VaultSettings, time: Time
) -> None:
    store = cast.store
    waits = await plan(store, cast.alice, "Noor", hours=1)
    scope = await alices(cast)
    await asyncio.gather(
        store.handing.hand_one(scope, waits.id, cast.bob.id),
        store.retention.destroy(of(cast.alice.id), waits.id),
        return_exceptions=True,
    )
    assert await cast.agenda(cast.alice) == []
    assert len(await cast.agenda(cast.bob)) <= 1
    await whole(store, settings, time)


async def test_an_older_server_takes_the_mark_for_none_of_ours(cast: Cast) -> None:
    """It would hand everything over that there is to come."""
    store = cast.store
    waits, other = [await plan(store, cast.alice, name, hours=1) for name in ("Noor", "Piet")]
    handing = store.retention.handing
    await handing.ask(cast.alice.id, cast.bob.id, cast.alice.id, only=[waits.id])
    mark = await the_mark(store)
    code, _, text = mark.partition(" ")
    assert code != store.keys.handing_mark(cast.alice.id, text)
    assert code == store.keys.handing_mark(cast.alice.id, SOME + text)
    await store.retention.sweep()
    assert [one.patient for one in await cast.agenda(cast.bob)] == ["Noor"], "a sweep does what was asked for"
    assert await cast.visited(other) is not None
    assert [one.id for one in await cast.agenda(cast.alice)] == [other.id]


async def the_mark(store: Store) -> str:
    async with store.database.read() as connection:
        (mark,) = (await owners_handing(connection)).values()
    return mark
