"""Versions of what people agree to: kept, accepted with a date, and asked for again when they say something else."""

from datetime import timedelta
from typing import get_args

import pytest

from practice.accounts.model import Language
from practice.agreements.model import EXPECTED
from practice.storage import Store
from tests.organisations import house, join, scope_of
from tests.people import PASSWORD, Time
from tests.practice.outcomes import outcome
from vault.records.scope import Scope


def texts(said: str) -> dict[Language, str]:
    return dict.fromkeys(get_args(Language), said)


async def somebody(store: Store, organisation: str, role: str) -> Scope:
    person = await store.practitioners.add(f"{role}@example.org", PASSWORD, role, "nl")
    await join(store, organisation, person.id, [role])  # type: ignore[list-item]
    return await scope_of(store, person.id)


@pytest.mark.duty("S-01")
async def test_it_is_accepted_with_version_and_date_and_a_new_version_asks_again(store: Store, time: Time) -> None:
    me = await somebody(store, await house(store), "practitioner")
    first = await store.agreements.put_forward(me, "statement", texts("Een"))
    await store.agreements.put_forward(me, "processing", texts("Overeenkomst"))
    time.pass_(days=1)
    assert (await store.agreements.put_forward(me, "statement", texts("Een"))).id == first.id, "it says the same"
    (one, two) = await store.agreements.of(me)
    assert (one.document.id, one.accepted, two.accepted) == (first.id, None, None)
    made = await store.agreements.accept(me, "statement", first.mark)
    assert (made.mark, made.since, made.at) == (first.mark, first.since, time.now())
    time.pass_(days=1)
    assert (await store.agreements.accept(me, "statement", first.mark)).at == made.at, "again is no other thing"
    (one, _) = await store.agreements.of(me)
    assert one.accepted == made.at
    second = await store.agreements.put_forward(me, "statement", texts("Twee"))
    (one, _) = await store.agreements.of(me)
    assert (one.document.id, one.accepted) == (second.id, None)
    assert await outcome(store.agreements.accept(me, "statement", first.mark)) == "conflict"
    versions = [(one.name, one.texts["nl"]) for one in await store.agreements.versions(me)]
    assert versions[0] == ("statement", "Twee") and ("statement", "Een") in versions, "the old one can be read"
    time.pass_(days=1)
    await store.agreements.put_forward(me, "statement", texts("Een"))
    (one, _) = await store.agreements.of(me)
    assert one.accepted == made.at, "whoever agreed to that text agreed"


async def test_it_is_late_after_a_month_and_not_before(store: Store, time: Time) -> None:
    me = await somebody(store, await house(store), "practitioner")
    await store.agreements.put_forward(me, "statement", texts("Een"))
    time.pass_(seconds=(EXPECTED - timedelta(seconds=1)).total_seconds())
    assert [one.late for one in await store.agreements.of(me)] == [False]
    time.pass_(seconds=1)
    assert [one.late for one in await store.agreements.of(me)] == [True]


@pytest.mark.parametrize(("role", "names"), [("practitioner", 2), ("owner", 2), ("assistant", 1), ("auditor", 1)])
async def test_the_agreement_is_put_before_those_who_are_processed_for(store: Store, role: str, names: int) -> None:
    me = await somebody(store, await house(store), role)
    for name in ("statement", "processing"):
        await store.agreements.put_forward(me, name, texts(name))
    assert len(await store.agreements.of(me)) == names
    last = texts("processing")
    mark = next(one.mark for one in await store.agreements.versions(me) if one.texts == last)
    said = await outcome(store.agreements.accept(me, "processing", mark))
    assert (said == "not_found") == (names == 1)


async def test_what_stands_in_another_organisation_is_no_ones_here(store: Store) -> None:
    me = await somebody(store, await house(store), "practitioner")
    other = await somebody(store, await house(store), "owner")
    await store.agreements.put_forward(other, "statement", texts("Van een ander"))
    assert await store.agreements.of(me) == []
    assert await store.agreements.versions(me) == []
