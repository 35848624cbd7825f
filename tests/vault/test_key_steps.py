"""The key store's step from a flat one (version 1) to a tree (version 2), and back: alone, and all of it or nothing."""

import argparse
import asyncio
import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from operate.commands import db
from practice.kinds import KINDS
from practice.storage import Store
from spreekkamer import Settings
from tests.earlier import environment
from tests.opening import of, open_store
from tests.people import START, Time, alice, charlie, plan
from tests.vault.test_beside_0_1_0 import Node, Refused, release, shared, started
from vault.backup import snapshots
from vault.errors import Locked, StartRefused, Tampered
from vault.keys import layout, schema
from vault.keys.backends import backend
from vault.keys.connection import FAULTS, Connection, transaction
from vault.keys.layout import compare, to_tree
from vault.keys.many import Each, change_each
from vault.keys.wrapped import WrappedKeys
from vault.keystore import downgrade, upgrade, verify
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings

__all__ = ["release", "shared"]

ARGUMENTS = argparse.Namespace(yes=True, json=False)
KNOWN = ("data", "database_url", "keystore_url", "root_key_file", "transit", "trust_clock")
STAYS = "the key store stays flat"


@pytest.fixture
def flat(keys: WrappedKeys) -> WrappedKeys:
    """A key store as version 1 has it, in which Alice has a key."""
    assert keys.shrink()
    return keys


def version(keys: WrappedKeys) -> tuple[int, int, int]:
    """Of the key store, and how many groups and members there are."""
    counts = keys._db.execute("SELECT (SELECT count(*) FROM group_keys), (SELECT count(*) FROM members)").fetchone()
    return schema.version(keys._db), *counts


def contents(keys: WrappedKeys) -> dict[str, list[str]]:
    tables = ("meta", "service_keys", "practitioner_keys", "data_keys", "ledger", "group_keys", "members")
    return {table: sorted(map(repr, keys._db.execute(f"SELECT * FROM {table}").fetchall())) for table in tables}


def test_forward_and_back_every_key_is_what_it_was(flat: WrappedKeys, keystore_settings: VaultSettings) -> None:
    for n in range(40):
        flat.add_practitioner(f"p{n}", START)
    before, epoch = sorted(flat.every()), flat._epochs.number()
    assert version(flat) == (schema.FLAT, 0, 0)
    assert flat.grow()
    assert version(flat) == (schema.TREE, 3, 42)
    assert flat._epochs.number() == epoch, "no epoch ends"
    assert set(before) < set(flat.every())
    assert flat.inspect(START).findings == ()
    with closing(backend(keystore_settings).open()) as beside:
        assert set(before) < set(beside.every())
        assert not beside.flat
    assert flat.can_go_back()
    assert flat.shrink()
    assert version(flat) == (schema.FLAT, 0, 0)
    assert sorted(flat.every()) == before
    assert flat.inspect(START).findings == ()
    assert flat.add("alice", "row", START)
    assert flat.grow()


def test_no_step_while_another_has_it_open(flat: WrappedKeys, keystore_settings: VaultSettings) -> None:
    before = contents(flat)
    with closing(backend(keystore_settings).open()) as beside:
        assert not flat.grow()
        assert flat.flat
        flat.present()
        key = beside.add("alice", "row", START)
        assert flat.get("alice", "row") == (key, True)
        beside.destroy([("alice", "row")], START)
        assert flat.rotate()
        beside.add_practitioner("bob", START)
    assert version(flat) == (schema.FLAT, 0, 0)
    assert contents(flat) != before
    assert flat.grow()
    flat.present()
    with closing(backend(keystore_settings).open()) as beside:
        assert not flat.shrink()
        assert version(flat)[0] == schema.TREE
        assert beside.get("bob", "bob")[1]


def test_no_way_back_once_an_epoch_was_erased(flat: WrappedKeys) -> None:
    assert flat.grow()
    flat.add("alice", "row", START)
    flat.destroy([("alice", "row")], START)
    flat.rotate()
    before = contents(flat)
    assert not flat.can_go_back()
    with pytest.raises(StartRefused, match="cannot go back"):
        flat.shrink()
    assert contents(flat) == before
    flat.present()
    assert not flat.flat


def test_a_step_that_would_lose_a_key_is_not_taken(flat: WrappedKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(flat)

    def half(connection: Connection, statement: Each, rows: Sequence[Sequence[Any]]) -> None:
        change_each(connection, statement, rows[:-1])

    monkeypatch.setattr(layout, "change_each", half)
    with pytest.raises(Tampered):
        flat.grow()
    monkeypatch.undo()
    assert flat.flat
    assert contents(flat) == before
    assert flat.grow()


def test_what_is_damaged_keeps_nobody_back(flat: WrappedKeys) -> None:
    flat.add_practitioner("bob", START)
    flat._db.execute("UPDATE practitioner_keys SET wrapped = ? WHERE id = 'bob'", (bytes(60),))
    assert flat.grow()
    assert version(flat) == (schema.TREE, 1, 3)
    assert flat.get("alice", "alice")[1]
    with pytest.raises(Tampered):
        flat.get("bob", "bob")
    flat.destroy([("alice", "alice")], START)
    assert flat.rotate()


def test_a_tree_without_its_groups_is_damaged(flat: WrappedKeys, keystore_settings: VaultSettings) -> None:
    assert flat.grow()
    flat._db.execute("DELETE FROM members")
    with pytest.raises(Locked, check=lambda locked: "damaged" in locked.reason):
        backend(keystore_settings).open()


def test_what_knows_no_tree_can_end_no_epoch_of_one(flat: WrappedKeys) -> None:
    """It looks for the epoch's number where version 1 has it."""
    assert flat.grow()
    assert flat._db.execute("SELECT 1 FROM meta WHERE name = 'epoch'").fetchone() is None


# --- servers and commands --------------------------------------------------------------------------------------------


async def used(settings: VaultSettings, time: Time) -> list[str]:
    """A flat key store with two people and two appointments, and its server gone."""
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person, other = await alice(store), await charlie(store)
        made = [await plan(store, person), await plan(store, other)]
        assert await store.keys.shrink()
    return [one.id for one in made]


async def opens(store: Store, ids: list[str]) -> None:
    assert [(await store.appointments.get(Scope.guest(one), one)).id for one in ids] == ids


async def test_a_server_that_is_alone_takes_the_step(
    keystore_settings: VaultSettings, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    ids = await used(keystore_settings, time)
    with caplog.at_level(logging.INFO):
        async with open_store(keystore_settings, now=time.now, boot=time.boottime) as store:
            assert not store.keys.flat
            await opens(store, ids)
            assert await store.retention.catch_up() == 0
            assert await store.keys.look()
    assert "the key store has its keys in a tree" in caplog.text
    assert STAYS not in caplog.text
    assert (await verify(keystore_settings, KINDS, time.now)).findings == ()


async def test_a_server_beside_another_leaves_it_flat_says_so_and_works(
    keystore_settings: VaultSettings, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    ids = await used(keystore_settings, time)
    other = await asyncio.to_thread(backend(keystore_settings).open)
    try:
        async with open_store(keystore_settings, now=time.now, boot=time.boottime) as store:
            assert store.keys.flat
            assert STAYS in caplog.text
            await opens(store, ids)
            person = await store.practitioners.by_mail(SERVER, "alice@example.org")
            assert person is not None
            gone = await plan(store, person)
            await store.retention.destroy(of(person.id), gone.id)
            await store.retention.sweep()
            assert not await store.keys.rotate()
            await opens(store, ids)
            assert "stays flat" in await db.forward(Settings(rooms=keystore_settings), ARGUMENTS)
            seen = await verify(keystore_settings, KINDS, time.now)
            assert (seen.findings, seen.flat) == ((), True)
            assert store.keys.flat
    finally:
        other.close()
    assert "stays" not in await db.forward(Settings(rooms=keystore_settings), ARGUMENTS)
    async with open_store(keystore_settings, now=time.now, boot=time.boottime) as store:
        assert not store.keys.flat
        await opens(store, ids)


async def test_the_commands_go_forward_and_back(
    keystore_settings: VaultSettings, time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    ids, settings = await used(keystore_settings, time), Settings(rooms=keystore_settings)
    assert await db.forward(settings, ARGUMENTS) == "The database has the schema of this version."
    assert "no way back from that once an epoch key was erased" in capsys.readouterr().out
    assert await db.forward(settings, ARGUMENTS) == "The database has the schema of this version."
    assert capsys.readouterr().out == "", "only when the step is taken"
    await db.backward(settings, ARGUMENTS)
    assert "flat again" in capsys.readouterr().out
    place = backend(keystore_settings)
    with closing(await asyncio.to_thread(place.open)) as keys:
        assert keys.flat
    await db.forward(settings, ARGUMENTS)
    async with open_store(keystore_settings, now=time.now, boot=time.boottime) as store:
        await opens(store, ids)
        await store.keys.renew(root=False)
    found = await asyncio.to_thread(Path(keystore_settings.database().database or "").read_bytes)
    with pytest.raises(StartRefused, match="cannot go back"):
        await db.backward(settings, ARGUMENTS)
    assert await asyncio.to_thread(Path(keystore_settings.database().database or "").read_bytes) == found


async def test_a_snapshot_of_a_flat_key_store_is_restored(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    settings = sqlite_settings.model_copy(update={"snapshot_keys": tmp_path / "keys-of-snapshots"})
    ids = await used(settings, time)
    taken = await asyncio.to_thread(snapshots.take, settings, tmp_path / "snapshots", time.now())
    await db.forward(Settings(rooms=settings), ARGUMENTS)
    later = await asyncio.to_thread(snapshots.take, settings, tmp_path / "snapshots", time.now() + timedelta(hours=1))
    for snapshot in (taken, later):
        for path in settings.keystore().parent.iterdir():
            await asyncio.to_thread(path.unlink)
        await snapshots.restore(settings, snapshot, time.now())
        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            assert not store.keys.flat
            await opens(store, ids)
        assert (await verify(settings, KINDS, time.now)).findings == ()


# --- release 0.1.0, which knows no tree ------------------------------------------------------------------------------


async def test_the_release_before_works_beside_and_is_refused_after_the_step(
    release: Path, shared: VaultSettings, time: Time
) -> None:
    async with started(release, shared, "older") as older:
        person = await older.ask("add", "older@example.org", "30d")
        planned, gone = [await older.ask("plan", person["id"], name, 1) for name in ("one", "two")]
        async with open_store(shared, now=time.now, boot=time.boottime) as store:
            assert store.keys.flat
            await store.retention.destroy(of(person["id"]), gone["id"])
            await store.keys.rotate()
            assert (await older.ask("get", person["id"], planned["id"]))["id"] == planned["id"]
    assert "stays" not in await db.forward(Settings(rooms=shared), ARGUMENTS)
    assert (
        await asyncio.to_thread(opened_by, release, shared)
        == "The key store was made by another version of this program."
    )
    async with open_store(shared, now=time.now, boot=time.boottime) as store:
        await opens(store, [planned["id"]])


async def test_the_release_before_damages_no_tree_that_it_did_not_see_made(
    release: Path, shared: VaultSettings, time: Time
) -> None:
    """A node that lost sight of the key store's database, so that nobody saw it, comes back without looking again."""
    async with started(release, shared, "older") as older:
        person = await older.ask("add", "older@example.org", "end")
        planned = await older.ask("plan", person["id"], "one", 900)
        gone = await older.ask("plan", person["id"], "two", 1)
        with closing(await asyncio.to_thread(backend(shared).open)) as keys, transaction(keys._db):
            to_tree(keys._db, keys._epochs, keys._random)
        for what in (("destroy", person["id"], gone["id"]), ("sweep",), ("plan", person["id"], "three", 2)):
            await refused_or_not(older, *what)
    async with open_store(shared, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        await store.retention.catch_up()
        await opens(store, [planned["id"]])
    assert (await verify(shared, KINDS, time.now)).findings == ()


async def refused_or_not(node: Node, what: str, *arguments: str | int) -> None:
    """Whatever it says, it may do no harm."""
    with contextlib.suppress(Refused):
        await node.ask(what, *arguments)


OPEN = """
import sys
from rooms.errors import Locked
from rooms.keys.backends import backend
from rooms.settings import RoomsSettings

try:
    backend(RoomsSettings.model_validate_json(sys.argv[1])).open()
except Locked as locked:
    print(locked.reason)
"""


def opened_by(tree: Path, settings: VaultSettings) -> str:
    """What another build says when it opens the key store; nothing when it does."""
    told = settings.model_dump(mode="json") | {
        name: url.get_secret_value()
        for name, url in {"database_url": settings.database_url, "keystore_url": settings.keystore_url}.items()
        if url is not None
    }
    known = json.dumps({name: value for name, value in told.items() if name in KNOWN})
    command = (sys.executable, "-c", OPEN, known)
    done = subprocess.run(command, cwd=tree, env=environment(tree), capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("version", [schema.FLAT, schema.TREE])
def test_the_release_before_opens_a_flat_key_store_and_refuses_a_tree(
    release: Path, keystore_settings: VaultSettings, flat: WrappedKeys, version: int
) -> None:
    assert flat.flat if version == schema.FLAT else flat.grow()
    flat.add("alice", "row", START)
    flat.destroy([("alice", "row")], START)
    flat.rotate()
    said = opened_by(release, keystore_settings)
    assert said == ("" if version == schema.FLAT else "The key store was made by another version of this program.")


async def test_a_step_that_cannot_be_taken_says_why(
    keystore_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    begun: list[bool] = []
    nowhere = VaultSettings(data=tmp_path / "nowhere")
    assert await upgrade(nowhere, lambda: begun.append(True))
    assert not await downgrade(nowhere)
    await used(keystore_settings, time)
    assert not await downgrade(keystore_settings), "a flat one has no step back"
    root = keystore_settings.root_key()
    root.rename(root.with_name("away"))
    for step in (upgrade(keystore_settings, lambda: begun.append(True)), downgrade(keystore_settings)):
        with pytest.raises(StartRefused, match="root key file is missing"):
            await step
    assert not begun
    root.with_name("away").rename(root)
    assert await upgrade(keystore_settings, lambda: begun.append(True))
    assert begun == [True]
    assert await upgrade(keystore_settings, lambda: begun.append(True))
    assert begun == [True], "only when the step is taken"
    other = await asyncio.to_thread(backend(keystore_settings).open)
    with closing(other), pytest.raises(StartRefused, match="Other programs use the key store"):
        await downgrade(keystore_settings)
    assert await downgrade(keystore_settings)


def test_a_step_after_which_other_keys_open_is_none() -> None:
    compare({"alice": b"key"}, {"alice": b"key"})
    with pytest.raises(Tampered):
        compare({"alice": b"key"}, {"alice": b"other"})


def test_whoever_comes_hangs_on_no_group_that_does_not_open(flat: WrappedKeys) -> None:
    assert flat.grow()
    flat._db.execute("UPDATE group_keys SET wrapped = ?", (bytes(60),))
    flat.add_practitioner("bob", START)
    assert version(flat) == (schema.TREE, 2, 3)
    assert flat.get("bob", "bob")[1]


def test_one_that_says_no_epoch_any_more_does_not_answer(flat: WrappedKeys) -> None:
    assert flat.get("alice", "alice")[1]
    flat._db.execute("DELETE FROM meta WHERE name LIKE 'epoch%'")
    with pytest.raises(FAULTS):
        flat.check()
    with pytest.raises(FAULTS):
        flat.get("alice", "alice")
