"""The link that makes the first account: once, for an hour, while there is none; and never for two."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from practice.organisation.first import MARK
from practice.organisation.model import FIRST, Profile
from practice.organisation.records import members
from practice.storage import Store
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.people import PASSWORD, Time, alice
from vault.database.tables import marks
from vault.errors import DomainError
from vault.settings import VaultSettings

LIFE = timedelta(hours=1)
"""As documents and pages say it."""

OURS = Profile("Praktijk Zon", "Zonstraat 1, Delft", "015 123 45 67", "nl", "Europe/Brussels")


async def begin(store: Store, secret: str, mail: str = "alice@example.org", **changes: Any) -> Any:
    said: dict[str, Any] = {"password": PASSWORD, "display_name": "Alice", "language": "nl", "profile": OURS} | changes
    return await store.organisation.begin(secret, mail, **said)


async def made(store: Store) -> str:
    """A link, on a server that has started."""
    await store.organisation.establish(OPERATOR, PRACTICE)
    secret = await store.organisation.first_link(OPERATOR)
    assert secret is not None
    return secret


async def test_it_makes_an_owner_and_says_what_the_organisation_is(store: Store) -> None:
    secret = await made(store)
    assert await store.organisation.is_first(secret)
    person = await begin(store, secret)
    standing = await store.organisation.standing(person.id)
    assert standing is not None and standing.roles == FIRST
    assert (await store.organisation.get(await scope_of(store, person.id))).profile == OURS
    assert await store.practitioners.authenticate("alice@example.org", PASSWORD) == person
    assert not await store.organisation.is_first(secret)
    with pytest.raises(DomainError, match="link_invalid"):
        await begin(store, secret, "bob@example.org")
    assert await store.organisation.first_link(OPERATOR) is None, "there is an account"


async def test_to_look_is_no_use_of_it(store: Store) -> None:
    secret = await made(store)
    for _ in range(3):
        assert await store.organisation.is_first(secret)
    await begin(store, secret)


async def test_after_an_hour_it_is_none(store: Store, time: Time) -> None:
    secret = await made(store)
    time.pass_(seconds=LIFE.total_seconds() - 1)
    assert await store.organisation.is_first(secret)
    time.pass_(seconds=1)
    assert not await store.organisation.is_first(secret)
    with pytest.raises(DomainError, match="link_invalid"):
        await begin(store, secret)
    assert await store.organisation.first_link(OPERATOR) is not None


async def test_a_new_one_takes_the_place_of_the_one_before(store: Store) -> None:
    before = await made(store)
    after = await made(store)
    assert not await store.organisation.is_first(before)
    await begin(store, after)


@pytest.mark.parametrize("secret", ["", "x", "é", "A" * 43, "A" * 5000])
async def test_another_is_none(sqlite_store: Store, secret: str) -> None:
    await made(sqlite_store)
    assert not await sqlite_store.organisation.is_first(secret)
    with pytest.raises(DomainError, match="link_invalid"):
        await begin(sqlite_store, secret)
    assert await sqlite_store.practitioners.id_by_mail(OPERATOR, "alice@example.org") is None


async def test_an_account_that_the_operator_made_ends_it(store: Store) -> None:
    secret = await made(store)
    await alice(store)
    assert not await store.organisation.is_first(secret)
    with pytest.raises(DomainError, match="link_invalid"):
        await begin(store, secret, "bob@example.org")


async def test_of_two_at_once_one_wins(settings: VaultSettings, time: Time) -> None:
    """Each at a server of its own, one with the operator's command beside them."""
    options: dict[str, Any] = {"now": time.now, "boot": time.boottime}
    async with open_store(settings, **options) as one, open_store(settings, exclusive=False, **options) as other:
        secret = await made(one)
        done = await asyncio.gather(
            begin(one, secret, "one@example.org"), begin(other, secret, "other@example.org"), return_exceptions=True
        )
        refused = [each for each in done if isinstance(each, DomainError)]
        assert [each.code for each in refused] == ["link_invalid"], done
        async with one.database.read() as connection:
            assert len((await connection.execute(select(members))).all()) == 1
        assert len(await one.keys.ids()) == 1 + 1 + 2, "nobody's, the organisation's, the account's and its member's"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "short"}, "password"),
        ({"display_name": "\u200b"}, "display_name"),
        ({"mail": "nonsense"}, "mail"),
        ({"profile": Profile("", "", "", "nl", "Europe/Paris")}, "organisation"),
        ({"profile": Profile("A\nB", "", "", "nl", "Europe/Paris")}, "organisation"),
        ({"profile": Profile("A", "", "", "nl", "Europe/Nowhere")}, "zone"),
        ({"profile": Profile("A", "", "", "nl", "../../etc/passwd")}, "zone"),
        ({"profile": Profile("A", "", "9" * 41, "nl", "Europe/Paris")}, "phone"),
    ],
)
async def test_bad_input_leaves_the_link_as_it_was(sqlite_store: Store, changes: dict[str, Any], field: str) -> None:
    secret = await made(sqlite_store)
    keys = set(await sqlite_store.keys.ids())
    with pytest.raises(DomainError, match="invalid") as refused:
        await begin(sqlite_store, secret, **changes)
    assert refused.value.field == field
    assert set(await sqlite_store.keys.ids()) == keys
    await begin(sqlite_store, secret)


async def test_who_only_writes_to_the_database_makes_none(sqlite_store: Store, time: Time) -> None:
    store = sqlite_store
    secret = await made(store)
    later = int(time.now().timestamp()) + 9999
    for value in (f"{'0' * 64}.{later}", f".{later}", secret, f"{secret}.{later}", "", "x.y"):
        async with store.database.write() as connection:
            await connection.execute(update(marks).where(marks.c.name == MARK).values(value=value))
        for tried in (secret, "", "0" * 64):
            assert not await store.organisation.is_first(tried)
    async with store.database.write() as connection:
        await connection.execute(delete(marks).where(marks.c.name == MARK))
    assert not await store.organisation.is_first(secret)
