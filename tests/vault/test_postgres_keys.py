"""The key store in PostgreSQL, for more than one node."""

import contextlib
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from tests.opening import of, open_store
from tests.people import START, Time, alice, fill, plan
from tests.servers.postgres import Postgres
from tests.vault.round_trips import before_postgres, counting
from tests.vault.test_locked import locked_reason
from vault.errors import Locked, StartRefused
from vault.keys.backends import PostgresBackend, SqliteBackend, backend
from vault.keys.connection import PostgresConnection, transaction
from vault.keys.files import create_root_key
from vault.settings import TransitSettings, VaultSettings


async def test_a_key_store_in_postgresql_that_is_gone_locks_and_no_new_one_is_made(
    nodes: VaultSettings, time: Time, postgres: Postgres
) -> None:
    await fill(nodes, time)
    emptied = nodes.model_copy(update={"keystore_url": SecretStr(postgres.new_database(migrated=False))})
    assert "key store is missing" in await locked_reason(emptied, time)
    assert not backend(emptied).holds()
    away = nodes.model_copy(update={"keystore_url": SecretStr("postgresql://x@/y?host=/nowhere")})
    assert "cannot be reached" in await locked_reason(away, time)


async def test_a_read_only_key_store_in_postgresql_locks(nodes: VaultSettings, time: Time, postgres: Postgres) -> None:
    await fill(nodes, time)
    name = nodes.keystore_address().database
    with postgres._connection() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "cannot be written" in await locked_reason(nodes, time)


@pytest.mark.parametrize(
    "damage", ["DELETE FROM meta WHERE name = 'pair'", "DROP TABLE service_keys", "DELETE FROM service_keys"]
)
async def test_a_damaged_key_store_in_postgresql_locks(nodes: VaultSettings, time: Time, damage: str) -> None:
    await fill(nodes, time)
    with psycopg.connect(address(nodes), autocommit=True) as connection:
        connection.execute(damage.encode())
    assert "damaged" in await locked_reason(nodes, time)


def address(settings: VaultSettings) -> str:
    return settings.keystore_address().render_as_string(hide_password=False)


async def test_a_key_store_of_another_version_in_postgresql_locks(nodes: VaultSettings, time: Time) -> None:
    await fill(nodes, time)
    with psycopg.connect(address(nodes), autocommit=True) as connection:
        connection.execute("UPDATE meta SET value = '9' WHERE name = 'schema'")
    assert "another version" in await locked_reason(nodes, time)


async def test_a_database_that_was_restarted_is_found_again(
    nodes: VaultSettings, time: Time, postgres: Postgres
) -> None:
    async with open_store(nodes, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        planned = await plan(store, person)
        postgres.drop_connections()
        assert await store.appointments.get(of(person.id), planned.id) == planned
        postgres.drop_connections()
        assert await store.keys.unconfirmed(), "also outside a transaction"
        postgres.drop_connections()
        await plan(store, person)


def test_a_connection_lost_inside_a_transaction_is_not_papered_over(nodes: VaultSettings, postgres: Postgres) -> None:
    connection = PostgresConnection(address(nodes))
    with pytest.raises(psycopg.OperationalError), transaction(connection):
        connection.execute("CREATE TABLE half (id BIGINT)")
        postgres.drop_connections()
        connection.execute("SELECT 1")
    assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)
    connection.close()
    connection.close()


@pytest.mark.parametrize("fails", [False, True])
def test_a_connection_lost_after_a_transaction_comes_back(
    nodes: VaultSettings, postgres: Postgres, *, fails: bool
) -> None:
    with closing(PostgresConnection(address(nodes))) as connection:
        with contextlib.suppress(psycopg.Error), transaction(connection):
            connection.execute("SELECT nonsense" if fails else "SELECT 1")
        postgres.drop_connections()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_statement_that_fails_leaves_the_connection_usable(nodes: VaultSettings) -> None:
    with closing(PostgresConnection(address(nodes))) as connection:
        with pytest.raises(psycopg.Error), transaction(connection):
            connection.execute("SELECT nonsense")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SET statement_timeout = 10; SELECT pg_sleep(2)")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_two_nodes_that_start_first_at_once_make_one_key_store(nodes: VaultSettings) -> None:
    faults: list[BaseException] = []

    def start(pair: str) -> None:
        try:
            backend(nodes).create(pair)
        except (StartRefused, Locked) as fault:
            faults.append(fault)

    create_root_key(nodes.root_key())
    threads = [threading.Thread(target=start, args=(pair,)) for pair in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with closing(backend(nodes).open()) as keys:
        assert keys.pair in ("one", "two")


async def test_nodes_share_everything_and_notice_each_others_epochs(
    nodes: VaultSettings, time: Time, postgres: Postgres
) -> None:
    nodes = nodes.model_copy(update={"database_url": SecretStr(postgres.new_database())})
    async with (
        open_store(nodes, now=time.now, boot=time.boottime) as one,
        open_store(nodes, now=time.now, boot=time.boottime, exclusive=False) as two,
    ):
        person = await alice(one)
        planned = [await plan(store, person) for store in (one, two, one)]
        await two.retention.destroy(of(person.id), planned[0].id)
        await two.retention.sweep()
        await one.retention.sweep()
        for store in (one, two):
            assert await store.appointments.list(of(person.id), START.date(), START.date()) == sorted(
                planned[1:], key=lambda entry: entry.id
            )
        assert await two.keys.missing([entry.id for entry in planned]) == [planned[0].id]


@pytest.mark.parametrize("folder", ["root", "database"])
def test_a_first_start_that_cannot_write_is_one_sentence(
    nodes: VaultSettings, tmp_path: Path, folder: str, postgres: Postgres
) -> None:
    if folder == "root":
        (tmp_path / "file").write_text("")
        nodes = nodes.model_copy(update={"root_key_file": tmp_path / "file" / "root.key"})
    else:
        with postgres._connection() as connection:
            connection.execute(
                f"ALTER DATABASE {nodes.keystore_address().database} SET default_transaction_read_only = on"
            )
    with pytest.raises(StartRefused, match=r"cannot be written|is a file or lies below one"):
        backend(nodes).create("pair")


def test_postgresql_needs_openbao(nodes: VaultSettings) -> None:
    with pytest.raises(StartRefused, match="needs OpenBao"):
        backend(nodes.model_copy(update={"transit": TransitSettings()}))
    assert isinstance(backend(nodes), PostgresBackend)
    with pytest.raises(StartRefused, match="on SQLite"):
        nodes.keystore()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("postgresql://a@host/rooms", "postgresql://b:c@host:5432/rooms", True),
        ("postgresql://a@host/rooms", "postgresql://a@host/keys", False),
        ("postgresql://a@host/rooms", "postgresql://a@elsewhere/rooms", False),
        ("postgresql://a@host/rooms", "postgresql://a@host:5433/rooms", False),
        ("postgresql://a@/rooms?host=/run/a", "postgresql://a@/rooms?host=/run/a", True),
        ("postgresql://a@/rooms?host=/run/a", "postgresql://a@/rooms?host=/run/b", False),
    ],
)
def test_the_key_store_is_never_in_the_database_itself(one: str, other: str, same: bool) -> None:
    settings = VaultSettings(database_url=SecretStr(one), keystore_url=SecretStr(other))
    if same:
        with pytest.raises(StartRefused, match="of its own"):
            settings.keystore_address()
    else:
        assert settings.keystore_address() == make_url(other)


def test_a_password_in_the_key_stores_address_stays_out_of_repr() -> None:
    assert "geheim" not in repr(VaultSettings(keystore_url=SecretStr("postgresql://a:geheim@b/c")))


def test_sqlite_is_the_default(tmp_path: Path) -> None:
    settings = VaultSettings(data=tmp_path)
    assert isinstance(backend(settings), SqliteBackend)
    assert settings.keystore() == tmp_path / "keys" / "keystore.sqlite"


def test_a_key_is_one_round_trip_away(nodes: VaultSettings, postgres: Postgres) -> None:
    with before_postgres(postgres.socket) as (place, counted):
        url = SecretStr(counting(address(nodes), place))
        there = backend(nodes.model_copy(update={"keystore_url": url}))
        there.create("pair")
        with closing(there.open()) as keys, closing(backend(nodes).open(tidy=False)) as beside:
            own = keys.add_practitioner("alice", START)
            made = {f"row{n}": keys.add("alice", f"row{n}", START) for n in range(9)}
            asked: list[Callable[[], object]] = [
                lambda: keys.get("alice", "row0"),
                lambda: keys.get("alice", "unknown"),
                lambda: keys.get_with_owner("alice", "row0"),
                lambda: keys.get_many([("alice", row) for row in made]),
            ]
            answers = [one() for one in asked]
            assert answers[0] == (made["row0"], True)
            assert answers[2:] == [(made["row0"], own, True), made]
            for again, one in zip(answers, asked, strict=True):
                before = counted.trips
                assert one() == again
                assert counted.trips - before == 1
            for again, one in zip(answers, asked, strict=True):
                beside.rotate(everything=True)
                before = counted.trips
                assert one() == again
                assert counted.trips - before > 1, "the new epoch is looked for"
