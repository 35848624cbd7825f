"""What is said to be entered is, whatever breaks meanwhile."""

import asyncio
import contextlib
import getpass
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from practice.storage import Store
from tests.opening import open_store
from tests.people import Time
from tests.vault.test_audit import everything, fill, unguarded
from vault.audit import Act, Entry, operator
from vault.audit.trail import SPARE
from vault.audit.verify import START as BEGINNING
from vault.audit.verify import Verifier
from vault.errors import DomainError
from vault.settings import VaultSettings


async def test_nothing_is_said_to_be_entered_that_is_not(sqlite_store: Store) -> None:
    store = sqlite_store
    await fill(store, 1)
    async with store.database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE audit RENAME TO away")
    results = await asyncio.gather(*(fill(store, 1) for _ in range(5)), return_exceptions=True)
    assert {getattr(result, "code", None) for result in results} == {"try_again"}
    async with store.database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO audit")
    await fill(store, 1)
    assert (await store.audit.verify()).entries == 2


async def test_whoever_gives_up_does_not_take_the_others_along(store: Store) -> None:
    first = asyncio.create_task(fill(store, 1))
    others = [asyncio.create_task(fill(store, 1)) for _ in range(5)]
    await asyncio.sleep(0)
    others[2].cancel()
    await asyncio.gather(first, *others, return_exceptions=True)
    assert [task.cancelled() for task in others] == [False, False, True, False, False]
    report = await store.audit.verify()
    assert report.bad is None
    assert report.entries in (5, 6)


async def test_with_a_locked_key_store_nothing_is_entered(sqlite_settings: VaultSettings, time: Time) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime):
        pass
    sqlite_settings.root_key().unlink()
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        with pytest.raises(DomainError, match="locked"):
            await fill(store, 1)
        assert await everything(store) == []


async def test_nothing_to_enter_asks_nobody(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store.audit, "_flush", None)
    await sqlite_store.audit.record_all([])


async def test_when_the_one_who_writes_for_all_is_cut_off_the_others_hear_of_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, plain = asyncio.Event(), store.database.write

    @contextlib.asynccontextmanager
    async def slow() -> AsyncIterator[object]:
        async with plain() as connection:
            yield connection
            begun.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(store.database, "write", slow)
    async with store.audit._turn:
        tasks = [asyncio.create_task(fill(store, 1)) for _ in range(3)]
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await begun.wait()
        tasks[0].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
    monkeypatch.undo()
    assert isinstance(found[0], asyncio.CancelledError)
    assert [str(fault) for fault in found[1:]] == ["try_again"] * 2
    assert await everything(store) == [], "they were right to doubt it"
    await fill(store, 1)
    assert (await store.audit.verify()).entries == 1


async def test_an_anchor_that_fails_does_not_undo_what_was_entered(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise DomainError("try_again")

    monkeypatch.setattr(store.keys, "anchor", fail)
    await fill(store, 1)
    assert "could not be anchored" in caplog.text
    monkeypatch.undo()
    await fill(store, 1)
    assert (await store.keys.anchored())[0] == 2, "the next one makes up for it"


async def test_processes_that_enter_at_once_make_one_chain(
    settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them as a release did that asked for the newest entry each time."""

    async def ask(*_: object) -> None:
        return None

    async with contextlib.AsyncExitStack() as stack:
        several = []
        for exclusive in (True, False, False):
            opened = open_store(settings, now=time.now, boot=time.boottime, exclusive=exclusive)
            several.append(await stack.enter_async_context(opened))
        monkeypatch.setattr(several[2].audit, "_follow", ask)
        for _ in range(10):
            await asyncio.gather(*(fill(one, 2) for one in several))
            await fill(several[0], 1)
            await fill(several[0], 1)
        report = await several[1].audit.verify()
        assert (report.bad, report.entries) == (None, 80)


async def test_nothing_is_chained_to_what_is_not_there(store: Store) -> None:
    """As when another server took over which had not heard of the last entries."""
    await fill(store, 3)
    async with unguarded(store), store.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM audit WHERE number = 3")
    await fill(store, 1)
    assert [entry.number for entry in await everything(store)] == [1, 2, 3]


async def test_two_processes_that_forget_at_once_forget_once(
    settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_store(settings, now=time.now, boot=time.boottime) as one,
        open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as other,
    ):
        await fill(one, 3)
        time.pass_(seconds=(timedelta(days=settings.audit_days) + 2 * SPARE).total_seconds())
        plain = one.audit._chain_key

        async def meanwhile() -> bytes:
            assert await other.audit.tidy() == 3
            return await plain()

        monkeypatch.setattr(one.audit, "_chain_key", meanwhile)
        assert await one.audit._prune() == 0
        monkeypatch.undo()
        assert [entry.act for entry in await everything(one)] == ["audit-pruned"]
        assert (await one.audit.verify()).bad is None


def test_a_number_that_was_left_out_without_a_word_is_missing_though_the_chain_holds() -> None:
    """As somebody could write it who has the key."""
    key = bytes(32)

    def walk(act: str) -> Verifier:
        verifier = Verifier(key, (0, BEGINNING))
        link = BEGINNING
        for number in (1, 3):
            entry = Entry(number, 0, "server", None, act, None, None, None)
            link = entry.chained(key, link)
            verifier.see(entry, link)
        return verifier

    bad = walk(Act.DESTROYED).report.bad
    assert bad is not None
    assert (bad.number, bad.reason) == (2, "It is missing.")
    admitted = walk(Act.AUDIT_LOST).report
    assert (admitted.bad, admitted.gaps) == (None, [(2, 1)])


def test_an_operator_whose_account_has_no_name_is_known_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(getpass, "getuser", nameless)
    assert operator().id == str(os.getuid())
    monkeypatch.setenv("SUDO_USER", "jan")
    assert operator().id == "jan"
