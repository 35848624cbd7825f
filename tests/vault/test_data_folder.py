"""One server per data folder; settings that make no sense refuse to start."""

import asyncio
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError

from practice.storage import Store
from tests.opening import of, open_store
from tests.people import Time, alice, plan
from vault.database import database
from vault.errors import DomainError, Locked, StartRefused
from vault.keys import connection as key_connection
from vault.keys.epochs import Epochs
from vault.keys.wrapped import WrappedKeys
from vault.records.scope import Scope
from vault.settings import VaultSettings

HOLD = (
    "import asyncio, sys\nfrom pathlib import Path\nfrom vault.settings import VaultSettings\n"
    "from tests.opening import of, open_store\n"
    "async def main():\n"
    "    async with open_store(VaultSettings(data=Path(sys.argv[1]))):\n"
    "        print('open', flush=True)\n"
    "        await asyncio.to_thread(sys.stdin.read)\n"
    "asyncio.run(main())\n"
)


async def test_a_second_server_on_the_same_folder_is_refused_with_one_sentence(sqlite_settings: VaultSettings) -> None:
    async with open_store(sqlite_settings):
        with pytest.raises(StartRefused) as refused:
            async with open_store(sqlite_settings):
                pass
    assert str(refused.value).count(".") == 1
    async with open_store(sqlite_settings):
        pass


def test_a_server_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    for _ in range(2):
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"open\n"
            server.kill()


async def test_a_command_works_beside_a_running_server(sqlite_settings: VaultSettings) -> None:
    async with open_store(sqlite_settings) as server:
        async with open_store(sqlite_settings, exclusive=False) as command:
            person = await alice(command)
        assert await server.practitioners.get(of(person.id)) == person


@pytest.mark.parametrize(
    "fields",
    [
        {"database_url": "mysql://x/y"},
        {"database_url": "sqlite://"},
        {"database_url": "sqlite:///:memory:"},
        {"database_url": "no address: geheim"},
        {"keystore_url": "vault://x"},
        {"keystore_url": "sqlite://"},
        {"keystore_url": ":"},
    ],
)
def test_an_address_that_cannot_work_is_one_sentence_without_the_address(fields: dict[str, str]) -> None:
    settings = VaultSettings(**fields)
    with pytest.raises(StartRefused) as refused:
        _ = settings.database(), settings.keystore()
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "fields", [{"unknown": 1}, {"retention_cap": -1}, {"sweep_interval": 61}, {"sweep_interval": 0}]
)
def test_a_setting_out_of_range_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        VaultSettings(**fields)


def test_a_password_in_the_address_stays_out_of_repr() -> None:
    assert "geheim" not in repr(VaultSettings(database_url="postgresql://a:geheim@b/c"))


async def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="is a file or lies below one"):
        async with open_store(VaultSettings(data=tmp_path / "file" / "data")):
            pass


async def test_two_processes_that_write_to_one_database_wait_for_each_other(settings: VaultSettings) -> None:
    async with open_store(settings) as one, open_store(settings, exclusive=False) as two:
        person = await alice(one)
        start = datetime.now(UTC) + timedelta(hours=1)
        made = await asyncio.gather(
            *(
                store.appointments.create(of(person.id), "Jan", start, 30, "nl")
                for _ in range(15)
                for store in (one, two)
            )
        )
        found = await one.appointments.list(of(person.id), start.date(), start.date())
        assert {entry.id for entry in found} == {entry.id for entry in made}


async def test_a_new_epoch_is_noticed_by_a_process_beside(settings: VaultSettings, time: Time) -> None:
    async with (
        open_store(settings, now=time.now, boot=time.boottime) as one,
        open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as two,
    ):
        person = await alice(one)
        planned = [await plan(one, person) for _ in range(4)]
        for gone in planned[:3]:
            assert await two.appointments.get(of(person.id), gone.id) == gone
            await one.retention.destroy(of(person.id), gone.id)
            await one.retention.sweep()
            assert await two.appointments.get(of(person.id), planned[3].id) == planned[3]
        made = await plan(two, person)
        assert await one.appointments.get(of(person.id), made.id) == made


async def test_an_epoch_that_began_while_we_looked_is_looked_at_again(
    sqlite_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        planned = await plan(store, await alice(store))
        plain, calls = Epochs.current, []

        def current(epochs: Epochs, number: int | None = None) -> bytes:
            calls.append(1)
            if len(calls) == 1:
                raise Locked("gone")
            return plain(epochs, number)

        monkeypatch.setattr(Epochs, "current", current)
        assert await store.appointments.get(Scope.guest(planned.id), planned.id) == planned


async def test_a_restarted_server_gets_its_own_lease_back_at_once(settings: VaultSettings) -> None:
    async with open_store(settings) as store:
        assert await store.retention._sweeps.take()
        name = store.retention._sweeps._lease.holder
    async with open_store(settings) as store, open_store(settings, exclusive=False) as command:
        assert await store.retention._sweeps.take()
        assert store.retention._sweeps._lease.holder == name
        assert command.retention._sweeps._lease.holder != name
        assert not await command.retention._sweeps.take()


async def test_a_server_that_stops_lets_the_next_one_sweep_at_once(settings: VaultSettings) -> None:
    async with open_store(settings, exclusive=False) as store:
        assert await store.retention._sweeps.take()
    async with open_store(settings, exclusive=False) as store:
        assert await store.retention._sweeps.take()


async def test_deleted_cells_are_overwritten_and_commits_reach_the_disk(sqlite_store: Store) -> None:
    async with sqlite_store.database.read() as connection:
        found = {
            pragma: (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar()
            for pragma in ("secure_delete", "synchronous", "foreign_keys", "journal_mode")
        }
    assert found == {"secure_delete": 1, "synchronous": 2, "foreign_keys": 1, "journal_mode": "wal"}

    def ask(name: str, keys: WrappedKeys) -> object:
        return keys._db.execute(f"PRAGMA {name}").fetchone()[0]

    keys = [await sqlite_store.keys._run(partial(ask, name)) for name in found]
    assert keys == list(found.values())
    for pragmas in (database.SQLITE_PRAGMAS, key_connection.PRAGMAS):
        assert "secure_delete=ON" in pragmas, "not only where it is the default"


async def test_a_database_in_use_by_another_program_answers_try_again(
    sqlite_settings: VaultSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked for longer than we wait: never a false *saved*."""
    monkeypatch.setattr(database, "SQLITE_PRAGMAS", ("journal_mode=WAL", "busy_timeout=50", "foreign_keys=ON"))
    async with open_store(sqlite_settings) as store:
        person = await alice(store)
        other = await asyncio.to_thread(
            lambda: sqlite3.connect(sqlite_settings.database().database or "", check_same_thread=False)
        )
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        with pytest.raises(DomainError, match="try_again"):
            await store.sessions.create(person.id)
        await asyncio.to_thread(other.rollback)
        await asyncio.to_thread(other.close)
        assert await store.sessions.create(person.id)
