"""What happens to an invitation between two steps of whoever sends, takes back or uses it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from practice.accounts.records import practitioners
from practice.organisation.records import invitations, members, organisations
from practice.storage import Store
from tests.organisations import scope_of
from tests.people import Time
from tests.practice.posting import sqlite_store, store
from tests.practice.test_invitations import accept, addresses, dead, invite, practice, telling
from tests.practice.test_organisation import roles, rows
from tests.practice.test_organisation_meanwhile import instead
from vault.database.database import Database
from vault.errors import DomainError

__all__ = ["sqlite_store", "store"]


async def test_used_meanwhile_it_cannot_be_taken_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    instead(monkeypatch, store.invitations, "_mark", lambda: accept(store, made.token))
    with pytest.raises(DomainError, match="not_found"):
        await store.invitations.withdraw(await scope_of(store, owner.id), made.invitation.id)
    assert [row.state for row in await rows(store, invitations)] == ["destroying"]


async def test_used_meanwhile_it_is_not_sent_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    keys = set(await store.keys.ids())
    instead(monkeypatch, store.invitations, "_issue", lambda: accept(store, made.token))
    with pytest.raises(DomainError, match="not_found"):
        await store.invitations.again(await scope_of(store, owner.id), made.invitation.id, telling(store))
    (row,) = await rows(store, invitations)
    assert (row.id, row.state) == (made.invitation.id, "destroying")
    assert set(await store.keys.ids()) == keys | {one.id for one in await rows(store, practitioners)} | {
        one.id for one in await rows(store, members)
    }, "no key is left of the new one"
    assert await addresses(store, owner) == []


async def test_invited_meanwhile_by_another_its_key_is_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, other = await practice(store)
    keys = set(await store.keys.ids())
    instead(monkeypatch, store.invitations, "_issue", lambda: invite(store, other))
    with pytest.raises(DomainError, match="conflict"):
        await invite(store, owner)
    (there,) = await rows(store, invitations)
    (told,) = await store.notices.waiting()
    assert set(await store.keys.ids()) == keys | {there.id, told.id}


async def test_to_an_organisation_that_ends_nobody_is_invited_and_no_link_leads(store: Store) -> None:
    owner, other = await practice(store)
    made = await invite(store, owner)
    await store.endings.begin(await scope_of(store, owner.id))
    keys = set(await store.keys.ids())
    with pytest.raises(DomainError, match="closing"):
        await invite(store, other, "g@example.org")
    with pytest.raises(DomainError, match="link_invalid"):
        await accept(store, made.token)
    assert set(await store.keys.ids()) == keys
    assert len(await store.notices.waiting()) == 1


@pytest.mark.parametrize("gone", ["row", "key"])
async def test_the_link_of_an_organisation_that_is_gone_leads_nowhere(store: Store, time: Time, gone: str) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    if gone == "row":
        async with store.database.write() as connection:
            await connection.execute(delete(organisations))
    else:
        await store.keys.destroy([(made.invitation.owner, made.invitation.owner)], time.now())
    with pytest.raises(DomainError, match="link_invalid"):
        await store.invitations.welcome(made.token)


async def test_whether_a_link_is_good_nobody_says_while_the_database_is_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail about it is kept then, and not dropped."""
    owner, _ = await practice(store)
    made = await invite(store, owner)

    async def away(*_: object) -> Any:
        raise DomainError("try_again")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "ask", away)
        with pytest.raises(DomainError, match="try_again"):
            await store.invitations.stands(made.token)
    assert await store.invitations.stands(made.token)
    assert not await store.invitations.stands("x")


@pytest.mark.parametrize(
    "mail",
    [f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 59}.org", "a@exam\u00adple.org"],
    ids=["longer than an envelope takes", "with what nobody sees"],
)
async def test_an_address_that_only_resolves_is_refused(sqlite_store: Store, mail: str) -> None:
    owner, _ = await practice(sqlite_store)
    with pytest.raises(DomainError, match="invalid") as refused:
        await invite(sqlite_store, owner, mail)
    assert refused.value.field == "mail"
    longest = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.org"
    assert len(longest) == 254
    assert (await invite(sqlite_store, owner, longest)).invitation.mail == longest


async def test_a_language_that_is_none_is_refused(sqlite_store: Store) -> None:
    owner, _ = await practice(sqlite_store)
    scope = await scope_of(sqlite_store, owner.id)
    language: Any = "tlh"
    with pytest.raises(DomainError, match="invalid") as refused:
        await sqlite_store.invitations.invite(scope, "g@example.org", ["assistant"], language, telling(sqlite_store))
    assert refused.value.field == "language"
    assert await rows(sqlite_store, invitations) == []


async def test_of_those_that_are_late_none_is_named_and_none_in_the_way(store: Store, time: Time) -> None:
    """A minute before its end it is there; sent again it lives anew, and what it took the place of dies alone."""
    owner, _ = await practice(store)
    first, other = await invite(store, owner), await invite(store, owner, "g@example.org")
    time.pass_(hours=71, minutes=59)
    assert await addresses(store, owner) == ["fatima@example.org", "g@example.org"]
    scope = await scope_of(store, owner.id)
    again = await store.invitations.again(scope, first.invitation.id, telling(store))
    assert again.invitation.until - again.invitation.written == timedelta(hours=72)
    states = {row.id: row.state for row in await rows(store, invitations)}
    assert states == {first.invitation.id: "destroying", other.invitation.id: "kept", again.invitation.id: "kept"}
    time.pass_(minutes=1)
    assert await store.invitations.bury() == 1
    assert await store.invitations.bury() == 0
    assert await addresses(store, owner) == ["fatima@example.org"]
    await dead(store, other.token)
    person = await accept(store, again.token)
    assert await roles(store, person.id) == {"assistant"}
    assert await store.database.ask(select(invitations.c.id).where(invitations.c.state == "kept")) == []
