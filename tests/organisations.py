"""Organisations beside the one of a server."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import insert

from practice.organisation.model import Member, MemberRole, MemberState, Organisation, Profile
from practice.organisation.records import MEMBERS, organisations, seal_organisation
from practice.storage import Store
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.writing import Writer, always

PRACTICE = Profile("Praktijk Voorbeeld", "Straat 1, Utrecht", "030 123 45 67", "nl", "Europe/Amsterdam")
OPERATOR = Scope.operator()


async def house(store: Store) -> str:
    """A new organisation without members."""
    made = Organisation(new_id(), PRACTICE, 1)
    key = await store.keys.add_practitioner(made.id, store.clock.wall())
    async with store.database.write() as connection:
        await connection.execute(insert(organisations).values(seal_organisation(key, made)))
    await store.keys.confirm([made.id])
    return made.id


async def found(store: Store, account: str, roles: Collection[MemberRole]) -> Member:
    """One of its own for an account, which is its only member in these roles."""
    return await join(store, await house(store), account, roles)


async def join(
    store: Store, organisation: str, account: str, roles: Collection[MemberRole], asked: datetime | None = None
) -> Member:
    """An account that is no member yet becomes one, in these roles; who ``asked`` waits to be let in."""
    state: MemberState = "active" if asked is None else "deactivated"
    member = Member(new_id(), organisation, account, frozenset(roles), state, 1, asked=asked)
    assert await Writer(store.database, store.keys, store.clock.wall).first(MEMBERS, member, always)
    return member


async def scope_of(store: Store, account: str) -> Scope:
    """Of somebody who has signed in."""
    standing = await store.organisation.standing(account)
    assert standing is not None
    return Scope.practitioner(account, standing.organisation, standing.roles)
