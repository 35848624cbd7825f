"""Accounts: found by address, proven by password, readable by nobody without the keys."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from practice.accounts.records import seal_password
from practice.accounts.store import canonical
from practice.storage import Store
from tests.opening import of
from tests.people import PASSWORD, START, Time, alice, charlie
from vault.errors import DomainError
from vault.records.scope import SERVER


async def test_a_practitioner_signs_in_with_address_and_password(store: Store) -> None:
    person = await alice(store)
    assert await store.practitioners.authenticate("alice@example.org", PASSWORD) == person
    assert await store.practitioners.get(of(person.id)) == person
    assert await store.practitioners.by_mail(SERVER, " ALICE@example.ORG ") == person


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(store: Store) -> None:
    await alice(store)
    assert await store.practitioners.authenticate("alice@example.org", "wrong horse battery") is None
    assert await store.practitioners.authenticate("bob@example.org", PASSWORD) is None


async def test_an_address_belongs_to_one_practitioner(store: Store) -> None:
    await alice(store)
    with pytest.raises(DomainError, match="conflict"):
        await store.practitioners.add("alice@EXAMPLE.org", PASSWORD, "Another", "en")
    assert len(await store.keys.unconfirmed()) == 1, "no key is left of the refused one"


async def test_somebody_whose_key_is_gone_is_nobody(store: Store) -> None:
    """As in the middle of closing an account."""
    person = await alice(store)
    await store.keys.destroy([(person.id, person.id)], START)
    assert await store.practitioners.authenticate(person.mail, PASSWORD) is None


@pytest.mark.parametrize(
    ("mail", "password", "name"),
    [("a" * 242 + "@example.org", "8 at all", "x"), ("a@b", "x" * 1024, "x" * 200)],
    ids=["longest address", "longest name and password"],
)
async def test_the_longest_and_the_shortest_that_make_an_account(
    sqlite_store: Store, mail: str, password: str, name: str
) -> None:
    person = await sqlite_store.practitioners.add(mail, password, name, "nl")
    assert (person.mail, person.display_name) == (mail, name)


@pytest.mark.parametrize(
    ("mail", "password", "name"),
    [
        ("alice", PASSWORD, "Alice"),
        ("@example.org", PASSWORD, "Alice"),
        ("alice@", PASSWORD, "Alice"),
        ("alice@example.org\n", "7 of it", "Alice"),
        ("alice@exam\nple.org", PASSWORD, "Alice"),
        ("a" * 243 + "@example.org", PASSWORD, "Alice"),
        ("alice@example.org", PASSWORD, " "),
        ("alice@example.org", PASSWORD, "x" * 201),
        ("alice@example.org", "x" * 1025, "Alice"),
    ],
)
async def test_what_makes_no_account_is_refused(sqlite_store: Store, mail: str, password: str, name: str) -> None:
    with pytest.raises(DomainError, match="invalid"):
        await sqlite_store.practitioners.add(mail, password, name, "nl")


async def test_a_language_or_setting_that_does_not_exist_is_refused(sqlite_store: Store) -> None:
    with pytest.raises(DomainError, match="invalid"):
        await sqlite_store.practitioners.add("a@b.nl", PASSWORD, "Alice", "tlh")  # type: ignore[arg-type]  # the type refuses it as well
    with pytest.raises(DomainError, match="invalid"):
        await sqlite_store.practitioners.add("a@b.nl", PASSWORD, "Alice", "nl", "1y")  # type: ignore[arg-type]  # the type refuses it as well


async def test_an_unknown_id_is_not_found(store: Store) -> None:
    with pytest.raises(DomainError, match="not_found"):
        await store.practitioners.get(of("A" * 22))
    assert await store.practitioners.by_mail(SERVER, "A" * 22) is None


async def test_two_practitioners_do_not_mix(store: Store) -> None:
    one, other = await alice(store), await charlie(store)
    assert (await store.practitioners.get(of(one.id))).display_name == "Dr Alice Visser"
    assert (await store.practitioners.get(of(other.id))).display_name == "Charlie"


def test_addresses_are_compared_without_case_and_in_one_unicode_form() -> None:
    assert canonical(" JOSÉ@Example.org") == canonical("jose\u0301@EXAMPLE.ORG")


async def test_names_and_addresses_stay_out_of_repr(store: Store) -> None:
    text = repr(await alice(store))
    assert "Alice" not in text
    assert "example" not in text.lower()


async def test_an_unknown_address_costs_the_same_hashing(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await alice(sqlite_store)
    await sqlite_store.practitioners.authenticate("first@try.nl", PASSWORD)
    verified: list[str] = []
    plain = PasswordHasher.verify

    def verify(self: PasswordHasher, digest: str, password: str) -> bool:
        verified.append(digest)
        return plain(self, digest, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    for mail in ("alice@example.org", "nobody@example.org"):
        assert await sqlite_store.practitioners.authenticate(mail, "wrong horse battery") is None
    known, unknown = (extract_parameters(digest) for digest in verified)
    assert known == unknown


async def test_the_password_hash_is_argon2id_of_the_recommended_strength(
    sqlite_store: Store, real_hashing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed: list[str] = []

    def noted(key: bytes, row_id: str, digest: str) -> bytes:
        sealed.append(digest)
        return seal_password(key, row_id, digest)

    monkeypatch.setattr("practice.accounts.store.seal_password", noted)
    await alice(sqlite_store)
    parameters = extract_parameters(sealed[0])
    assert parameters.type is Type.ID
    assert (parameters.time_cost, parameters.memory_cost) >= (3, 65536)


async def test_a_hash_of_older_strength_is_renewed_at_sign_in(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alice(sqlite_store)
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(sqlite_store.practitioners, "_hasher", stronger)
    checked: list[bool] = []
    plain = PasswordHasher.check_needs_rehash

    def noted(hasher: PasswordHasher, digest: str) -> bool:
        checked.append(plain(hasher, digest))
        return checked[-1]

    monkeypatch.setattr(PasswordHasher, "check_needs_rehash", noted)
    for _ in range(2):
        assert await sqlite_store.practitioners.authenticate("alice@example.org", PASSWORD) is not None
    assert checked == [True, False]


async def test_an_account_that_may_have_been_written_keeps_its_key_for_a_while(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the database does not answer nobody knows whether it committed."""

    @contextlib.asynccontextmanager
    async def silent() -> AsyncIterator[None]:
        raise DomainError("try_again")
        yield

    monkeypatch.setattr(store.database, "write", silent)
    with pytest.raises(DomainError, match="try_again"):
        await alice(store)
    monkeypatch.undo()
    assert len(await store.keys.unconfirmed()) == 1
    time.pass_(minutes=20)
    await store.retention.sweep()
    assert await store.keys.unconfirmed() == []
    assert (await alice(store)).mail == "Alice@Example.org"
