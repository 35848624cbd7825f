"""A key store that is wrong, missing, older or read-only: locked, one sentence, nothing written over anything."""

import base64
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from practice.storage import Store
from tests.opening import of, open_store
from tests.people import PASSWORD, START, Time, alice, plan
from vault.errors import DomainError, StartRefused
from vault.keys.envelope import new_key
from vault.keys.files import create_root_key, read_root_key
from vault.keys.sqlite import SqliteKeys
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings


async def locked_reason(settings: VaultSettings, time: Time) -> str:
    """Open, expect it to be locked, and that nothing was changed by looking."""
    files = {path: path.read_bytes() for path in key_files(settings)}
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is not None
        for call in (
            store.practitioners.authenticate("alice@example.org", PASSWORD),
            store.practitioners.add("bob@example.org", PASSWORD, "Bob", "nl"),
            store.appointments.by_link(Scope.guest("A" * 22), "A" * 22),
            store.appointments.create(of("A" * 22), "Jan", START, 30, "nl"),
            store.retention.destroy(of("A" * 22), "A" * 22),
        ):
            with pytest.raises(DomainError, match="locked"):
                await call
        assert await store.retention.catch_up() == 0
        assert await store.retention.sweep() == 0
        assert (await store.retention.status()).locked == store.locked
        await store.ping()
        reason = store.locked
    assert {path: path.read_bytes() for path in key_files(settings)} == files
    assert reason.endswith(".")
    return reason


def key_files(settings: VaultSettings) -> list[Path]:
    folders = [settings.root_key().parent]
    if settings.keystore_address().get_backend_name() == "sqlite":
        folders.append(settings.keystore().parent)
    return [path for folder in folders if folder.exists() for path in folder.iterdir() if "-shm" not in path.name]


async def use(settings: VaultSettings, time: Time) -> VaultSettings:
    """A store with a practitioner, one living and one destroyed appointment."""
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        gone = await plan(store, person)
        await plan(store, person)
        await store.retention.destroy(of(person.id), gone.id)
        await store.retention.sweep()
    return settings


@pytest.fixture
async def used(settings: VaultSettings, time: Time) -> VaultSettings:
    """On both databases."""
    return await use(settings, time)


@pytest.fixture
async def anywhere(keystore_settings: VaultSettings, time: Time) -> VaultSettings:
    """With the key store in each of the places where it can be."""
    return await use(keystore_settings, time)


async def test_another_root_key_locks(anywhere: VaultSettings, time: Time) -> None:
    path = anywhere.root_key()
    path.chmod(0o600)
    path.write_bytes(base64.b64encode(new_key()))
    assert "root key does not open" in await locked_reason(anywhere, time)


async def test_a_missing_root_key_locks_and_no_new_one_is_made(anywhere: VaultSettings, time: Time) -> None:
    anywhere.root_key().unlink()
    assert "root key file is missing" in await locked_reason(anywhere, time)
    assert not anywhere.root_key().exists()


@pytest.mark.parametrize("content", [b"", b"not base64 !!", base64.b64encode(b"short")])
async def test_a_damaged_root_key_locks(anywhere: VaultSettings, time: Time, content: bytes) -> None:
    anywhere.root_key().chmod(0o600)
    anywhere.root_key().write_bytes(content)
    assert "32 bytes" in await locked_reason(anywhere, time)


async def test_a_missing_key_store_locks_and_no_new_one_is_made(used: VaultSettings, time: Time) -> None:
    for path in used.keystore().parent.iterdir():
        path.unlink()
    assert "key store is missing" in await locked_reason(used, time)
    assert list(used.keystore().parent.iterdir()) == []


async def test_a_missing_epoch_key_locks(used: VaultSettings, time: Time) -> None:
    for path in used.keystore().parent.glob("epoch*"):
        path.unlink()
    assert "epoch key is missing" in await locked_reason(used, time)


async def test_the_key_store_of_another_database_locks(
    anywhere: VaultSettings, time: Time, tmp_path: Path, migrated: Path
) -> None:
    other = anywhere.model_copy(update={"data": tmp_path / "other", "keystore_url": address(anywhere)})
    other = other.model_copy(update={"root_key_file": anywhere.root_key()})
    database = Path(other.database().database or "")
    database.parent.mkdir(parents=True)
    database.write_bytes(migrated.read_bytes())
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO marks VALUES ('pair', 'another')")
    connection.close()
    assert "another database" in await locked_reason(other, time)
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM marks")
    connection.close()
    assert "than this empty one" in await locked_reason(other, time)


def address(settings: VaultSettings) -> SecretStr:
    return SecretStr(settings.keystore_address().render_as_string(hide_password=False))


async def test_an_emptied_database_beside_a_used_key_store_locks(
    used: VaultSettings, time: Time, tmp_path: Path
) -> None:
    emptied = used.model_copy(update={"database_url": SecretStr(f"sqlite:///{tmp_path / 'empty.sqlite'}")})
    assert "another database" in await locked_reason(emptied, time)


async def test_an_older_key_store_locks(used: VaultSettings, time: Time) -> None:
    old = {path: path.read_bytes() for path in key_files(used)}
    async with open_store(used, now=time.now, boot=time.boottime) as store:
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        (living,) = await store.appointments.list(of(person.id), START.date(), START.date())
        await store.retention.destroy(of(person.id), living.id)
    for path in key_files(used):
        path.unlink()
    for path, content in old.items():
        path.write_bytes(content)
        path.chmod(0o600)
    assert "older than the database" in await locked_reason(used, time)


async def test_a_damaged_key_store_locks(used: VaultSettings, time: Time) -> None:
    used.keystore().write_bytes(b"SQLite format 3\0" + os.urandom(8192))
    assert "key store" in await locked_reason(used, time)


async def test_a_key_store_of_another_version_locks(used: VaultSettings, time: Time) -> None:
    with sqlite3.connect(used.keystore()) as connection:
        connection.execute("UPDATE meta SET value = x'39' WHERE name = 'schema'")
    connection.close()
    assert "another version" in await locked_reason(used, time)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give up root's right to write everything")
async def test_a_read_only_key_store_locks(sqlite_settings: VaultSettings, time: Time) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await alice(store)
    folder = sqlite_settings.keystore().parent
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    script = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom vault.settings import VaultSettings\n"
        "from tests.opening import of, open_store\n"
        "async def main():\n"
        "    async with open_store(VaultSettings(data=Path(sys.argv[1]))) as store:\n"
        "        print(store.locked)\n"
        "asyncio.run(main())\n"
    )
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", sys.executable, "-c", script]
    done = subprocess.run(
        [*command, str(sqlite_settings.data)],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    folder.chmod(0o700)
    assert "cannot be" in done.stdout, done.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


async def test_a_root_key_that_others_can_read_refuses_to_start(used: VaultSettings, time: Time) -> None:
    used.root_key().chmod(0o644)
    with pytest.raises(StartRefused, match="0400"):
        async with open_store(used, now=time.now, boot=time.boottime):
            pass


async def test_a_first_start_that_was_cut_off_before_its_commit_is_made_again(
    sqlite_settings: VaultSettings, time: Time
) -> None:
    path = sqlite_settings.keystore()
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    (path.parent / "epoch-1.key").write_bytes(new_key())
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        await alice(store)


@pytest.fixture
def unfinished(sqlite_settings: VaultSettings) -> VaultSettings:
    """A first start that was cut off before the database knew its pair id."""
    create_root_key(sqlite_settings.root_key())
    sqlite_settings.keystore().parent.mkdir(parents=True)
    SqliteKeys.create(sqlite_settings.keystore(), read_root_key(sqlite_settings.root_key()), "pair", os.urandom)
    return sqlite_settings


async def test_a_first_start_that_was_cut_off_before_the_database_knew_is_taken_over(
    unfinished: VaultSettings, time: Time
) -> None:
    async with open_store(unfinished, now=time.now, boot=time.boottime) as store:
        assert store.locked is None
        assert store.keys.pair == "pair"


def test_a_root_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    create_root_key(path)
    before = path.read_bytes()
    create_root_key(path)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o400
    assert [entry.name for entry in tmp_path.iterdir()] == ["root.key"]


async def test_files_of_keys_are_private(sqlite_store: Store, sqlite_settings: VaultSettings) -> None:
    await alice(sqlite_store)
    for path in (sqlite_settings.keystore().parent, sqlite_settings.root_key().parent):
        assert path.stat().st_mode & 0o077 == 0


async def test_one_that_never_opened_is_not_looked_for_on_the_disk(
    sqlite_settings: VaultSettings, time: Time, tmp_path: Path
) -> None:
    await use(sqlite_settings, time)
    sqlite_settings.root_key().unlink()
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is not None
        assert await store.keys.look(), "nothing that was open is lost"
        assert await store.look()
        with pytest.raises(DomainError, match="locked"):
            await store.keys.save(tmp_path / "rescued")
