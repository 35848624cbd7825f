"""The mail domains that an owner lists: matched whole, and good for no more than who treats or assists."""

from typing import Any

import pytest

from practice.organisation.records import registrations
from practice.organisation.rights import ROLES
from practice.registrations.domains import PUBLIC
from practice.registrations.records import mail_domains
from practice.storage import Store
from tests.organisations import found, scope_of
from tests.people import charlie
from tests.practice.posting import sqlite_store, store
from tests.practice.test_invitations import practice
from tests.practice.test_organisation import rows
from tests.practice.test_registrations import accept, ask, dead, listing, opened, token
from vault.errors import DomainError

__all__ = ["opened", "sqlite_store", "store"]


async def test_only_an_owner_lists_domains_and_nobody_becomes_one_by_them(sqlite_store: Store) -> None:
    store = sqlite_store
    owner, other = await practice(store)
    listed = await listing(store, owner)
    for role in ROLES:
        await store.organisation.set_roles(await scope_of(store, owner.id), other.id, [role])
        if role != "owner":
            with pytest.raises(DomainError, match="not_found"):
                await listing(store, other, "g.example")
            with pytest.raises(DomainError, match="not_found"):
                await store.mail_domains.remove(await scope_of(store, other.id), listed.id)
            with pytest.raises(DomainError, match="not_found"):
                await store.mail_domains.of(await scope_of(store, other.id))
        if role not in ("practitioner", "assistant"):
            forged: Any = role
            with pytest.raises(DomainError, match="invalid"):
                await listing(store, owner, "g.example", forged)
    assert await store.mail_domains.of(await scope_of(store, owner.id)) == [listed]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("@Practice.Example.", "practice.example"),
        (" bücher.example ", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("localhost", None),
        ("127.0.0.1", None),
        ("a@b.example", None),
        ("*.example.org", None),
        ("pr\u0430ctice.example", None),
        ("xn--prctice-3fg.example", None),
        ("", None),
    ],
)
async def test_a_domain_is_kept_as_the_dns_has_it(sqlite_store: Store, typed: str, name: str | None) -> None:
    store = sqlite_store
    owner, _ = await practice(store)
    if name is None:
        with pytest.raises(DomainError, match="invalid"):
            await listing(store, owner, typed)
        return
    assert (await listing(store, owner, typed)).name == name
    with pytest.raises(DomainError, match="conflict"):
        await listing(store, owner, name.upper())
    assert await ask(store, f"noor@{typed.strip().removeprefix('@').removesuffix('.')}") == "new"


async def test_of_a_public_provider_each_is_let_in_by_somebody(sqlite_store: Store) -> None:
    store = sqlite_store
    owner, _ = await practice(store)
    assert "gmail.com" in PUBLIC
    assert (await listing(store, owner, "GMail.com")).approval
    assert (
        await accept(store, await token(store, "noor@gmail.com"), (await scope_of(store, owner.id)).organisation or "")
    ).waits


async def test_where_two_list_a_domain_whoever_comes_chooses(store: Store) -> None:
    owner, _ = await practice(store)
    other = await charlie(store)
    theirs = (await found(store, other.id, ["owner"])).owner
    ours = (await listing(store, owner)).owner
    await listing(store, other, role="practitioner", approval=True)
    link = await token(store)
    shown = await store.registrations.opened(link)
    assert {(one.organisation, one.approval) for one in shown.hosts} == {(ours, False), (theirs, True)}
    made = await accept(store, link, theirs)
    assert (made.organisation, made.waits) == (theirs, True)


async def test_who_writes_to_the_database_alone_lists_no_domain(sqlite_store: Store) -> None:
    """A row turned over to another domain lists neither."""
    store = sqlite_store
    owner, _ = await practice(store)
    await listing(store, owner)
    store.registrations.ways = frozenset({"domains"})
    index = store.keys.mail_index("@evil.example")
    async with store.database.write() as connection:
        await connection.execute(mail_domains.update().values(domain=index))
    assert await ask(store, "mallory@evil.example") is None and await ask(store) is None


async def test_a_link_turned_over_to_another_row_opens_nothing(sqlite_store: Store) -> None:
    store = sqlite_store
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    mine, theirs = await token(store, "mallory@practice.example"), await token(store)
    sealed = {row.mail: row for row in await rows(store, registrations)}
    victim = sealed[store.keys.mail_index("noor@practice.example")]
    mallory = sealed[store.keys.mail_index("mallory@practice.example")]
    async with store.database.write() as connection:
        await connection.execute(registrations.delete().where(registrations.c.token == victim.token))
        await connection.execute(
            registrations.update().where(registrations.c.token == mallory.token).values(content=victim.content)
        )
    for link in (mine, theirs):
        await dead(store, link, listed.owner)
