"""What is open is written down elsewhere, or it is said why not."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from practice.storage import Store
from tests.people import START, alice
from vault.errors import DomainError, Locked
from vault.keys.backends import backend
from vault.keys.sqlite import NAME, SqliteKeys
from vault.keys.store import KeyStore
from vault.settings import VaultSettings


async def test_what_cannot_be_saved_is_tried_again(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert not await sqlite_store.save(tmp_path / "file" / "rescued")
    assert "could not be saved and is tried again" in caplog.text
    with pytest.raises(DomainError, match="try_again"):
        await sqlite_store.keys.save(tmp_path / "file" / "rescued")
    assert await sqlite_store.save(tmp_path / "rescued")

    def fail(_: object) -> None:
        raise OSError("input/output error")

    monkeypatch.setattr(SqliteKeys, "present", fail)
    assert await sqlite_store.keys.look(), "a key store that does not answer is not one that is gone"
    monkeypatch.undo()
    with pytest.raises(Locked, check=lambda locked: "closed" in locked.reason):
        await KeyStore(None, None, ThreadPoolExecutor(1)).save(tmp_path / "any")


async def test_a_key_store_that_two_find_gone_is_said_once(
    sqlite_store: Store, sqlite_settings: VaultSettings, caplog: pytest.LogCaptureFixture
) -> None:
    person = await alice(sqlite_store)
    path = sqlite_settings.keystore()
    path.rename(path.with_name("away"))
    asked = [sqlite_store.keys.get(person.id, person.id) for _ in range(4)]
    assert all(isinstance(one, Locked) for one in await asyncio.gather(*asked, return_exceptions=True))
    assert caplog.text.count("the key store in use is not on disk any more") == 1


def test_a_key_store_in_a_database_server_is_saved_by_that(nodes: VaultSettings, tmp_path: Path) -> None:
    place = backend(nodes)
    place.create("pair")
    with closing(place.open()) as keys, pytest.raises(Locked, check=lambda locked: "tools of that" in locked.reason):
        keys.save(tmp_path / "any")


def test_a_key_store_whose_epochs_are_elsewhere_is_saved_as_it_is(single: VaultSettings, tmp_path: Path) -> None:
    place = backend(single)
    place.create("pair")
    with closing(place.open()) as keys:
        keys.add_practitioner("alice", START)
        keys.save(tmp_path / "saved")
        assert keys.cluster() is None
    with closing(sqlite3.connect(tmp_path / "saved" / NAME)) as saved:
        assert saved.execute("SELECT count(*) FROM practitioner_keys WHERE id = 'alice'").fetchone() == (1,)
    assert [path.name for path in (tmp_path / "saved").iterdir()] == [NAME]
