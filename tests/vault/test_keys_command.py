"""``keys verify`` says in clear words what is wrong, ``keys rotate`` works beside a running server."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operate.commands import keys as command
from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import START, Time, alice, charlie, plan
from vault import keystore
from vault.errors import Locked, StartRefused
from vault.keys.envelope import seal
from vault.keys.epochs import check_place
from vault.keys.schema import write_value
from vault.keys.store import KeyStore
from vault.keys.wrapped import WrappedKeys
from vault.keystore import verify
from vault.records.scope import SERVER
from vault.settings import VaultSettings


def arguments(**flags: bool) -> argparse.Namespace:
    return argparse.Namespace(**{"json": False, "root": False, **flags})


def configured(settings: VaultSettings) -> Any:
    return SimpleNamespace(rooms=settings)


async def findings(settings: VaultSettings, time: Time) -> tuple[str, ...]:
    """Also that looking changes no file."""
    files = {path: path.read_bytes() for path in settings.data.rglob("*") if path.is_file() and "-shm" not in path.name}
    verdict = await verify(settings, KINDS, time.now)
    for path, content in files.items():
        assert path.read_bytes() == content, path
    return verdict.findings


async def who_is_alice(store: Store) -> Practitioner:
    person = await store.practitioners.by_mail(SERVER, "alice@example.org")
    assert person is not None
    return person


async def of_alice(store: Store) -> Sequence[Appointment]:
    """Her living appointments."""
    person = await who_is_alice(store)
    return await store.appointments.list(of(person.id), START.date(), START.date())


async def spoil(store: Store, *statements: str) -> None:
    """Change the key store as nobody should."""

    def run(keys: WrappedKeys) -> None:
        for statement in statements:
            keys._db.execute(statement)

    await store.keys._run(run)


@pytest.fixture
async def used(keystore_settings: VaultSettings, time: Time) -> Any:
    """A running store with two people, three living appointments and a destroyed one."""
    async with open_store(keystore_settings, now=time.now, boot=time.boottime) as store:
        person, other = await alice(store), await charlie(store)
        for owner in (person, person, other):
            await plan(store, owner)
        gone = await plan(store, person)
        await store.retention.destroy(of(person.id), gone.id)
        await store.retention.sweep()
        yield store


async def test_a_store_in_order_beside_a_running_server(
    used: Store, keystore_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "utc_now", time.now)
    said = await command.verify(configured(keystore_settings), arguments())
    assert "2 practitioners and 5 data keys open, 1 destructions" in said
    fields = json.loads(await command.verify(configured(keystore_settings), arguments(json=True)))
    epoch = fields.pop("epoch")
    assert epoch >= 2
    assert (fields.pop("waiting"), fields.pop("flat")) == (0, False)
    assert fields == {"ok": True, "findings": [], "generation": 1, "practitioners": 2, "data_keys": 5}


async def test_what_is_still_to_be_done_is_said(
    used: Store, keystore_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "utc_now", time.now)
    await spoil(used, "UPDATE practitioner_keys SET stale = 1 WHERE id != 'nobody'")
    said = await command.verify(configured(keystore_settings), arguments())
    assert said.endswith("2 practitioners' keys wait for the next epoch.")


async def test_rotating_beside_a_running_server(used: Store, keystore_settings: VaultSettings, time: Time) -> None:
    before = await of_alice(used)
    epoch, root = (await verify(keystore_settings, KINDS, time.now)).epoch, keystore_settings.root_key().read_bytes()
    assert "new epoch" in await command.rotate(configured(keystore_settings), arguments())
    assert await of_alice(used) == before
    assert keystore_settings.root_key().read_bytes() == root
    assert "root key is replaced" in await command.rotate(configured(keystore_settings), arguments(root=True))
    assert await of_alice(used) == before
    assert keystore_settings.root_key().read_bytes() != root
    verdict = await verify(keystore_settings, KINDS, time.now)
    assert (verdict.findings, verdict.epoch) == ((), epoch + 2)
    await plan(used, await who_is_alice(used))
    assert await findings(keystore_settings, time) == ()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            ["UPDATE data_keys SET wrapped = (SELECT wrapped FROM service_keys LIMIT 1)"],
            "Data keys that do not open under their practitioner's key: 6.",
        ),
        (
            ["UPDATE practitioner_keys SET wrapped = (SELECT wrapped FROM service_keys LIMIT 1)"],
            "Keys of practitioners that do not open under the epoch key: 3.",
        ),
        (["UPDATE service_keys SET wrapped = (SELECT wrapped FROM data_keys LIMIT 1) WHERE name = 'mail'"], "locked"),
        (["DELETE FROM service_keys WHERE name = 'receipt'"], "locked"),
        (["UPDATE meta SET value = (SELECT value FROM meta WHERE name = 'trunk') WHERE name = 'check'"], "locked"),
    ],
)
async def test_a_wrapped_key_that_does_not_open_is_named(
    used: Store, keystore_settings: VaultSettings, time: Time, statements: list[str], expected: str
) -> None:
    await spoil(used, *statements)
    found = await findings(keystore_settings, time)
    if expected == "locked":
        assert len(found) == 1
        assert "key store" in found[0]
    else:
        assert [text for text in found if text.startswith(expected)], found


async def test_a_missing_part_is_named(used: Store, keystore_settings: VaultSettings, time: Time) -> None:
    def drop(keys: WrappedKeys) -> list[str]:
        inspected = []
        for statement in (
            "DELETE FROM data_keys WHERE owner = 'nobody'",
            "DELETE FROM practitioner_keys WHERE id = 'nobody'",
            "DELETE FROM service_keys WHERE name = 'mail'",
            "UPDATE service_keys SET wrapped = (SELECT wrapped FROM data_keys LIMIT 1)",
        ):
            keys._db.execute(statement)
            inspected = list(keys.inspect(START).findings)
        return inspected

    assert await used.keys._run(drop) == [
        "The server's own key `mail` is missing.",
        "The server's own key `receipt` does not open under the epoch key.",
        "The key that stands for unknown people is missing.",
    ]


async def test_a_spoilt_ledger_is_named(used: Store, keystore_settings: VaultSettings, time: Time) -> None:
    later = int(START.timestamp() * 1000) + 10**9
    await spoil(used, f"INSERT INTO ledger SELECT 'x', owner, {later}, 3 FROM ledger WHERE generation = 1")
    found = await findings(keystore_settings, time)
    assert found == (
        "The ledger of destructions has a gap.",
        "The ledger of destructions holds a receipt from the future.",
    )


async def test_a_ledger_without_its_beginning_is_named(
    used: Store, keystore_settings: VaultSettings, time: Time
) -> None:
    await spoil(used, "INSERT INTO ledger SELECT 'x', owner, destroyed_at, 0 FROM ledger")
    assert await findings(keystore_settings, time) == ("The ledger of destructions has a gap.",)


async def test_a_key_that_outlived_its_destruction_is_named(
    used: Store, keystore_settings: VaultSettings, time: Time
) -> None:
    kept, _ = await of_alice(used)
    keep = "CREATE TEMPORARY TABLE kept AS SELECT * FROM data_keys WHERE id = '" + kept.id + "'"
    await spoil(used, keep)
    await used.retention.destroy(of(kept.owner), kept.id)
    await spoil(used, "INSERT INTO data_keys SELECT * FROM kept")
    assert (await used.keys.inspect(START)).findings == (
        "Data keys that are there although the ledger says that they were destroyed: 1.",
    )


async def test_rows_and_keys_without_each_other_are_named(
    used: Store, keystore_settings: VaultSettings, time: Time
) -> None:
    first, second = await of_alice(used)
    await spoil(used, f"DELETE FROM data_keys WHERE id = '{first.id}'")
    async with used.database.write() as connection:
        await connection.exec_driver_sql(f"UPDATE appointments SET id = 'other' WHERE id = '{second.id}'")
    assert await findings(keystore_settings, time) == (
        "Rows of the database without key and receipt: 2. Is this the right key store?",
        "Keys without a row in the database: 1. Is it an older copy?",
    )


async def test_a_destroyed_row_that_came_back_is_named(
    used: Store, keystore_settings: VaultSettings, time: Time
) -> None:
    first, _ = await of_alice(used)
    await used.keys.destroy([(first.owner, first.id)], START)
    (found,) = await findings(keystore_settings, time)
    assert found == "Rows that are back although they were destroyed: 1. The server's next start removes them."
    async with used.database.write() as connection:
        await connection.exec_driver_sql("UPDATE appointments SET state = 'destroying'")
    assert await findings(keystore_settings, time) == (), "what is being destroyed is nothing to wonder about"


async def test_what_is_destroyed_while_we_look_is_nothing_to_wonder_about(
    used: Store, keystore_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await of_alice(used)
    missing, confirmed = KeyStore.missing, KeyStore.confirmed

    async def destroyed_first(keys: KeyStore, ids: Sequence[str]) -> list[str]:
        if first.id in ids and keys is not used.keys:
            await used.retention.destroy(of(first.owner), first.id)
        return await missing(keys, ids)

    monkeypatch.setattr(KeyStore, "missing", destroyed_first)
    assert await findings_of(keystore_settings, time) == ()
    assert (await used.keys.receipt(first.owner, first.id)) is not None
    monkeypatch.setattr(KeyStore, "missing", missing)

    async def destroyed_then(keys: KeyStore, after: str, limit: int) -> list[str]:
        found = await confirmed(keys, after, limit)
        if second.id in found and keys is not used.keys:
            await used.retention.destroy(of(second.owner), second.id)
        return found

    monkeypatch.setattr(KeyStore, "confirmed", destroyed_then)
    assert await findings_of(keystore_settings, time) == ()
    assert (await used.keys.receipt(second.owner, second.id)) is not None


async def findings_of(settings: VaultSettings, time: Time) -> tuple[str, ...]:
    return (await verify(settings, KINDS, time.now)).findings


async def test_status_one_and_all_findings_in_words_and_in_json(
    used: Store,
    keystore_settings: VaultSettings,
    time: Time,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "utc_now", time.now)
    await spoil(used, "UPDATE data_keys SET wrapped = (SELECT wrapped FROM service_keys LIMIT 1)")
    for flags in ({}, {"json": True}):
        with pytest.raises(StartRefused, match=r"not in order.\nData keys that do not open under .*: 6"):
            await command.verify(configured(keystore_settings), arguments(**flags))
    fields = json.loads(capsys.readouterr().out)
    assert fields["ok"] is False
    assert fields["findings"] == ["Data keys that do not open under their practitioner's key: 6."]


async def test_where_nothing_was_made_nothing_is_made(tmp_path: Path, migrated: Path, time: Time) -> None:
    settings = VaultSettings(data=tmp_path / "data")
    for action in (command.verify, command.rotate):
        with pytest.raises(StartRefused, match="no database yet"):
            await action(configured(settings), arguments())
    assert not (tmp_path / "data").exists()
    database = Path(settings.database().database or "")
    database.parent.mkdir(parents=True)
    for content in (b"", migrated.read_bytes()):
        database.write_bytes(content)
        with pytest.raises(StartRefused, match="no key store yet"):
            await command.rotate(configured(settings), arguments())
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["database"]


async def test_a_locked_store_is_not_rotated_and_says_why(
    keystore_settings: VaultSettings, time: Time, used: Store
) -> None:
    root = keystore_settings.root_key()
    root.rename(root.with_name("away"))
    with pytest.raises(StartRefused, match="root key file is missing"):
        await command.rotate(configured(keystore_settings), arguments(root=True))
    assert await findings(keystore_settings, time) == ("The root key file is missing; put it back and start again.",)
    root.with_name("away").rename(root)
    root.chmod(0o644)
    with pytest.raises(StartRefused, match="0400"):
        await verify(keystore_settings, KINDS, time.now)


@pytest.mark.parametrize("fault", [OSError("no space left"), Locked("OpenBao is sealed.")])
async def test_a_rotation_that_fails_changes_nothing_and_says_so(
    used: Store, keystore_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(*_: object) -> None:
        raise fault

    before = await verify(keystore_settings, KINDS, time.now)
    monkeypatch.setattr("vault.keys.epochs.write_value", fail)
    with pytest.raises(StartRefused, match="opens as before"):
        await command.rotate(configured(keystore_settings), arguments())
    with pytest.raises(StartRefused, match="opens as before"):
        await command.rotate(configured(keystore_settings), arguments(root=True))
    monkeypatch.undo()
    assert await verify(keystore_settings, KINDS, time.now) == before


async def test_a_database_that_does_not_answer_is_a_finding(
    used: Store, keystore_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr(WrappedKeys, "inspect", fail)
    assert await findings_of(keystore_settings, time) == ("The key store or the database does not answer.",)


async def test_keys_that_do_not_belong_together_are_a_finding(
    used: Store, keystore_settings: VaultSettings, time: Time
) -> None:
    """The proof of belonging, sealed for another pair of database and key store."""

    def reseal(keys: WrappedKeys) -> None:
        number = keys._epochs.number()
        write_value(keys._db, "check", seal(keys._epochs.current(), b"another pair", check_place(number)))

    await used.keys._run(reseal)
    (found,) = await findings(keystore_settings, time)
    assert found == "The key store is damaged or cannot be written."


async def test_more_rows_than_one_batch_are_all_looked_at(
    used: Store, keystore_settings: VaultSettings, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystore, "BATCH", 2)
    person = await who_is_alice(used)
    planned = [await plan(used, person) for _ in range(5)]
    await used.retention.sweep()
    assert await findings(keystore_settings, time) == ()
    await spoil(used, *(f"DELETE FROM data_keys WHERE id = '{entry.id}'" for entry in planned))
    assert await findings(keystore_settings, time) == (
        "Rows of the database without key and receipt: 5. Is this the right key store?",
    )
