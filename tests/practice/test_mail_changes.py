"""Another mail address, on both databases: who confirms, who is first, and that it is one transaction."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from practice.accounts.model import Practitioner, Side
from practice.accounts.records import mail_changes, practitioners
from practice.notices.model import News
from practice.storage import Store
from tests.opening import of
from tests.people import PASSWORD, Time, alice, charlie
from tests.practice.posting import sqlite_store, store
from vault.errors import DomainError, Unreadable
from vault.records.scope import SERVER, Scope
from vault.records.writing import Along

__all__ = ["sqlite_store", "store"]
"""Fixtures, with a mail server."""

LIFE = timedelta(days=1)
"""As documents and pages say it."""

NEW = "another@example.org"


async def ask(store: Store, person: Practitioner, mail: str = NEW, scope: Scope | None = None) -> dict[Side, str]:
    """The tokens of both links."""
    tokens: dict[Side, str] = {}

    def tell(one: Practitioner, seeds: dict[Side, str]) -> Along:
        assert one.id == person.id
        tokens.update({side: store.mail_changes.token(seed) for side, seed in seeds.items()})
        return store.notices.of(one.id, News("mail-confirm", mail, one.language, {"mail": seeds["new"]}))

    await store.mail_changes.ask(scope or of(person.id), mail, "a session", tell)
    return tokens


async def agree(store: Store, tokens: dict[Side, str]) -> None:
    for token in tokens.values():
        assert await store.mail_changes.confirm(token) is not None


def told(store: Store, person: Practitioner) -> Along:
    return store.notices.of(person.id, News("mail-changed", person.mail, person.language))


async def carry_out(store: Store, person: Practitioner, tokens: dict[Side, str]) -> bool | str:
    try:
        return await store.mail_changes.carry_out(tokens["old"], told(store, person))
    except DomainError as error:
        return error.code


async def words(store: Store) -> list[str]:
    return [one.news.word for one in await store.notices.waiting()]


@pytest.mark.duty("S-10")
async def test_it_is_carried_out_once_when_both_agree(store: Store) -> None:
    person = await alice(store)
    tokens = await ask(store, person)
    for side in ("old", "new"):
        assert not await carry_out(store, person, tokens)
        found = await store.mail_changes.confirm(tokens[side])
        assert found is not None and side in found.agreed
    assert await store.practitioners.get(of(person.id)) == person
    done = await asyncio.gather(*(carry_out(store, person, tokens) for _ in range(6)))
    assert sorted(map(bool, done)) == [False] * 5 + [True]
    assert sorted(await words(store)) == ["mail-changed", "mail-confirm"]
    after = await store.practitioners.get(of(person.id))
    assert (after.mail, after.version, after.display_name) == (NEW, 2, person.display_name)
    assert await store.practitioners.authenticate(f" {NEW.upper()}", PASSWORD) == after
    assert await store.practitioners.authenticate(person.mail, PASSWORD) is None
    assert await store.mail_changes.pending(of(person.id)) is None


@pytest.mark.duty("S-10")
async def test_of_two_accounts_that_want_one_address_one_gets_it(store: Store) -> None:
    people = [await alice(store), await charlie(store)]
    tokens = [await ask(store, one) for one in people]
    for one in tokens:
        await agree(store, one)
    done = await asyncio.gather(*(carry_out(store, *one) for one in zip(people, tokens, strict=True)))
    assert sorted(map(str, done)) == ["True", "conflict"]
    lost = people[done.index("conflict")]
    assert await store.practitioners.get(of(lost.id)) == lost, "nothing of it was done"
    assert (await words(store)).count("mail-changed") == 1
    mine = await store.practitioners.by_mail(SERVER, NEW)
    assert mine is not None and mine.id == people[done.index(True)].id
    with pytest.raises(DomainError, match="conflict"):
        await store.mail_changes.confirm(tokens[people.index(lost)]["new"])


async def test_an_account_that_is_made_meanwhile_keeps_its_address(store: Store) -> None:
    person = await alice(store)
    tokens = await ask(store, person)
    await agree(store, tokens)
    await store.practitioners.add(NEW, PASSWORD, "New", "nl")
    assert await carry_out(store, person, tokens) == "conflict"
    assert await store.practitioners.get(of(person.id)) == person


async def test_a_name_that_was_changed_meanwhile_stays(store: Store) -> None:
    person = await alice(store)
    tokens = await ask(store, person)
    await store.practitioners.rename(of(person.id), "Another name", "fr", 1)
    await agree(store, tokens)
    assert await carry_out(store, person, tokens) is True
    after = await store.practitioners.get(of(person.id))
    assert (after.mail, after.display_name, after.version) == (NEW, "Another name", 3)


async def test_mail_that_cannot_be_written_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await alice(store)
    tokens = await ask(store, person)
    await agree(store, tokens)
    (there,) = await store.notices.waiting()
    monkeypatch.setattr("practice.notices.store.new_id", lambda: there.id)
    assert await carry_out(store, person, tokens) not in (True, False)
    assert await store.practitioners.get(of(person.id)) == person
    monkeypatch.undo()
    assert await carry_out(store, person, tokens) is True


async def test_it_is_no_more_after_a_day_or_a_closing(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    late, closing = await ask(store, person), await ask(store, other, "third@example.org")
    await store.retention.request_closure(of(other.id))
    assert await store.mail_changes.of_link(closing["new"]) is None
    with pytest.raises(DomainError, match="not_found"):
        await ask(store, other)
    time.pass_(seconds=LIFE.total_seconds())
    assert await store.mail_changes.of_link(late["old"]) is None
    await store.mail_changes.purge()
    async with store.database.read() as connection:
        assert (await connection.execute(select(mail_changes))).all() == []


async def test_what_stands_in_another_row_is_nobodys(store: Store) -> None:
    """Who can only write to the database gives nobody another address."""
    person, other = await alice(store), await charlie(store)
    tokens, theirs = await ask(store, person), await ask(store, other, "third@example.org")
    async with store.database.write() as connection:
        mine = select(mail_changes.c.content).where(mail_changes.c.practitioner == person.id)
        sealed = (await connection.execute(mine)).scalar_one()
        foreign = mail_changes.c.practitioner == other.id
        await connection.execute(update(mail_changes).where(foreign).values(content=sealed, old_at=1, new_at=1))
    with pytest.raises(Unreadable):
        await store.mail_changes.of_link(theirs["new"])
    with pytest.raises(Unreadable):
        await store.mail_changes.carry_out(theirs["new"], told(store, other))
    assert await store.practitioners.get(of(other.id)) == other
    assert (await store.mail_changes.of_link(tokens["new"])) is not None


async def test_the_index_and_the_profile_change_together(sqlite_store: Store) -> None:
    store = sqlite_store
    person = await alice(store)
    tokens = await ask(store, person)
    await agree(store, tokens)
    async with store.database.read() as connection:
        before = (await connection.execute(select(practitioners))).one()
    assert await carry_out(store, person, tokens) is True
    async with store.database.read() as connection:
        after = (await connection.execute(select(practitioners))).one()
    assert (before.mail, before.profile, before.version) != (after.mail, after.profile, after.version)
    assert (before.password, after.version) == (after.password, before.version + 1)
    assert after.mail == store.keys.mail_index(NEW)


@pytest.mark.parametrize(
    "mail",
    [
        *("", "nobody", "a@b", "a@127.0.0.1", f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.org"),
        *("Alice@Example.org", " alice@EXAMPLE.org ", "\uff41lice@example.org"),
    ],
)
async def test_an_address_that_is_none_or_ones_own_is_not_asked_for(sqlite_store: Store, mail: str) -> None:
    store, person = sqlite_store, await alice(sqlite_store)
    with pytest.raises(DomainError, match="invalid") as refused:
        await ask(store, person, mail)
    assert refused.value.field == "mail"
    assert (await store.mail_changes.pending(of(person.id)), await words(store)) == (None, [])


async def test_what_is_asked_for_is_seen_by_its_owner_for_a_day_and_withdrawn(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    tokens, theirs = await ask(store, person), await ask(store, other, "third@example.org")
    found = await store.mail_changes.pending(of(person.id))
    assert found is not None
    assert (found.practitioner, found.mail, found.session, found.side) == (person.id, NEW, "a session", None)
    assert (found.agreed, found.ready) == (frozenset(), False)
    for _ in range(2):
        await store.mail_changes.withdraw(of(person.id))
        assert await store.mail_changes.pending(of(person.id)) is None
        assert [await store.mail_changes.confirm(token) for token in tokens.values()] == [None, None]
    time.pass_(seconds=LIFE.total_seconds() - 1)
    await store.mail_changes.purge()
    seen = await store.mail_changes.of_link(theirs["old"])
    assert seen is not None and (seen.side, seen.mail) == ("old", "third@example.org")
    time.pass_(seconds=1)
    assert await store.mail_changes.pending(of(other.id)) is None
    assert await store.mail_changes.confirm(theirs["old"]) is None


async def test_who_asks_again_has_the_newest_alone(store: Store) -> None:
    person = await alice(store)
    before, after = await ask(store, person), await ask(store, person, "third@example.org")
    assert [await store.mail_changes.of_link(one) for one in before.values()] == [None, None]
    await agree(store, after)
    assert not await store.mail_changes.carry_out(before["old"], told(store, person))
    assert await carry_out(store, person, after) is True
    assert (await store.practitioners.get(of(person.id))).mail == "third@example.org"


@pytest.mark.parametrize("side", ["old", "new"])
async def test_either_address_stops_it_once(store: Store, time: Time, side: Side) -> None:
    person, other = await alice(store), await charlie(store)
    tokens, theirs = await ask(store, person), await ask(store, other, "third@example.org")
    await agree(store, tokens)
    assert await store.mail_changes.stop("nonsense") is None
    assert await store.mail_changes.stop(tokens[side]) == person.id
    assert await store.mail_changes.stop(tokens[side]) is None
    assert not await carry_out(store, person, tokens)
    assert await store.mail_changes.pending(of(other.id)) is not None
    time.pass_(seconds=LIFE.total_seconds())
    assert await store.mail_changes.stop(theirs[side]) is None


async def test_the_operators_word_is_that_of_a_mailbox_that_is_lost(store: Store) -> None:
    person = await alice(store)
    tokens = await ask(store, person, scope=Scope.operator(person.id))
    found = await store.mail_changes.of_link(tokens["new"])
    assert found is not None and found.agreed == {"old"} and not found.ready
    assert not await carry_out(store, person, tokens)
    found = await store.mail_changes.confirm(tokens["new"])
    assert found is not None and found.ready
    assert await store.mail_changes.confirm(tokens["new"]) == found, "again is no other thing"
    assert await carry_out(store, person, tokens) is True


async def test_an_account_whose_key_is_gone_gets_no_other_address(store: Store, time: Time) -> None:
    """As in the middle of its closing."""
    person = await alice(store)
    tokens = await ask(store, person)
    await agree(store, tokens)
    before = (await store.database.ask(select(practitioners)))[0]
    await store.keys.destroy([(person.id, person.id)], time.now())
    assert await store.mail_changes.of_link(tokens["new"]) is None
    assert not await carry_out(store, person, tokens)
    assert (await store.database.ask(select(practitioners)))[0] == before
    assert "mail-changed" not in await words(store)
