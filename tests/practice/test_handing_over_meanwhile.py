"""What happens while appointments are handed over, and what whoever writes to the database can make of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from practice.accounts.model import Practitioner
from practice.agenda.records import appointments
from tests.opening import Elsewhere, nobody, of, open_store
from tests.organisations import scope_of
from tests.people import Time, plan
from tests.practice.handing import FIRST, LAST, Cast, acts, asked, whole
from tests.practice.outcomes import outcome
from vault.database.tables import marks
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings

LONGEST = timedelta(days=7)
"""As documents and pages say it."""


async def test_whoever_destroys_ends_or_closes_at_the_same_moment(
    cast: Cast, settings: VaultSettings, time: Time
) -> None:
    """Each is the giver's or the taker's, or gone; never both, and never nobody's."""
    store = cast.store
    planned = [await plan(store, cast.alice, f"{number}", days=1) for number in range(12)]

    done = await asyncio.gather(
        cast.hand_over(),
        *(outcome(store.retention.destroy(of(cast.alice.id), one.id)) for one in planned[:4]),
        *(outcome(store.appointments.end(Scope.consult(one.id, one.owner), one.id)) for one in planned[4:8]),
        outcome(store.practitioners.set_retention(of(cast.alice.id), "7d")),
        outcome(store.practitioners.set_retention(of(cast.bob.id), "90d")),
        return_exceptions=True,
    )
    assert [one for one in done if isinstance(one, Exception)] == []
    mine, theirs = await cast.agenda(cast.alice), await cast.agenda(cast.bob)
    names = [one.patient for one in (*mine, *theirs)]
    assert len(names) == len(set(names))
    assert {f"{number}" for number in range(4, 12)} <= set(names)
    assert {one.state for one in mine} <= {"ended"}
    await whole(store, settings, time)


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_an_account_that_closes_meanwhile_takes_what_is_its_own(
    cast: Cast, who: str, settings: VaultSettings, time: Time
) -> None:
    store, closing = cast.store, getattr(cast, who)
    for number in range(5):
        await plan(store, cast.alice, f"{number}", days=1)
    done = await asyncio.gather(
        cast.hand_over(), store.retention.request_closure(of(closing.id)), return_exceptions=True
    )
    assert all(not isinstance(one, Exception) or isinstance(one, DomainError) for one in done), done
    await store.retention.close(of(closing.id))
    await store.retention.sweep()
    other = cast.bob if who == "alice" else cast.alice
    assert len(await cast.agenda(other)) in (0, 5)
    assert await asked(store) == []
    await whole(store, settings, time)
    assert await store.keys.receipt(closing.id, closing.id) is not None


async def test_to_an_account_that_is_closed_nothing_goes(cast: Cast, settings: VaultSettings, time: Time) -> None:
    store, planned = cast.store, await plan(cast.store, cast.alice, days=1)
    await store.retention.handing.ask(cast.alice.id, cast.bob.id, cast.noor.owner)
    await store.retention.close(of(cast.bob.id))
    await store.retention.sweep()
    assert await asked(store) == []
    assert await cast.visited(planned) == planned
    with pytest.raises(DomainError, match="not_found"):
        await store.retention.handing.ask(cast.alice.id, cast.bob.id, cast.noor.owner)
    await whole(store, settings, time)


async def test_from_and_to_an_account_that_is_closing_nothing_goes(cast: Cast, elsewhere: Elsewhere) -> None:
    """As long as a consult holds that up."""
    store = cast.store
    running, planned = await plan(store, cast.bob), await plan(store, cast.alice, days=1)

    async def runs(appointment: str) -> bool:
        return appointment == running.id

    elsewhere.in_progress = runs
    await store.retention.handing.ask(cast.alice.id, cast.bob.id, cast.noor.owner)
    assert (await store.retention.close(of(cast.bob.id))).receipt is None
    await store.retention.sweep()
    assert await asked(store) == []
    assert await cast.visited(planned) == planned
    for giver, taker in ((cast.alice, cast.bob), (cast.bob, cast.alice)):
        with pytest.raises(DomainError, match="not_found"):
            await store.retention.handing.ask(giver.id, taker.id, cast.noor.owner)


async def test_two_servers_hand_over_once(cast: Cast, settings: VaultSettings, time: Time) -> None:
    if cast.store.database.sqlite:
        pytest.skip("one server has a file")
    for number in range(10):
        await plan(cast.store, cast.alice, f"{number}", days=1)
    await cast.store.retention.handing.ask(cast.alice.id, cast.bob.id, cast.noor.owner)
    async with open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as other:
        counts = await asyncio.gather(cast.store.retention.sweep(), other.retention.handing.carry_out())
        await other.retention.handing.carry_out()
        await cast.store.retention.handing.carry_out()
    assert counts is not None
    assert await cast.agenda(cast.alice) == []
    assert len(await cast.agenda(cast.bob)) == 10
    assert (await acts(cast.store)).count("appointment-handed-over") == 10
    await whole(cast.store, settings, time)


async def test_where_whoever_comes_cannot_be_told_it_is_done_all_the_same(
    cast: Cast, settings: VaultSettings, elsewhere: Elsewhere, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    planned = await plan(cast.store, cast.alice, days=1)
    told: list[list[str]] = []

    async def away(ids: Sequence[str], *_: str) -> None:
        told.append(list(ids))
        raise ConnectionError("redis is away")

    elsewhere.on_handed = away
    assert await cast.hand_over() == 1
    assert told == [[planned.id]]
    assert "could not be told" in caplog.text
    taken = await cast.visited(planned)
    assert taken is not None and taken.owner == cast.bob.id
    await whole(cast.store, settings, time)


async def test_what_is_held_just_then_stays(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at while it was still to come, and over when its row is locked."""
    store, planned = cast.store, await plan(cast.store, cast.alice, days=1)
    real = store.keys.take

    async def ended(*what: Any) -> dict[str, bytes]:
        await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)
        return await real(*what)

    monkeypatch.setattr(store.keys, "take", ended)
    assert await cast.hand_over() == 0
    assert [one.state for one in await cast.agenda(cast.alice)] == ["ended"]
    assert (await cast.agenda(cast.bob), await asked(store)) == ([], [])


@pytest.mark.parametrize("said", [True, None])
async def test_who_is_let_in_just_then_stays_where_they_are(
    cast: Cast, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, settings: VaultSettings, time: Time,
    said: bool | None,
) -> None:  # fmt: skip
    """Waiting when that was asked, and in the consult when its row is locked, or nobody can say."""
    store, waits = cast.store, await plan(cast.store, cast.alice, hours=1)
    scope, real = await scope_of(store, cast.alice.id), store.keys.take

    async def let_in(*what: Any) -> dict[str, bytes]:
        async def runs(_: str) -> bool | None:
            return said

        elsewhere.in_progress = runs
        return await real(*what)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(store.keys, "take", let_in)
        if said:
            with pytest.raises(DomainError, match="bad_state"):
                await store.handing.hand_one(scope, waits.id, cast.bob.id)
        else:
            assert not await store.handing.hand_one(scope, waits.id, cast.bob.id), "in a moment"
    assert (await cast.agenda(cast.bob), len(await asked(store))) == ([], 0 if said else 1)
    elsewhere.in_progress = nobody
    assert await cast.visited(waits) == waits
    await store.retention.sweep()
    assert len(await cast.agenda(cast.alice if said else cast.bob)) == 1
    await whole(store, settings, time)


async def test_a_server_that_lost_its_lease_hands_nothing_over(
    cast: Cast, settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = await plan(cast.store, cast.alice, days=1)

    async def lost(*_: object) -> bool:
        return False

    with monkeypatch.context() as patch, pytest.raises(DomainError, match="try_again"):
        patch.setattr(cast.store.retention.handing._lease, "renew", lost)
        await cast.hand_over()
    assert await cast.visited(planned) == planned
    assert len(await asked(cast.store)) == 1, "the next sweep does it"
    await cast.store.retention.sweep()
    taken = await cast.visited(planned)
    assert taken is not None and taken.owner == cast.bob.id
    await whole(cast.store, settings, time)


async def test_a_key_store_that_is_away_is_no_account_that_is_gone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = await plan(cast.store, cast.alice, days=1)

    async def away(*_: object) -> dict[str, bytes]:
        raise DomainError("try_again")

    with monkeypatch.context() as patch, pytest.raises(DomainError, match="try_again"):
        patch.setattr(cast.store.keys, "take", away)
        await cast.hand_over()
    assert await cast.visited(planned) == planned
    assert len(await asked(cast.store)) == 1


@pytest.mark.parametrize("whose", ["alice", "bob"])
async def test_with_an_account_whose_key_is_gone_nothing_is_handed_over(cast: Cast, time: Time, whose: str) -> None:
    """As in the middle of closing it."""
    planned, account = await plan(cast.store, cast.alice, days=1), getattr(cast, whose)
    await cast.store.keys.destroy([(account.id, account.id)], time.now())
    with pytest.raises(DomainError, match="not_found"):
        await cast.hand_over()
    assert await asked(cast.store) == []
    visit = await cast.store.appointments.by_link(Scope.guest(planned.id), planned.secret)
    assert visit is not None and visit.appointment == planned


async def test_a_host_whose_own_key_was_not_asked_for_with_the_link_is_known(cast: Cast) -> None:
    planned = await plan(cast.store, cast.alice)
    visit = await cast.store.appointments.by_link(Scope.guest(planned.id), planned.secret)
    assert visit is not None
    without = replace(visit, _keys=visit._keys._replace(own=None))
    assert await without.host() == await visit.host() == await cast.store.practitioners.get(of(cast.alice.id))


async def test_what_cannot_be_read_is_counted_and_stays(cast: Cast) -> None:
    store = cast.store
    fine, broken = await plan(store, cast.alice, days=1), await plan(store, cast.alice, days=2)
    remaining = (await store.handing.prospect(cast.noor, cast.alice.id)).remaining
    assert (remaining.free, remaining.running, remaining.unreadable, remaining.taker) == (2, 0, 0, None)
    async with store.database.write() as connection:
        spoilt = update(appointments).where(appointments.c.id == broken.id).values(content=b"x" * 300)
        await connection.execute(spoilt)
    remaining = (await store.handing.prospect(cast.noor, cast.alice.id)).remaining
    assert (remaining.free, remaining.running, remaining.unreadable) == (1, 0, 1)
    assert await cast.hand_over() == 1
    taken = await cast.visited(fine)
    assert taken is not None and taken.owner == cast.bob.id
    seen = await store.appointments.agenda(of(cast.alice.id), FIRST, LAST)
    assert ([one.id for one in seen.damaged], seen.appointments) == ([broken.id], [])
    assert await asked(store) == [], "nobody waits for it"


# --- who can write to the database -----------------------------------------------------------------------------------


async def test_a_mark_that_is_not_ours_or_old_hands_nothing_over(cast: Cast, time: Time) -> None:
    store, planned = cast.store, await plan(cast.store, cast.alice, days=30)

    async def put(giver: Practitioner, value: str) -> None:
        async with store.database.write() as connection:
            await connection.execute(delete(marks).where(marks.c.name.startswith("handing-")))
            await connection.execute(insert(marks).values(name=f"handing-{giver.id}", value=value))

    await store.retention.handing.ask(cast.bob.id, cast.alice.id, cast.noor.owner)
    ((mark,),) = await store.database.ask(select(marks.c.value).where(marks.c.name.startswith("handing-")))
    for value in (mark.replace(cast.alice.id, cast.bob.id), mark, "x", "x {}", ""):
        await put(cast.alice, value)
        await store.retention.sweep()
        assert await asked(store) == []
        assert await cast.visited(planned) == planned
    coming = await plan(store, cast.bob, days=30)
    time.pass_(days=LONGEST.days, minutes=1)
    await put(cast.bob, mark)
    await store.retention.sweep()
    assert await asked(store) == []
    assert await cast.visited(coming) == coming


async def test_a_row_that_is_turned_over_by_hand_opens_for_nobody(cast: Cast) -> None:
    planned = await plan(cast.store, cast.alice, days=1)
    async with cast.store.database.write() as connection:
        turned = update(appointments).where(appointments.c.id == planned.id).values(owner=cast.bob.id)
        await connection.execute(turned)
    assert await cast.visited(planned) is None
    seen = await cast.store.appointments.agenda(of(cast.bob.id), FIRST, LAST)
    assert (seen.appointments, len(seen.damaged)) == ([], 1)
