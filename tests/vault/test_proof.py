"""Proof of destruction: a destroyed appointment is found nowhere, and what is planted is found wherever it stands."""

import asyncio
import base64
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakeredis.aioredis import FakeRedis

from practice.agenda.model import Appointment
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import Time, alice, plan
from vault.backup import data, snapshots
from vault.errors import StartRefused
from vault.keys.receipt import Receipt
from vault.proof import Folder, Proof, prove
from vault.proof.proving import as_they_come, in_files
from vault.proof.report import Looked
from vault.proof.search import Needle
from vault.settings import VaultSettings

NEVER = ["memory", "elsewhere"]
"""Where no program can look."""


@dataclass
class Case:
    """A destroyed appointment, a living one, a backup of before, and all folders."""

    settings: VaultSettings
    place: Path
    gone: Appointment
    kept: Appointment
    receipt: Receipt

    @property
    def folders(self) -> list[Folder]:
        return [
            Folder("backups", self.place / "backups", copies=True),
            Folder("logs", self.place / "logs"),
            Folder("exports", self.place / "exports"),
        ]

    async def prove(self, redis: FakeRedis | None = None) -> Proof:
        return await prove(self.settings, KINDS, self.receipt.receipt, redis=redis, folders=self.folders)


async def destroyed(settings: VaultSettings, time: Time, place: Path) -> Case:
    settings = settings.model_copy(update={"snapshot_keys": place / "snapshot-keys"})
    for name in ("logs", "exports"):
        (place / name).mkdir()
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        gone, kept = await plan(store, person), await plan(store, person)
        await asyncio.to_thread(data.write, settings, KINDS, place / "backups", time.now())
        await store.practitioners.set_retention(of(person.id), "7d")
        time.pass_(seconds=1)
        await asyncio.to_thread(data.write, settings, KINDS, place / "backups", time.now())
        receipt = await store.retention.destroy(of(person.id), gone.id)
        await store.retention.sweep()
    return Case(settings, place, gone, kept, receipt)


@pytest.mark.duty("S-31")
async def test_nothing_is_left_of_a_destroyed_appointment(settings: VaultSettings, time: Time, tmp_path: Path) -> None:
    case = await destroyed(settings, time, tmp_path)
    redis = FakeRedis()
    await redis.set("sk:something", "else")
    proof = await case.prove(redis)
    assert proof.destroyed, proof.text()
    assert (proof.destroyed_at, proof.generation) == (case.receipt.destroyed_at, 1)
    said = proof.text()
    assert "2 copies of the database" in said
    assert "2 ciphertexts of it, tried with" in said
    assert [place.place for place in proof.places if place.skipped] == NEVER, said
    assert [place["place"] for place in proof.data()["places"]] == [
        "database",
        "its files",
        "key store",
        "redis",
        "data folder",
        "backups",
        "logs",
        "exports",
        *NEVER,
    ]
    assert case.gone.id not in said


def put_row_back(case: Case) -> None:
    backup = min((case.place / "backups").iterdir())
    with sqlite3.connect(case.settings.database().database or "") as connection:
        connection.execute("ATTACH ? AS backup", (str(backup),))
        connection.execute("INSERT INTO appointments SELECT * FROM backup.appointments WHERE id = ?", (case.gone.id,))
    connection.close()


def leave_in_a_free_page(case: Case) -> None:
    with sqlite3.connect(case.settings.database().database or "") as connection:
        connection.execute("CREATE TABLE other (text)")
        connection.executemany("INSERT INTO other VALUES (?)", [(f"{case.gone.id}{n}" * 9,) for n in range(200)])
    with connection:
        connection.execute("PRAGMA secure_delete=OFF").close()
        connection.execute("DROP TABLE other")
    connection.close()


def log_it(case: Case) -> None:
    (case.place / "logs" / "server.log").write_text("x" * (PART + 1_000) + f'{{"appointment": "{case.gone.id}"}}')


def export_it(case: Case) -> None:
    (case.place / "exports" / "mine.json").write_bytes(base64.b64encode(b"{}" + case.gone.id.encode()))


def drop_it_anywhere(case: Case) -> None:
    (case.settings.data / "mail").mkdir()
    (case.settings.data / "mail" / "1.eml").write_bytes(case.gone.id.encode("utf-16-le"))


PART = 1 << 18
"""Of a file that is read at once here; a server reads more, which takes longer to fill."""

PLANTED: list[tuple[str, Callable[[Case], None]]] = [
    ("database", put_row_back),
    ("its files", leave_in_a_free_page),
    ("logs", log_it),
    ("exports", export_it),
    ("data folder", drop_it_anywhere),
]


@pytest.mark.duty("S-31")
@pytest.mark.parametrize(("place", "plant"), PLANTED, ids=[plant.__name__ for _, plant in PLANTED])
async def test_what_was_planted_is_found(
    sqlite_settings: VaultSettings,
    time: Time,
    tmp_path: Path,
    place: str,
    plant: Callable[[Case], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vault.proof.proving.CHUNK", PART)
    case = await destroyed(sqlite_settings, time, tmp_path)
    await asyncio.to_thread(plant, case)
    proof = await case.prove()
    assert not proof.destroyed
    assert place in [one.place for one in proof.places if one.left], proof.text()
    assert "SOMETHING IS LEFT" in proof.text()


@pytest.mark.duty("S-31")
async def test_a_key_that_came_back_is_found(sqlite_settings: VaultSettings, time: Time, tmp_path: Path) -> None:
    """The key store itself would not open with it, so it stands in what is read, beside the file."""
    case = await destroyed(sqlite_settings, time, tmp_path)
    old = case.settings.keystore().parent / "keystore.sqlite.old"
    await asyncio.to_thread(old.write_bytes, b"\0\0" + case.gone.id.encode() + b"\1\2")
    proof = await case.prove()
    assert [place.place for place in proof.places if place.left] == ["key store"], proof.text()


def make_image(folder: Path) -> None:
    """Of the backup something that is no database any more."""
    (backup,) = folder.iterdir()
    (folder / "image").write_bytes(b"no database" + backup.read_bytes())
    backup.unlink()


@pytest.mark.duty("S-31")
async def test_a_backup_whose_ciphertext_opens_is_found(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    """Somebody kept the old key and put it under another name: the row in the backup opens again."""
    older = tmp_path / "older"
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        gone = await plan(store, person)
        key, _ = await store.keys.get(person.id, gone.id)
        await asyncio.to_thread(data.write, sqlite_settings, KINDS, older, time.now())
        receipt = await store.retention.destroy(of(person.id), gone.id)

        def plant(keys: object) -> None:
            from vault.keys.envelope import seal
            from vault.keys.places import data_place

            owner = keys._practitioner_key(person.id)  # type: ignore[attr-defined]  # of the key store in a file
            wrapped = seal(owner, key, data_place("smuggled", person.id))
            keys._db.execute("INSERT INTO data_keys VALUES ('smuggled', ?, ?, NULL)", (person.id, wrapped))  # type: ignore[attr-defined]  # of the key store in a file

        await store.keys._run(plant)
    proof = await prove(
        sqlite_settings, KINDS, receipt.receipt, redis=None, folders=[Folder("backups", older, copies=True)]
    )
    assert [place.place for place in proof.places if place.left] == ["backups"], proof.text()
    assert "a key opens it" in proof.text()
    await asyncio.to_thread(make_image, older)
    proof = await prove(
        sqlite_settings, KINDS, receipt.receipt, redis=None, folders=[Folder("backups", older, copies=True)]
    )
    assert "image: a key opens what stands there" in proof.text()


@pytest.mark.duty("S-31")
@pytest.mark.parametrize("kind", ["string", "list", "hash", "set", "zset", "stream", "name"])
async def test_what_redis_still_knows_is_found(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path, kind: str
) -> None:
    case = await destroyed(sqlite_settings, time, tmp_path)
    redis, name = FakeRedis(), case.gone.id
    writes: dict[str, Callable[[], Awaitable[Any]]] = {
        "string": lambda: redis.set("a", name),
        "list": lambda: redis.rpush("a", name),
        "hash": lambda: redis.hset("a", "b", name),
        "set": lambda: redis.sadd("a", name),
        "zset": lambda: redis.zadd("a", {name: 1}),
        "stream": lambda: redis.xadd("a", {"b": name}),
        "name": lambda: redis.set(f"sk:diag-of:{name}", "1"),
    }
    await writes[kind]()
    assert [one.place for one in (await case.prove(redis)).places if one.left] == ["redis"]


@pytest.mark.duty("S-31")
async def test_a_key_snapshot_counts_until_it_is_a_day_old(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    settings = sqlite_settings.model_copy(update={"snapshot_keys": tmp_path / "snapshot-keys"})
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        gone = await plan(store, person)
        await asyncio.to_thread(snapshots.take, settings, tmp_path / "copies", time.now())
        receipt = await store.retention.destroy(of(person.id), gone.id)
        await store.retention.sweep()
    folders = [Folder("backups", tmp_path / "copies", copies=True)]
    proof = await prove(settings, KINDS, receipt.receipt, redis=None, folders=folders)
    assert "its key, until the snapshot is 24 hours old" in proof.text()
    assert not proof.destroyed
    shutil.rmtree(tmp_path / "snapshot-keys")
    proof = await prove(settings, KINDS, receipt.receipt, redis=None, folders=folders)
    assert proof.destroyed
    assert "nothing opens it any more" in proof.text()


async def test_a_closed_account_is_proven_gone_too(settings: VaultSettings, time: Time, tmp_path: Path) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        await asyncio.to_thread(data.write, settings, KINDS, tmp_path / "backups", time.now())
        closed = await store.retention.close(of(person.id))
    assert closed.receipt is not None
    folders = [Folder("backups", tmp_path / "backups", copies=True)]
    proof = await prove(settings, KINDS, closed.receipt.receipt, redis=None, folders=folders)
    assert proof.destroyed, proof.text()
    assert "2 ciphertexts of it" in proof.text()


async def test_a_file_that_goes_away_meanwhile_is_no_find_and_its_next_name_is_read(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """PostgreSQL 15 replaces ``pg_internal.init`` and renames segments of its WAL while somebody reads its folder."""
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)
    ledger = sqlite_store.keys.unlocked().ledger
    needle = Needle(ledger.receipt_of(planned.id), ledger.receipt_of)
    looked, unreadable = Looked("its files"), Looked("its files")

    folder = tmp_path / "busy"

    def look() -> None:
        folder.mkdir()
        (folder / "1").write_bytes(b"nothing")
        (folder / "2").write_bytes(b"nothing")
        (folder / "3").write_bytes(planned.id.encode())
        in_files(looked, meanwhile(), needle)
        in_files(unreadable, [folder], needle)

    def meanwhile() -> Iterator[Path]:
        for path in as_they_come(folder):
            yield path
            if path.name == "1":
                (folder / "2").unlink()
                (folder / "3").rename(folder / "4")

    await asyncio.to_thread(look)
    assert looked.left == ["4: its id"]
    assert looked.what == "2 files, 0.0 MB"
    assert unreadable.left == ["busy: cannot be read"]


async def test_a_receipt_that_nobody_gave_proves_nothing(sqlite_settings: VaultSettings, time: Time) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await alice(store)
    with pytest.raises(StartRefused, match="no such receipt"):
        await prove(sqlite_settings, KINDS, "A" * 43, redis=None, folders=[])
    sqlite_settings.root_key().unlink()
    with pytest.raises(StartRefused, match="Nothing can be proven"):
        await prove(sqlite_settings, KINDS, "A" * 43, redis=None, folders=[])


async def test_places_that_nobody_named_are_said_not_to_be_looked_at(
    sqlite_settings: VaultSettings, time: Time
) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        receipt = await store.retention.destroy(of(person.id), (await plan(store, person)).id)
        await store.retention.sweep()
    proof = await prove(sqlite_settings, KINDS, receipt.receipt, redis=None, folders=[Folder("logs", None)])
    assert [place.place for place in proof.places if place.skipped] == ["redis", "logs", *NEVER]
    assert proof.text().count("NOT LOOKED AT") == 4
    assert proof.text().endswith("Nothing is left of it; 4 places were not looked at.")


async def test_the_id_is_found_in_every_form(sqlite_store: Store) -> None:
    person = await alice(sqlite_store)
    planned = await plan(sqlite_store, person)
    ledger = sqlite_store.keys.unlocked().ledger
    needle = Needle(ledger.receipt_of(planned.id), ledger.receipt_of)
    name = planned.id.encode()
    forms = [name, name.decode().encode("utf-16-le"), name.hex().encode(), name.hex().upper().encode()]
    forms += [base64.b64encode(bytes(shift) + name + b"xyz") for shift in range(3)]
    for form in forms:
        for before in (b"", b"A", b"\0", b"ff", b"=="):
            assert needle.positions(b"." * 7 + before + form + before), (form, before)
    assert needle.positions(b"A" * 22 + name + b"planned") == [22]
    assert needle.positions(name[:-1] + b"." + name[1:]) == []
