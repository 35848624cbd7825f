"""Rows and keys are compared after the start, not before it, and nothing of what came back is given meanwhile."""

import asyncio
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from practice.storage import Store
from tests.opening import of, open_store
from tests.people import Time, alice, plan
from tests.vault.test_destruction import states
from tests.vault.test_sweeper import sweeping
from tests.vault.test_sweeps import broken, statements
from vault.destruction import comparison
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.records.scope import Scope
from vault.settings import VaultSettings


async def started(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How often database and key store are asked before the port opens."""
    asked = 0
    real = KeyStore._run

    async def counted(self: KeyStore, *arguments: object) -> object:
        nonlocal asked
        asked += 1
        return await real(self, *arguments)  # type: ignore[arg-type]  # passed on as they came

    with monkeypatch.context() as patch, statements(store) as queries:
        patch.setattr(KeyStore, "_run", counted)
        await store.retention.catch_up()
    return len(queries), asked


async def test_a_start_asks_as_often_with_many_rows_as_with_few(
    settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        person = await alice(store)
        await plan(store, person)
        await store.retention.sweep()
    for _ in range(2):
        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            costs.append(await started(store, monkeypatch))
            for number in range(20):
                await plan(store, person, f"Patient {number}")
            await store.retention.sweep()
    assert costs[0] == costs[1]


async def test_what_is_empty_is_not_looked_through(sqlite_store: Store) -> None:
    await plan(sqlite_store, await alice(sqlite_store))
    with statements(sqlite_store) as queries:
        await sqlite_store.retention.compare()
    pages = [statement for statement, _ in queries if "LIMIT" in statement]
    assert {re.findall(r"FROM (\w+)", one)[0] for one in pages} == {"practitioners", "appointments"}
    assert (await sqlite_store.retention.status()).compared == 1


async def test_a_running_server_destroys_what_came_back_and_says_how_far_it_is(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "PAGE", 2)
    database = Path(sqlite_settings.database().database or "")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        made = [await plan(store, person, f"Patient {number}") for number in range(9)]
    shutil.copy(database, tmp_path / "backup")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        for one in made[:5]:
            await store.retention.destroy(of(person.id), one.id)
    shutil.copy(tmp_path / "backup", database)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert await store.retention.catch_up() == 0
        assert (await store.retention.status()).compared == 0
        for one in made[:5]:
            with pytest.raises(DomainError, match="gone"):
                await store.appointments.get(Scope.guest(one.id), one.id)
        async with sweeping(store, 60), asyncio.timeout(60):
            while len(await states(store)) > 4:  # noqa: ASYNC110 -- the sweeper tells nobody
                await asyncio.sleep(0.01)
            while (await store.retention.status()).compared < 1:  # noqa: ASYNC110 -- likewise
                await asyncio.sleep(0.01)
        assert await states(store) == {one.id: "planned" for one in made[5:]}
        assert (await store.retention.status()).alarms == 0


async def test_it_goes_on_where_it_was_after_a_fault(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "PAGE", 2)
    person = await alice(store)
    ids = sorted([(await plan(store, person)).id for _ in range(5)])
    seen: list[str] = []
    real = KeyStore.missing

    async def counted(self: KeyStore, wanted: Sequence[str]) -> list[str]:
        seen.extend(wanted)
        if len(seen) == 5:
            raise DomainError("try_again")
        return await real(self, wanted)

    monkeypatch.setattr(KeyStore, "missing", counted)
    with pytest.raises(DomainError):
        await store.retention.compare()
    assert 0 < (await store.retention.status()).compared < 1
    await store.retention.compare()
    assert (await store.retention.status()).compared == 1
    assert seen == [person.id, *ids[:4], *ids[2:]]


async def test_a_fault_is_tried_again_by_a_running_server(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await plan(sqlite_store, await alice(sqlite_store))
    with monkeypatch.context() as fault:
        fault.setattr(KeyStore, "missing", broken)
        async with sweeping(sqlite_store, 0.02), asyncio.timeout(60):
            while "tried again" not in caplog.text:  # noqa: ASYNC110 -- it tells nobody else
                await asyncio.sleep(0.01)
            fault.undo()
            while (await sqlite_store.retention.status()).compared < 1:  # noqa: ASYNC110 -- likewise
                await asyncio.sleep(0.01)


async def test_keys_wait_for_a_clock_that_is_believed(sqlite_store: Store, time: Time) -> None:
    await plan(sqlite_store, await alice(sqlite_store))
    await sqlite_store.retention.sweep()
    time.jump(days=3)
    await sqlite_store.retention.compare()
    assert (await sqlite_store.retention.status()).compared < 1
    async with sweeping(sqlite_store, 0.02), asyncio.timeout(60):
        await asyncio.sleep(0.1)
        assert (await sqlite_store.retention.status()).compared < 1
        time.jump(days=-3)
        while (await sqlite_store.retention.status()).compared < 1:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.01)
