"""The key store: made once, never over another, locked when it is not what it was."""

import base64
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rooms.errors import Locked, RoomsError, StartRefused, Tampered
from rooms.keys.envelope import new_key
from rooms.keys.files import EpochFiles, create_root_key, read_root_key
from rooms.keys.sqlite import SqliteKeys
from rooms.keys.wrapped import NOBODY
from rooms.settings import RoomsSettings
from rooms.store import Store, open_store
from tests.rooms.people import PASSWORD, START, Time, alice, plan

ROWS = "SELECT id, owner, wrapped FROM data_keys ORDER BY id"


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    path = tmp_path / "root.key"
    create_root_key(path)
    return read_root_key(path)


@pytest.fixture
def keys(tmp_path: Path, root: bytes) -> SqliteKeys:
    path = tmp_path / "keystore.sqlite"
    SqliteKeys.create(path, root, "pair", os.urandom)
    opened = SqliteKeys.open(path, root, os.urandom)
    yield opened
    opened.close()


def raw(keys: SqliteKeys, query: str) -> list[tuple[object, ...]]:
    return keys._db.execute(query).fetchall()


def why_locked(path: Path, root: bytes) -> str:
    with pytest.raises(Locked) as caught:
        SqliteKeys.open(path, root, os.urandom)
    return caught.value.reason


def test_a_data_key_comes_back_to_its_owner_only(keys: SqliteKeys) -> None:
    keys.add_practitioner("alice", START)
    keys.add_practitioner("charlie", START)
    key = keys.add("alice", "row", START)
    assert keys.get("alice", "row") == (key, True)
    assert keys.get_many([("alice", "row"), ("charlie", "row"), ("alice", "other")]) == {"row": key}
    for owner, row in (("charlie", "row"), ("alice", "other"), (NOBODY, NOBODY), ("", "")):
        other, known = keys.get(owner, row)
        assert not known
        assert other != key
    assert keys.missing(["row", "other"]) == ["other"]


def test_no_two_rows_share_a_key(keys: SqliteKeys) -> None:
    keys.add_practitioner("alice", START)
    assert len({keys.add("alice", f"row{n}", START) for n in range(50)}) == 50


def test_an_unknown_owner_gets_no_key(keys: SqliteKeys) -> None:
    with pytest.raises(Tampered):
        keys.add("nobody-we-know", "row", START)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE id = 'second') WHERE id = 'first'",
        "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE id = 'theirs') WHERE id = 'first'",
        "UPDATE practitioner_keys SET wrapped = (SELECT wrapped FROM practitioner_keys WHERE id = 'charlie')",
        "UPDATE data_keys SET wrapped = zeroblob(60) WHERE id = 'first'",
        "UPDATE data_keys SET wrapped = x'' WHERE id = 'first'",
    ],
)
def test_a_wrapped_key_in_another_place_fails_closed(keys: SqliteKeys, statement: str) -> None:
    keys.add_practitioner("alice", START)
    keys.add_practitioner("charlie", START)
    for owner, row in (("alice", "first"), ("alice", "second"), ("charlie", "theirs")):
        keys.add(owner, row, START)
    keys._db.execute(statement)
    with pytest.raises(Tampered):
        keys.get("alice", "first")


def test_a_row_moved_to_another_owner_fails_closed(keys: SqliteKeys) -> None:
    keys.add_practitioner("alice", START)
    keys.add_practitioner("charlie", START)
    keys.add("charlie", "theirs", START)
    keys._db.execute("UPDATE data_keys SET owner = 'alice' WHERE id = 'theirs'")
    with pytest.raises(Tampered):
        keys.get("alice", "theirs")


def test_destroying_gives_a_receipt_and_again_the_same(keys: SqliteKeys) -> None:
    keys.add_practitioner("alice", START)
    keys.add("alice", "row", START)
    (receipt,) = keys.destroy([("alice", "row")], START)
    assert keys.destroy([("alice", "row")], START.replace(hour=20)) == [receipt]
    assert keys.get("alice", "row")[1] is False
    assert keys.ledger.find("alice", "row") == receipt
    assert keys.ledger.find("charlie", "row") is None
    assert keys.ledger.of("alice") == [receipt]
    assert keys.ledger.generation() == receipt.generation == 1
    assert "row" not in receipt.receipt


def test_the_ledger_only_grows(keys: SqliteKeys) -> None:
    keys.add_practitioner("alice", START)
    keys.destroy([("alice", "row")], START)
    for statement in ("DELETE FROM ledger", "UPDATE ledger SET generation = 9", "UPDATE ledger SET destroyed_at = 0"):
        with pytest.raises(sqlite3.IntegrityError, match="append only"):
            keys._db.execute(statement)


def test_the_ledger_names_nobody(keys: SqliteKeys) -> None:
    keys.add_practitioner("alice", START)
    keys.destroy([("alice", "row")], START)
    (line,) = raw(keys, "SELECT * FROM ledger")
    assert not [value for value in line if "alice" in str(value) or value == "row"]


def test_an_epoch_replaces_every_wrapping_and_nothing_is_lost(keys: SqliteKeys, tmp_path: Path) -> None:
    keys.add_practitioner("alice", START)
    keys.add_practitioner("bob", START)
    kept, bobs = keys.add("alice", "kept", START), keys.add("bob", "bobs", START)
    keys.add("alice", "gone", START)
    index = keys.mail_index("a@b.nl")
    secret = (tmp_path / "epoch-1.key").read_bytes()
    practitioner_keys = [keys._practitioner_key(name) for name in ("alice", "bob")]
    before = {table: raw(keys, f"SELECT wrapped FROM {table}") for table in ("practitioner_keys", "service_keys")}
    assert keys.rotate() is False, "nothing was destroyed"
    keys.destroy([("alice", "gone")], START)
    assert keys.rotate() is True
    assert keys.rotate() is False
    assert keys._practitioner_key("alice") != practitioner_keys[0], "something of hers was destroyed"
    assert keys._practitioner_key("bob") == practitioner_keys[1]
    for table, rows in before.items():
        assert not set(rows) & set(raw(keys, f"SELECT wrapped FROM {table}")), table
    assert (keys.get("alice", "kept"), keys.get("bob", "bobs")) == ((kept, True), (bobs, True))
    assert [path.name for path in sorted(tmp_path.glob("epoch*"))] == ["epoch-2.key"]
    assert len((tmp_path / "epoch-2.key").read_bytes()) == 32
    assert secret not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert keys.mail_index("a@b.nl") == index


@pytest.mark.duty("S-31")
def test_old_wrappings_open_under_no_key_that_is_left(keys: SqliteKeys, tmp_path: Path, root: bytes) -> None:
    keys.add_practitioner("alice", START)
    keys.add("alice", "gone", START)
    copy = tmp_path / "backup" / "keystore.sqlite"
    copy.parent.mkdir()
    target = sqlite3.connect(copy)
    keys._db.backup(target)
    target.close()
    keys.destroy([("alice", "gone")], START)
    keys.rotate()
    (copy.parent / "epoch-2.key").write_bytes((tmp_path / "epoch-2.key").read_bytes())
    assert "epoch key is missing" in why_locked(copy, root)
    (copy.parent / "epoch-1.key").write_bytes((tmp_path / "epoch-2.key").read_bytes())
    assert "root key does not open" in why_locked(copy, root)


@pytest.mark.duty("S-31")
def test_no_wrapped_key_of_what_was_destroyed_stays_in_a_file(keys: SqliteKeys, tmp_path: Path) -> None:
    keys.add_practitioner("alice", START)
    for n in range(300):
        keys.add("alice", f"row{n}", START)
    wrapped = [row[2] for row in raw(keys, ROWS) if row[0] not in (NOBODY, "alice")]
    keys.destroy([("alice", f"row{n}") for n in range(300)], START)
    keys.rotate()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert not [cipher for cipher in wrapped if cipher in left]


@pytest.mark.parametrize("leftover", ["epoch-7.key", "epoch-2.key", "epoch-2.key.99.partial"])
def test_what_a_broken_off_rotation_left_is_erased_at_the_next_start(
    tmp_path: Path, root: bytes, keys: SqliteKeys, leftover: str
) -> None:
    keys.close()
    (tmp_path / leftover).write_bytes(new_key())
    SqliteKeys.open(tmp_path / "keystore.sqlite", root, os.urandom).close()
    assert [path.name for path in tmp_path.glob("epoch*")] == ["epoch-1.key"]


def test_a_second_process_does_not_erase_an_epoch_that_is_being_made(
    keys: SqliteKeys, tmp_path: Path, root: bytes
) -> None:
    keys.add_practitioner("alice", START)
    key = keys.add("alice", "row", START)
    keys.add("alice", "gone", START)
    keys.destroy([("alice", "gone")], START)
    opened: list[SqliteKeys] = []
    other = threading.Thread(
        target=lambda: opened.append(SqliteKeys.open(tmp_path / "keystore.sqlite", root, os.urandom))
    )
    plain = keys._epochs.begin

    def begin(pair: str, after: int, root: bytes) -> bytes:
        made = plain(pair, after, root)
        other.start()
        other.join(0.5)
        assert not opened, "it waits"
        return made

    keys._epochs.begin = begin  # type: ignore[method-assign]
    assert keys.rotate()
    other.join()
    assert opened[0].get("alice", "row") == (key, True)
    opened[0].close()
    assert [path.name for path in tmp_path.glob("epoch*")] == ["epoch-2.key"]


def test_a_commit_that_failed_does_not_block_the_next(keys: SqliteKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self.connection = connection

        def __getattr__(self, name: str) -> object:
            return getattr(self.connection, name)

        def commit(self) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    plain = keys._db
    keys._db = Failing(plain)  # type: ignore[assignment]
    with pytest.raises(sqlite3.OperationalError):
        keys.add_practitioner("alice", START)
    keys._db = plain
    assert keys.add_practitioner("alice", START)


def test_an_old_epoch_that_could_not_be_erased_is_erased_later(
    keys: SqliteKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.add_practitioner("alice", START)
    keys.add("alice", "gone", START)
    keys.destroy([("alice", "gone")], START)
    with monkeypatch.context() as broken:
        broken.setattr(EpochFiles, "tidy", lambda *_: (_ for _ in ()).throw(OSError("read-only")))
        with pytest.raises(OSError, match="read-only"):
            keys.rotate()
    assert len(list(tmp_path.glob("epoch*"))) == 2
    assert keys.rotate() is False
    assert [path.name for path in tmp_path.glob("epoch*")] == ["epoch-2.key"]


def test_erasing_overwrites_the_same_blocks(tmp_path: Path) -> None:
    files = EpochFiles(tmp_path)
    secret = files.create(1)
    link = tmp_path / "still-here"
    os.link(tmp_path / "epoch-1.key", link)
    files.erase(1)
    files.erase(1)
    assert link.read_bytes() != secret
    assert len(link.read_bytes()) == 32
    assert not (tmp_path / "epoch-1.key").exists()


def test_keys_without_a_row_are_confirmed_suspected_or_discarded(keys: SqliteKeys) -> None:
    keys.add_practitioner("alice", START)
    keys.add("alice", "row", START)
    assert {row for row, _ in keys.unconfirmed()} == {"alice", "row"}
    keys.confirm(["alice"])
    assert keys.confirmed("", 9) == ["alice"]
    assert keys.confirmed("alice", 9) == []
    keys.discard(["alice", "row"])
    assert keys.unconfirmed() == []
    assert keys.missing(["alice", "row"]) == ["row"], "a confirmed key is not discarded"
    keys.suspect(["alice"], START)
    keys.discard(["alice"])
    assert (keys.missing(["alice"]), keys.practitioners()) == (["alice"], 0)


# --- locked ----------------------------------------------------------------------------------------------------------


async def locked_reason(settings: RoomsSettings, time: Time) -> str:
    """Open, expect it to be locked, and that nothing was changed by looking."""
    files = {path: path.read_bytes() for path in key_files(settings)}
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert store.locked is not None
        for call in (
            store.practitioners.authenticate("alice@example.org", PASSWORD),
            store.practitioners.add("bob@example.org", PASSWORD, "Bob", "nl"),
            store.appointments.by_link("A" * 22, "A" * 22),
            store.appointments.create("A" * 22, "Jan", START, 30, "nl"),
            store.retention.destroy("A" * 22, "A" * 22),
        ):
            with pytest.raises(RoomsError, match="locked"):
                await call
        assert await store.retention.catch_up() == 0
        assert await store.retention.sweep() == 0
        assert (await store.retention.status()).locked == store.locked
        await store.ping()
        reason = store.locked
    assert {path: path.read_bytes() for path in key_files(settings)} == files
    assert reason.endswith(".")
    return reason


def key_files(settings: RoomsSettings) -> list[Path]:
    folders = (settings.keystore().parent, settings.root_key().parent)
    return [path for folder in folders if folder.exists() for path in folder.iterdir() if "-shm" not in path.name]


@pytest.fixture
async def used(settings: RoomsSettings, time: Time) -> RoomsSettings:
    """A store with a practitioner, one living and one destroyed appointment."""
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        gone = await plan(store, person)
        await plan(store, person)
        await store.retention.destroy(person.id, gone.id)
        await store.retention.sweep()
    return settings


async def test_another_root_key_locks(used: RoomsSettings, time: Time) -> None:
    path = used.root_key()
    path.chmod(0o600)
    path.write_bytes(base64.b64encode(new_key()))
    assert "root key does not open" in await locked_reason(used, time)


async def test_a_missing_root_key_locks_and_no_new_one_is_made(used: RoomsSettings, time: Time) -> None:
    used.root_key().unlink()
    assert "root key file is missing" in await locked_reason(used, time)
    assert not used.root_key().exists()


@pytest.mark.parametrize("content", [b"", b"not base64 !!", base64.b64encode(b"short")])
async def test_a_damaged_root_key_locks(used: RoomsSettings, time: Time, content: bytes) -> None:
    used.root_key().chmod(0o600)
    used.root_key().write_bytes(content)
    assert "32 bytes" in await locked_reason(used, time)


async def test_a_missing_key_store_locks_and_no_new_one_is_made(used: RoomsSettings, time: Time) -> None:
    for path in used.keystore().parent.iterdir():
        path.unlink()
    assert "key store is missing" in await locked_reason(used, time)
    assert list(used.keystore().parent.iterdir()) == []


async def test_a_missing_epoch_key_locks(used: RoomsSettings, time: Time) -> None:
    for path in used.keystore().parent.glob("epoch*"):
        path.unlink()
    assert "epoch key is missing" in await locked_reason(used, time)


async def test_the_key_store_of_another_database_locks(used: RoomsSettings, time: Time, tmp_path: Path) -> None:
    other = RoomsSettings(data=tmp_path / "other")
    async with open_store(other):
        pass
    mixed = used.model_copy(
        update={"keystore_url": secret(f"sqlite:///{other.keystore()}"), "root_key_file": other.root_key()}
    )
    assert "another database" in await locked_reason(mixed, time)


async def test_an_emptied_database_beside_a_used_key_store_locks(
    used: RoomsSettings, time: Time, tmp_path: Path
) -> None:
    emptied = used.model_copy(update={"database_url": secret(f"sqlite:///{tmp_path / 'empty.sqlite'}")})
    assert "another database" in await locked_reason(emptied, time)


def secret(text: str) -> object:
    from pydantic import SecretStr

    return SecretStr(text)


async def test_an_older_key_store_locks(used: RoomsSettings, time: Time) -> None:
    old = {path: path.read_bytes() for path in key_files(used)}
    async with open_store(used, now=time.now, boot=time.boottime) as store:
        person = await store.practitioners.by_mail("alice@example.org")
        assert person is not None
        (living,) = await store.appointments.list(person.id, START.date(), START.date())
        await store.retention.destroy(person.id, living.id)
    for path in key_files(used):
        path.unlink()
    for path, content in old.items():
        path.write_bytes(content)
        path.chmod(0o600)
    assert "older than the database" in await locked_reason(used, time)


async def test_a_damaged_key_store_locks(used: RoomsSettings, time: Time) -> None:
    used.keystore().write_bytes(b"SQLite format 3\0" + os.urandom(8192))
    assert "key store" in await locked_reason(used, time)


async def test_a_key_store_of_another_version_locks(used: RoomsSettings, time: Time) -> None:
    with sqlite3.connect(used.keystore()) as connection:
        connection.execute("UPDATE meta SET value = x'39' WHERE name = 'schema'")
    connection.close()
    assert "another version" in await locked_reason(used, time)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give up root's right to write everything")
async def test_a_read_only_key_store_locks(sqlite_settings: RoomsSettings, time: Time) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await alice(store)
    folder = sqlite_settings.keystore().parent
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    script = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom rooms.settings import RoomsSettings\n"
        "from rooms.store import open_store\n"
        "async def main():\n"
        "    async with open_store(RoomsSettings(data=Path(sys.argv[1]))) as store:\n"
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
    assert "can not be" in done.stdout, done.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


async def test_a_root_key_that_others_can_read_refuses_to_start(used: RoomsSettings, time: Time) -> None:
    used.root_key().chmod(0o644)
    with pytest.raises(StartRefused, match="0400"):
        async with open_store(used, now=time.now, boot=time.boottime):
            pass


async def test_a_first_start_that_was_cut_off_before_its_commit_is_made_again(
    sqlite_settings: RoomsSettings, time: Time
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
def unfinished(sqlite_settings: RoomsSettings) -> RoomsSettings:
    """A first start that was cut off before the database knew its pair id."""
    create_root_key(sqlite_settings.root_key())
    sqlite_settings.keystore().parent.mkdir(parents=True)
    SqliteKeys.create(sqlite_settings.keystore(), read_root_key(sqlite_settings.root_key()), "pair", os.urandom)
    return sqlite_settings


async def test_a_first_start_that_was_cut_off_before_the_database_knew_is_taken_over(
    unfinished: RoomsSettings, time: Time
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


async def test_files_of_keys_are_private(sqlite_store: Store, sqlite_settings: RoomsSettings) -> None:
    await alice(sqlite_store)
    for path in (sqlite_settings.keystore().parent, sqlite_settings.root_key().parent):
        assert path.stat().st_mode & 0o077 == 0
