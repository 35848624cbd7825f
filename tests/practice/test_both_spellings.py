"""A domain of another script has two spellings and an address in it one account, whichever release made it."""

import unicodedata

import pytest
from sqlalchemy import update

from practice.accounts.model import Practitioner
from practice.accounts.records import practitioners
from practice.storage import Store
from tests.organisations import OPERATOR
from tests.people import PASSWORD, alice
from tests.practice.posting import sqlite_store, store
from tests.practice.test_invitations import invite, practice
from tests.practice.test_mail_changes import agree, ask, carry_out
from vault.errors import DomainError
from vault.records.scope import SERVER

__all__ = ["sqlite_store", "store"]

SCRIPT, DNS = "fatima@bücher.example", "Fatima@xn--bcher-kva.example"
BOTH = pytest.mark.parametrize(("made", "typed"), [(SCRIPT, DNS), (DNS, SCRIPT), (SCRIPT, SCRIPT), (DNS, DNS)])


async def person(store: Store, mail: str, *, before: bool) -> Practitioner:
    """With this address; as a release of ``before`` kept it, by what was typed."""
    made = await store.practitioners.add(mail, PASSWORD, "Fatima", "nl")
    if before:
        kept = store.keys.mail_index(unicodedata.normalize("NFKC", mail).strip().casefold())
        async with store.database.write() as connection:
            await connection.execute(update(practitioners).where(practitioners.c.id == made.id).values(mail=kept))
    return made


@BOTH
@pytest.mark.duty("S-10")
@pytest.mark.parametrize("before", [False, True])
async def test_either_finds_the_account_and_no_second(store: Store, made: str, typed: str, *, before: bool) -> None:
    one = await person(store, made, before=before)
    assert await store.practitioners.id_by_mail(SERVER, typed) == one.id
    signed_in = await store.practitioners.authenticate(typed, PASSWORD)
    assert signed_in is not None and signed_in.id == one.id
    with pytest.raises(DomainError, match="conflict"):
        await store.practitioners.add(typed, PASSWORD, "Another", "nl")


@BOTH
@pytest.mark.parametrize("before", [False, True])
async def test_either_is_taken_for_who_wants_another_address(
    store: Store, made: str, typed: str, *, before: bool
) -> None:
    await person(store, made, before=before)
    other = await alice(store)
    tokens = await ask(store, other, typed)
    with pytest.raises(DomainError, match="conflict"):
        await agree(store, {"new": tokens["new"]})


async def test_who_took_the_other_spelling_meanwhile_keeps_it(store: Store) -> None:
    other = await alice(store)
    tokens = await ask(store, other, SCRIPT)
    await agree(store, tokens)
    await person(store, DNS, before=False)
    assert await carry_out(store, other, tokens) == "conflict"


async def test_ones_own_address_in_the_other_spelling_is_no_change(store: Store) -> None:
    one = await person(store, SCRIPT, before=True)
    with pytest.raises(DomainError, match="invalid"):
        await ask(store, one, DNS)


@BOTH
async def test_who_is_invited_or_a_member_is_so_in_either(store: Store, made: str, typed: str) -> None:
    owner, _ = await practice(store)
    await invite(store, owner, made)
    with pytest.raises(DomainError, match="conflict"):
        await invite(store, owner, typed)
    await store.organisation.add_account(OPERATOR, "jan@xn--bcher-kva.example", PASSWORD, "Jan", "nl")
    with pytest.raises(DomainError, match="conflict"):
        await invite(store, owner, "jan@bücher.example")
