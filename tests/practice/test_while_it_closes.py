"""Whoever writes something while an account or an organisation begins to close waits for that, and is refused.

On PostgreSQL (15, READ COMMITTED) a statement that waited for a lock goes on with what was true of other tables when it
began: what is asked of another table after a lock is asked in a statement of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Select, text

from practice.accounts.people import LOCKED
from practice.notices.model import News
from practice.organisation.records import HOUSE
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE
from tests.people import PASSWORD, START, alice
from vault.database.marks import write_closing
from vault.errors import DomainError
from vault.records.writing import always

WAITS = text("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")

Write = Callable[[Store, str], Awaitable[Any]]


async def meanwhile(store: Store, lock: Select[Any], owner: str, writing: Awaitable[Any]) -> Any:
    """What comes of it: it begins while the closing holds its lock, and goes on when that is done."""
    postgres = store.settings.database_url is not None
    async with store.database.write() as connection:
        await connection.execute(lock, {"owner": owner, "organisation": owner})
        written = asyncio.ensure_future(writing)
        if postgres:
            await waits(store)
        await write_closing(connection, owner)
    try:
        return await written
    except DomainError as error:
        return error.code


async def waits(store: Store) -> None:
    """Until somebody does, for a lock."""
    while True:
        async with store.database.read() as looking:
            if (await looking.execute(WAITS)).first() is not None:
                return
        await asyncio.sleep(0.02)


async def tell(store: Store, owner: str) -> int:
    """How much is to be sent."""
    store.notices.on = True
    await store.notices.along(owner, [News("password-changed", "alice@example.org", "nl")], always)
    return len(await store.notices.waiting())


WRITES: dict[str, tuple[Write, object]] = {
    "an appointment": (lambda store, owner: store.appointments.create(of(owner), "Jan", START, 30, "nl"), "not_found"),
    "a sentence": (lambda store, owner: store.sentences.say(of(owner), "nl", "Welkom."), "not_found"),
    "recovery codes": (lambda store, owner: store.factors.begin(of(owner)), "not_found"),
    "mail": (tell, 0),
}


@pytest.mark.parametrize("name", WRITES)
async def test_nothing_is_written_of_an_account_that_begins_to_close(store: Store, name: str) -> None:
    person = await alice(store)
    write, wanted = WRITES[name]
    assert await meanwhile(store, LOCKED, person.id, write(store, person.id)) == wanted


async def test_nobody_joins_an_organisation_that_begins_to_end(store: Store) -> None:
    await alice(store)
    organisation = await store.organisation.establish(OPERATOR, PRACTICE)
    joining = store.organisation.add_account(OPERATOR, "bob@example.org", PASSWORD, "Bob", "nl")
    refused = ("link_invalid", "not_found")  # by who looked before, and who looked after the mark
    assert await meanwhile(store, HOUSE, organisation, joining) in refused
    assert await store.practitioners.id_by_mail(OPERATOR, "bob@example.org") is None
