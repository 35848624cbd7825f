"""A masked paper is seen once and is gone with that; nobody who has shown who they are is asked for one."""

import asyncio
from collections.abc import Callable

import pytest

from practice.identity_papers.records import IDENTITY_PAPERS, identity_papers
from practice.organisation.model import MemberRole
from practice.requests.model import Filing
from practice.storage import Store
from tests.organisations import OPERATOR, PRACTICE, join, scope_of
from tests.people import Time, alice
from tests.practice.posting import sqlite_store, store
from vault.errors import DomainError
from vault.records.scope import SERVER, Scope

__all__ = ["sqlite_store", "store"]

DATA = b"\xff\xd8 what is left of a paper"


async def asked(store: Store, text: str = "What do you have?") -> tuple[str, str]:
    """A request of somebody whom nobody knows: its id, and what its link holds."""
    await store.organisation.establish(OPERATOR, PRACTICE)
    filed = await store.requests.file(SERVER, Filing("access", "form", "nl", text, mail="jan@example.net"))
    await store.requests.confirm(filed.token)
    return filed.request.id, filed.token


async def officer(store: Store, role: MemberRole = "officer") -> Scope:
    person = await alice(store)
    await join(store, (await store.organisation.get(SERVER)).id, person.id, [role])
    return await scope_of(store, person.id)


async def refused(call: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as error:
        await call()  # type: ignore[misc]
    return error.value.code


async def left(store: Store) -> int:
    """Rows that are not being destroyed."""
    return len(await store.database.ask(IDENTITY_PAPERS.living()))


@pytest.mark.duty("S-48")
async def test_it_is_seen_once_and_its_key_is_gone_then(store: Store) -> None:
    request, token = await asked(store)
    await store.identity_papers.put(token, DATA)
    who = await officer(store)
    assert await store.identity_papers.waiting(who) == {request}
    (row,) = await store.database.ask(IDENTITY_PAPERS.living())
    assert await store.identity_papers.look(who, request) == DATA
    assert await refused(lambda: store.identity_papers.look(who, request)) == "not_found"
    assert await store.identity_papers.waiting(who) == frozenset()
    await store.retention.sweep()
    assert await store.keys.missing([row.id]) == [row.id]
    assert await store.database.ask(identity_papers.select()) == []


async def test_of_two_who_look_at_once_one_sees_it(store: Store) -> None:
    request, token = await asked(store)
    await store.identity_papers.put(token, DATA)
    who = await officer(store)
    looks = [store.identity_papers.look(who, request) for _ in range(5)]
    found = await asyncio.gather(*looks, return_exceptions=True)
    assert [one for one in found if one == DATA] == [DATA]


@pytest.mark.duty("S-48")
async def test_it_is_gone_with_the_decision_and_after_28_days(store: Store, time: Time) -> None:
    request, token = await asked(store)
    who = await officer(store)
    await store.identity_papers.put(token, DATA)
    assert await store.identity_papers.bury() == 0
    await store.decisions.decide(who, request, "granted", "Here it is.")
    assert (await store.identity_papers.bury(), await left(store)) == (1, 0)
    assert await refused(lambda: store.identity_papers.put(token, DATA)) == "conflict"
    _, token = await asked(store, "Another")
    await store.identity_papers.put(token, DATA)
    time.pass_(days=28, seconds=-1)
    assert await store.identity_papers.bury() == 0
    time.pass_(seconds=1)
    assert (await store.identity_papers.bury(), await left(store)) == (1, 0)


async def test_another_one_takes_the_place_of_one_that_nobody_saw(store: Store) -> None:
    request, token = await asked(store)
    await store.identity_papers.put(token, b"the first")
    await store.identity_papers.put(token, DATA)
    assert await left(store) == 1
    assert await store.identity_papers.look(await officer(store), request) == DATA


@pytest.mark.duty("S-48")
async def test_none_is_taken_of_who_was_signed_in(store: Store) -> None:
    await store.organisation.establish(OPERATOR, PRACTICE)
    person = await alice(store)
    await join(store, (await store.organisation.get(SERVER)).id, person.id, ["practitioner"])
    filed = await store.requests.file(await scope_of(store, person.id), Filing("access", "dashboard", "nl", "Mine"))
    assert await refused(lambda: store.identity_papers.put(filed.token, DATA)) == "conflict"
    assert await left(store) == 0


@pytest.mark.duty("S-48")
@pytest.mark.parametrize("mail", ["", "jan@example.net"])
async def test_none_is_taken_where_the_answer_would_be_withheld_all_the_same(store: Store, mail: str) -> None:
    await store.organisation.establish(OPERATOR, PRACTICE)
    filed = await store.requests.file(SERVER, Filing("access", "form", "nl", "What do you have?", mail=mail))
    assert await refused(lambda: store.identity_papers.put(filed.token, DATA)) == "conflict"
    assert await left(store) == 0


@pytest.mark.parametrize("role", ["owner", "administrator", "practitioner", "auditor", "support"])
async def test_nobody_but_an_officer_sees_it(store: Store, role: MemberRole) -> None:
    request, token = await asked(store)
    await store.identity_papers.put(token, DATA)
    who = await officer(store, role)
    assert await refused(lambda: store.identity_papers.look(who, request)) == "not_found"
    assert await refused(lambda: store.identity_papers.waiting(who)) == "not_found"
    assert await left(store) == 1


async def test_a_link_that_is_none_takes_nothing(store: Store) -> None:
    await asked(store)
    assert await refused(lambda: store.identity_papers.put("x" * 43, DATA)) == "link_invalid"
    assert await left(store) == 0


async def test_who_only_writes_to_the_database_turns_no_paper_over(store: Store) -> None:
    request, token = await asked(store)
    other, _ = await asked(store, "Another")
    await store.identity_papers.put(token, DATA)
    async with store.database.write() as connection:
        await connection.execute(identity_papers.update().values(request=other))
    who = await officer(store)
    assert await refused(lambda: store.identity_papers.look(who, other)) == "unreadable"
    assert request != other
