"""The migrations make the tables that the code uses, once, and never meddle with a newer database."""

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, inspect

from tests.opening import open_store
from tests.people import Time
from tests.servers.postgres import Postgres
from vault.database.database import Database
from vault.database.migrate import configuration, migrate, newest
from vault.database.migrations.sealed import SealedTable
from vault.database.tables import metadata
from vault.errors import StartRefused
from vault.settings import VaultSettings, sqlite_url


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """Of a database in which nothing is."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres").new_database(migrated=False)
    return VaultSettings(data=tmp_path, database_url=url).database()


async def test_the_migrations_make_exactly_the_tables_of_the_code(address: URL) -> None:
    await asyncio.to_thread(migrate, address)
    database = Database(address)
    async with database.read() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"compare_type": True}), metadata)
        )
        keys = await connection.run_sync(primary_keys)
    await database.close()
    assert differences == []
    assert keys == {table.name: [column.name for column in table.primary_key] for table in metadata.sorted_tables}


def primary_keys(connection: Connection) -> dict[str, list[str]]:
    """Of our tables; ``compare_metadata`` does not look at these."""
    inspector = inspect(connection)
    return {table: inspector.get_pk_constraint(table)["constrained_columns"] for table in metadata.tables}


def test_there_is_one_line_of_revisions() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [newest()]


async def test_an_empty_database_is_made_ready(tmp_path: Path, postgres: Postgres) -> None:
    for url in (None, postgres.new_database(migrated=False)):
        settings = VaultSettings(data=tmp_path / str(url is None), database_url=url)
        for _ in range(2):
            async with open_store(settings) as store:
                assert store.locked is None
                await store.ping()


def test_two_processes_that_migrate_at_once_do_it_once(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom vault.settings import database_url\nfrom vault.database.migrate import migrate\n"
        "migrate(database_url(sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path / 'rooms.sqlite'}"]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]


async def test_a_database_of_a_newer_program_is_left_alone(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store, store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StartRefused, match="newer version"):
        async with open_store(settings, now=time.now, boot=time.boottime):
            pass


async def test_a_database_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    settings = VaultSettings(data=tmp_path, database_url="postgresql://nobody:geheim@/x?host=/nonexistent")
    with pytest.raises(StartRefused) as refused:
        async with open_store(settings):
            pass
    assert "geheim" not in str(refused.value)
    assert str(refused.value).endswith(".")


async def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "rooms.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 50)
    settings = VaultSettings(data=tmp_path / "data", database_url=f"sqlite:///{tmp_path / 'rooms.sqlite'}")
    with pytest.raises(StartRefused):
        async with open_store(settings):
            pass
    assert (tmp_path / "rooms.sqlite").read_bytes().startswith(b"not a database")


async def test_migrating_does_not_stop_the_loop(tmp_path: Path) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.002)

    ticking = asyncio.create_task(tick())
    await asyncio.to_thread(migrate, VaultSettings(data=tmp_path).database())
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    assert ticks > 3


def test_where_no_file_can_be_made_it_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="is a file or lies below one"):
        migrate(sqlite_url(tmp_path / "file" / "rooms.sqlite"))


MADE = """
CREATE TABLE things (
    id VARCHAR(22) NOT NULL,
    owner VARCHAR(22) NOT NULL,
    token BYTEA NOT NULL,
    state VARCHAR(10) NOT NULL,
    content BYTEA NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_things PRIMARY KEY (id),
    CONSTRAINT uq_things_token UNIQUE (token)
);
COMMENT ON COLUMN things.owner IS 'no foreign key: who closes may not know this table';
COMMENT ON COLUMN things.state IS 'kept, destroying';
COMMENT ON COLUMN things.content IS 'sealed: name';
CREATE INDEX ix_things_owner ON things (owner);
CREATE INDEX ix_things_marked ON things (id) WHERE state = 'destroying';
CREATE UNIQUE INDEX ix_things_one ON things (owner) WHERE state = 'kept';
DROP TABLE things;
"""


def test_what_steps_share_makes_the_same_for_ever() -> None:
    """Steps that ran everywhere call it: changed, it would make a new database another than all others."""
    said = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said, "transactional_ddl": False}
    )
    with Operations.context(context):
        things = SealedTable(
            "things", "name", (sa.Column("token", sa.LargeBinary(32), nullable=False),), unique=("token",)
        )
        things.make_one()
        things.drop()
    assert [line.rstrip() for line in said.getvalue().splitlines() if line] == MADE.strip().splitlines()
