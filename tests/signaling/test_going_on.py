"""What a server does beside requests goes on after a fault, and what could not be done is done the next time."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from practice.accounts.sessions import TOUCH
from practice.storage import Store
from signaling import aside, dissolving, leaving, session_use
from signaling.dissolving import AT_MOST, TERM, Dissolving
from signaling.forgotten import Forgotten
from signaling.gate import SIGNALING
from signaling.limiter import Limiter
from signaling.protocol.errors import UserError
from signaling.session_use import SessionUse
from signaling.tasks import stop
from tests.client.waiting import until
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.people import Time
from tests.signaling.conftest import SECRET, Server
from vault.database.leases import Lease
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.settings import VaultSettings

Run = Callable[[], Coroutine[Any, Any, None]]
FAULTS: list[Exception] = [DomainError("try_again"), RedisGone("redis is away"), RuntimeError("no part of ours")]


async def after_all_faults(patch: pytest.MonkeyPatch, part: Any, name: str, run: Run) -> None:
    """Let a part of it fail in each way, and wait until it is called once more."""
    calls = 0

    async def failing(*_: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls <= len(FAULTS):
            raise FAULTS[calls - 1]
        return False

    patch.setattr(part, name, failing)
    working = asyncio.create_task(run())
    try:
        await until(lambda: None if calls > len(FAULTS) else f"it was called {calls} times")
    finally:
        await stop([working])


async def test_no_fault_ends_what_looks_after_commands(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(leaving, "LOOK_SECONDS", 0.0)
    signaling = server.app[SIGNALING]
    await after_all_faults(monkeypatch, leaving, "look", lambda: leaving.look_after(server.store, signaling))
    assert caplog.text.count("could not be ended everywhere") == 2
    assert caplog.text.count("looking for what commands ended failed") == 1


async def test_no_fault_ends_what_closes_organisations(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dissolving, "NEXT_SECONDS", 0.0)
    one = Dissolving(server.store, server.time.now)
    await after_all_faults(monkeypatch, one, "look", one.run)
    assert caplog.text.count("an organisation could not be closed; it is tried again") == len(FAULTS)


async def test_no_fault_ends_what_notes_that_pages_are_open(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(session_use, "PERIOD", 0.0)
    one = SessionUse(server.app[SIGNALING].gate, server.store.sessions, server.time.now)
    await after_all_faults(monkeypatch, one, "note", one.run)
    assert caplog.text.count("a page of a session that has ended could not be closed") == 1
    assert caplog.text.count("noting the use of sessions failed") == 2


async def test_a_database_that_is_away_ends_no_page_and_what_was_open_is_noted_then(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await server.store.sessions.create(server.alice.id)
    reference = server.store.sessions.reference(token)
    page: Any = SimpleNamespace(claims=SimpleNamespace(session=reference), binding=None)
    closed: list[Any] = []

    async def turn_out(one: Any, code: str) -> None:
        closed.append((one, code))

    gate: Any = SimpleNamespace(authenticated={"a": page}, turn_out=turn_out)
    one = SessionUse(gate, server.store.sessions, server.time.now)

    async def away(*_: Any) -> frozenset[str]:
        raise DomainError("try_again")

    server.time.ahead += timedelta(minutes=29)
    with monkeypatch.context() as patch:
        patch.setattr(server.store.sessions, "use", away)
        await one.note()
    server.time.ahead += TOUCH
    await one.note()
    server.time.ahead += timedelta(minutes=29)
    assert await server.store.sessions.lives(reference), "it was used half an hour after it began"
    assert closed == []
    await server.store.sessions.end(token)
    await one.note()
    assert closed == [(page, "token_invalid")]


async def test_a_link_that_cannot_be_made_keeps_nobody_elses_back(
    server: Server, redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    real = server.store.resets.ask

    async def ask(scope: Scope, mail: str, tell: Any) -> Any:
        asked.append(mail)
        if mail.startswith("alice"):
            raise DomainError("unreadable")
        return await real(scope, mail, tell)

    monkeypatch.setattr(server.store.resets, "ask", ask)
    one = Forgotten(server.store, Limiter(redis, SECRET, server.time.now))
    for mail in ("alice@example.org", "bob@example.org"):
        one.put(mail)
    await one.look()
    await one.look()
    assert asked == ["alice@example.org", "bob@example.org"]
    assert "alice" not in caplog.text and caplog.text.count("what a stranger asked for could not be done") == 1
    assert [entry.act async for entry in server.store.audit.entries()].count("reset-asked") == 1


async def test_as_many_wait_for_a_link_as_a_node_takes(server: Server, redis: Redis) -> None:
    one = Forgotten(server.store, Limiter(redis, SECRET, server.time.now))
    for number in range(aside.MOST):
        one.put(f"{number}@example.org")
    with pytest.raises(UserError, match="try_again"):
        one.put("late@example.org")
    one._asked.clear()
    one.put("late@example.org")


@pytest.fixture
async def ending(tmp_path: Path, first_start: Path, clock: Time) -> AsyncIterator[tuple[Store, str]]:
    """A store with a mail server, beside which no server runs, and an organisation that ends: Alice's, Bob is in it."""
    shutil.copytree(first_start, tmp_path / "data")
    settings = VaultSettings(data=tmp_path / "data", trust_clock=True)
    async with open_store(settings, now=clock.now, boot=clock.boottime, mail=True) as store:
        await store.organisation.establish(OPERATOR, PRACTICE)
        alice = await store.practitioners.id_by_mail(OPERATOR, "alice@example.org")
        await store.organisation.name_owner(Scope.operator(alice))
        assert not await Dissolving(store, clock.now).look(), "there is nothing to do"
        yield store, await store.endings.begin(await scope_of(store, str(alice)))


@pytest.fixture
def clock() -> Time:
    return Time()


async def recipients(store: Store) -> list[str]:
    return sorted(notice.news.to for notice in await store.notices.waiting())


async def test_an_organisation_is_closed_by_one_server_at_a_time(ending: tuple[Store, str], clock: Time) -> None:
    """Whoever goes on when the other is gone tells everybody, and waits no longer than it has to for the mail."""
    store, organisation = ending
    one = Dissolving(store, clock.now)
    assert await Lease(store.database, "dissolving", "another server", TERM, clock.now).take()
    assert await one.look()
    assert await recipients(store) == []
    clock.pass_(seconds=TERM.total_seconds() + 1)
    for _ in range(2):
        assert await one.look()
    assert await recipients(store) == ["alice@example.org", "bob@example.org"], "once each"
    assert await store.practitioners.id_by_mail(OPERATOR, "bob@example.org"), "it waits for the mail"
    clock.pass_(seconds=AT_MOST.total_seconds())
    await one.look()
    assert await store.endings.receipt(organisation) is not None
    assert await store.endings.under_way() == []
    assert not await one.look()


async def test_mail_that_went_is_waited_for_no_longer(ending: tuple[Store, str], clock: Time) -> None:
    store, organisation = ending
    one = Dissolving(store, clock.now)
    await one.look()
    for notice in await store.notices.waiting():
        await store.notices.done(notice)
    await one.look()
    assert await store.endings.receipt(organisation) is not None
    assert await store.practitioners.id_by_mail(OPERATOR, "bob@example.org") is None
