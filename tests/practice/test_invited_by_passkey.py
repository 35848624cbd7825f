"""Who is invited and makes an account with a passkey alone: in one transaction, and nothing is left of one refused."""

import pytest
from sqlalchemy import insert

from practice.accounts.model import Practitioner
from practice.accounts.records import practitioners
from practice.factors import codes
from practice.factors.model import Passkey
from practice.factors.records import factors
from practice.organisation.model import PRACTITIONER, Member
from practice.organisation.records import members, seal_member
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR
from tests.people import START, Time
from tests.practice.posting import sqlite_store, store
from tests.practice.test_factors import passkey
from tests.practice.test_invitations import MAIL, NAME, accept, dead, invite, practice
from tests.practice.test_organisation import joined, roles, rows, whole
from vault.errors import DomainError
from vault.keys.envelope import new_key
from vault.records.content import new_id
from vault.settings import VaultSettings

__all__ = ["sqlite_store", "store"]


async def by_passkey(
    store: Store, token: str, account: str, key: Passkey | None = None, name: str = NAME
) -> tuple[Practitioner, tuple[str, ...]]:
    return await store.invitations.accept_by_passkey(token, account, name, "fr", key or passkey())


async def nothing_is_left(store: Store, keys: set[str]) -> None:
    assert set(await store.keys.ids()) == keys
    assert await rows(store, factors) == []
    assert await store.practitioners.id_by_mail(OPERATOR, MAIL) is None


async def test_account_member_passkey_and_codes_come_together(
    store: Store, settings: VaultSettings, time: Time
) -> None:
    owner, _ = await practice(store)
    made, account = await invite(store, owner, roles=("assistant", "auditor")), new_id()
    person, shown = await by_passkey(store, made.token, account)
    assert (person.id, person.mail, person.display_name, person.language) == (account, MAIL, NAME, "fr")
    assert await roles(store, account) == {"assistant", "auditor"}
    held = await store.factors.of(of(account))
    assert (held.passkeys, held.since, held.secret, held.version) == ((passkey(),), START, None, 1)
    assert len(set(shown)) == len(held.codes) == codes.HOW_MANY
    assert await store.factors.use(of(account), shown[0]) == "recovery"
    assert held.id not in dict(await store.keys.unconfirmed()), "its key is known to have its row at once"
    with pytest.raises(DomainError, match="link_invalid"):
        await by_passkey(store, made.token, new_id())
    await whole(store, settings, time)
    assert (await store.factors.of(of(account))).passkeys == (passkey(),)


async def test_a_second_factor_that_was_begun_so_is_changed_like_any_other(store: Store) -> None:
    owner, _ = await practice(store)
    made, account = await invite(store, owner), new_id()
    await by_passkey(store, made.token, account)
    assert await store.factors.add_passkey(of(account), passkey(1)) == ()
    with pytest.raises(DomainError, match="bad_state"):
        for one in ("id-0", "id-1"):
            await store.factors.remove(of(account), one, demanded=True)
    assert (await store.factors.of(of(account))).passkeys == (passkey(1),)


async def test_an_address_that_has_an_account_meanwhile_leaves_nothing(store: Store) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    other = await joined(store, "fatima")
    keys = set(await store.keys.ids())
    with pytest.raises(DomainError, match="conflict"):
        await by_passkey(store, made.token, new_id())
    assert set(await store.keys.ids()) == keys
    assert await rows(store, factors) == []
    assert await store.practitioners.get(of(other.id)) == other


async def test_what_is_undone_after_its_key_was_made_leaves_no_key(store: Store) -> None:
    """Somebody wrote to the database a member for the account that is only being made."""
    owner, _ = await practice(store)
    made, account = await invite(store, owner), new_id()
    squatter = seal_member(new_key(), Member(new_id(), made.invitation.owner, account, PRACTITIONER, "active", 1))
    async with store.database.write() as connection:
        await connection.execute(insert(members).values(squatter))
    keys = set(await store.keys.ids())
    with pytest.raises(DomainError, match="conflict"):
        await by_passkey(store, made.token, account)
    await nothing_is_left(store, keys)
    person, _ = await by_passkey(store, made.token, new_id())
    assert await store.practitioners.get(of(person.id)) == person


async def test_where_nobody_knows_whether_it_was_made_its_key_stays(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the commit is lost: a key that was forgotten then would have left an account without its factor."""
    store = sqlite_store
    owner, _ = await practice(store)
    made, account = await invite(store, owner), new_id()
    lost = DomainError("try_again")

    async def away() -> None:
        raise lost

    monkeypatch.setattr(store.database, "present", away)
    with pytest.raises(DomainError) as refused:
        await by_passkey(store, made.token, account)
    assert refused.value is lost
    monkeypatch.undo()
    assert await store.practitioners.id_by_mail(OPERATOR, MAIL) == account
    assert (await store.factors.of(of(account))).passkeys == (passkey(),)
    assert await roles(store, account) == {"assistant"}


@pytest.mark.parametrize("name", ["\u200b", "a\nb", ""])
async def test_a_name_that_is_none_makes_nothing(sqlite_store: Store, name: str) -> None:
    store = sqlite_store
    owner, _ = await practice(store)
    made = await invite(store, owner)
    keys = set(await store.keys.ids())
    with pytest.raises(DomainError, match="invalid"):
        await by_passkey(store, made.token, new_id(), name=name)
    await nothing_is_left(store, keys)
    await accept(store, made.token)


async def test_a_link_that_is_dead_makes_nothing_by_a_passkey_either(store: Store, time: Time) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    assert await store.invitations.stands(made.token)
    time.pass_(hours=72)
    assert not await store.invitations.stands(made.token)
    keys = set(await store.keys.ids())
    with pytest.raises(DomainError, match="link_invalid"):
        await by_passkey(store, made.token, new_id())
    await nothing_is_left(store, keys)
    await dead(store, made.token)


async def test_nobody_has_the_password_of_such_an_account(store: Store) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    person, shown = await by_passkey(store, made.token, new_id())
    for guess in ("", NAME, MAIL, *shown):
        assert await store.practitioners.authenticate(MAIL, guess) is None
    stored = {row.id: row.password for row in await rows(store, practitioners)}
    assert len(set(stored.values())) == len(stored)
    assert await store.practitioners.set_password(of(person.id), "vier losse woorden samen")
    assert await store.practitioners.authenticate(MAIL, "vier losse woorden samen") == person
