"""Accounts: found by address, proven by password, readable by nobody without the keys."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from sqlalchemy import select, update

from practice.accounts.records import practitioners, profile_place, seal_password
from practice.accounts.store import PASSWORD_LENGTH
from practice.mailboxes import canonical
from practice.particulars.model import Told
from practice.storage import Store
from tests.opening import of
from tests.people import PASSWORD, START, Time, alice, charlie
from vault.errors import DomainError, Newer
from vault.keys.envelope import pack, seal
from vault.records.scope import SERVER
from vault.records.writing import Allowed


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


@pytest.mark.parametrize("password", ["7 of it", "x" * 1025, "password1", "Dr Alice Visser", "alice@example.org"])
async def test_a_password_that_is_none_or_common_stays_out(sqlite_store: Store, password: str) -> None:
    person = await alice(sqlite_store)
    with pytest.raises(DomainError) as refused:
        await sqlite_store.practitioners.set_password(of(person.id), password)
    length = len(password) not in PASSWORD_LENGTH
    assert (refused.value.code, refused.value.field) == (
        ("invalid", "password") if length else ("password_common", None)
    )
    assert await sqlite_store.practitioners.authenticate(person.mail, PASSWORD) == person


async def test_another_password_is_written_with_what_goes_along_and_alone_in_its_row(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    done: list[bool] = []

    async def along(change: Allowed) -> bool:
        async with store.database.write() as connection:
            done.append(await change(connection))
        return done[-1]

    for password in ("8 at all", ("vier losse woorden " * 60)[:1024]):
        assert await store.practitioners.set_password(of(person.id), password, along)
        assert await store.practitioners.authenticate(person.mail, password) == person
    assert done == [True, True]
    assert await store.practitioners.authenticate(other.mail, PASSWORD) == other


async def test_an_account_that_is_being_closed_gets_no_other_password(store: Store) -> None:
    person = await alice(store)
    await store.retention.request_closure(of(person.id))
    with pytest.raises(DomainError, match="not_found"):
        await store.practitioners.set_password(of(person.id), "vier losse woorden samen")


@pytest.mark.parametrize(
    ("name", "language", "field"),
    [("\u200b", "nl", "display_name"), ("x" * 201, "nl", "display_name"), ("Alice", "tlh", "language")],
)
async def test_a_name_or_language_that_is_none_changes_nothing(
    sqlite_store: Store, name: str, language: Any, field: str
) -> None:
    person = await alice(sqlite_store)
    with pytest.raises(DomainError, match="invalid") as refused:
        await sqlite_store.practitioners.rename(of(person.id), name, language, 1)
    assert refused.value.field == field
    assert await sqlite_store.practitioners.get(of(person.id)) == person


async def test_a_name_is_changed_by_who_saw_the_one_before(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    changed = await store.practitioners.rename(of(person.id), " Dr A. Visser ", "fr", 1)
    assert (changed.display_name, changed.language, changed.version) == ("Dr A. Visser", "fr", 2)
    with pytest.raises(DomainError, match="conflict"):
        await store.practitioners.rename(of(person.id), "Another", "nl", 1)
    assert await store.practitioners.get(of(person.id)) == changed
    assert await store.practitioners.get(of(other.id)) == other


@pytest.mark.parametrize("part", ["profile", "password"])
async def test_an_account_that_was_mended_is_damage_no_more(store: Store, part: str) -> None:
    person = await alice(store)
    (row,) = await store.database.ask(select(practitioners))

    async def put(content: bytes) -> None:
        async with store.database.write() as connection:
            await connection.execute(update(practitioners).values({part: content}))

    async def signed_in() -> str | None:
        try:
            found = await store.practitioners.authenticate(person.mail, PASSWORD)
        except DomainError as error:
            return error.code
        return None if found is None else found.id

    await put(b"x" * 300)
    assert [await signed_in(), await signed_in()] == ["unreadable", "unreadable"]
    assert store.retention.damage == (0, 1)
    await put(getattr(row, part))
    assert await signed_in() == person.id
    assert store.retention.damage == (0, 0)


async def test_an_account_of_a_newer_program_is_no_damage(store: Store) -> None:
    person = await alice(store)
    key, _ = await store.keys.get(person.id, person.id)
    (row,) = await store.database.ask(select(practitioners))
    newer = seal(key, pack({"version": 2}), profile_place(person.id))
    for profile, counted in ((newer, 1), (row.profile, 0)):
        async with store.database.write() as connection:
            await connection.execute(update(practitioners).values(profile=profile))
        if counted:
            with pytest.raises(Newer):
                await store.practitioners.get(of(person.id))
        else:
            assert await store.practitioners.get(of(person.id)) == person
        assert (await store.retention.status()).newer == counted
        assert store.retention.damage == (0, 0)


async def test_while_the_disk_is_nearly_full_nothing_new_is_kept_of_an_account(store: Store) -> None:
    person = await alice(store)
    store.reserve.low = True
    for call in (
        store.factors.begin(of(person.id)),
        store.particulars.tell(of(person.id), Told(city="Delft"), 0),
        store.bank_accounts.set_iban(of(person.id), "NL91 ABNA 0417 1643 00", 0),
        store.appointments.create(of(person.id), "Jan", START, 30, "nl"),
    ):
        with pytest.raises(DomainError, match="try_again"):
            await call
    assert await store.practitioners.rename(of(person.id), "Another", "nl", 1), "what takes no more room is changed"
    store.reserve.low = False
    assert (await store.particulars.tell(of(person.id), Told(city="Delft"), 0)).version == 1
