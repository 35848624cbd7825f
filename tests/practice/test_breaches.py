"""The register of breaches: an exact clock of 72 hours from when one was found, which two things end (S-52)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from practice.breaches.model import HOURS, Breach, Facts
from practice.breaches.records import breaches
from practice.organisation.model import MemberRole
from practice.storage import Store
from tests.organisations import OPERATOR, PRACTICE, join, scope_of
from tests.people import Time, alice
from tests.practice.posting import sqlite_store, store
from vault.errors import DomainError
from vault.records.scope import SERVER, Scope

__all__ = ["sqlite_store", "store"]


async def officer(store: Store, role: MemberRole = "officer") -> Scope:
    await store.organisation.establish(OPERATOR, PRACTICE)
    person = await alice(store)
    await join(store, (await store.organisation.get(SERVER)).id, person.id, [role])
    return await scope_of(store, person.id)


async def refused(call: Callable[[], Awaitable[Any]]) -> tuple[str, str | None]:
    with pytest.raises(DomainError) as error:
        await call()
    return error.value.code, error.value.field


@pytest.mark.duty("S-52")
async def test_the_72_hours_run_from_when_it_was_found_and_end_when_the_authority_is_told(
    store: Store, time: Time
) -> None:
    who, found = await officer(store), time.now()
    time.pass_(hours=10)
    one = await store.breaches.enter(who, Facts(found, "A laptop was left in a train", 12))
    assert one.due == found + timedelta(hours=72)
    assert one.phase(time.now()) == "running"
    time.pass_(hours=62, seconds=-1)
    assert one.phase(time.now()) == "running"
    counted = await store.breaches.clocks()
    assert (counted.running, counted.late) == (1, 0)
    time.pass_(seconds=1)
    assert one.phase(time.now()) == "late"
    counted = await store.breaches.clocks()
    assert (counted.running, counted.late) == (0, 1)
    told = replace(one.facts, risk="some", told=time.now())
    assert await refused(lambda: store.breaches.change(who, one.id, told, one.version)) == ("invalid", "late")
    told = replace(told, late="Nobody was in")
    after = await store.breaches.change(who, one.id, told, one.version)
    assert (after.phase(time.now()), (await store.breaches.clocks()).late) == ("settled", 0)


@pytest.mark.parametrize(
    "found", ["2027-03-27T12:00:00+01:00", "2027-10-30T12:00:00+02:00", "2028-02-28T09:00:00+01:00"]
)
def test_hours_are_hours_whatever_the_clock_does(found: str) -> None:
    """Over the changes of clock and a leap day."""
    at = datetime.fromisoformat(found)
    one = Breach("", "", "", at, Facts(at, "x"))
    assert (one.due - at.astimezone(UTC)) == HOURS == timedelta(hours=72)
    assert one.phase(one.due - timedelta(microseconds=1)) == "running"
    assert one.phase(one.due) == "late"


@pytest.mark.duty("S-52")
async def test_where_the_risk_is_high_the_people_have_to_be_told_too_and_it_is_written_down(
    store: Store, time: Time
) -> None:
    who = await officer(store)
    one = await store.breaches.enter(who, Facts(time.now(), "Mail to the wrong people", 300))
    told = replace(one.facts, risk="high", told=time.now())
    one = await store.breaches.change(who, one.id, told, one.version)
    assert one.phase(time.now()) == "told"
    without = replace(told, concerned=time.now())
    assert await refused(lambda: store.breaches.change(who, one.id, without, one.version)) == ("invalid", "words")
    one = await store.breaches.change(who, one.id, replace(without, words="We are sorry."), one.version)
    assert one.phase(time.now()) == "settled"
    (kept,) = (await store.breaches.of(who)).breaches
    assert (kept.facts.words, kept.facts.people, kept.facts.told) == ("We are sorry.", 300, time.now())


async def test_without_a_risk_a_reason_ends_the_clock_and_with_one_it_does_not(store: Store, time: Time) -> None:
    who = await officer(store)
    one = await store.breaches.enter(who, Facts(time.now(), "An encrypted disk"))
    for risk in ("unknown", "some", "high"):
        untold = replace(one.facts, risk=risk, untold="Nobody could read it")
        assert await refused(partial(store.breaches.change, who, one.id, untold, 1)) == ("invalid", "untold")
    one = await store.breaches.change(who, one.id, replace(one.facts, risk="none", untold="Nobody could read it"), 1)
    assert one.phase(time.now()) == "settled"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"what": " "}, "what"),
        ({"what": "x" * 4001}, "what"),
        ({"found": timedelta(hours=1)}, "found"),
        ({"told": timedelta(hours=-3)}, "told"),
        ({"told": timedelta(hours=1)}, "told"),
        ({"people": -1}, "people"),
        ({"people": 10**12}, "people"),
        ({"risk": "great"}, "risk"),
    ],
)
async def test_what_cannot_be_is_refused(store: Store, time: Time, change: dict[str, Any], field: str) -> None:
    who, now = await officer(store), time.now()
    said: dict[str, Any] = {name: now + one if isinstance(one, timedelta) else one for name, one in change.items()}
    facts = replace(Facts(now - timedelta(hours=1), "Something"), **said)
    assert await refused(lambda: store.breaches.enter(who, facts)) == ("invalid", field)
    assert (await store.breaches.of(who)).breaches == ()


async def test_of_two_who_change_it_at_once_one_is_told(store: Store, time: Time) -> None:
    who = await officer(store)
    one = await store.breaches.enter(who, Facts(time.now(), "Something"))
    await store.breaches.change(who, one.id, replace(one.facts, measures="Rung"), 1)
    assert await refused(lambda: store.breaches.change(who, one.id, one.facts, 1)) == ("conflict", None)


@pytest.mark.parametrize("role", ["owner", "administrator", "practitioner", "auditor", "support"])
async def test_nobody_but_an_officer_sees_or_changes_it(store: Store, time: Time, role: MemberRole) -> None:
    who = await officer(store, role)
    facts = Facts(time.now(), "Something")
    assert (await refused(lambda: store.breaches.of(who)))[0] == "not_found"
    assert (await refused(lambda: store.breaches.enter(who, facts)))[0] == "not_found"


async def test_who_only_writes_to_the_database_stops_no_clock(store: Store, time: Time) -> None:
    who = await officer(store)
    one = await store.breaches.enter(who, Facts(time.now(), "Something"))
    async with store.database.write() as connection:
        await connection.execute(breaches.update().values(settled=1))
    assert (await refused(lambda: store.breaches.get(who, one.id)))[0] == "unreadable"
    assert (await store.breaches.of(who)).unreadable == 1
