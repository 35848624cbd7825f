"""Links to a new password: good once, for an hour, five at a time; using one ends every session of the account."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from practice.accounts.model import Practitioner
from practice.accounts.records import resets
from practice.notices.model import News
from practice.storage import Store
from tests.opening import of
from tests.people import PASSWORD, Time, alice, charlie
from tests.practice.posting import sqlite_store, store
from vault.errors import DomainError
from vault.records.scope import SERVER
from vault.records.writing import Along

__all__ = ["sqlite_store", "store"]

LIFE = timedelta(hours=1)
MOST = 5
"""As documents and pages say it."""

NEW = "vier losse woorden samen"


async def ask(store: Store, mail: str = " ALICE@example.org") -> str | None:
    """The token of the link that is mailed; None where nobody is told."""
    tokens: list[str] = []

    def tell(one: Practitioner, seed: str) -> Along:
        tokens.append(store.resets.token(seed))
        return store.notices.of(one.id, News("reset", one.mail, one.language, {"reset": seed}))

    person = await store.resets.ask(SERVER, mail, tell)
    return tokens[0] if person else None


async def linked(store: Store) -> str:
    token = await ask(store)
    assert token is not None
    return token


async def choose(store: Store, person: Practitioner, token: str, password: str = NEW) -> bool:
    return await store.practitioners.set_password(of(person.id), password, demand=store.resets.using(token))


async def count(store: Store) -> int:
    return len(await store.database.ask(select(resets.c.token)))


async def test_it_is_good_once_and_ends_all_sessions_of_its_account(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    sessions = [await store.sessions.create(one.id) for one in (person, person, other)]
    token, second = await linked(store), await linked(store)
    assert (await store.resets.whose(token), await store.resets.whose(second)) == (person.id, person.id)
    assert await choose(store, person, token)
    alive = [await store.sessions.practitioner(one) for one in sessions]
    assert alive == [None, None, other.id]
    for dead in (token, second):
        assert await store.resets.whose(dead) is None
        assert not await choose(store, person, dead, "another of four words")
    assert await store.practitioners.authenticate(person.mail, NEW) == person
    assert [one.news.word for one in await store.notices.waiting()] == ["reset", "reset"]


async def test_a_link_that_is_none_changes_no_password(store: Store) -> None:
    person = await alice(store)
    session = await store.sessions.create(person.id)
    token = await linked(store)
    for wrong in ("", "x", token[:-1], store.resets.token(token)):
        assert await store.resets.whose(wrong) is None
        assert not await choose(store, person, wrong)
    assert await store.practitioners.authenticate(person.mail, PASSWORD) == person
    assert await store.sessions.practitioner(session) == person.id
    assert await store.resets.whose(token) == person.id


async def test_after_an_hour_it_is_none_and_forgotten(store: Store, time: Time) -> None:
    person = await alice(store)
    token = await linked(store)
    time.pass_(seconds=LIFE.total_seconds() - 1)
    assert await store.resets.whose(token) == person.id
    await store.resets.purge()
    assert await count(store) == 1
    later = await linked(store)
    time.pass_(seconds=1)
    assert await store.resets.whose(token) is None
    assert not await choose(store, person, token)
    await store.resets.purge()
    assert await count(store) == 1
    assert await store.resets.whose(later) == person.id


async def test_who_asks_again_and_again_is_mailed_so_often_and_no_more(store: Store, time: Time) -> None:
    await alice(store)
    await charlie(store)
    assert None not in [await ask(store) for _ in range(MOST)]
    assert await ask(store) is None
    assert await count(store) == len(await store.notices.waiting()) == MOST, "and no mail without a link"
    assert await ask(store, "charlie@example.org") is not None
    time.pass_(seconds=LIFE.total_seconds())
    assert await ask(store) is not None


async def test_an_address_that_nobody_has_is_told_nothing(sqlite_store: Store) -> None:
    person = await alice(sqlite_store)
    assert await ask(sqlite_store, "bob@example.org") is None
    with pytest.raises(DomainError, match="not_found"):
        await sqlite_store.resets.ask(of(person.id), person.mail, lambda one, _: sqlite_store.notices.of(one.id))
    assert (await count(sqlite_store), await sqlite_store.notices.waiting()) == (0, [])
