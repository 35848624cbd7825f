"""Backups and key snapshots that cannot be made or put back: one sentence, and all is as it was."""

import asyncio
import errno
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from practice.kinds import KINDS
from tests.opening import of, open_store
from tests.people import START, Time, alice, fill, plan
from tests.vault.test_backup import backup, keeping, opened, snapshot, snapshotted
from vault.backup import data, snapshots
from vault.backup.expiry import SEALED
from vault.database.database import Database
from vault.errors import DomainError, StartRefused
from vault.records.scope import SERVER
from vault.settings import VaultSettings


async def test_a_backup_beside_a_key_store_in_postgresql(nodes: VaultSettings, time: Time, tmp_path: Path) -> None:
    await fill(nodes, time)
    assert (await backup(nodes, tmp_path / "backups", time.now())).counts["appointments"] == 1


async def test_a_backup_that_cannot_be_written_is_not_there(
    settings: VaultSettings, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(settings, time)
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="is a file or lies below one"):
        await backup(settings, tmp_path / "file", time.now())

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(data, "settle", fail)
    with pytest.raises(StartRefused, match="disk is full: make room for the backup"):
        await backup(settings, tmp_path / "backups", time.now())
    assert list((tmp_path / "backups").glob("*")) == []


async def test_a_database_of_another_version_is_not_backed_up(
    settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    await fill(settings, time)
    database = Database(settings.database())
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'another'")
    await database.close()
    with pytest.raises(StartRefused, match="of another version"):
        await backup(settings, tmp_path / "backups", time.now())
    assert list((tmp_path / "backups").glob("*")) == []


async def test_a_restore_that_breaks_off_leaves_what_was_there(
    settings: VaultSettings, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings, time) as store:
        person = await alice(store)
        await backup(settings, tmp_path / "backups", time.now())
        planned = await plan(store, person)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(data, "install", fail)
    with pytest.raises(StartRefused, match=r"what was there is as it was\. The disk is full"):
        await data.restore(settings, KINDS, tmp_path / "backups", replace=True)
    async with opened(settings, time) as store:
        assert await store.appointments.list(of(person.id), START.date(), START.date()) == [planned]


async def test_a_backup_that_cannot_be_read_is_not_restored(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(sqlite_settings, time)
    await backup(sqlite_settings, tmp_path / "backups", time.now())

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(StartRefused, match="disk reports errors"):
        await data.restore(sqlite_settings, KINDS, tmp_path / "backups", replace=True)


async def test_a_damaged_database_is_replaced_only_when_told_so(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    await fill(sqlite_settings, time)
    await backup(sqlite_settings, tmp_path / "backups", time.now())
    database = Path(sqlite_settings.database().database or "")
    for name in ("-wal", "-shm"):
        database.with_name(database.name + name).unlink(missing_ok=True)
    database.write_bytes(os.urandom(8192))
    with pytest.raises(StartRefused, match="There is a database already"):
        await data.restore(sqlite_settings, KINDS, tmp_path / "backups")
    await data.restore(sqlite_settings, KINDS, tmp_path / "backups", replace=True)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert await store.practitioners.by_mail(SERVER, "alice@example.org")


async def test_a_database_server_that_is_away_gets_nothing_restored(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    await fill(sqlite_settings, time)
    await backup(sqlite_settings, tmp_path / "backups", time.now())
    away = sqlite_settings.model_copy(update={"database_url": SecretStr("postgresql://x@/y?host=/nowhere")})
    with pytest.raises(StartRefused, match=r"database of rooms\.database_url"):
        await data.restore(away, KINDS, tmp_path / "backups")


# --- key snapshots ---------------------------------------------------------------------------------------------------


async def test_a_key_snapshot_that_cannot_be_taken(sqlite_settings: VaultSettings, time: Time, tmp_path: Path) -> None:
    settings = keeping(sqlite_settings, tmp_path)
    with pytest.raises(StartRefused, match="key store is missing"):
        await snapshot(settings, tmp_path / "snapshots", time.now())
    await fill(settings, time)
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="is a file or lies below one"):
        await snapshot(settings, tmp_path / "file", time.now())


async def test_a_key_store_elsewhere_is_copied_by_its_own_means(
    single: VaultSettings, time: Time, tmp_path: Path
) -> None:
    await fill(single, time)
    with pytest.raises(StartRefused, match="of a key store in files"):
        await snapshot(keeping(single, tmp_path), tmp_path / "snapshots", time.now())


@pytest.mark.parametrize("place", ["empty", "unused", "missing"])
async def test_a_key_snapshot_needs_its_database(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, migrated: Path, place: str
) -> None:
    settings = keeping(sqlite_settings, tmp_path)
    async with snapshotted(settings, time, tmp_path / "snapshots") as (_, _, taken):
        pass
    shutil.rmtree(settings.keystore().parent)
    other = tmp_path / "other.sqlite"
    if place == "unused":
        shutil.copy(migrated, other)
    elif place == "empty":
        sqlite3.connect(other).close()
    elsewhere = settings.model_copy(update={"database_url": SecretStr(f"sqlite:///{other}")})
    assert make_url(elsewhere.database().render_as_string()).database == str(other)
    with pytest.raises(StartRefused, match="name a backup of it"):
        await snapshots.restore(elsewhere, taken, time.now())
    assert not settings.keystore().exists()


async def test_a_key_snapshot_that_cannot_be_read_or_written_back_changes_nothing(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    settings = keeping(sqlite_settings, tmp_path)
    async with snapshotted(settings, time, tmp_path / "snapshots") as (_, planned, taken):
        pass
    shutil.rmtree(settings.keystore().parent)
    away = taken.with_name("away")
    taken.rename(away)
    with pytest.raises(StartRefused, match="is not there"):
        await snapshots.restore(settings, taken, time.now())
    away.rename(taken)
    settings.keystore().parent.mkdir()
    (settings.keystore().parent / "restored").write_text("in the way")
    with pytest.raises(StartRefused, match="Nothing was restored"):
        await snapshots.restore(settings, taken, time.now())
    assert not settings.keystore().exists()
    await asyncio.to_thread((settings.keystore().parent / "restored").unlink)
    await snapshots.restore(settings, taken, time.now())
    async with opened(settings, time) as store:
        assert await store.appointments.get(of(planned.owner), planned.id) == planned
    assert taken.suffix == SEALED


async def test_a_backup_is_not_put_under_a_running_server(settings: VaultSettings, time: Time, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        before = await plan(store, person)
        await asyncio.to_thread(data.write, settings, KINDS, backups, time.now())
        after = await plan(store, person)
        if settings.database_url is not None:  # a database that servers on other machines use
            with pytest.raises(StartRefused, match="stop every server"):
                await data.restore(
                    settings.model_copy(update={"data": tmp_path / "another"}), KINDS, backups, replace=True
                )
        with pytest.raises(StartRefused, match="stop"):
            await data.restore(settings, KINDS, backups, replace=True)
        assert await store.appointments.get(of(person.id), after.id) == after
    await data.restore(settings, KINDS, backups, replace=True)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert await store.appointments.get(of(person.id), before.id) == before
        with pytest.raises(DomainError, match="not_found"):
            await store.appointments.get(of(person.id), after.id)
