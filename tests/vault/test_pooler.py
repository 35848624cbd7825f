"""PostgreSQL behind a real PgBouncer, in both of its modes, with its options as they come and with ours ignored."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from practice.kinds import KINDS as RECORDS
from tests.opening import of, open_store
from tests.people import START, Time, alice, plan
from tests.servers.child import served
from tests.servers.postgres import ACCOUNT, Postgres
from vault.backup import data
from vault.database.database import Database
from vault.errors import DomainError, StartRefused
from vault.settings import VaultSettings

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="NOT TESTED: install pgbouncer")
PORT = 6432


@contextlib.contextmanager
def pooler(postgres: Postgres, mode: str, *lines: str) -> Iterator[Path]:
    """A PgBouncer in front of the server; the folder of its socket. Its few connections change hands."""
    with tempfile.TemporaryDirectory(prefix="spreekkamer-pool-") as place:
        user = {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}
        settings = [
            "[databases]",
            f"* = host={postgres.socket} user={ACCOUNT}",
            "[pgbouncer]",
            "listen_addr =",
            f"listen_port = {PORT}",
            f"unix_socket_dir = {place}",
            "auth_type = any",
            f"pool_mode = {mode}",
            *lines,
        ]
        Path(place, "pgbouncer.ini").write_text("\n".join(settings) + "\n")
        if user:
            for path in (Path(place), Path(place, "pgbouncer.ini")):
                shutil.chown(path, ACCOUNT, ACCOUNT)
        assert PROGRAM is not None
        with (
            Path(place, "log").open("wb") as log,
            served([PROGRAM, f"{place}/pgbouncer.ini"], stdout=log, stderr=log, cwd=place, **user),
        ):
            socket = Path(place, f".s.PGSQL.{PORT}")
            for _ in range(600):
                if socket.exists():
                    break
                subprocess.run(["sleep", "0.1"], check=True)
            yield Path(place)


def through(url: str, place: Path) -> str:
    """The same database by way of the pooler."""
    return f"{url.partition('?')[0]}?host={place}&port={PORT}"


KINDS = {
    "session": ("session", "default_pool_size = 20"),
    "transaction": ("transaction", "default_pool_size = 3"),
    "options ignored": (
        "transaction",
        "default_pool_size = 3",
        "ignore_startup_parameters = options,extra_float_digits",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_works_behind_a_pooler(
    kind: str, postgres: Postgres, nodes: VaultSettings, time: Time, tmp_path: Path
) -> None:
    assert nodes.database_url is not None or nodes.keystore_url is not None
    with pooler(postgres, *KINDS[kind]) as place:
        database, keys = postgres.new_database(migrated=False), postgres.new_database(migrated=False)
        settings = nodes.model_copy(
            update={
                "database_url": SecretStr(through(database, place)),
                "keystore_url": SecretStr(through(keys, place)),
            }
        )
        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            assert store.locked is None
            await store.retention.catch_up()
            person = await alice(store)
            made = await asyncio.gather(*(plan(store, person, f"Patient {n}") for n in range(12)))
            for one in made:  # the same statements again and again, on whichever connection there is
                assert await store.appointments.get(of(person.id), one.id) == one
            assert len(await store.appointments.list(of(person.id), START.date(), START.date())) == 12
            await store.retention.destroy(of(person.id), made[0].id)
            time.pass_(days=40)
            assert await store.retention.sweep() == 11
            async with store.database.read() as connection:
                said = [
                    (await connection.execute(text(f"SHOW {name}"))).scalar()
                    for name in ("statement_timeout", "lock_timeout", "timezone")
                ]
            assert said == ["10s", "5s", "UTC"]
            timeout = await store.keys._run(in_transaction)
            assert timeout == "10s"
        await asyncio.to_thread(data.write, settings, RECORDS, tmp_path / "backups", time.now())


def in_transaction(keys: object) -> str:
    from vault.keys.connection import transaction

    with transaction(keys._db) as connection:  # type: ignore[attr-defined]  # a key store in PostgreSQL
        return str(connection.execute("SHOW statement_timeout").fetchone()[0])


async def test_a_statement_that_does_not_end_is_ended_behind_a_pooler_too(postgres: Postgres) -> None:
    from vault.settings import database_url

    with pooler(postgres, "transaction", "default_pool_size = 1") as place:
        database = Database(database_url(through(postgres.new_database(), place)))
        try:
            async with database.read() as connection:
                await connection.execute(text("SET LOCAL statement_timeout = '100ms'"))
            with pytest.raises(DomainError, match="try_again"):
                async with database.read() as connection:
                    await connection.execute(text("SET LOCAL statement_timeout = '100ms'"))
                    await connection.execute(text("SELECT pg_sleep(20)"))
            async with database.read() as connection:
                assert (await connection.execute(text("SHOW statement_timeout"))).scalar() == "10s"
        finally:
            await database.close()


async def test_a_pooler_in_statement_mode_is_refused_in_a_sentence(
    postgres: Postgres, sqlite_settings: VaultSettings, time: Time
) -> None:
    with pooler(postgres, "statement") as place:
        url = SecretStr(through(postgres.new_database(), place))
        with pytest.raises(StartRefused, match="pool_mode"):
            async with open_store(sqlite_settings.model_copy(update={"database_url": url}), now=time.now):
                pass
