"""Who can only write to the database gives nobody a role, and what cannot be read gives none either."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, update

from practice.organisation.model import FIRST, Member
from practice.organisation.records import MEMBERS, members, seal_member
from practice.storage import Store
from tests.organisations import OPERATOR, scope_of
from tests.practice.test_organisation import practice, roles, rows
from vault.errors import Unreadable
from vault.keys.envelope import new_key, pack, seal
from vault.records.scope import Scope


async def test_who_only_writes_to_the_database_gives_nobody_a_role(store: Store) -> None:
    owner, other, *_ = await practice(store)
    by_account = {row.account: row for row in await rows(store, members)}
    theirs = by_account[owner.id]
    forged = seal_member(new_key(), Member(theirs.id, theirs.owner, other.id, FIRST, "active", 1))
    async with store.database.write() as connection:
        ours = members.c.account == other.id
        await connection.execute(update(members).where(ours).values(content=forged["content"]))
    with pytest.raises(Unreadable):
        await store.organisation.standing(other.id)
    async with store.database.write() as connection:
        await connection.execute(delete(members).where(members.c.account.in_([other.id, owner.id])))
        await connection.execute(insert(members).values({**theirs._mapping, "account": other.id}))
    with pytest.raises(Unreadable):
        await store.organisation.standing(other.id)


async def test_the_operator_mends_what_cannot_be_read(store: Store) -> None:
    owner, *_ = await practice(store)
    async with store.database.write() as connection:
        ours = members.c.account == owner.id
        await connection.execute(update(members).where(ours).values(content=b"x" * 300))
    roster = await store.organisation.roster(await scope_of(store, (await practice_of(store))["dora"]))
    assert [one.newer for one in roster.damaged] == [False]
    await store.organisation.name_owner(Scope.operator(owner.id))
    assert await roles(store, owner.id) == FIRST


async def practice_of(store: Store) -> dict[str, str]:
    found = {}
    for name in ("alice", "bob", "dora", "emil"):
        found[name] = str(await store.practitioners.id_by_mail(OPERATOR, f"{name}@example.org"))
    return found


async def test_a_role_of_a_newer_program_is_kept_and_gives_nothing(store: Store) -> None:
    owner, other, *_ = await practice(store)
    row = next(row for row in await rows(store, members) if row.account == other.id)
    key, _ = await store.keys.get(row.owner, row.id)
    content = {"version": 1, "account": other.id, "roles": ["dentist"]}
    sealed = seal(key, pack({**content, "state": "active"}), MEMBERS.place(row.id, row.owner))
    async with store.database.write() as connection:
        await connection.execute(update(members).where(members.c.id == row.id).values(content=sealed))
    with pytest.raises(Unreadable):
        await store.organisation.standing(other.id)
    assert [one.newer for one in (await store.organisation.roster(await scope_of(store, owner.id))).damaged] == [True]


async def test_what_a_newer_program_added_stays(store: Store) -> None:
    owner, other, *_ = await practice(store)
    row = next(row for row in await rows(store, members) if row.account == other.id)
    key, _ = await store.keys.get(row.owner, row.id)
    member, _ = await store.reader.one(MEMBERS, row)
    sealed = seal_member(key, replace(member, unknown={"since": "2026"}))
    async with store.database.write() as connection:
        await connection.execute(update(members).where(members.c.id == row.id).values(sealed))
    changed = await store.organisation.set_roles(await scope_of(store, owner.id), other.id, ["support"])
    assert changed.unknown == {"since": "2026"}
