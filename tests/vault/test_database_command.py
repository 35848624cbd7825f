"""`spreekkamer db`: forward and one step back on data of the version before, on both databases, one at a time."""

import argparse
import asyncio
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import alembic.command
import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from operate.commands import db
from spreekkamer import Settings
from tests.opening import of, open_store
from tests.ours import ROOT
from tests.people import Time
from tests.servers.postgres import Postgres
from vault.audit import Act, operator
from vault.database.migrate import MIGRATION_LOCK, configuration, downgrade, migrate, revisions
from vault.errors import StartRefused
from vault.lock import waited_for
from vault.records.scope import Scope
from vault.settings import VaultSettings

SCRIPT = ScriptDirectory.from_config(configuration())
HEAD = SCRIPT.get_current_head()


@pytest.fixture(params=["sqlite", "postgres"])
def rooms(request: pytest.FixtureRequest, tmp_path: Path) -> VaultSettings:
    changed: dict[str, Any] = {}
    if request.param == "postgres":
        changed["database_url"] = request.getfixturevalue("postgres").new_database(migrated=False)
    return VaultSettings(data=tmp_path / "data", trust_clock=True, **changed)


def rows(settings: VaultSettings) -> dict[str, list[Any]]:
    """Every row of every table but the version."""
    url = settings.database()
    engine = create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    with engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        found = {name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in names}
    engine.dispose()
    return found


async def fill(settings: VaultSettings, time: Time) -> tuple[str, list[str]]:
    """A practice as it is: people, appointments planned, ended and destroyed, entries in the trail."""
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        owner = await store.practitioners.add("alice@example.org", "correct horse battery", "Alice", "nl")
        made = [
            await store.appointments.create(of(owner.id), f"Patient {n}", time.now() + timedelta(days=n), 30, "nl")
            for n in range(4)
        ]
        await store.appointments.end(Scope.consult(made[1].id, made[1].owner), made[1].id)
        await store.retention.destroy(of(owner.id), made[3].id)
        await store.audit.record(Act.KEYS_VERIFIED, operator())
        return owner.id, [one.id for one in made[:3]]


async def read(settings: VaultSettings, time: Time, owner: str, appointments: list[str]) -> list[str]:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        assert await store.practitioners.authenticate("alice@example.org", "correct horse battery")
        assert len(await store.appointments.receipts(of(owner))) == 1
        return [(await store.appointments.get(of(owner), one)).patient for one in appointments]


async def test_data_of_the_version_before_goes_forward_and_back_and_is_read(rooms: VaultSettings, time: Time) -> None:
    url, names = rooms.database(), ["Patient 0", "Patient 1", "Patient 2"]
    owner, appointments = await fill(rooms, time)
    await asyncio.to_thread(downgrade, url)
    before = await asyncio.to_thread(rows, rooms)
    found = await asyncio.to_thread(revisions, url)
    assert HEAD is not None
    assert found.current == SCRIPT.get_revision(HEAD).down_revision
    assert len(found.pending) == 1
    assert found.behind == "The database has an older schema; run `spreekkamer db upgrade`."

    await asyncio.to_thread(migrate, url)
    upgraded = await asyncio.to_thread(rows, rooms)
    assert {name: upgraded[name] for name in before} == before
    assert await read(rooms, time, owner, appointments) == names

    after = await asyncio.to_thread(rows, rooms)
    await asyncio.to_thread(downgrade, url)
    assert await asyncio.to_thread(rows, rooms) == {name: after[name] for name in before}
    assert await read(rooms, time, owner, appointments) == names


async def test_every_step_can_be_undone_down_to_the_first(rooms: VaultSettings) -> None:
    url = rooms.database()
    await asyncio.to_thread(migrate, url)
    for revision in list(SCRIPT.walk_revisions())[:-1]:
        assert (await asyncio.to_thread(downgrade, url)).startswith(f"{revision.revision}: ")
    with pytest.raises(StartRefused, match="first revision"):
        await asyncio.to_thread(downgrade, url)
    await asyncio.to_thread(migrate, url)
    assert (await asyncio.to_thread(revisions, url)).current == HEAD


async def test_a_step_that_fails_leaves_the_database_as_it_was(
    rooms: VaultSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = rooms.database()
    await asyncio.to_thread(migrate, url)
    await asyncio.to_thread(downgrade, url)
    before = await asyncio.to_thread(rows, rooms)
    real = alembic.command.upgrade

    def cut_off(*arguments: Any) -> None:
        real(*arguments)
        raise OSError

    monkeypatch.setattr(alembic.command, "upgrade", cut_off)
    with pytest.raises(StartRefused):
        await asyncio.to_thread(migrate, url)
    assert await asyncio.to_thread(rows, rooms) == before
    assert len((await asyncio.to_thread(revisions, url)).pending) == 1


def test_who_comes_second_waits(rooms: VaultSettings) -> None:
    url = rooms.database()
    migrate(url)
    downgrade(url)
    second = threading.Thread(target=migrate, args=(url,))
    if url.get_backend_name() == "sqlite":
        with waited_for(Path(f"{url.database}.lock")):
            second.start()
            second.join(0.3)
            assert second.is_alive()
    else:
        with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            second.start()
            second.join(0.3)
            assert second.is_alive()
    second.join(20)
    assert revisions(url).behind is None


def test_a_database_in_use_is_not_taken_a_step_back(postgres: Postgres) -> None:
    url = VaultSettings(database_url=postgres.new_database()).database()
    with (
        psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)),
        pytest.raises(StartRefused, match="stop every server"),
    ):
        downgrade(url)


async def command(name: str, rooms: VaultSettings, **arguments: Any) -> str:
    operate = {"status": db.status, "upgrade": db.forward, "downgrade": db.backward}[name]
    return await operate(Settings(rooms=rooms), argparse.Namespace(**arguments))


async def test_the_commands_say_where_the_database_is(tmp_path: Path) -> None:
    rooms = VaultSettings(data=tmp_path / "data")
    with pytest.raises(StartRefused, match="no database yet"):
        await command("status", rooms, json=False)
    assert not rooms.data.exists()
    await command("upgrade", rooms)
    assert json.loads(await command("status", rooms, json=True)) == {"current": HEAD, "newest": HEAD}
    with pytest.raises(StartRefused, match="--yes"):
        await command("downgrade", rooms, yes=False)
    assert "Start the version before" in await command("downgrade", rooms, yes=True)
    with pytest.raises(StartRefused, match=f"not {HEAD}"):
        await command("status", rooms, json=False)


async def test_a_step_back_beside_a_running_server_is_refused(tmp_path: Path) -> None:
    rooms = VaultSettings(data=tmp_path / "data")
    async with open_store(rooms):
        with pytest.raises(StartRefused, match="Another server"):
            await command("downgrade", rooms, yes=True)


def test_an_older_program_says_that_the_database_is_newer(rooms: VaultSettings) -> None:
    url = rooms.database()
    migrate(url)
    engine = create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert "newer version" in (revisions(url).behind or "")
    with pytest.raises(StartRefused, match="newer version"):
        downgrade(url)


def test_the_upgrade_notes_name_the_newest_revision() -> None:
    notes = (ROOT / "CHANGELOG.md").read_text()
    assert f"Database: revision `{HEAD}`" in notes
