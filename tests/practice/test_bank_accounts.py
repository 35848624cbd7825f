"""A bank account: its number is checked, and dies alone or with the account, under a key of its own."""

import pytest

from practice.billing.iban import LENGTHS, LONGEST, grouped, iban, masked
from practice.billing.records import BANK_ACCOUNTS
from practice.storage import Store
from tests.opening import of
from tests.people import alice, charlie, plan
from vault.errors import DomainError
from vault.keys.store import KeyStore

DUTCH = "NL91ABNA0417164300"
RIGHT = [
    DUTCH, "BE68539007547034", "DE89370400440532013000", "FR1420041010050500013M02606", "GB29NWBK60161331926819",
    "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "LC55HEMM000100010012001200023015",
]  # fmt: skip
"""Examples of the register: the shortest, and letters in every place."""


@pytest.mark.duty("S-14")
@pytest.mark.parametrize("number", RIGHT)
def test_a_number_is_right_in_groups_small_letters_and_what_programs_put_between(number: str) -> None:
    assert iban(number) == number
    assert iban(f"\u2066 {grouped(number).lower()}\u00a0\u2069") == iban("-".join(number)) == number


@pytest.mark.duty("S-14")
def test_every_wrong_digit_and_every_exchange_of_neighbours_is_found() -> None:
    for at in range(2, len(DUTCH)):
        for other in "0123456789":
            typed = DUTCH[:at] + other + DUTCH[at + 1 :]
            assert typed == DUTCH or refused(typed), typed
        exchanged = DUTCH[: at - 1] + DUTCH[at] + DUTCH[at - 1] + DUTCH[at + 1 :]
        assert exchanged == DUTCH or refused(exchanged), exchanged


@pytest.mark.parametrize(
    "typed",
    [
        "", "NL", DUTCH[:-1], f"{DUTCH}0", "XX91ABNA0417164300", "NL91ABNA041716430\u0660", "NL91 ABNA 0417 1643 0O",
        "US64SVBKUS6S3300958879", "417164300", "NL91ABNA0417164300'--",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(typed: str) -> None:
    assert refused(typed)


def test_check_digits_that_are_none_are_refused() -> None:
    """Each number has three that divide: 97 more or less is the same rest."""
    body = next(f"NL{{}}ABNA{number:010}" for number in range(10**6) if not refused(f"NL02ABNA{number:010}"))
    assert (refused(body.format("02")), refused(body.format("99"))) == (False, True)
    body = next(f"NL{{}}ABNA{number:010}" for number in range(10**6) if not refused(f"NL97ABNA{number:010}"))
    assert (refused(body.format("97")), refused(body.format("00"))) == (False, True)


def test_shown_are_the_country_and_the_last_four() -> None:
    assert (masked(DUTCH), masked("")) == ("NL** **** 4300", "")
    assert max(LENGTHS.values()) <= LONGEST


def refused(typed: str) -> bool:
    try:
        iban(typed)
    except DomainError as error:
        assert (error.code, error.field) == ("invalid", "iban")
        return True
    return False


@pytest.mark.duty("S-14")
async def test_it_dies_alone_by_a_key_of_its_own(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    planned = await plan(store, person)
    assert (await store.bank_accounts.of(of(person.id))).version == 0
    kept = await store.bank_accounts.set_iban(of(person.id), DUTCH.lower(), 0)
    assert (kept.iban, DUTCH in repr(kept)) == (DUTCH, False)
    assert (await store.bank_accounts.of(of(other.id))).iban == ""
    keys = await _keys(store.keys, person.id, kept.id, planned.id, person.id)
    assert len(set(keys)) == 3
    with pytest.raises(DomainError, match="conflict"):
        await store.bank_accounts.set_iban(of(person.id), RIGHT[1], 0)
    assert (await store.bank_accounts.set_iban(of(person.id), RIGHT[1], 1)).version == 2
    await store.retention.destroy(of(person.id), kept.id, BANK_ACCOUNTS)
    assert await store.keys.missing([kept.id, planned.id, person.id]) == [kept.id]
    assert (await store.bank_accounts.of(of(person.id))).version == 0
    assert (await store.appointments.get(of(person.id), planned.id)).id == planned.id


@pytest.mark.duty("S-14")
async def test_it_ends_with_the_account(store: Store) -> None:
    person = await alice(store)
    kept = await store.bank_accounts.set_iban(of(person.id), DUTCH, 0)
    await store.retention.close(of(person.id))
    assert await store.keys.receipt(person.id, kept.id) is not None
    with pytest.raises(DomainError, match="not_found"):
        await store.bank_accounts.set_iban(of(person.id), DUTCH, 0)


async def _keys(keys: KeyStore, owner: str, *ids: str) -> list[bytes]:
    return [(await keys.get(owner, one))[0] for one in ids]
