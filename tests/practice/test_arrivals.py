"""Who registers and waits to be let in; and an organisation of somebody's own."""

from datetime import timedelta
from typing import Any

import pytest

from practice.accounts.model import Practitioner
from practice.organisation.arrivals import ANSWERED_WITHIN
from practice.organisation.model import FIRST, Profile
from practice.organisation.records import organisations
from practice.storage import Store
from signaling.scopes import of_server
from tests.opening import of
from tests.organisations import OPERATOR, scope_of
from tests.people import Time, caught_up
from tests.practice.posting import sqlite_store, store
from tests.practice.test_invitations import practice
from tests.practice.test_organisation import roles, rows, whole
from tests.practice.test_registrations import MAIL, NAME, OWN, accept, ask, dead, listing, opened, token
from vault.errors import DomainError
from vault.settings import VaultSettings

__all__ = ["opened", "sqlite_store", "store"]


async def waiting(store: Store, owner: Practitioner) -> Practitioner:
    listed = await listing(store, owner, approval=True)
    made = await accept(store, await token(store), listed.owner)
    assert made.waits and await store.organisation.standing(made.person.id) is None
    return made.person


async def test_with_approval_nobody_signs_in_before_somebody_lets_them_in(store: Store) -> None:
    owner, administrator = await practice(store)
    person = await waiting(store, owner)
    scope, told = await scope_of(store, administrator.id), store.notices.of(person.id)
    assert (await store.organisation.person(scope, person.id)).member.waits
    member = await store.arrivals.approve(scope, person.id, told)
    assert member.active and member.asked is None
    assert await roles(store, person.id) == {"assistant"}
    for call in (store.arrivals.approve, store.arrivals.refuse):
        with pytest.raises(DomainError, match="not_found"):
            await call(scope, person.id, told)
    await store.organisation.set_state(scope, person.id, "deactivated")
    assert not (await store.organisation.person(scope, person.id)).member.waits


async def test_who_could_let_somebody_in_is_known_to_the_server_alone(sqlite_store: Store) -> None:
    store = sqlite_store
    owner, other = await practice(store)
    organisation = (await scope_of(store, owner.id)).organisation
    assert organisation is not None
    assert set(await store.arrivals.deciders(of_server(), organisation)) == {owner.id, other.id}
    for role in ("practitioner", "department_administrator"):
        await store.organisation.set_roles(await scope_of(store, owner.id), other.id, [role])
        assert await store.arrivals.deciders(of_server(), organisation) == [owner.id]
    with pytest.raises(DomainError, match="not_found"):
        await store.arrivals.deciders(await scope_of(store, owner.id), organisation)


@pytest.mark.parametrize("role", ["practitioner", "assistant", "auditor", "support", "department_administrator"])
async def test_who_may_not_change_people_lets_nobody_in(sqlite_store: Store, role: Any) -> None:
    store = sqlite_store
    owner, other = await practice(store)
    person = await waiting(store, owner)
    await store.organisation.set_roles(await scope_of(store, owner.id), other.id, [role])
    scope = await scope_of(store, other.id)
    for call in (store.arrivals.approve, store.arrivals.refuse):
        with pytest.raises(DomainError, match="not_found"):
            await call(scope, person.id, store.notices.of(person.id))
    assert await store.organisation.standing(person.id) is None


async def test_turned_down_the_account_is_to_be_closed_and_nobody_lets_it_in_any_more(store: Store) -> None:
    owner, _ = await practice(store)
    person = await waiting(store, owner)
    scope, told = await scope_of(store, owner.id), store.notices.of(person.id)
    assert await store.arrivals.unanswered() == []
    await store.arrivals.refuse(scope, person.id, told)
    assert await store.arrivals.unanswered() == [person.id]
    with pytest.raises(DomainError, match="not_found"):
        await store.arrivals.approve(scope, person.id, told)
    await store.retention.close(of(person.id))
    assert await store.arrivals.unanswered() == []
    assert await store.practitioners.id_by_mail(OPERATOR, MAIL) is None


async def test_without_an_answer_in_thirty_days_the_account_is_to_be_closed(store: Store, time: Time) -> None:
    owner, _ = await practice(store)
    person, late = await waiting(store, owner), ANSWERED_WITHIN - timedelta(seconds=1)
    time.pass_(seconds=late.total_seconds())
    assert await store.arrivals.unanswered() == []
    time.pass_(seconds=1)
    assert await store.arrivals.unanswered() == [person.id]
    await store.organisation.set_state(await scope_of(store, owner.id), person.id, "active")
    assert await store.arrivals.unanswered() == []
    await caught_up(store)


@pytest.mark.parametrize("name", ["alice", "Alice", "\u0430\u04cf\u0456\u0441\u0435", "a1ice"])
async def test_who_is_called_like_a_member_waits_whatever_is_listed(sqlite_store: Store, name: str) -> None:
    store = sqlite_store
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    assert (await accept(store, await token(store), listed.owner, name)).waits
    assert not (await accept(store, await token(store, "b@practice.example"), listed.owner, "Alina")).waits


# --- an organisation of one's own ------------------------------------------------------------------------------------


async def test_whoever_founds_an_organisation_owns_it_alone(store: Store, settings: VaultSettings, time: Time) -> None:
    owner, _ = await practice(store)
    store.registrations.ways = frozenset({"founding"})
    link = await token(store)
    shown = await store.registrations.opened(link)
    assert (shown.hosts, shown.founding) == ((), True)
    made = await accept(store, link, OWN)
    theirs = await scope_of(store, made.person.id)
    assert (theirs.organisation, theirs.roles) == (made.organisation, FIRST)
    assert (await store.organisation.get(theirs)).profile == OWN
    assert [one.member.account for one in (await store.organisation.roster(theirs)).people] == [made.person.id]
    ours = await scope_of(store, owner.id)
    assert ours.organisation != made.organisation
    assert made.person.id not in [one.member.account for one in (await store.organisation.roster(ours)).people]
    await dead(store, link, OWN)
    await whole(store, settings, time)


async def test_refused_nothing_is_left_of_an_organisation(store: Store) -> None:
    await practice(store)
    first, second = await token(store), await token(store)
    made = await accept(store, first, OWN)
    keys, there = set(await store.keys.ids()), await rows(store, organisations)
    other = Profile("Een andere", "", "", "nl", "Europe/Amsterdam")
    with pytest.raises(DomainError, match="link_invalid"):
        await accept(store, second, other)
    assert set(await store.keys.ids()) == keys
    assert await rows(store, organisations) == there and made.organisation in {row.id for row in there}


@pytest.mark.parametrize(
    ("changes", "name", "field"),
    [
        ({"name": "Praktijk  V00rbee1d"}, NAME, "organisation"),
        ({"name": "Pr\u0430ktijk Zuid"}, NAME, "organisation"),
        ({"zone": "Mars/Olympus"}, NAME, "zone"),
        ({"name": " "}, NAME, "organisation"),
        ({}, "N\u043eor", "display_name"),
        ({}, "\u2800", "display_name"),
    ],
)
async def test_names_that_look_like_what_they_are_not_are_refused(
    sqlite_store: Store, changes: dict[str, str], name: str, field: str
) -> None:
    store = sqlite_store
    await practice(store)
    link, keys = await token(store), set(await store.keys.ids())
    profile: Any = {"name": OWN.name, "address": "", "phone": "", "language": "nl", "zone": OWN.zone} | changes
    with pytest.raises(DomainError, match="invalid") as refused:
        await accept(store, link, Profile(**profile), name)
    assert refused.value.field == field
    assert set(await store.keys.ids()) == keys, "nothing is left of it"
    await store.registrations.opened(link)


@pytest.mark.parametrize("password", ["kort", "password123", "noor@practice.example"])
async def test_a_password_that_is_none_leaves_the_link_good(sqlite_store: Store, password: str) -> None:
    store = sqlite_store
    await practice(store)
    link = await token(store)
    with pytest.raises(DomainError, match=r"password_common|invalid"):
        await accept(store, link, OWN, password=password)
    await accept(store, link, OWN)


async def test_of_a_domain_that_mixes_scripts_nobody_founds_one(sqlite_store: Store) -> None:
    await practice(sqlite_store)
    assert await ask(sqlite_store, "noor@pr\u0430ctice.example") is None
    assert await ask(sqlite_store, "noor@bücher.example") == "new"


async def test_before_there_is_an_organisation_nobody_registers(sqlite_store: Store) -> None:
    assert await ask(sqlite_store) is None
