"""Epoch keys in OpenBao: what it destroyed opens nothing, and without it the key store is locked."""

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy.engine import make_url

from rooms.errors import Locked, RoomsError, StartRefused
from rooms.keys import transit as transits
from rooms.keys.backends import PostgresBackend, SqliteBackend, backend
from rooms.keys.connection import PostgresConnection, transaction
from rooms.keys.files import create_root_key
from rooms.keys.transit import Transit, TransitSecrets
from rooms.keys.wrapped import WrappedKeys
from rooms.settings import RoomsSettings, TransitSettings
from rooms.store import open_store
from tests.rooms import bao as servers
from tests.rooms.bao import Bao
from tests.rooms.people import START, Time, alice, plan
from tests.rooms.postgres import Postgres
from tests.rooms.test_locked import locked_reason


@pytest.fixture(params=["transit", "nodes"])
def settings(request: pytest.FixtureRequest, sqlite_settings: RoomsSettings, bao: Bao, tmp_path: Path) -> RoomsSettings:
    """A key store with its epochs in OpenBao."""
    changed: dict[str, object] = {"transit": bao.transit(tmp_path)}
    if request.param == "nodes":
        changed["keystore_url"] = SecretStr(request.getfixturevalue("postgres").new_database(migrated=False))
    return sqlite_settings.model_copy(update=changed)


@pytest.fixture
def single(sqlite_settings: RoomsSettings, bao: Bao, tmp_path: Path) -> RoomsSettings:
    return sqlite_settings.model_copy(update={"transit": bao.transit(tmp_path)})


@pytest.fixture
def nodes(sqlite_settings: RoomsSettings, bao: Bao, postgres: Postgres, tmp_path: Path) -> RoomsSettings:
    url = SecretStr(postgres.new_database(migrated=False))
    return sqlite_settings.model_copy(update={"transit": bao.transit(tmp_path), "keystore_url": url})


@pytest.fixture
def keys(settings: RoomsSettings) -> Iterator[WrappedKeys]:
    place = backend(settings)
    place.create("pair")
    opened = place.open()
    opened.add_practitioner("alice", START)
    yield opened
    opened.close()


async def fill(settings: RoomsSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await plan(store, await alice(store))


def why(settings: RoomsSettings) -> str:
    with pytest.raises(Locked) as caught:
        backend(settings).open()
    return caught.value.reason


def changed(settings: RoomsSettings, **fields: Any) -> RoomsSettings:
    return settings.model_copy(update={"transit": settings.transit.model_copy(update=fields)})


# --- epochs ----------------------------------------------------------------------------------------------------------


@pytest.mark.duty("S-31")
def test_an_epoch_that_ended_can_be_opened_by_nobody(keys: WrappedKeys, settings: RoomsSettings, bao: Bao) -> None:
    before = bao.key(settings.transit)
    sealed = keys._db.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()[0]
    assert sealed.startswith(f"vault:v{before['latest_version']}:".encode())
    assert list(before["keys"]) == [str(keys._epochs.number())]
    keys.add("alice", "gone", START)
    keys.destroy([("alice", "gone")], START)
    assert keys.rotate()
    after = bao.key(settings.transit)
    number = keys._epochs.number()
    assert number == before["latest_version"] + 1
    assert [after[f"min_{name}_version"] for name in ("available", "decryption", "encryption")] == [number] * 3
    assert list(after["keys"]) == [str(number)]
    body = {"ciphertext": sealed.decode(), "associated_data": transits.encoded(transits.context(number - 1))}
    with pytest.raises(AssertionError, match="too old"):
        bao.call("POST", f"transit/decrypt/{settings.transit.key}", body)
    with pytest.raises(AssertionError, match="min available version"):
        bao.call("POST", f"transit/keys/{settings.transit.key}/config", {"min_decryption_version": number - 1})


def test_a_version_that_a_broken_off_rotation_left_is_not_used(
    keys: WrappedKeys, settings: RoomsSettings, bao: Bao
) -> None:
    key, number = keys.add("alice", "row", START), keys._epochs.number()
    for _ in range(2):
        bao.call("POST", f"transit/keys/{settings.transit.key}/rotate")
    again = backend(settings).open()
    assert again.get("alice", "row") == (key, True)
    again.rotate(everything=True)
    assert again._epochs.number() == number + 3
    assert list(bao.key(settings.transit)["keys"]) == [str(number + 3)]
    assert keys.get("alice", "row") == (key, True)
    again.close()


def test_the_secret_of_an_epoch_is_bound_to_its_number(keys: WrappedKeys, settings: RoomsSettings) -> None:
    secrets = TransitSecrets(Transit(settings.transit), os.urandom)
    made = secrets.make(keys._epochs.number())
    assert secrets.read(made.number, made.sealed) == made.secret
    with pytest.raises(Locked, check=lambda locked: "does not open" in locked.reason):
        secrets.read(made.number + 1, made.sealed)


def test_an_older_copy_of_the_key_store_is_locked(single: RoomsSettings, tmp_path: Path) -> None:
    place = backend(single)
    place.create("pair")
    copy = tmp_path / "copy.sqlite"
    shutil.copy(single.keystore(), copy)
    keys = place.open()
    keys.rotate(everything=True)
    keys.close()
    older = single.model_copy(update={"keystore_url": SecretStr(f"sqlite:///{copy}")})
    assert why(older) == "The key store's epoch key is destroyed; an older copy of the key store can not be used."


async def test_an_older_copy_of_the_nodes_key_store_is_locked(
    nodes: RoomsSettings, time: Time, postgres: Postgres
) -> None:
    await fill(nodes, time)
    name = nodes.keystore_address().database
    older = nodes.model_copy(update={"keystore_url": SecretStr(postgres._create(name or ""))})
    async with open_store(nodes, now=time.now, boot=time.boottime) as store:
        person = await store.practitioners.by_mail("alice@example.org")
        assert person is not None
        (living,) = await store.appointments.list(person.id, START.date(), START.date())
        await store.retention.destroy(person.id, living.id)
        assert "older than the database" in await locked_reason_beside(older, time)
        await store.retention.sweep()
        assert "older copy" in await locked_reason_beside(older, time)


async def locked_reason_beside(settings: RoomsSettings, time: Time) -> str:
    async with open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as store:
        assert store.locked is not None
        return store.locked


# --- locked ----------------------------------------------------------------------------------------------------------


async def test_openbao_that_is_sealed_locks_until_it_is_unsealed(settings: RoomsSettings, time: Time, bao: Bao) -> None:
    await fill(settings, time)
    with bao.sealed():
        assert await locked_reason(settings, time) == "OpenBao is sealed; unseal it and start again."
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        with bao.sealed():
            assert await store.key_trouble() == "OpenBao is sealed; unseal it and start again."
            person = await store.practitioners.by_mail("alice@example.org")
            assert person is not None, "what runs goes on"
            (living,) = await store.appointments.list(person.id, START.date(), START.date())
            await store.retention.destroy(person.id, living.id)
            with pytest.raises(RoomsError, match="locked"):
                await store.retention.sweep()
            assert await store.appointments.list(person.id, START.date(), START.date()) == []
        assert await store.key_trouble() is None
        before = (await store.keys.inspect(START)).epoch
        await store.retention.sweep()
        assert (await store.keys.inspect(START)).epoch > before, "the epoch is made up for"


async def test_openbao_out_of_reach_locks(settings: RoomsSettings, time: Time) -> None:
    await fill(settings, time)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        away = changed(settings, address=f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert "can not be reached" in await locked_reason(away, time)


async def test_openbao_that_answers_nonsense_or_nothing_locks(
    settings: RoomsSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(settings, time)
    monkeypatch.setattr(transits, "SECONDS", 0.3)
    for said in (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{{{", b"nonsense\r\n\r\n", b""):
        with answering(said) as port:
            away = changed(settings, address=f"http://127.0.0.1:{port}")
            assert "can not be reached" in await locked_reason(away, time)
    with answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}") as port:
        away = changed(settings, address=f"http://127.0.0.1:{port}")
        assert await locked_reason(away, time) == "OpenBao answers with an error (500); see its log."


class answering:  # noqa: N801
    """A server that says the same to everybody, or nothing."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._server.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _serve(self) -> None:
        held = []
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                break
            connection.recv(65536)
            connection.sendall(self._said)
            if self._said:
                connection.close()
            held.append(connection)
        for connection in held:
            connection.close()


async def test_a_token_that_is_refused_or_not_there_locks(settings: RoomsSettings, time: Time, tmp_path: Path) -> None:
    await fill(settings, time)
    wrong = tmp_path / "wrong"
    wrong.write_text("s.wrong\n")
    assert "refuses the token" in await locked_reason(changed(settings, token_file=wrong), time)
    assert "refuses the token" in await locked_reason(changed(settings, token_file=None), time)
    assert "can not be read" in await locked_reason(changed(settings, token_file=tmp_path / "nowhere"), time)


async def test_a_missing_transit_key_locks_and_no_new_one_is_made(
    settings: RoomsSettings, time: Time, bao: Bao
) -> None:
    await fill(settings, time)
    path = f"transit/keys/{settings.transit.key}"
    bao.call("POST", f"{path}/config", {"deletion_allowed": True})
    bao.call("DELETE", path)
    assert "Transit key is missing" in await locked_reason(settings, time)
    with pytest.raises(AssertionError):
        bao.key(settings.transit)


async def test_another_transit_key_of_this_name_locks(settings: RoomsSettings, time: Time, bao: Bao) -> None:
    await fill(settings, time)
    path = f"transit/keys/{settings.transit.key}"
    bao.call("POST", f"{path}/config", {"deletion_allowed": True})
    bao.call("DELETE", path)
    bao.call("POST", path)
    bao.call("POST", f"{path}/rotate")
    assert await locked_reason(settings, time) == "The Transit key does not open the key store."
    assert bao.key(settings.transit)["min_available_version"] == 0, "nothing is destroyed in it"


@pytest.mark.parametrize(
    "kind", [{"exportable": True}, {"allow_plaintext_backup": True}, {"type": "chacha20-poly1305"}]
)
def test_a_key_that_could_be_copied_is_refused(
    sqlite_settings: RoomsSettings, bao: Bao, tmp_path: Path, kind: dict[str, object]
) -> None:
    settings = sqlite_settings.model_copy(update={"transit": bao.transit(tmp_path, **kind)})
    with pytest.raises(Locked, check=lambda locked: "exported" in locked.reason):
        backend(settings).create("pair")


def test_a_key_that_became_exportable_locks(single: RoomsSettings, bao: Bao) -> None:
    backend(single).create("pair")
    bao.call("POST", f"transit/keys/{single.transit.key}/config", {"exportable": True})
    assert "exported" in why(single)


@pytest.mark.parametrize("forbidden", ["trim", "config"])
def test_a_token_that_may_not_destroy_locks_at_the_first_start(
    single: RoomsSettings, bao: Bao, tmp_path: Path, forbidden: str
) -> None:
    rules = "\n".join(line for line in servers.policy(single.transit.key).splitlines() if f"/{forbidden}" not in line)
    single = changed(single, token_file=bao.token(tmp_path, single.transit.key, rules))
    backend(single).create("pair")
    assert "refuses the token" in why(single)


def test_a_second_key_store_does_not_take_the_first_ones_transit_key(
    single: RoomsSettings, tmp_path: Path, bao: Bao
) -> None:
    place = backend(single)
    place.create("pair")
    place.open().close()
    before = bao.key(single.transit)
    second = single.model_copy(update={"data": tmp_path / "second"})
    with pytest.raises(StartRefused, match="belongs to another key store"):
        backend(second).create("other")
    assert bao.key(single.transit) == before


def test_a_key_store_with_epoch_files_is_not_one_with_openbao(
    sqlite_settings: RoomsSettings, bao: Bao, tmp_path: Path
) -> None:
    backend(sqlite_settings).create("pair")
    mixed = sqlite_settings.model_copy(update={"transit": bao.transit(tmp_path)})
    assert why(mixed) == "The key store has its epoch keys in files, not in OpenBao."


def test_a_key_store_with_openbao_is_not_one_with_epoch_files(single: RoomsSettings) -> None:
    backend(single).create("pair")
    assert "epoch key is missing" in why(single.model_copy(update={"transit": TransitSettings()}))


def test_an_older_openbao_does_not_begin_an_epoch_twice(keys: WrappedKeys, settings: RoomsSettings) -> None:
    secrets = TransitSecrets(Transit(settings.transit), os.urandom)
    with pytest.raises(Locked, check=lambda locked: "older than the key store" in locked.reason):
        secrets.make(99)


async def test_openbao_that_hangs_holds_up_nobody_but_the_one_who_asks(
    settings: RoomsSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        asked = threading.Event()

        def hang(*_: object) -> None:
            asked.wait(5)

        monkeypatch.setattr(TransitSecrets, "check", hang)
        asking = asyncio.create_task(store.key_trouble())
        await asyncio.sleep(0.05)
        planned = await plan(store, person)
        assert await store.appointments.get(person.id, planned.id) == planned
        assert not asking.done()
        asked.set()
        assert await asking is None


# --- the token and the way to it -------------------------------------------------------------------------------------


def test_the_token_is_renewed_now_and_then(
    keys: WrappedKeys, settings: RoomsSettings, bao: Bao, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.transit.token_file is not None
    token = settings.transit.token_file.read_text()
    calls: list[str] = []
    plain = Transit._call

    def counted(self: Transit, method: str, path: str, *rest: Any, **named: Any) -> Any:
        calls.append(path)
        return plain(self, method, path, *rest, **named)

    monkeypatch.setattr(Transit, "_call", counted)
    once = Transit(settings.transit)
    for _ in range(3):
        once.key()
    assert calls.count("auth/token/renew-self") == 1
    monkeypatch.setattr(transits, "RENEW_SECONDS", -1.0)
    once.key()
    assert calls.count("auth/token/renew-self") == 2
    looked = bao.call("GET", "auth/token/lookup-self", token=token)["data"]
    assert looked["last_renewal"]


def test_a_new_token_in_the_file_is_used_at_once(keys: WrappedKeys, settings: RoomsSettings, bao: Bao) -> None:
    file = settings.transit.token_file
    assert file is not None
    file.write_text("s.revoked")
    with pytest.raises(Locked):
        keys.secrets.check()
    file.write_text(bao.token(file.parent, settings.transit.key).read_text() + "\n")
    keys.secrets.check()


@pytest.mark.parametrize("address", ["http://bao.example.org:8200", "http://10.0.0.1"])
def test_a_token_does_not_travel_in_clear(address: str) -> None:
    with pytest.raises(StartRefused, match="https"):
        Transit(TransitSettings(address=address))


@pytest.mark.parametrize("address", ["bao:8200", "ftp://x", "http://user:secret@x", "https://x/y"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        TransitSettings(address=address)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://bao.example.org", ("bao.example.org", 443)),
        ("https://bao.example.org:8200/", ("bao.example.org", 8200)),
        ("http://localhost", ("localhost", 80)),
        ("http://[::1]:8200", ("::1", 8200)),
    ],
)
def test_addresses(address: str, host: tuple[str, int]) -> None:
    assert Transit(TransitSettings(address=address))._host == host


@pytest.mark.timeout(60)
def test_tls_is_checked_against_the_authority_that_was_given(tmp_path: Path) -> None:
    with servers.running("-dev-tls", f"-dev-tls-cert-dir={tmp_path}") as server:
        authority = tmp_path / "vault-ca.pem"
        token = tmp_path / "token"
        token.write_text(servers.TOKEN)
        address = server.address.replace("http:", "https:")
        for _ in range(100):
            if authority.exists():
                trusted = Transit(TransitSettings(address=address, token_file=token, ca_file=authority))
                try:
                    trusted._call("POST", "sys/mounts/transit", {"type": "transit"})
                    break
                except Locked:
                    pass
            threading.Event().wait(0.1)
        with pytest.raises(Locked, check=lambda locked: "key is missing" in locked.reason):
            trusted.key()
        with pytest.raises(Locked, check=lambda locked: "can not be reached" in locked.reason):
            Transit(TransitSettings(address=address, token_file=token)).key()


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


async def test_a_key_store_in_postgresql_that_is_gone_locks_and_no_new_one_is_made(
    nodes: RoomsSettings, time: Time, postgres: Postgres
) -> None:
    await fill(nodes, time)
    emptied = nodes.model_copy(update={"keystore_url": SecretStr(postgres.new_database(migrated=False))})
    assert "key store is missing" in await locked_reason(emptied, time)
    assert not backend(emptied).holds()
    away = nodes.model_copy(update={"keystore_url": SecretStr("postgresql://x@/y?host=/nowhere")})
    assert "can not be reached" in await locked_reason(away, time)


async def test_a_read_only_key_store_in_postgresql_locks(nodes: RoomsSettings, time: Time, postgres: Postgres) -> None:
    await fill(nodes, time)
    name = nodes.keystore_address().database
    with postgres._connection() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "can not be written" in await locked_reason(nodes, time)


@pytest.mark.parametrize(
    "damage", ["DELETE FROM meta WHERE name = 'pair'", "DROP TABLE service_keys", "DELETE FROM service_keys"]
)
async def test_a_damaged_key_store_in_postgresql_locks(nodes: RoomsSettings, time: Time, damage: str) -> None:
    await fill(nodes, time)
    with psycopg.connect(address(nodes), autocommit=True) as connection:
        connection.execute(damage.encode())
    assert "damaged" in await locked_reason(nodes, time)


def address(settings: RoomsSettings) -> str:
    return settings.keystore_address().render_as_string(hide_password=False)


async def test_a_key_store_of_another_version_in_postgresql_locks(nodes: RoomsSettings, time: Time) -> None:
    await fill(nodes, time)
    with psycopg.connect(address(nodes), autocommit=True) as connection:
        connection.execute("UPDATE meta SET value = '9' WHERE name = 'schema'")
    assert "another version" in await locked_reason(nodes, time)


async def test_a_database_that_was_restarted_is_found_again(
    nodes: RoomsSettings, time: Time, postgres: Postgres
) -> None:
    async with open_store(nodes, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        planned = await plan(store, person)
        postgres.drop_connections()
        assert await store.appointments.get(person.id, planned.id) == planned
        postgres.drop_connections()
        assert await store.keys.unconfirmed(), "also outside a transaction"
        postgres.drop_connections()
        await plan(store, person)


def test_a_connection_lost_inside_a_transaction_is_not_papered_over(nodes: RoomsSettings, postgres: Postgres) -> None:
    connection = PostgresConnection(address(nodes))
    with pytest.raises(psycopg.OperationalError), transaction(connection):
        connection.execute("CREATE TABLE half (id BIGINT)")
        postgres.drop_connections()
        connection.execute("SELECT 1")
    assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)
    connection.close()
    connection.close()


def test_a_statement_that_fails_leaves_the_connection_usable(nodes: RoomsSettings) -> None:
    with closing(PostgresConnection(address(nodes))) as connection:
        with pytest.raises(psycopg.Error), transaction(connection):
            connection.execute("SELECT nonsense")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SET statement_timeout = 10; SELECT pg_sleep(2)")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_two_nodes_that_start_first_at_once_make_one_key_store(nodes: RoomsSettings) -> None:
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
    nodes: RoomsSettings, time: Time, postgres: Postgres
) -> None:
    nodes = nodes.model_copy(update={"database_url": SecretStr(postgres.new_database())})
    async with (
        open_store(nodes, now=time.now, boot=time.boottime) as one,
        open_store(nodes, now=time.now, boot=time.boottime, exclusive=False) as two,
    ):
        person = await alice(one)
        planned = [await plan(store, person) for store in (one, two, one)]
        await two.retention.destroy(person.id, planned[0].id)
        await two.retention.sweep()
        await one.retention.sweep()
        for store in (one, two):
            assert await store.appointments.list(person.id, START.date(), START.date()) == sorted(
                planned[1:], key=lambda entry: entry.id
            )
        assert await two.keys.missing([entry.id for entry in planned]) == [planned[0].id]


@pytest.mark.parametrize("folder", ["root", "database"])
def test_a_first_start_that_can_not_write_is_one_sentence(
    nodes: RoomsSettings, tmp_path: Path, folder: str, postgres: Postgres
) -> None:
    if folder == "root":
        (tmp_path / "file").write_text("")
        nodes = nodes.model_copy(update={"root_key_file": tmp_path / "file" / "root.key"})
    else:
        with postgres._connection() as connection:
            connection.execute(
                f"ALTER DATABASE {nodes.keystore_address().database} SET default_transaction_read_only = on"
            )
    with pytest.raises(StartRefused, match="can not be written"):
        backend(nodes).create("pair")


# --- settings --------------------------------------------------------------------------------------------------------


def test_postgresql_needs_openbao(nodes: RoomsSettings) -> None:
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
    settings = RoomsSettings(database_url=SecretStr(one), keystore_url=SecretStr(other))
    if same:
        with pytest.raises(StartRefused, match="of its own"):
            settings.keystore_address()
    else:
        assert settings.keystore_address() == make_url(other)


def test_a_password_in_the_key_stores_address_stays_out_of_repr() -> None:
    assert "geheim" not in repr(RoomsSettings(keystore_url=SecretStr("postgresql://a:geheim@b/c")))


def test_sqlite_is_the_default(tmp_path: Path) -> None:
    settings = RoomsSettings(data=tmp_path)
    assert isinstance(backend(settings), SqliteBackend)
    assert settings.keystore() == tmp_path / "keys" / "keystore.sqlite"
