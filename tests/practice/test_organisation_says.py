"""What an organisation says of itself: changed by who saw what it says, by one at a time."""

import asyncio
from dataclasses import replace

import pytest

from practice.organisation.model import Profile
from practice.storage import Store
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.people import Time
from tests.practice.test_organisation import practice, whole
from vault.errors import DomainError
from vault.records.scope import SERVER
from vault.settings import VaultSettings

OTHER = Profile("Praktijk Maan", "", "", "fr", "Europe/Brussels")


async def test_what_it_says_is_changed_by_who_saw_what_it_says(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    owner, *_ = await practice(store)
    scope = await scope_of(store, owner.id)
    changed = await store.organisation.change(scope, OTHER, 1)
    assert (changed.profile, changed.version) == (OTHER, 2)
    assert await store.organisation.get(OPERATOR) == changed == await store.organisation.get(SERVER)
    with pytest.raises(DomainError, match="conflict"):
        await store.organisation.change(scope, PRACTICE, 1)
    for wrong, field in ((replace(OTHER, name=" "), "organisation"), (replace(OTHER, zone="Mars"), "zone")):
        with pytest.raises(DomainError, match="invalid") as refused:
            await store.organisation.change(scope, wrong, 2)
        assert refused.value.field == field
    assert await store.organisation.get(OPERATOR) == changed
    await whole(store, settings, time)


async def test_of_two_who_change_it_at_once_one_does(store: Store) -> None:
    owner, *_ = await practice(store)
    scope = await scope_of(store, owner.id)
    names = [f"Praktijk {number}" for number in range(4)]
    done = await asyncio.gather(
        *(store.organisation.change(scope, replace(OTHER, name=name), 1) for name in names), return_exceptions=True
    )
    assert [isinstance(one, DomainError) and one.code for one in done].count("conflict") == 3
    assert (await store.organisation.get(OPERATOR)).version == 2
