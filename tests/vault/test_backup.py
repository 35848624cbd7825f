"""Backups hold ciphertext only, come back whole or not at all, and bring nothing back that was destroyed."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from practice.agenda.model import Appointment
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import START, Time, alice, caught_up, charlie, plan
from tests.practice.newsletter import subscribed, writer
from tests.servers.postgres import Postgres
from tests.vault.links import mail_link, reset_link
from tests.vault.test_at_rest import CANARIES, found, story
from vault.backup import data, snapshots
from vault.errors import DomainError, StartRefused
from vault.settings import VaultSettings

DAY = START.date()


async def backup(settings: VaultSettings, folder: Path, now: datetime) -> data.Written:
    return await asyncio.to_thread(data.write, settings, KINDS, folder, now)


async def snapshot(settings: VaultSettings, folder: Path, now: datetime) -> Path:
    return await asyncio.to_thread(snapshots.take, settings, folder, now)


@asynccontextmanager
async def opened(settings: VaultSettings, time: Time) -> AsyncIterator[Store]:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def drop_everything(settings: VaultSettings) -> None:
    with data.opened(settings.database()) as engine, engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def strays(path: Path) -> list[object]:
    """Rows of a backup whose owner is not in it."""
    data.check(path)
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        connection.close()


@pytest.mark.duty("S-31", "S-51")
async def test_a_restored_backup_has_the_living_and_not_the_destroyed(
    settings: VaultSettings, time: Time, folder: Path
) -> None:
    async with opened(settings, time) as store:
        await caught_up(store)
        person, other = await alice(store), await charlie(store)
        gone, kept = await plan(store, person, "gone"), await plan(store, person, "kept")
        foreign = await plan(store, other, "foreign")
        token = await store.sessions.create(person.id)
        link, change = await reset_link(store, person), await mail_link(store, person)
        written = await backup(settings, folder, time.now())
        assert written.counts["appointments"] == 3
        receipt = await store.retention.destroy(of(person.id), gone.id)
        later = await plan(store, person, "planned after the backup")
    restored = await data.restore(settings, KINDS, folder, replace=True)
    assert restored == data.Restored(written.path, {kind.name: 0 for kind in KINDS} | {"appointments": 2}, 1, 0)
    async with opened(settings, time) as store:
        assert store.locked is None
        assert await caught_up(store) == 0
        assert await store.appointments.list(of(person.id), DAY, DAY) == sorted([kept], key=lambda a: a.id)
        assert await store.appointments.list(of(other.id), DAY, DAY) == [foreign]
        for lost, code in ((gone, "gone"), (later, "not_found")):
            with pytest.raises(DomainError, match=code):
                await store.appointments.get(of(person.id), lost.id)
        assert await store.appointments.receipts(of(person.id)) == [receipt]
        assert await store.sessions.practitioner(token) is None, "who signed out stays signed out"
        assert await store.resets.whose(link) is None, "a link that was used stays used"
        assert await store.mail_changes.of_link(change) is None, "so does one that changes an address"
        assert (await store.retention.status()).alarms == 0


@pytest.mark.duty("S-22")
async def test_a_restored_backup_revives_no_newsletter_that_was_withdrawn(
    settings: VaultSettings, time: Time, folder: Path
) -> None:
    async with opened(settings, time) as store:
        owner = await writer(store)
        await subscribed(store, owner)
        await backup(settings, folder, time.now())
        await store.subscriptions.withdraw(owner)
        await caught_up(store)
        assert await store.subscriptions.count(owner) == 0
    await data.restore(settings, KINDS, folder, replace=True)
    async with opened(settings, time) as store:
        assert await store.subscriptions.count(owner) == 0
        assert await store.subscriptions.of(owner) is None


async def test_it_comes_back_where_nothing_is_left(settings: VaultSettings, time: Time, folder: Path) -> None:
    async with opened(settings, time) as store:
        person = await alice(store)
        planned = await plan(store, person)
    await backup(settings, folder, time.now())
    empty = settings
    if settings.database_url is None:
        shutil.rmtree(Path(settings.database().database or "").parent)
    else:
        await asyncio.to_thread(drop_everything, settings)
    assert (await data.restore(empty, KINDS, folder)).counts["appointments"] == 1
    async with opened(empty, time) as store:
        assert await store.appointments.list(of(person.id), DAY, DAY) == [planned]


async def test_a_backup_of_one_kind_of_database_restores_into_the_other(
    sqlite_settings: VaultSettings, time: Time, folder: Path, postgres: Postgres
) -> None:
    async with opened(sqlite_settings, time) as store:
        person = await alice(store)
        planned = await plan(store, person)
    await backup(sqlite_settings, folder, time.now())
    url = postgres.new_database(migrated=False)
    moved = sqlite_settings.model_copy(update={"database_url": VaultSettings(database_url=url).database_url})
    await data.restore(moved, KINDS, folder)
    async with opened(moved, time) as store:
        assert await store.appointments.list(of(person.id), DAY, DAY) == [planned]


async def test_a_living_database_is_written_over_only_when_told_so(
    settings: VaultSettings, time: Time, folder: Path
) -> None:
    async with opened(settings, time) as store:
        person = await alice(store)
        await backup(settings, folder, time.now())
        planned = await plan(store, person)
        with pytest.raises(StartRefused, match="Another server is running"):
            await data.restore(settings, KINDS, folder, replace=True)
    with pytest.raises(StartRefused, match="There is a database already"):
        await data.restore(settings, KINDS, folder)
    async with opened(settings, time) as store:
        assert await store.appointments.list(of(person.id), DAY, DAY) == [planned]


@pytest.mark.parametrize("damage", ["empty", "cut", "other", "none"])
async def test_what_is_no_backup_changes_nothing(
    settings: VaultSettings, time: Time, folder: Path, damage: str
) -> None:
    async with opened(settings, time) as store:
        person = await alice(store)
        for _ in range(30):
            await plan(store, person)
    made = (await backup(settings, folder, time.now())).path
    if damage == "none":
        made.unlink()
    elif damage == "other":
        made.unlink()
        sqlite3.connect(made).execute("CREATE TABLE something (a)").connection.close()
    else:
        os.truncate(made, 0 if damage == "empty" else made.stat().st_size // 2)
    with pytest.raises(StartRefused):
        await data.restore(settings, KINDS, folder, replace=True)
    async with opened(settings, time) as store:
        assert len(await store.appointments.list(of(person.id), DAY, DAY)) == 30
    assert not list(settings.data.rglob("*.partial*"))


@pytest.mark.duty("S-31")
async def test_an_older_key_store_is_refused(settings: VaultSettings, time: Time, folder: Path, tmp_path: Path) -> None:
    """Else a backup of the data and one of the key store together would bring back what was destroyed."""
    async with opened(settings, time) as store:
        person = await alice(store)
        gone = await plan(store, person)
    shutil.copytree(settings.keystore().parent, tmp_path / "older")
    before = (await backup(settings, folder, time.now())).path
    async with opened(settings, time) as store:
        await store.retention.destroy(of(person.id), gone.id)
    time.pass_(minutes=1)
    after = (await backup(settings, folder, time.now())).path
    shutil.rmtree(settings.keystore().parent)
    shutil.copytree(tmp_path / "older", settings.keystore().parent)
    for source in (after, before):
        with pytest.raises(StartRefused, match="older than the database"):
            await data.restore(settings, KINDS, source, replace=True)


async def test_a_key_store_of_another_database_is_refused(
    sqlite_settings: VaultSettings, time: Time, folder: Path, tmp_path: Path
) -> None:
    async with opened(sqlite_settings, time) as store:
        await alice(store)
    await backup(sqlite_settings, folder, time.now())
    other = VaultSettings(data=tmp_path / "other")
    async with opened(other, time) as store:
        await charlie(store)
    with pytest.raises(StartRefused, match="another database"):
        await data.restore(other, KINDS, folder, replace=True)


@pytest.mark.duty("S-05", "S-15")
async def test_a_backup_holds_no_plaintext_and_no_key(settings: VaultSettings, time: Time, folder: Path) -> None:
    async with opened(settings, time) as store:
        async for secrets in story(store, time):
            time.pass_(seconds=1)
            await backup(settings, folder, time.now())
            wrapped = await store.keys._run(
                lambda keys: [row[0] for row in keys._db.execute("SELECT wrapped FROM data_keys")]
            )
            searched = {**CANARIES, **secrets} | {f"wrapped {n}": bytes(key) for n, key in enumerate(wrapped)}
            assert found(folder, searched) == []
    assert len(list(folder.iterdir())) == 7


async def test_a_backup_is_of_one_moment(settings: VaultSettings, time: Time, folder: Path) -> None:
    """Each appointment belongs to a practitioner who is in it, whatever is written meanwhile."""
    async with opened(settings, time) as store:
        person = await alice(store)

        async def write() -> None:
            for _ in range(40):
                await plan(store, person)

        writing = asyncio.create_task(write())
        counts = []
        while not writing.done():
            counts.append((await backup(settings, folder, time.now())).counts["appointments"])
            time.pass_(seconds=1)
            await asyncio.sleep(0)
        await writing
    assert counts == sorted(counts)
    for made in folder.iterdir():
        assert await asyncio.to_thread(strays, made) == []


async def test_backups_and_keys_are_never_in_one_folder(sqlite_settings: VaultSettings, time: Time) -> None:
    async with opened(sqlite_settings, time) as store:
        await alice(store)
    for wrong in (
        sqlite_settings.keystore().parent,
        sqlite_settings.keystore().parent / "backups",
        sqlite_settings.data,
    ):
        with pytest.raises(StartRefused, match="key store"):
            await backup(sqlite_settings, wrong, time.now())


async def test_a_database_that_no_server_made_ready_is_not_backed_up(tmp_path: Path, time: Time) -> None:
    with pytest.raises(StartRefused, match="start the server once"):
        await backup(VaultSettings(data=tmp_path / "data"), tmp_path / "backups", time.now())
    assert not (tmp_path / "backups").exists() or not list((tmp_path / "backups").iterdir())


def keeping(settings: VaultSettings, tmp_path: Path) -> VaultSettings:
    """With snapshots of the key store."""
    return settings.model_copy(update={"snapshot_keys": tmp_path / "snapshot-keys"})


@asynccontextmanager
async def snapshotted(
    settings: VaultSettings, time: Time, folder: Path
) -> AsyncIterator[tuple[Store, Appointment, Path]]:
    """A running store with one appointment, and a snapshot of its keys."""
    async with opened(settings, time) as store:
        planned = await plan(store, await alice(store))
        yield store, planned, await snapshot(settings, folder, time.now())


async def test_without_a_place_for_their_keys_there_are_no_key_snapshots(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    with pytest.raises(StartRefused, match="are off"):
        await snapshot(sqlite_settings, tmp_path / "snapshots", time.now())


async def test_a_key_snapshot_brings_the_key_store_back_within_a_day(
    settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    settings = keeping(settings, tmp_path)
    async with snapshotted(settings, time, tmp_path / "snapshots") as (store, planned, taken):
        with pytest.raises(StartRefused, match="Another server is running"):
            await snapshots.restore(settings, taken, time.now())
    with pytest.raises(StartRefused, match="There is a key store already"):
        await snapshots.restore(settings, taken, time.now())
    shutil.rmtree(settings.keystore().parent)
    time.pass_(hours=23)
    await snapshots.restore(settings, taken, time.now())
    async with opened(settings, time) as store:
        assert store.locked is None
        assert await store.appointments.list(of(planned.owner), DAY, DAY) == [planned]


@pytest.mark.duty("S-31")
async def test_after_a_day_no_key_snapshot_opens(sqlite_settings: VaultSettings, time: Time, tmp_path: Path) -> None:
    settings = keeping(sqlite_settings, tmp_path)
    async with opened(settings, time) as store:
        await alice(store)
        taken = await snapshot(settings, tmp_path / "snapshots", time.now())
        (key,) = (tmp_path / "snapshot-keys").iterdir()
        secret = key.read_bytes()
        time.pass_(hours=23, minutes=59)
        await store.retention.sweep()
        assert key.read_bytes() == secret
        time.pass_(minutes=2)
        await store.retention.sweep()
        assert not key.exists(), "the server's sweep erases it"
    shutil.rmtree(settings.keystore().parent)
    with pytest.raises(StartRefused, match="nothing opens it"):
        await snapshots.restore(settings, taken, time.now())


async def test_a_backup_and_a_key_snapshot_are_enough_when_everything_else_is_lost(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    settings = keeping(sqlite_settings, tmp_path)
    async with snapshotted(settings, time, tmp_path / "snapshots") as (_, planned, taken):
        await backup(settings, tmp_path / "backups", time.now())
    before = (written := next((tmp_path / "backups").iterdir())).read_bytes()
    shutil.rmtree(settings.keystore().parent)
    shutil.rmtree(Path(settings.database().database or "").parent)
    with pytest.raises(StartRefused, match="name a backup of it"):
        await snapshots.restore(settings, taken, time.now())
    with pytest.raises(StartRefused, match="The key store is missing"):
        await data.restore(settings, KINDS, tmp_path / "backups")
    await snapshots.restore(settings, taken, time.now(), tmp_path / "backups")
    await data.restore(settings, KINDS, tmp_path / "backups")
    assert written.read_bytes() == before
    async with opened(settings, time) as store:
        assert store.locked is None
        assert await store.appointments.list(of(planned.owner), DAY, DAY) == [planned]


@pytest.mark.duty("S-31")
@pytest.mark.parametrize("lost", [True, False])
async def test_a_key_snapshot_is_not_older_than_what_the_newest_backup_knows_to_be_destroyed(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, lost: bool
) -> None:
    settings = keeping(sqlite_settings, tmp_path)
    async with snapshotted(settings, time, tmp_path / "snapshots") as (store, planned, taken):
        await backup(settings, tmp_path / "older", time.now())
        await store.retention.destroy(of(planned.owner), planned.id)
        await backup(settings, tmp_path / "backups", time.now())
    shutil.rmtree(settings.keystore().parent)
    if lost:
        shutil.rmtree(Path(settings.database().database or "").parent)
    with pytest.raises(StartRefused, match="would bring back what was destroyed"):
        await snapshots.restore(settings, taken, time.now(), tmp_path / ("backups" if lost else "older"))
    assert not settings.keystore().exists()


@pytest.mark.duty("S-31")
async def test_a_key_snapshot_that_is_older_than_a_destruction_is_refused(
    settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    settings = keeping(settings, tmp_path)
    async with snapshotted(settings, time, tmp_path / "snapshots") as (store, planned, taken):
        await store.retention.destroy(of(planned.owner), planned.id)
    shutil.rmtree(settings.keystore().parent)
    with pytest.raises(StartRefused, match="older than the database"):
        await snapshots.restore(settings, taken, time.now())
    assert not settings.keystore().exists()


async def test_a_key_snapshot_is_sealed_and_bound_to_its_name(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    settings = keeping(sqlite_settings, tmp_path)
    async with opened(settings, time) as store:
        await alice(store)
        one = await snapshot(settings, tmp_path / "snapshots", time.now())
        other = await snapshot(settings, tmp_path / "snapshots", time.now() + timedelta(hours=1))
        epoch = next(settings.keystore().parent.glob("epoch-*.key")).read_bytes()
        assert found(tmp_path / "snapshots", {"epoch": epoch, "SQLite": "SQLite format 3"}) == []
    shutil.rmtree(settings.keystore().parent)
    shutil.copy(one, other)
    with pytest.raises(StartRefused, match="damaged"):
        await snapshots.restore(settings, other, time.now())
    with pytest.raises(StartRefused, match="not a key snapshot"):
        await snapshots.restore(settings, tmp_path / "keystore.sqlite", time.now())


async def test_snapshots_lie_apart_from_everything_they_could_open(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    settings = keeping(sqlite_settings, tmp_path).model_copy(update={"backups": tmp_path / "backups"})
    async with opened(settings, time):
        for wrong in (settings.keystore().parent, tmp_path / "snapshot-keys", tmp_path / "backups"):
            with pytest.raises(StartRefused, match="apart"):
                await snapshot(settings, wrong, time.now())
