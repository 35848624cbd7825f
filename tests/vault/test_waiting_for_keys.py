"""After a power cut everything starts at once: a server waits for a key store that does not answer yet."""

import asyncio
import time as clocks
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.opening import open_store
from tests.people import Time, alice
from tests.servers.bao import Bao
from vault.keys import store as module
from vault.settings import VaultSettings


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)


async def filled(bao: Bao, settings: VaultSettings, time: Time, **changed: object) -> VaultSettings:
    there = settings.model_copy(update={"transit": await asyncio.to_thread(bao.transit, settings.data.parent)})
    async with open_store(there, now=time.now, boot=time.boottime) as store:
        await alice(store)
    return there.model_copy(update=changed)


@asynccontextmanager
async def sealed(bao: Bao) -> AsyncIterator[None]:
    """For a while; what runs beside it goes on."""
    until = bao.sealed()
    await asyncio.to_thread(until.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(until.__exit__, None, None, None)


async def test_openbao_that_is_unsealed_in_time_locks_nobody_out(
    bao: Bao, sqlite_settings: VaultSettings, time: Time
) -> None:
    settings = await filled(bao, sqlite_settings, time, keystore_wait=20.0)
    async with sealed(bao):
        opening = asyncio.create_task(opened(settings, time))
        await asyncio.sleep(0.4)
        assert not opening.done()
    assert await opening is None


async def test_openbao_that_stays_sealed_locks_after_the_wait(
    bao: Bao, sqlite_settings: VaultSettings, time: Time
) -> None:
    settings = await filled(bao, sqlite_settings, time, keystore_wait=0.3)
    async with sealed(bao):
        assert await opened(settings, time) == "OpenBao is sealed; unseal it and start again."


async def test_what_waiting_does_not_mend_is_not_waited_for(sqlite_settings: VaultSettings, time: Time) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await alice(store)
    sqlite_settings.root_key().rename(sqlite_settings.root_key().with_name("elsewhere"))
    started = clocks.monotonic()
    patient = sqlite_settings.model_copy(update={"keystore_wait": 60.0})
    assert "missing" in str(await opened(patient, time))
    assert clocks.monotonic() - started < 30


async def opened(settings: VaultSettings, time: Time) -> str | None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        return store.locked
