"""Epoch files beside a key store on SQLite: made, replaced and erased so that nothing old opens any more."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.people import START
from vault.errors import Locked
from vault.keys import tree
from vault.keys.envelope import new_key
from vault.keys.files import EpochFiles, create_root_key, read_root_key
from vault.keys.places import NOBODY
from vault.keys.sqlite import SqliteKeys

ROWS = "SELECT id, owner, wrapped FROM data_keys ORDER BY id"


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    path = tmp_path / "root.key"
    create_root_key(path)
    return read_root_key(path)


@pytest.fixture
def files(tmp_path: Path, root: bytes) -> Iterator[SqliteKeys]:
    """A key store whose files are looked at."""
    path = tmp_path / "keystore.sqlite"
    SqliteKeys.create(path, root, "pair", os.urandom)
    opened = SqliteKeys.open(path, root, os.urandom)
    yield opened
    opened.close()


def test_a_first_epoch_file_leaves_nothing_behind(files: SqliteKeys, tmp_path: Path) -> None:
    files.add_practitioner("alice", START)
    secret = (tmp_path / "epoch-1.key").read_bytes()
    files.rotate(everything=True)
    assert [path.name for path in sorted(tmp_path.glob("epoch*"))] == ["epoch-2.key"]
    assert len((tmp_path / "epoch-2.key").read_bytes()) == 32
    assert secret not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.duty("S-31")
def test_old_wrappings_open_under_no_key_that_is_left(files: SqliteKeys, tmp_path: Path, root: bytes) -> None:
    files.add_practitioner("alice", START)
    files.add("alice", "gone", START)
    copy = tmp_path / "backup" / "keystore.sqlite"
    copy.parent.mkdir()
    target = sqlite3.connect(copy)
    files._db.backup(target)
    target.close()
    files.destroy([("alice", "gone")], START)
    files.rotate()
    (copy.parent / "epoch-2.key").write_bytes((tmp_path / "epoch-2.key").read_bytes())
    with pytest.raises(Locked, check=lambda locked: "epoch key is missing" in locked.reason):
        SqliteKeys.open(copy, root, os.urandom)
    (copy.parent / "epoch-1.key").write_bytes((tmp_path / "epoch-2.key").read_bytes())
    with pytest.raises(Locked, check=lambda locked: "root key does not open" in locked.reason):
        SqliteKeys.open(copy, root, os.urandom)


@pytest.mark.duty("S-31")
def test_no_wrapped_key_of_what_was_destroyed_stays_in_a_file(files: SqliteKeys, tmp_path: Path) -> None:
    files.add_practitioner("alice", START)
    for n in range(300):
        files.add("alice", f"row{n}", START)
    wrapped = [row[2] for row in files._db.execute(ROWS).fetchall() if row[0] not in (NOBODY, "alice")]
    files.destroy([("alice", f"row{n}") for n in range(300)], START)
    files.rotate()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert not [cipher for cipher in wrapped if cipher in left]


def test_a_rotation_that_was_cut_off_elsewhere_meanwhile_is_not_in_the_way(files: SqliteKeys, tmp_path: Path) -> None:
    leftover = tmp_path / "epoch-2.key"
    leftover.write_bytes(b"x" * 32)
    files.rotate(everything=True)
    assert leftover.read_bytes() != b"x" * 32


@pytest.mark.parametrize("leftover", ["epoch-7.key", "epoch-2.key", "epoch-2.key.99.partial"])
def test_what_a_broken_off_rotation_left_is_erased_at_the_next_start(
    tmp_path: Path, root: bytes, files: SqliteKeys, leftover: str
) -> None:
    files.close()
    (tmp_path / leftover).write_bytes(new_key())
    SqliteKeys.open(tmp_path / "keystore.sqlite", root, os.urandom).close()
    assert [path.name for path in tmp_path.glob("epoch*")] == ["epoch-1.key"]


def test_a_second_process_does_not_erase_an_epoch_that_is_being_made(
    files: SqliteKeys, tmp_path: Path, root: bytes
) -> None:
    files.add_practitioner("alice", START)
    key = files.add("alice", "row", START)
    files.add("alice", "gone", START)
    files.destroy([("alice", "gone")], START)
    opened: list[SqliteKeys] = []
    other = threading.Thread(
        target=lambda: opened.append(SqliteKeys.open(tmp_path / "keystore.sqlite", root, os.urandom))
    )
    plain = files._epochs.begin

    def begin(pair: str, after: int, root: bytes) -> bytes:
        made = plain(pair, after, root)
        other.start()
        other.join(0.5)
        assert not opened, "it waits"
        return made

    files._epochs.begin = begin  # type: ignore[method-assign]  # fails in the middle
    assert files.rotate()
    other.join()
    assert opened[0].get("alice", "row") == (key, True)
    opened[0].close()
    assert [path.name for path in tmp_path.glob("epoch*")] == ["epoch-2.key"]


def test_a_commit_that_failed_does_not_block_the_next(files: SqliteKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self.connection = connection

        def __getattr__(self, name: str) -> object:
            return getattr(self.connection, name)

        def commit(self) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    plain = files._db
    files._db = Failing(plain)  # type: ignore[assignment]  # a connection in all that is used
    with pytest.raises(sqlite3.OperationalError):
        files.add_practitioner("alice", START)
    files._db = plain
    assert files.add_practitioner("alice", START)


def test_an_old_epoch_that_could_not_be_erased_is_erased_later(
    files: SqliteKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.add_practitioner("alice", START)
    files.add("alice", "gone", START)
    files.destroy([("alice", "gone")], START)
    with monkeypatch.context() as broken:
        broken.setattr(EpochFiles, "tidy", lambda *_: (_ for _ in ()).throw(OSError("read-only")))
        with pytest.raises(OSError, match="read-only"):
            files.rotate()
    assert len(list(tmp_path.glob("epoch*"))) == 2
    assert files.rotate() is False
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


@pytest.mark.parametrize("query", [tree.GONE, tree.HIT, tree.OF_GROUP.replace("?", "'x'")])
def test_an_epoch_reads_no_table_of_practitioners(files: SqliteKeys, query: str) -> None:
    steps = [step[3] for step in files._db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()]
    assert not [step for step in steps if step.startswith("SCAN") and "practitioner_keys_stale" not in step], steps
