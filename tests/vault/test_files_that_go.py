"""Files that are deleted or replaced while a server uses them: noticed, nothing acknowledged, saved, put back."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from practice.agenda.model import Appointment
from practice.storage import Store
from tests.client.waiting import until
from tests.opening import of, open_store
from tests.people import START, Time, alice, plan
from vault.errors import DomainError
from vault.settings import VaultSettings

DAY = START.date()


def delete_keys(settings: VaultSettings) -> None:
    settings.keystore().unlink()


def delete_journal_of_keys(settings: VaultSettings) -> None:
    Path(f"{settings.keystore()}-wal").unlink()


def delete_folder_of_keys(settings: VaultSettings) -> None:
    shutil.rmtree(settings.keystore().parent)


def move_folder_of_keys(settings: VaultSettings) -> None:
    """As unmounting does."""
    settings.keystore().parent.rename(settings.data / "elsewhere")
    settings.keystore().parent.mkdir()


def replace_keys(settings: VaultSettings) -> None:
    copy = settings.data / "copy"
    shutil.copy(settings.keystore(), copy)
    copy.replace(settings.keystore())


def delete_epoch(settings: VaultSettings) -> None:
    for path in settings.keystore().parent.glob("epoch-*.key"):
        path.unlink()


def delete_root_key(settings: VaultSettings) -> None:
    settings.root_key().unlink()


def delete_everything_of_keys(settings: VaultSettings) -> None:
    delete_folder_of_keys(settings)
    delete_root_key(settings)


LOSSES = (
    delete_keys,
    delete_journal_of_keys,
    delete_folder_of_keys,
    move_folder_of_keys,
    replace_keys,
    delete_epoch,
    delete_root_key,
    delete_everything_of_keys,
)


async def given(store: Store, settings: VaultSettings) -> Appointment:
    person = await alice(store)
    await plan(store, person, "before")
    return await plan(store, person)


def put_back(settings: VaultSettings) -> None:
    """By the page: the saved files take the place of what is left there."""
    (saved,) = settings.data.glob("rescued-*")
    if (saved / "root.key").exists():
        (saved / "root.key").rename(settings.root_key())
    if (saved / "keystore.sqlite").exists():
        shutil.rmtree(settings.keystore().parent, ignore_errors=True)
        saved.rename(settings.keystore().parent)
    else:
        path = Path(settings.database().database or "")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        (saved / "rooms.sqlite").rename(path)


async def saving(done: asyncio.Event, work: Awaitable[bool]) -> bool:
    assert await work
    done.set()
    return True


@pytest.mark.parametrize("lose", LOSSES)
async def test_a_key_store_that_goes_acknowledges_nothing_and_is_saved(
    sqlite_settings: VaultSettings,
    time: Time,
    lose: Callable[[VaultSettings], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = Store.save
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        one = await given(store, sqlite_settings)
        assert await store.look()
        lose(sqlite_settings)
        with pytest.raises(DomainError, match="locked"):
            await store.appointments.create(of(one.owner), "never acknowledged", START, 30, "nl")
        assert not await store.look()
        assert store.locked is not None and "Saving" in store.locked
        assert "in use" in (await store.key_trouble() or "")
        saved = asyncio.Event()
        monkeypatch.setattr(Store, "save", lambda store, folder: saving(saved, plain(store, folder)))
        watching = asyncio.create_task(store.watch())
        async with asyncio.timeout(60):
            await saved.wait()
        watching.cancel()
        await asyncio.wait([watching])
    (folder,) = sqlite_settings.data.glob("rescued-*")
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())} == {0}
    put_back(sqlite_settings)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        assert await store.appointments.get(of(one.owner), one.id) == one
        await plan(store, await store.practitioners.get(of(one.owner)))


async def test_a_key_store_that_comes_back_is_used_again(sqlite_settings: VaultSettings, time: Time) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        one = await given(store, sqlite_settings)
        folder, away = sqlite_settings.keystore().parent, sqlite_settings.data / "away"
        folder.rename(away)
        assert not await store.look()
        away.rename(folder)
        assert await store.look()
        assert await store.appointments.get(of(one.owner), one.id) == one
        assert not list(sqlite_settings.data.glob("rescued-*"))


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_database_that_goes_acknowledges_nothing_and_is_saved(
    sqlite_settings: VaultSettings, time: Time, how: str
) -> None:
    path = Path(sqlite_settings.database().database or "")
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        one = await given(store, sqlite_settings)
        if how == "replaced":
            shutil.copy(path, path.with_name("copy"))
            path.with_name("copy").replace(path)
        else:
            path.unlink()
        with pytest.raises(DomainError, match="try_again"):
            await store.appointments.create(of(one.owner), "never acknowledged", START, 30, "nl")
        assert store.database.lost
        assert not await store.look()
        assert await store.save(sqlite_settings.data / "rescued-1")
        assert how == "replaced" or not path.exists(), "an empty one was made in its place"
        assert not (sqlite_settings.data / "rescued-1" / "keystore.sqlite").exists(), "only what is lost"
    put_back(sqlite_settings)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert await store.appointments.get(of(one.owner), one.id) == one


async def test_a_saved_key_store_is_of_an_epoch_of_its_own(sqlite_settings: VaultSettings, time: Time) -> None:
    """What destroys in the original leaves no secret in the copy that would open it for ever."""
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await given(store, sqlite_settings)
        before = {path.name: path.read_bytes() for path in sqlite_settings.keystore().parent.glob("epoch-*.key")}
        folder = sqlite_settings.data / "rescued-1"
        await store.keys.save(folder)
        after = {path.name: path.read_bytes() for path in folder.glob("epoch-*.key")}
        assert len(after) == 1
        assert not before.items() & after.items()
        assert {path.name for path in folder.iterdir()} == {*after, "keystore.sqlite"}


async def test_what_is_lost_is_saved_once_and_tried_again_until_it_is(
    sqlite_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.vault.LOOK_SECONDS", 0.0)
    look, save = Store.look, Store.save
    looks, saves = 0, 0

    async def looked(store: Store) -> bool:
        nonlocal looks
        looks += 1
        return await look(store)

    async def saved(store: Store, folder: Path) -> bool:
        nonlocal saves
        saves += 1
        return saves > 2 and await save(store, folder)

    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await given(store, sqlite_settings)
        monkeypatch.setattr(Store, "look", looked)
        monkeypatch.setattr(Store, "save", saved)
        delete_keys(sqlite_settings)
        watching = asyncio.create_task(store.watch())
        await until(lambda: None if looks > 6 else f"it was looked {looks} times")
        watching.cancel()
        await asyncio.wait([watching])
    assert saves == 3
    assert len(list(sqlite_settings.data.glob("rescued-*"))) == 1
