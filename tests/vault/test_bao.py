"""Epoch keys in OpenBao: what it destroyed opens nothing, and without it the key store is locked."""

import asyncio
import http.client
import os
import shutil
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.opening import of, open_store
from tests.people import START, Time, alice, fill, plan
from tests.servers import bao as servers
from tests.servers.bao import Bao
from tests.servers.postgres import Postgres
from tests.vault.test_locked import locked_reason
from vault.errors import DomainError, Locked, StartRefused
from vault.keys import transit as transits
from vault.keys.backends import backend
from vault.keys.transit import Transit, TransitSecrets
from vault.keys.wrapped import WrappedKeys
from vault.records.scope import SERVER
from vault.settings import TransitSettings, VaultSettings


@pytest.fixture(params=["single", "nodes"])
def keystore_settings(request: pytest.FixtureRequest) -> VaultSettings:
    """With the epochs in OpenBao."""
    settings: VaultSettings = request.getfixturevalue(request.param)
    return settings


def why(settings: VaultSettings) -> str:
    with pytest.raises(Locked) as caught:
        backend(settings).open()
    return caught.value.reason


@pytest.mark.duty("S-31")
def test_an_epoch_that_ended_can_be_opened_by_nobody(
    keys: WrappedKeys, keystore_settings: VaultSettings, bao: Bao
) -> None:
    before = bao.key(keystore_settings.transit)
    sealed = keys._db.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()[0]
    assert sealed.startswith(f"vault:v{before['latest_version']}:".encode())
    assert list(before["keys"]) == [str(keys._epochs.number())]
    keys.add("alice", "gone", START)
    keys.destroy([("alice", "gone")], START)
    assert keys.rotate()
    after = bao.key(keystore_settings.transit)
    number = keys._epochs.number()
    assert number == before["latest_version"] + 1
    assert [after[f"min_{name}_version"] for name in ("available", "decryption", "encryption")] == [number] * 3
    assert list(after["keys"]) == [str(number)]
    body = {"ciphertext": sealed.decode(), "associated_data": transits.encoded(transits.context(number - 1))}
    with pytest.raises(AssertionError, match="too old"):
        bao.call("POST", f"transit/decrypt/{keystore_settings.transit.key}", body)
    with pytest.raises(AssertionError, match="min available version"):
        bao.call("POST", f"transit/keys/{keystore_settings.transit.key}/config", {"min_decryption_version": number - 1})


def test_a_version_that_a_broken_off_rotation_left_is_not_used(
    keys: WrappedKeys, keystore_settings: VaultSettings, bao: Bao
) -> None:
    key, number = keys.add("alice", "row", START), keys._epochs.number()
    for _ in range(2):
        bao.call("POST", f"transit/keys/{keystore_settings.transit.key}/rotate")
    again = backend(keystore_settings).open()
    assert again.get("alice", "row") == (key, True)
    again.rotate(everything=True)
    assert again._epochs.number() == number + 3
    assert list(bao.key(keystore_settings.transit)["keys"]) == [str(number + 3)]
    assert keys.get("alice", "row") == (key, True)
    again.close()


def test_the_secret_of_an_epoch_is_bound_to_its_number(keys: WrappedKeys, keystore_settings: VaultSettings) -> None:
    secrets = TransitSecrets(Transit(keystore_settings.transit), os.urandom)
    made = secrets.make(keys._epochs.number())
    assert secrets.read(made.number, made.sealed) == made.secret
    with pytest.raises(Locked, check=lambda locked: "does not open" in locked.reason):
        secrets.read(made.number + 1, made.sealed)


def test_a_step_is_asked_on_one_connection_and_each_thread_has_its_own(
    keys: WrappedKeys, keystore_settings: VaultSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    plain = Transit._connection

    def noted(self: Transit) -> http.client.HTTPConnection:
        opened.append(threading.get_ident())
        return plain(self)

    monkeypatch.setattr(Transit, "_connection", noted)
    transit = Transit(keystore_settings.transit)
    secrets = TransitSecrets(transit, os.urandom)
    transit.key()  # the token's life is lengthened now, on a connection of its own
    opened.clear()
    made = secrets.make(keys._epochs.number())
    assert len(opened) == 1
    secrets.tidy(made.number)
    assert len(opened) == 2
    with transit.connected(), ThreadPoolExecutor(1) as other:
        other.submit(transit.key).result()
        transit.key()
    assert len(opened) == 4 and opened[2] != opened[3]


def test_an_older_copy_of_the_key_store_is_locked(single: VaultSettings, tmp_path: Path) -> None:
    place = backend(single)
    place.create("pair")
    copy = tmp_path / "copy.sqlite"
    shutil.copy(single.keystore(), copy)
    keys = place.open()
    keys.rotate(everything=True)
    keys.close()
    older = single.model_copy(update={"keystore_url": SecretStr(f"sqlite:///{copy}")})
    assert why(older) == "The key store's epoch key is destroyed; an older copy of the key store cannot be used."


async def test_an_older_copy_of_the_nodes_key_store_is_locked(
    nodes: VaultSettings, time: Time, postgres: Postgres
) -> None:
    await fill(nodes, time)
    name = nodes.keystore_address().database
    older = nodes.model_copy(update={"keystore_url": SecretStr(postgres._create(name or ""))})
    async with open_store(nodes, now=time.now, boot=time.boottime) as store:
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        (living,) = await store.appointments.list(of(person.id), START.date(), START.date())
        await store.retention.destroy(of(person.id), living.id)
        assert "older than the database" in await locked_reason_beside(older, time)
        await store.retention.sweep()
        assert "older copy" in await locked_reason_beside(older, time)


async def locked_reason_beside(settings: VaultSettings, time: Time) -> str:
    async with open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as store:
        assert store.locked is not None
        return store.locked


def changed(settings: VaultSettings, **fields: Any) -> VaultSettings:
    return settings.model_copy(update={"transit": settings.transit.model_copy(update=fields)})


async def test_openbao_that_is_sealed_locks_until_it_is_unsealed(
    keystore_settings: VaultSettings, time: Time, bao: Bao
) -> None:
    await fill(keystore_settings, time)
    with bao.sealed():
        assert await locked_reason(keystore_settings, time) == "OpenBao is sealed; unseal it and start again."
    async with open_store(keystore_settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        with bao.sealed():
            assert await store.key_trouble() == "OpenBao is sealed; unseal it and start again."
            person = await store.practitioners.by_mail(SERVER, "alice@example.org")
            assert person is not None, "what runs goes on"
            (living,) = await store.appointments.list(of(person.id), START.date(), START.date())
            await store.retention.destroy(of(person.id), living.id)
            with pytest.raises(DomainError, match="locked"):
                await store.retention.sweep()
            assert await store.appointments.list(of(person.id), START.date(), START.date()) == []
        assert await store.key_trouble() is None
        before = (await store.keys.inspect(START)).epoch
        await store.retention.sweep()
        assert (await store.keys.inspect(START)).epoch > before, "the epoch is made up for"


async def test_openbao_out_of_reach_locks(keystore_settings: VaultSettings, time: Time) -> None:
    await fill(keystore_settings, time)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        away = changed(keystore_settings, address=f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert "cannot be reached" in await locked_reason(away, time)


async def test_openbao_that_answers_nonsense_or_nothing_locks(
    keystore_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(keystore_settings, time)
    monkeypatch.setattr(transits, "SECONDS", 0.3)
    for said in (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{{{", b"nonsense\r\n\r\n", b""):
        with answering(said) as port:
            away = changed(keystore_settings, address=f"http://127.0.0.1:{port}")
            assert "cannot be reached" in await locked_reason(away, time)
    with answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}") as port:
        away = changed(keystore_settings, address=f"http://127.0.0.1:{port}")
        assert await locked_reason(away, time) == "OpenBao answers with an error (500); see its log."


class answering:  # noqa: N801 -- reads as a function in `with`
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


async def test_a_token_that_is_refused_or_not_there_locks(
    keystore_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    await fill(keystore_settings, time)
    wrong = tmp_path / "wrong"
    wrong.write_text("s.wrong\n")
    assert "refuses the token" in await locked_reason(changed(keystore_settings, token_file=wrong), time)
    assert "refuses the token" in await locked_reason(changed(keystore_settings, token_file=None), time)
    assert "cannot be read" in await locked_reason(changed(keystore_settings, token_file=tmp_path / "nowhere"), time)


async def test_a_missing_transit_key_locks_and_no_new_one_is_made(
    keystore_settings: VaultSettings, time: Time, bao: Bao
) -> None:
    await fill(keystore_settings, time)
    path = f"transit/keys/{keystore_settings.transit.key}"
    bao.call("POST", f"{path}/config", {"deletion_allowed": True})
    bao.call("DELETE", path)
    assert "Transit key is missing" in await locked_reason(keystore_settings, time)
    with pytest.raises(AssertionError):
        bao.key(keystore_settings.transit)


async def test_another_transit_key_of_this_name_locks(keystore_settings: VaultSettings, time: Time, bao: Bao) -> None:
    await fill(keystore_settings, time)
    path = f"transit/keys/{keystore_settings.transit.key}"
    bao.call("POST", f"{path}/config", {"deletion_allowed": True})
    bao.call("DELETE", path)
    bao.call("POST", path)
    bao.call("POST", f"{path}/rotate")
    assert await locked_reason(keystore_settings, time) == "The Transit key does not open the key store."
    assert bao.key(keystore_settings.transit)["min_available_version"] == 0, "nothing is destroyed in it"


@pytest.mark.parametrize(
    "kind", [{"exportable": True}, {"allow_plaintext_backup": True}, {"type": "chacha20-poly1305"}]
)
def test_a_key_that_could_be_copied_is_refused(
    sqlite_settings: VaultSettings, bao: Bao, tmp_path: Path, kind: dict[str, object]
) -> None:
    settings = sqlite_settings.model_copy(update={"transit": bao.transit(tmp_path, **kind)})
    with pytest.raises(Locked, check=lambda locked: "exported" in locked.reason):
        backend(settings).create("pair")


def test_a_key_that_became_exportable_locks(single: VaultSettings, bao: Bao) -> None:
    backend(single).create("pair")
    bao.call("POST", f"transit/keys/{single.transit.key}/config", {"exportable": True})
    assert "exported" in why(single)


@pytest.mark.parametrize("forbidden", ["trim", "config"])
def test_a_token_that_may_not_destroy_locks_at_the_first_start(
    single: VaultSettings, bao: Bao, tmp_path: Path, forbidden: str
) -> None:
    rules = "\n".join(line for line in servers.policy(single.transit.key).splitlines() if f"/{forbidden}" not in line)
    single = changed(single, token_file=bao.token(tmp_path, single.transit.key, rules))
    backend(single).create("pair")
    assert "refuses the token" in why(single)


def test_a_second_key_store_does_not_take_the_first_ones_transit_key(
    single: VaultSettings, tmp_path: Path, bao: Bao
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
    sqlite_settings: VaultSettings, bao: Bao, tmp_path: Path
) -> None:
    backend(sqlite_settings).create("pair")
    mixed = sqlite_settings.model_copy(update={"transit": bao.transit(tmp_path)})
    assert why(mixed) == "The key store has its epoch keys in files, not in OpenBao."


def test_a_key_store_with_openbao_is_not_one_with_epoch_files(single: VaultSettings) -> None:
    backend(single).create("pair")
    assert "epoch key is missing" in why(single.model_copy(update={"transit": TransitSettings()}))


def test_an_older_openbao_does_not_begin_an_epoch_twice(keys: WrappedKeys, keystore_settings: VaultSettings) -> None:
    secrets = TransitSecrets(Transit(keystore_settings.transit), os.urandom)
    with pytest.raises(Locked, check=lambda locked: "older than the key store" in locked.reason):
        secrets.make(99)


async def test_openbao_that_hangs_holds_up_nobody_but_the_one_who_asks(
    keystore_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(keystore_settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        asked = threading.Event()

        def hang(*_: object) -> None:
            asked.wait(5)

        monkeypatch.setattr(TransitSecrets, "check", hang)
        asking = asyncio.create_task(store.key_trouble())
        await asyncio.sleep(0.05)
        planned = await plan(store, person)
        assert await store.appointments.get(of(person.id), planned.id) == planned
        assert not asking.done()
        asked.set()
        assert await asking is None
