"""Disks that are full, rows that vanish meanwhile, files that cannot be read: a refusal, never a half truth."""

import asyncio
import ctypes
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bench.load.door import Door, eventually
from practice.accounts.model import Practitioner
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import PASSWORD, START, Time, alice, caught_up, plan
from tests.servers.postgres import Postgres
from vault import clock, reserve
from vault.database import database
from vault.errors import DomainError, Locked, StartRefused
from vault.keys import files
from vault.keys.backends import SqliteBackend
from vault.keys.sqlite import SqliteKeys
from vault.keys.store import KeyStore, open_checked
from vault.keys.wrapped import WrappedKeys
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings, database_url, sqlite_url
from vault.vault import known_pair, remember_pair

FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from vault.errors import DomainError
from vault.settings import VaultSettings
from vault.records.scope import SERVER
from tests.opening import of, open_store
from tests.people import START, Time

async def main() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    time = Time()
    async with open_store(VaultSettings(data=Path(sys.argv[1]), trust_clock=True), now=time.now) as store:
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        limit = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        codes = []
        for number in range(400):
            try:
                made = await store.appointments.create(of(person.id), f"Patient {number}", START, 30, "nl")
            except DomainError as error:
                codes.append(error.code)
                if len(codes) == 3:
                    break
            else:
                print("made", made.id, flush=True)
        print("codes", *codes)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        made = await store.appointments.create(of(person.id), "there is room again", START, 30, "nl")
        print("made", made.id, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("room", [0, 6_000, 90_000])
async def test_a_full_disk_loses_nothing_that_was_acknowledged(
    sqlite_settings: VaultSettings, time: Time, room: int
) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await alice(store)
        await store.retention.sweep()
    files = [path for path in sqlite_settings.data.rglob("*") if path.is_file() and path.name != reserve.NAME]
    largest = max(path.stat().st_size for path in files)
    command = [sys.executable, "-c", FULL, str(sqlite_settings.data), str(largest + room)]
    done = await asyncio.to_thread(
        subprocess.run, command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("codes")] == ["codes try_again try_again try_again"], done.stdout
    promised = {line.split()[1] for line in lines if line.startswith("made")}
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        await caught_up(store)
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        found = await store.appointments.list(of(person.id), START.date(), START.date())
        assert {entry.id for entry in found} == promised
        assert (await store.retention.status()).alarms == 0


async def test_a_practitioner_whose_row_vanished_gets_no_appointment(sqlite_store: Store) -> None:
    person = await alice(sqlite_store)
    async with sqlite_store.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM practitioners")
    with pytest.raises(DomainError, match="not_found"):
        await plan(sqlite_store, person)
    assert await sqlite_store.practitioners.authenticate(person.mail, PASSWORD) is None


async def test_an_appointment_destroyed_while_it_ends_is_gone(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)
    plain = KeyStore.get_many

    async def meanwhile(keys: KeyStore, wanted: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        found = await plain(keys, wanted)
        monkeypatch.undo()
        await sqlite_store.retention.destroy(of(person.id), planned.id)
        return found

    monkeypatch.setattr(KeyStore, "get_many", meanwhile)
    with pytest.raises(DomainError, match="gone"):
        await sqlite_store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)


async def test_an_appointment_without_its_key_cannot_end(sqlite_store: Store) -> None:
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)
    await sqlite_store.keys.destroy([(person.id, planned.id)], START)
    with pytest.raises(DomainError, match="gone"):
        await sqlite_store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)


async def test_a_row_that_cannot_be_opened_keeps_its_due_day_when_the_setting_changes(sqlite_store: Store) -> None:
    person = await alice(sqlite_store)
    broken, fine = await plan(sqlite_store, person), await plan(sqlite_store, person)
    async with sqlite_store.database.write() as connection:
        await connection.exec_driver_sql(f"UPDATE appointments SET content = x'00' WHERE id = '{broken.id}'")
    await sqlite_store.practitioners.set_retention(of(person.id), "7d")
    changed = await sqlite_store.appointments.get(of(person.id), fine.id)
    assert changed.due is not None
    assert fine.due is not None
    assert (fine.due - changed.due).days == 23


async def test_a_lease_lost_in_the_middle_ends_the_sweep(
    sqlite_store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plan(sqlite_store, await alice(sqlite_store))
    time.pass_(days=40)

    async def lost(*_: object) -> bool:
        return False

    monkeypatch.setattr("vault.database.leases.Lease.renew", lost)
    assert await sqlite_store.retention.sweep() == 0
    monkeypatch.undo()
    assert await sqlite_store.retention.sweep() == 1


async def test_a_closed_key_store_answers_locked(sqlite_settings: VaultSettings) -> None:
    async with open_store(sqlite_settings) as store:
        pass
    with pytest.raises(Locked):
        await store.keys.generation()
    await store.keys.close()


@asynccontextmanager
async def dropped_by(postgres: Postgres, files: VaultSettings) -> AsyncIterator[tuple[Store, Practitioner]]:
    """A store in a database whose server has just dropped all connections, and whose account is in it."""
    settings = VaultSettings(data=files.data, trust_clock=True, database_url=postgres.new_database())
    async with open_store(settings) as store:
        person = await alice(store)
        await asyncio.to_thread(postgres.drop_connections)
        yield store, person


async def test_a_database_server_that_dropped_its_connections_is_used_again(
    postgres: Postgres, sqlite_settings: VaultSettings
) -> None:
    async with dropped_by(postgres, sqlite_settings) as (store, person):
        assert await store.practitioners.get(of(person.id)) == person
        dropped = asyncio.Event()

        async def in_the_middle() -> None:
            async with store.database.write() as connection:
                await asyncio.to_thread(postgres.drop_connections)
                dropped.set()
                await connection.exec_driver_sql("SELECT 1")

        with pytest.raises(DomainError, match="try_again"):
            await in_the_middle()
        assert dropped.is_set()
        assert await store.practitioners.get(of(person.id)) == person


async def test_a_database_that_says_nothing_any_more_is_not_waited_on_for_ever(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes connections and keeps them: the kernel sees nothing wrong with it."""
    monkeypatch.setattr(database, "POSTGRES_SECONDS", 0.5)
    door = Door(str(postgres.socket / ".s.PGSQL.5432"))
    await door.open()
    address = postgres.new_database().partition("?")[0].replace("@/", f"@127.0.0.1:{door.port}/")
    opened = database.Database(database_url(address))
    try:
        await opened.ping()
        door.cut()
        with pytest.raises(DomainError) as refused:
            await opened.ping()
        assert refused.value.code == "try_again"
        door.mend()
        await opened.ping()
    finally:
        await opened.close()
        await door.close()


def test_a_key_store_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="is a file or lies below one"):
        open_checked(SqliteBackend(tmp_path / "file" / "keys.sqlite", tmp_path / "root.key"), None, 0)


def test_a_file_that_is_no_key_store_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    path.write_bytes(b"something else altogether" * 100)
    files.create_root_key(tmp_path / "root.key")
    with pytest.raises(Locked):
        open_checked(SqliteBackend(path, tmp_path / "root.key"), None, 0)
    assert path.read_bytes() == b"something else altogether" * 100


@pytest.mark.parametrize(
    "damage", ["DELETE FROM meta WHERE name = 'pair'", "UPDATE meta SET value = x'00' WHERE name = 'check'"]
)
def test_a_key_store_with_a_part_missing_locks(tmp_path: Path, damage: str) -> None:
    files.create_root_key(tmp_path / "root.key")
    keys = open_checked(SqliteBackend(tmp_path / "keys.sqlite", tmp_path / "root.key"), None, 0)
    keys._db.execute(damage)
    keys.close()
    with pytest.raises(Locked):
        open_checked(SqliteBackend(tmp_path / "keys.sqlite", tmp_path / "root.key"), "x", 0)


def test_a_damaged_epoch_file_locks(tmp_path: Path) -> None:
    files.create_root_key(tmp_path / "root.key")
    open_checked(SqliteBackend(tmp_path / "keys.sqlite", tmp_path / "root.key"), None, 0).close()
    (tmp_path / "epoch-1.key").chmod(0o600)
    (tmp_path / "epoch-1.key").write_bytes(b"short")
    with pytest.raises(Locked) as caught:
        SqliteKeys.open(tmp_path / "keys.sqlite", files.read_root_key(tmp_path / "root.key"), os.urandom)
    assert "damaged" in caught.value.reason


def test_a_root_key_that_is_a_folder_locks(tmp_path: Path) -> None:
    with pytest.raises(Locked) as caught:
        files.read_root_key(tmp_path)
    assert "cannot be read" in caught.value.reason


def test_secrets_that_a_container_engine_mounts_may_be_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.create_root_key(tmp_path / "root.key")
    (tmp_path / "root.key").chmod(0o444)
    with pytest.raises(StartRefused):
        files.read_root_key(tmp_path / "root.key")
    monkeypatch.setattr(files, "MOUNTED_SECRETS", (tmp_path,))
    assert len(files.read_root_key(tmp_path / "root.key")) == 32


def test_a_system_without_these_clocks_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> str:
        raise OSError("not here")

    monkeypatch.setattr(ctypes, "CDLL", absent)
    monkeypatch.setattr(Path, "read_text", absent)
    assert clock.kernel_synchronised() is False
    assert clock.boot_id() == "unknown"


async def test_a_write_that_was_cut_off_holds_nothing_up(sqlite_store: Store) -> None:
    """Whoever cancels in the middle of a transaction leaves no lock behind in a pooled connection."""

    async def write() -> None:
        async with sqlite_store.database.write() as connection:
            await connection.exec_driver_sql("DELETE FROM practitioners")
            await asyncio.sleep(3600)

    person = await alice(sqlite_store)
    for _ in range(20):
        cut_off = asyncio.create_task(write())
        await asyncio.sleep(0.01)
        cut_off.cancel()
        await asyncio.gather(cut_off, return_exceptions=True)
    assert await sqlite_store.practitioners.get(of(person.id)) == person
    await plan(sqlite_store, person)


async def test_a_question_that_was_cut_off_gives_its_connection_back(postgres: Postgres) -> None:
    asked = database.Database(database_url(postgres.new_database()))
    with postgres._connection() as beside:
        counting = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(3%'"

        async def under_way() -> bool:
            row = await asyncio.to_thread(lambda: beside.execute(counting).fetchone())
            return row is not None and row[0] > 0

        async def over() -> bool:
            return not await under_way()

        for _ in range(5):
            cut_off = asyncio.create_task(asked.ask(text("SELECT pg_sleep(3599)")))
            await eventually(under_way, "the server has the question", 60)
            cut_off.cancel()
            await asyncio.gather(cut_off, return_exceptions=True)
            await eventually(over, "the server was told that nobody wants to know", 60)
            assert [tuple(row) for row in await asked.ask(text("SELECT 1"))] == [(1,)]
    assert asked.engine.pool.status().endswith("Current Checked out connections: 0")
    await asked.close()


async def test_a_key_store_that_cannot_be_read_any_more_is_one_sentence(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OSError("input/output error")

    assert await sqlite_store.key_trouble() is None
    monkeypatch.setattr(WrappedKeys, "check", fail)
    assert await sqlite_store.key_trouble() == "The key store does not answer."


def test_what_was_begun_and_left_is_rolled_back_before_the_connection_is_used_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "any.sqlite", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE any (value)")
        for begin in ("BEGIN IMMEDIATE", "BEGIN"):
            connection.execute(begin)
            connection.execute("INSERT INTO any VALUES (1)")
            database.reset_sqlite(connection, None, None)
            assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM any").fetchone() == (0,)


async def test_a_write_begun_on_a_connection_that_was_dropped_gets_a_new_one(
    postgres: Postgres, sqlite_settings: VaultSettings
) -> None:
    async with dropped_by(postgres, sqlite_settings) as (store, person):
        assert await store.practitioners.set_retention(of(person.id), "7d") == 0
        assert (await store.practitioners.get(of(person.id))).retention == "7d"


async def test_a_statement_that_the_database_does_not_understand_is_try_again(store: Store) -> None:
    with pytest.raises(DomainError, match="try_again"):
        await store.database.ask(text("SELECT nothing FROM nowhere"))
    await store.ping()


async def test_a_database_that_cannot_be_opened_is_one_sentence(sqlite_store: Store, tmp_path: Path) -> None:
    folder = database.Database(sqlite_url(tmp_path))
    with pytest.raises(StartRefused, match="database"):
        await known_pair(folder)
    with pytest.raises(StartRefused, match="database"):
        await remember_pair(folder, None, sqlite_store.keys)
    await folder.close()
