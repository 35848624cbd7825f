"""Who somebody is, asked at everything they do: anew each time; for sockets, which ask all the time, a moment ago."""

import pytest
from sqlalchemy import select

from practice.organisation import standings
from practice.organisation.model import Standing
from practice.organisation.records import members
from practice.organisation.standings import MOMENT, Standings
from practice.storage import Store
from tests.opening import of
from tests.organisations import scope_of
from tests.practice.test_organisation import practice
from vault.database.database import Database
from vault.errors import DomainError, Unreadable


class Seconds:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def asked(store: Store, seconds: Seconds) -> Standings:
    return Standings(store.database, store.reader, store.sessions, seconds)


async def away(*_: object) -> None:
    raise DomainError("try_again")


async def test_what_was_so_a_moment_ago_is_believed_a_moment(store: Store, seconds: Seconds) -> None:
    owner, other, *_ = await practice(store)
    one, scope = asked(store, seconds), await scope_of(store, owner.id)
    before = await one.recent(other.id)
    assert before == await one.of(other.id) == Standing(other.id, scope.organisation)
    await store.organisation.set_state(scope, other.id, "deactivated")
    seconds.now += MOMENT - 0.01
    assert await one.recent(other.id) == before
    seconds.now += 0.01
    assert await one.recent(other.id) is None
    await store.organisation.set_state(scope, other.id, "active")
    assert await one.recent(other.id) is None
    assert await one.of(other.id) == before == await one.recent(other.id), "whoever asks anew tells the others"


async def test_where_nobody_can_say_it_is_as_when_somebody_last_could(
    store: Store, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other, *_ = await practice(store)
    one, scope = asked(store, seconds), await scope_of(store, owner.id)
    known = await one.recent(owner.id)
    await store.organisation.set_state(scope, other.id, "deactivated")
    assert await one.recent(other.id) is None
    seconds.now += 3600
    with monkeypatch.context() as patch:
        patch.setattr(Database, "ask", away)
        assert await one.recent(owner.id) == known
        assert await one.recent(other.id) is None, "who was out stays out"
        with pytest.raises(DomainError, match="try_again"):
            await one.recent("A" * 22)
        with pytest.raises(DomainError, match="try_again"):
            await one.of(owner.id)
    async with store.database.write() as connection:
        await connection.execute(members.update().values(content=b"x" * 300))
    with pytest.raises(Unreadable):  # somebody did say: that nobody can know
        await one.recent(owner.id)


async def test_whose_member_is_destroyed_is_nobody_there_any_more(store: Store, seconds: Seconds) -> None:
    """The row has come back, or is still to go: its key is gone, and there is a receipt."""
    _, other, *_ = await practice(store)
    token = await store.sessions.create(other.id)
    (row,) = await store.database.ask(select(members).where(members.c.account == other.id))
    await store.keys.destroy([(row.owner, row.id)], store.clock.wall())
    one = asked(store, seconds)
    assert await one.of(other.id) is None
    assert await one.signed_in(token) is None
    assert await one.recent(other.id) is None


async def test_as_much_is_remembered_as_is_bounded(
    sqlite_store: Store, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await practice(sqlite_store)
    monkeypatch.setattr(standings, "KEPT", 2)
    one = asked(sqlite_store, seconds)
    for _ in range(2):
        for person in people:
            found = await one.recent(person.id)
            assert found is not None and found.account == person.id
            assert 0 < len(one._recent) <= 2
            assert 0 < len(one._opened) <= 2


async def test_what_opened_once_asks_the_key_store_no_more_while_its_bytes_are_the_same(
    store: Store, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other, *_ = await practice(store)
    one, scope = asked(store, seconds), await scope_of(store, owner.id)
    before = await one.of(other.id)
    with monkeypatch.context() as patch:
        patch.setattr(store.keys, "get_many", away)
        assert await one.of(other.id) == before
        with pytest.raises(DomainError):
            await one.of(owner.id)
    await store.organisation.set_roles(scope, other.id, ["auditor"])
    after = await one.of(other.id)
    assert after is not None and after.roles == {"auditor"}
    assert (await store.practitioners.get(of(other.id))) == other
