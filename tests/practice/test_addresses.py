"""Which mail addresses are one and which are two, and who gets one when many want it (S-10)."""

import asyncio

import pytest
from sqlalchemy import func, select

from practice.accounts.records import practitioners
from practice.storage import Store
from tests.people import PASSWORD
from tests.practice.outcomes import outcome
from vault.records.scope import SERVER

OTHERS = (
    "noor+praktijk@example.org",  # whose mailbox a tag leads to only its server knows
    "noor@example.com",
    "n.oor@example.org",
    "n\u043eor@example.org",  # a Cyrillic letter that looks the same
    "noor@ex\u0430mple.org",
    "n\u00f6or@example.org",
)
SAME = ("NOOR@EXAMPLE.ORG", " noor@example.org ", "noor@Example.Org")


@pytest.mark.duty("S-10")
@pytest.mark.parametrize("other", OTHERS)
async def test_a_tag_or_a_letter_that_looks_the_same_is_another_address(sqlite_store: Store, other: str) -> None:
    one = await sqlite_store.practitioners.add("noor@example.org", PASSWORD, "Noor", "nl")
    assert await sqlite_store.practitioners.authenticate(other, PASSWORD) is None
    made = await sqlite_store.practitioners.add(other, PASSWORD, "Another", "nl")
    assert made.id != one.id
    found = await sqlite_store.practitioners.authenticate("noor@example.org", PASSWORD)
    assert found is not None and found.id == one.id


@pytest.mark.duty("S-10")
@pytest.mark.parametrize("typed", SAME)
async def test_capitals_and_space_make_no_other_address(sqlite_store: Store, typed: str) -> None:
    one = await sqlite_store.practitioners.add("noor@example.org", PASSWORD, "Noor", "nl")
    assert await sqlite_store.practitioners.id_by_mail(SERVER, typed) == one.id
    assert await outcome(sqlite_store.practitioners.add(typed, PASSWORD, "Another", "nl")) == "conflict"


@pytest.mark.duty("S-10")
async def test_of_many_who_come_with_one_address_at_once_one_has_it(store: Store) -> None:
    adding = store.practitioners.add
    written = ("noor@example.org", "NOOR@example.org", "noor@EXAMPLE.org", " noor@example.org")
    made = await asyncio.gather(*(outcome(adding(one, PASSWORD, "Noor", "nl")) for one in written))
    assert sorted(isinstance(one, str) for one in made) == [False, True, True, True]
    assert {one for one in made if isinstance(one, str)} <= {"conflict", "try_again"}
    assert (await store.database.ask(select(func.count()).select_from(practitioners)))[0][0] == 1
