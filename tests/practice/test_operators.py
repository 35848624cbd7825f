"""Operators: two people, each with a code that is good once, of whom one alone makes nobody another."""

import asyncio
from datetime import timedelta

import pytest

from practice.legal.model import Operator
from practice.legal.store import Demanded
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR
from tests.people import Time, plan
from tests.practice.handing import Cast
from tests.practice.outcomes import outcome
from tests.practice.posting import sqlite_store, store
from tests.practice.test_legal import DEMAND, SECRETS, House, code, enter, house, proof
from vault.records.scope import Scope

__all__ = ["house", "sqlite_store", "store"]


@pytest.mark.duty("S-36")
async def test_it_takes_two_people_each_with_a_code_that_was_not_used(house: House, store: Store, time: Time) -> None:
    two = store.operators.two
    time.pass_(minutes=1)
    anna, ben = ("Anna", code("Anna", time)), ("Ben", code("Ben", time))
    assert await outcome(two(OPERATOR, anna, ("anna ", code("Anna", time)))) == "conflict"
    assert await outcome(two(OPERATOR, anna, ("Ben", "000000"))) == "factor_refused"
    assert await outcome(two(OPERATOR, anna, ben)) == "factor_refused", "Anna's was used"
    time.pass_(minutes=1)
    for nobody in ("Cem", ""):
        assert await outcome(two(OPERATOR, ("Ben", code("Ben", time)), (nobody, "123456"))) == "factor_refused"
        time.pass_(minutes=1)
    planned = await plan(store, house.alice)
    one, other = house.two
    for few in ((), (one,), (one, one)):
        wanted = Demanded((planned.id,))
        assert await outcome(store.disclosures.export(house.about, wanted, DEMAND, few)) == "forbidden"
        later = time.now() + timedelta(days=1)
        kept = store.disclosures.preserve(house.about, [planned.id], later, DEMAND, few)
        assert await outcome(kept) == "forbidden"
    for scope in (of(house.alice.id), Scope.guest(planned.id)):
        assert (
            await outcome(store.disclosures.export(scope, Demanded((planned.id,)), DEMAND, (one, other))) == "not_found"
        )
        assert await outcome(two(scope, anna, ben)) == "not_found"


async def test_of_two_commands_with_one_code_one_is_let_in(house: House, store: Store, time: Time) -> None:
    time.pass_(minutes=1)
    proofs = [(name, code(name, time)) for name in ("Anna", "Ben")]
    done = await asyncio.gather(*(outcome(store.operators.two(OPERATOR, *proofs)) for _ in range(4)))
    assert sum(isinstance(one, tuple) for one in done) <= 1
    assert {one for one in done if isinstance(one, str)} == {"factor_refused"}


async def test_the_third_is_let_in_by_two_and_nobody_takes_themselves_out(
    house: House, store: Store, time: Time
) -> None:
    time.pass_(minutes=1)
    anna, ben = proof("Anna", time), proof("Ben", time)
    assert await outcome(enter(store, time, "Cem")) == "factor_refused"
    assert await outcome(enter(store, time, "Cem", (anna, proof("Cem", time)))) == "factor_refused"
    time.pass_(minutes=1)
    anna, ben = proof("Anna", time), proof("Ben", time)
    assert await outcome(enter(store, time, "Cem", (anna, anna))) == "conflict"
    await enter(store, time, "Cem", (anna, ben))
    time.pass_(minutes=1)
    remove = store.operators.remove
    assert await outcome(remove(OPERATOR, "Ben", proof("Ben", time))) == "factor_refused"
    assert await outcome(remove(OPERATOR, "Nobody", proof("Ben", time))) == "not_found"
    await remove(OPERATOR, "ben", proof("Cem", time))
    assert [one.name for one in await store.operators.of(OPERATOR)] == ["Anna", "Cem"]


@pytest.mark.duty("S-36")
async def test_one_alone_never_comes_to_hold_the_apps_of_two(house: House, store: Store, time: Time) -> None:
    remove = store.operators.remove
    time.pass_(minutes=1)
    assert await outcome(remove(OPERATOR, "Ben", proof("Anna", time))) == "bad_state"
    await enter(store, time, "Cem", (proof("Anna", time), proof("Ben", time)))
    time.pass_(minutes=1)
    said = await asyncio.gather(
        outcome(remove(OPERATOR, "Ben", proof("Anna", time))), outcome(remove(OPERATOR, "Anna", proof("Cem", time)))
    )
    assert sum(isinstance(one, Operator) for one in said) == 1, said
    assert {one for one in said if isinstance(one, str)} <= {"bad_state", "conflict", "factor_refused"}
    assert len(await store.operators.of(OPERATOR)) == 2


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 81, "\u200b"])
async def test_a_name_that_shows_nothing_is_refused(store: Store, cast: Cast, time: Time, name: str) -> None:
    add = store.operators.add(OPERATOR, name, SECRETS["Anna"], code("Anna", time))
    assert await outcome(add) == "invalid"
    assert await store.operators.of(OPERATOR) == []
