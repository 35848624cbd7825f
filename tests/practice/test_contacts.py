"""Why somebody was called or mailed: logged, read by who was called, gone by itself in a day to thirty."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from practice.contacts.model import CONTACT_REASONS, KEPT, ContactReason
from practice.contacts.records import CONTACTS, contacts
from practice.storage import Store
from tests.organisations import house
from tests.people import Time
from tests.practice.newsletter import account, writer
from tests.practice.outcomes import outcome
from vault.records.scope import Scope


async def both(store: Store) -> tuple[Scope, Scope]:
    """Who looks after an organisation, and who is in it."""
    owner = await writer(store)
    return owner, await account(store, str(owner.organisation), "bob")


async def held(store: Store, scope: Scope) -> list[Any]:
    """What somebody reads among all that is held of them."""
    return [dict(one) for part in await store.exports.all_of(scope) if part.kind is CONTACTS for one in part.records]


@pytest.mark.duty("S-25")
@pytest.mark.parametrize("reason", CONTACT_REASONS)
async def test_who_was_called_reads_why_and_it_goes_in_time(store: Store, time: Time, reason: ContactReason) -> None:
    owner, bob = await both(store)
    made = await store.contacts.log(owner, bob.owner, "call", reason, "Vraag: het geluid.\r\n\r\nAfspraak: morgen.")
    assert timedelta(hours=24) <= KEPT[reason] <= timedelta(days=30)
    (read,) = await held(store, bob)
    assert (read["way"], read["reason"], read["note"]) == ("call", reason, "Vraag: het geluid.\nAfspraak: morgen.")
    assert await store.contacts.names(owner, await store.contacts.of(owner, bob.owner)) == {owner.owner: "Owner"}
    time.pass_(seconds=KEPT[reason].total_seconds() - 1)
    assert await store.contacts.bury() == 0 and len(await store.contacts.of(owner, bob.owner)) == 1
    time.pass_(seconds=1)
    assert await store.contacts.of(owner, bob.owner) == [], "at once, whenever it is swept"
    assert await store.contacts.bury() == 1
    await store.retention.sweep()
    assert await held(store, bob) == []
    assert await store.database.ask(select(contacts)) == []
    assert not (await store.keys.get(bob.owner, made.id))[1], "with its key"


async def test_only_who_looks_after_somebody_logs_and_reads_it(store: Store) -> None:
    owner, bob = await both(store)
    stranger = await account(store, await house(store), "stranger")
    log = store.contacts.log
    assert await outcome(log(bob, owner.owner, "call", "account", "")) == "not_found"
    assert await outcome(log(owner, stranger.owner, "call", "account", "")) == "not_found"
    assert await outcome(store.contacts.of(owner, stranger.owner)) == "not_found"
    assert await outcome(log(owner, bob.owner, "pigeon", "account", "")) == "invalid"  # type: ignore[arg-type]
    assert await outcome(log(owner, bob.owner, "call", "gossip", "")) == "invalid"  # type: ignore[arg-type]
    assert await outcome(log(owner, bob.owner, "call", "account", "x" * 501)) == "invalid"
    assert await store.contacts.of(owner, bob.owner) == []


async def test_it_ends_with_the_account(store: Store) -> None:
    owner, bob = await both(store)
    await store.contacts.log(owner, bob.owner, "mail", "security", "")
    await store.retention.close(bob)
    assert await store.database.ask(select(contacts)) == []
