"""What happens between a look at who works for whom and what is done with it; and where nobody can say."""

from collections.abc import Mapping

import pytest
from sqlalchemy import update

from practice.accounts.records import practitioners
from practice.assistants.model import Engagement
from practice.assistants.records import ENGAGEMENTS, engagements
from practice.organisation.standings import MOMENT
from practice.storage import Store
from tests.opening import of
from tests.people import Time
from tests.practice.handing import whole
from tests.practice.test_assistants import Practice, fill, practice, rows
from tests.practice.test_organisation_meanwhile import instead
from tests.practice.test_standings import Seconds
from vault.errors import DomainError
from vault.settings import VaultSettings

__all__ = ["practice"]
"""A fixture."""


@pytest.mark.parametrize("what", ["closing", "assistant no more", "practitioner no more"])
async def test_who_ends_meanwhile_is_engaged_by_nobody(
    store: Store, settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    made = await fill(store)
    noor = await made.scope(made.noor)
    keys = set(await store.keys.ids())

    async def meanwhile() -> None:
        match what:
            case "closing":
                await store.retention.request_closure(of(made.alice.id))
            case "assistant no more":
                await store.organisation.set_roles(noor, made.ana.id, ["auditor"])
            case "practitioner no more":
                await store.organisation.set_roles(noor, made.alice.id, ["auditor"])

    instead(monkeypatch, store.assistants._writer, "first", meanwhile)
    with pytest.raises(DomainError, match="conflict"):
        await made.engage(made.alice)
    assert await rows(store) == []
    assert set(await store.keys.ids()) == keys, "no key is left of it"
    await store.retention.sweep()
    await whole(store, settings, time)


async def test_ended_meanwhile_it_ends_once(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    store, one = practice.store, await practice.engage(practice.alice)
    alice = await practice.scope(practice.alice)
    instead(monkeypatch, store.assistants, "_end", lambda: store.assistants.part(alice, one.id))
    with pytest.raises(DomainError, match="not_found"):
        await store.assistants.release(await practice.scope(practice.noor), practice.ana.id, one.id)
    assert await rows(store) == ["destroying"]


async def test_for_whom_somebody_works_is_believed_a_moment(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, seconds = practice.store, Seconds()
    monkeypatch.setattr(store.assistants, "_clock", seconds)
    await practice.engage(practice.alice)
    assert (await store.assistants.recent(practice.ana.id)).keys() == {practice.alice.id}
    async with store.database.write() as connection:  # as another server ends it
        await connection.execute(ENGAGEMENTS.marking().where(engagements.c.owner == practice.alice.id))
    seconds.now += MOMENT - 0.01
    assert (await store.assistants.recent(practice.ana.id)).keys() == {practice.alice.id}
    seconds.now += 0.01
    assert not await store.assistants.recent(practice.ana.id)


async def test_where_nobody_can_say_it_is_as_when_somebody_last_could(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, seconds = practice.store, Seconds()
    monkeypatch.setattr(store.assistants, "_clock", seconds)
    await practice.engage(practice.alice)
    await store.assistants.recent(practice.ana.id)
    seconds.now += 3600
    for code, known in (("try_again", True), ("unreadable", False)):

        async def away(_: str, code: str = code) -> Mapping[str, Engagement]:
            raise DomainError(code)

        monkeypatch.setattr(store.assistants, "_current", away)
        if known:
            assert (await store.assistants.recent(practice.ana.id)).keys() == {practice.alice.id}
        for account in (practice.bob.id,) if known else (practice.ana.id, practice.bob.id):
            with pytest.raises(DomainError, match=code):
                await store.assistants.recent(account)


async def test_as_much_is_remembered_as_is_bounded(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("practice.assistants.store.KEPT", 2)
    await practice.engage(practice.alice)
    for person in (practice.ana, practice.bob, practice.noor, practice.ana):
        found = await practice.store.assistants.recent(person.id)
        assert found.keys() == ({practice.alice.id} if person is practice.ana else set())
        assert 0 < len(practice.store.assistants._recent) <= 2


async def test_who_cannot_be_read_has_no_name_and_is_listed(practice: Practice) -> None:
    store = practice.store
    await practice.engage(practice.alice)
    async with store.database.write() as connection:
        spoilt = update(practitioners).where(practitioners.c.id == practice.alice.id).values(profile=b"x" * 300)
        await connection.execute(spoilt)
    (one,) = await store.assistants.served(await practice.scope(practice.ana))
    assert (one.engagement.owner, one.name) == (practice.alice.id, None)
    await store.keys.destroy([(practice.alice.id, practice.alice.id)], store.clock.wall())
    (one,) = await store.assistants.served(await practice.scope(practice.ana))
    assert one.name is None
