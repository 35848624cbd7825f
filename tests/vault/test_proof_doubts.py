"""What cannot be looked at, or says nothing, never passes for a proof."""

import asyncio
import os
import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import delete, insert, text

from practice.agenda.records import appointments, seal_appointment
from practice.kinds import KINDS
from tests.opening import open_store
from tests.people import START, Time, alice, plan
from tests.servers.postgres import Postgres
from tests.vault.test_proof import NEVER, destroyed
from vault.backup import snapshots
from vault.errors import DomainError, StartRefused
from vault.keys.connection import Cluster
from vault.keys.store import KeyStore
from vault.keys.wrapped import WrappedKeys
from vault.proof import Folder, Proof, prove, search
from vault.proof.ciphertexts import in_database, varlena
from vault.proof.proving import in_cluster, parts, walk
from vault.proof.report import Looked
from vault.proof.search import Needle
from vault.settings import VaultSettings

LIMITED = """
DO $$ BEGIN CREATE ROLE limited LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON ALL TABLES IN SCHEMA public TO limited
"""
"""A role that may do what the server does, and ask nothing about files."""


async def test_a_key_store_in_postgresql_is_looked_through_too(
    nodes: VaultSettings, time: Time, tmp_path: Path
) -> None:
    case = await destroyed(nodes, time, tmp_path)
    proof = await case.prove()
    assert proof.destroyed, proof.text()
    (place,) = [place for place in proof.places if place.place == "key store"]
    assert re.match(r"\d+ keys", place.what)
    (files,) = [place for place in proof.places if place.place == "key store's files"]
    assert re.match(r"\d+ files", files.what)
    assert not files.left
    assert [place.place for place in proof.places if place.skipped] == ["openbao", "redis", *NEVER]


async def test_a_key_that_postgresql_still_holds_and_that_opens_is_found(
    nodes: VaultSettings, time: Time, tmp_path: Path
) -> None:
    """Dead rows of the key store: written again under the practitioner's key of today, and deleted."""
    case = await destroyed(nodes, time, tmp_path)

    def plant(keys: WrappedKeys) -> None:
        keys.add(case.gone.owner, case.gone.id, time.now())
        keys._db.execute("DELETE FROM data_keys WHERE id = ?", (case.gone.id,))
        keys._db.execute("CHECKPOINT")

    async with open_store(case.settings, now=time.now, boot=time.boottime, exclusive=False) as store:
        await store.keys._run(plant)
    proof = await case.prove()
    assert [place.place for place in proof.places if place.left] == ["key store's files"], proof.text()


@pytest.mark.parametrize("name", ["Sam", "\N{LATIN SMALL LETTER E WITH ACUTE}" * 200])
async def test_a_dead_row_of_postgresql_that_opens_is_found(
    sqlite_settings: VaultSettings, postgres: Postgres, time: Time, tmp_path: Path, name: str
) -> None:
    """Of any length. A page says of each value how long it is; nothing else that stands there is tried."""
    url = SecretStr(postgres.new_database())
    case = await destroyed(sqlite_settings.model_copy(update={"database_url": url}), time, tmp_path)
    async with open_store(case.settings, now=time.now, boot=time.boottime, exclusive=False) as store:
        keys = await store.keys.get_many([(case.kept.owner, case.kept.id)])
        row = seal_appointment(keys[case.kept.id], replace(case.gone, patient=name))
        async with store.database.write() as connection:
            await connection.execute(insert(appointments).values(row))
        async with store.database.write() as connection:
            await connection.execute(delete(appointments).where(appointments.c.id == case.gone.id))
            await connection.execute(text("CHECKPOINT"))
    proof = await case.prove()
    assert [place.place for place in proof.places if place.left] == ["its files"], proof.text()


async def test_a_key_store_whose_files_are_elsewhere_is_said_not_to_be_looked_at(
    nodes: VaultSettings, postgres: Postgres, time: Time, tmp_path: Path
) -> None:
    case = await destroyed(nodes, time, tmp_path)
    assert nodes.keystore_url is not None
    url = nodes.keystore_url.get_secret_value()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LIMITED)
    limited = SecretStr(url.replace("postgres@", "limited@"))
    case.settings = case.settings.model_copy(update={"keystore_url": limited})
    proof = await case.prove()
    assert [place.place for place in proof.places if place.skipped] == ["key store's files", "openbao", "redis", *NEVER]


async def test_an_old_database_in_the_data_folder_is_looked_at(
    settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    case = await destroyed(settings, time, tmp_path)
    for folder in ("database", "keys"):
        (case.settings.data / folder).mkdir(exist_ok=True)
        (case.settings.data / folder / "before-the-move").write_text(f"something with {case.gone.id} in it")
    proof = await case.prove()
    places = {place.place: place.left for place in proof.places if place.left}
    assert places == {
        "data folder": ["before-the-move: its id"],
        "key store": ["before-the-move: its id"],
    }, proof.text()


async def test_a_role_that_may_not_ask_postgresql_for_its_files_is_told_so(
    sqlite_settings: VaultSettings, postgres: Postgres, time: Time, tmp_path: Path
) -> None:
    url = postgres.new_database()
    case = await destroyed(sqlite_settings.model_copy(update={"database_url": SecretStr(url)}), time, tmp_path)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LIMITED)
    limited = SecretStr(url.replace("postgres@", "limited@"))
    case.settings = case.settings.model_copy(update={"database_url": limited})
    proof = await case.prove()
    assert [place.place for place in proof.places if place.skipped] == ["its files", "redis", *NEVER]
    assert "run this as root" in proof.text()


async def test_a_redis_that_does_not_answer_is_not_looked_at(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    case = await destroyed(sqlite_settings, time, tmp_path)
    away = Redis(unix_socket_path=str(tmp_path / "nowhere"), retry=Retry(NoBackoff(), 0))
    proof = await prove(case.settings, KINDS, case.receipt.receipt, redis=away, folders=case.folders)
    await away.aclose()
    assert [(place.place, place.what) for place in proof.places if place.skipped][:-2] == [
        ("redis", "it does not answer")
    ]


async def test_a_key_that_expired_meanwhile_holds_nothing() -> None:
    class Empty:
        async def type(self, _: bytes) -> bytes:
            return b"none"

    assert [part async for part in parts(Empty(), b"sk:gone")] == [b"sk:gone"]


async def test_a_snapshot_that_opens_and_does_not_hold_it_counts_for_nothing(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    case = await destroyed(sqlite_settings, time, tmp_path)
    await asyncio.to_thread(snapshots.take, case.settings, tmp_path / "backups", time.now())
    proof = await case.prove()
    assert proof.destroyed, proof.text()
    assert "nothing opens it" not in proof.text()


async def test_an_id_alone_among_copies_is_counted_and_breaks_no_promise(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    case = await destroyed(sqlite_settings, time, tmp_path)
    (tmp_path / "backups" / "dump.sql").write_bytes(case.gone.id.encode() + b" " + case.gone.id.encode("utf-16-le"))
    proof = await case.prove()
    assert proof.destroyed, proof.text()
    assert "its id stands there 2 times" in proof.text()


async def test_a_file_that_cannot_be_read_is_no_proof(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, plain = await destroyed(sqlite_settings, time, tmp_path), Path.open
    (tmp_path / "logs" / "log").write_text("nothing")
    one_file = await prove(
        case.settings, KINDS, case.receipt.receipt, redis=None, folders=[Folder("log", tmp_path / "logs" / "log")]
    )
    assert one_file.destroyed, one_file.text()

    def refuse(path: Path, *given: Any, **named: Any) -> Any:
        if path.name == "log":
            raise PermissionError
        return plain(path, *given, **named)

    monkeypatch.setattr(Path, "open", refuse)
    proof = await case.prove()
    assert not proof.destroyed
    assert "log: cannot be read" in proof.text()


async def test_a_folder_that_cannot_be_read_is_no_proof(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, plain = await destroyed(sqlite_settings, time, tmp_path), os.scandir
    (tmp_path / "logs" / "older").mkdir()

    def refuse(place: str) -> object:
        if Path(place).name == "older":
            raise PermissionError
        return plain(place)

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refuse)
        with pytest.raises(StartRefused, match="a folder cannot be read"):
            await case.prove()


async def test_a_key_store_that_does_not_answer_is_no_proof(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise DomainError("try_again")

    case = await destroyed(sqlite_settings, time, tmp_path)
    monkeypatch.setattr(KeyStore, "every", fail)
    with pytest.raises(StartRefused, match=r"Nothing can be proven now \(try_again\)"):
        await case.prove()


async def test_what_only_looks_like_an_id_or_is_too_much_to_remember_hides_nothing(
    sqlite_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "REMEMBERED", 1)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        planned = await plan(store, await alice(store))
        ledger = store.keys.unlocked().ledger
    needle = Needle(ledger.receipt_of(planned.id), ledger.receipt_of)
    noise = b"A" * 30 + b"." + b"b\0" * 30 + b".." + b"0" * 60 + b"." + b"a-b+c/d_" * 6 + b"."
    assert needle.positions(noise * 2 + planned.id.encode()) == [2 * len(noise)]


async def test_a_folder_that_is_not_there_is_not_looked_at(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    case = await destroyed(sqlite_settings, time, tmp_path)
    nowhere = Folder("exports", tmp_path / "nowhere")
    proof = await prove(case.settings, KINDS, case.receipt.receipt, redis=None, folders=[nowhere])
    assert [place.what for place in proof.places if place.place == "exports"] == ["there is no such folder"]


def test_a_folder_that_goes_meanwhile_has_no_files(tmp_path: Path) -> None:
    assert walk(tmp_path / "nowhere") == []


def test_a_copy_of_something_else_or_of_before_a_kind_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    any_id = Needle("receipt", lambda candidate: "receipt")
    path = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(path)) as copy:
        copy.execute("CREATE TABLE anything (id)")
        assert in_database(path, KINDS, any_id) is None
        copy.execute("CREATE TABLE practitioners (id, profile, password)")
        copy.execute("INSERT INTO practitioners VALUES ('alice', x'01', x'02')")
        copy.commit()
        found = in_database(path, KINDS, any_id)
    assert found is not None
    assert [one.content for one in found] == [b"\x01", b"\x02"]


@pytest.mark.parametrize(
    ("order", "short", "long"), [("little", b"\x0b", b"\x20\x03\x00\x00"), ("big", b"\x85", b"\x00\x00\x00\xc8")]
)
def test_how_long_a_value_is_stands_before_it_as_the_machine_has_it(
    order: str, short: bytes, long: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's postgres.h, ``varattrib_1b`` and ``varattrib_4b``: big-endian has the mark in the top bit."""
    monkeypatch.setattr(sys, "byteorder", order)
    assert varlena(4) == short
    assert varlena(196) == long


def test_files_of_another_server_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "global").mkdir()
    (tmp_path / "global" / "pg_control").write_bytes((7).to_bytes(8, sys.byteorder, signed=True))
    for identifier, skipped in ((8, True), (7, False)):
        (tmp_path / "base" / "5").mkdir(parents=True, exist_ok=True)
        (tmp_path / "base" / "5" / "1").write_bytes(b"a page")
        nothing = Needle("receipt", lambda candidate: candidate)
        looked = in_cluster(Looked("PostgreSQL"), KINDS, Cluster(str(tmp_path), 5, identifier), nothing, [])
        assert looked.skipped is skipped


def test_an_epoch_that_is_late_is_said() -> None:
    late = Proof("receipt", START, 1, [], final_in=0)
    assert not late.destroyed
    assert "that is late" in late.text()
    assert "final in 7 s" in replace(late, final_in=7).text()
    assert replace(late, final_in=None).destroyed
