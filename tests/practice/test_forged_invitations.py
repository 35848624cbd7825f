"""Invitations and who reads or writes what they should not; and what is left where a server is cut off."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from practice.organisation.records import INVITATIONS, invitations
from practice.storage import Store
from tests.organisations import OPERATOR, scope_of
from tests.people import Time, caught_up
from tests.practice.posting import sqlite_store, store
from tests.practice.test_invitations import MAIL, accept, addresses, dead, invite, practice, telling
from tests.practice.test_organisation import cut_off, roles, rows, whole
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings

__all__ = ["sqlite_store", "store"]

LIFE = timedelta(hours=72)
"""As documents and pages say it."""


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 43, "A" * 5000])
async def test_another_link_is_none(sqlite_store: Store, token: str) -> None:
    owner, _ = await practice(sqlite_store)
    await invite(sqlite_store, owner)
    await dead(sqlite_store, token)


async def test_neither_the_database_nor_the_mail_that_waits_holds_the_link(store: Store) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    (row,) = await rows(store, invitations)
    (told,) = await store.notices.waiting()
    seed = told.news.values["invitation"]
    assert store.invitations.token(seed) == made.token
    assert told.owner == made.invitation.owner, "the organisation's"
    for text in (seed, row.token.hex(), made.invitation.token):
        await dead(store, text)
    assert MAIL.encode() not in row.content and MAIL not in repr(made) and made.token not in repr(made)


async def test_who_only_writes_to_the_database_gives_nobody_a_role(store: Store, time: Time) -> None:
    owner, _ = await practice(store)
    high, low = await invite(store, owner, "boss@example.org", ("owner",)), await invite(store, owner)
    there = {row.id: row for row in await rows(store, invitations)}
    of_high, of_low = there[high.invitation.id], there[low.invitation.id]
    async with store.database.write() as connection:
        for row, token in ((of_low, b"x" * 32), (of_high, of_low.token)):
            ours = invitations.c.id == row.id
            await connection.execute(update(invitations).where(ours).values(token=token))
    await dead(store, low.token)
    async with store.database.write() as connection:
        ours = invitations.c.id == of_low.id
        await connection.execute(update(invitations).where(invitations.c.id == of_high.id).values(token=of_high.token))
        values = {"token": of_low.token, "until": of_low.until + 10**6}
        await connection.execute(update(invitations).where(ours).values(values))
    await store.invitations.welcome(low.token)
    time.pass_(hours=72)
    await dead(store, low.token)


async def test_what_cannot_be_read_opens_nothing_and_dies_by_its_age(store: Store, time: Time) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    async with store.database.write() as connection:
        await connection.execute(update(invitations).values(content=b"x" * 300))
    await dead(store, made.token)
    assert await addresses(store, owner) == []
    time.pass_(hours=72)
    assert await store.invitations.bury() == 1


async def test_a_mail_and_its_invitation_are_one_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice that cannot be written takes the invitation back."""
    owner, _ = await practice(store)
    await invite(store, owner, "g@example.org")
    (told,) = await store.notices.waiting()
    monkeypatch.setattr("practice.notices.store.new_id", lambda: told.id)
    with pytest.raises(DomainError):
        await invite(store, owner)
    assert await addresses(store, owner) == ["g@example.org"]


@pytest.mark.parametrize("step", range(1, 8))
async def test_cut_off_anywhere_nothing_is_left_that_is_not_whole(
    store: Store, settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    owner, _ = await practice(store)
    scope, tell = await scope_of(store, owner.id), telling(store)
    cut_off(store, monkeypatch, step)
    try:
        made = await store.invitations.invite(scope, MAIL, ["assistant"], "fr", tell)
        await accept(store, made.token)
    except asyncio.CancelledError:
        pass
    monkeypatch.undo()
    await whole(store, settings, time)
    known = await store.practitioners.id_by_mail(OPERATOR, MAIL)
    assert known is None or await roles(store, known) == {"assistant"}


async def test_an_organisation_that_closes_takes_its_invitations_along(store: Store) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    await store.retention.close(Scope.operator(made.invitation.owner))
    await dead(store, made.token)
    await caught_up(store)
    assert await rows(store, invitations) == []


async def test_it_is_a_kind_that_is_not_given_out(store: Store) -> None:
    assert not INVITATIONS.timed and INVITATIONS.export is None
    assert timedelta(hours=72) == LIFE
    async with store.database.read() as connection:
        assert (await connection.execute(select(invitations))).all() == []
