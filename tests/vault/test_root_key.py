"""Rotating and replacing the root key: cut off anywhere, one of the two root keys opens everything."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.people import START
from tests.vault.crashing import STRIDE
from vault.errors import Locked, StartRefused
from vault.keys import files
from vault.keys.backends import backend
from vault.keys.files import create_root_key, read_root_key
from vault.keys.roots import RootKeys, successor
from vault.keys.wrapped import WrappedKeys
from vault.settings import VaultSettings

KEY = bytes(range(32))


def names(settings: VaultSettings) -> list[str]:
    return sorted(path.name for path in settings.root_key().parent.iterdir())


@pytest.mark.parametrize("action", ["rotate", "root", "grow", "shrink"])
def test_killed_at_any_step_everything_still_opens(keystore_settings: VaultSettings, action: str) -> None:
    backend(keystore_settings).create("pair")
    url = keystore_settings.keystore_url
    settings = {
        "data": str(keystore_settings.data),
        "keystore_url": url and url.get_secret_value(),
        "transit": json.loads(keystore_settings.transit.model_dump_json()),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.vault.crashing_keys", action, json.dumps(settings), str(STRIDE)],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > (3 if action in ("rotate", "root") else 0), "the steps were counted"


def test_a_new_root_key_opens_everything_and_the_old_one_nothing(
    keys: WrappedKeys, keystore_settings: VaultSettings
) -> None:
    key, root = keys.add("alice", "row", START), keystore_settings.root_key()
    old, index = root.read_bytes(), keys.mail_index("a@b.nl")
    keys.replace_root()
    assert root.read_bytes() != old
    assert root.stat().st_mode & 0o777 == 0o400
    assert names(keystore_settings) == ["root.key"]
    assert keys.get("alice", "row") == (key, True)
    again = backend(keystore_settings).open()
    assert again.get("alice", "row") == (key, True)
    assert again.mail_index("a@b.nl") == index
    again.close()
    root.chmod(0o600)
    root.write_bytes(old)
    root.chmod(0o400)
    with pytest.raises(Locked, check=lambda locked: locked.reason == "The root key does not open the key store."):
        backend(keystore_settings).open()


def test_one_that_runs_beside_notices_the_new_root_key(keys: WrappedKeys, keystore_settings: VaultSettings) -> None:
    key = keys.add("alice", "row", START)
    beside = backend(keystore_settings).open()
    for _ in range(2):
        keys.replace_root()
        assert beside.get("alice", "row") == (key, True)
    beside.replace_root()
    assert keys.get("alice", "row") == (key, True)
    beside.close()


def test_another_host_uses_the_successor_it_was_given(
    keys: WrappedKeys, keystore_settings: VaultSettings, tmp_path: Path
) -> None:
    key, root = keys.add("alice", "row", START), keystore_settings.root_key()
    other = tmp_path / "other" / "root.key"
    create_root_key(successor(root))
    for path in (root, successor(root)):
        other.parent.mkdir(exist_ok=True)
        (other.parent / path.name).write_bytes(path.read_bytes())
        (other.parent / path.name).chmod(0o400)
    elsewhere = backend(keystore_settings.model_copy(update={"root_key_file": other}))
    beside = elsewhere.open()
    brought = read_root_key(successor(root))
    keys.replace_root()
    assert read_root_key(root) == brought, "the one that lay there, not another"
    assert beside.get("alice", "row") == (key, True)
    assert successor(other).exists(), "a reader moves nothing"
    beside.close()
    elsewhere.open().close()
    assert sorted(path.name for path in other.parent.iterdir()) == ["root.key"]
    assert read_root_key(other) == brought


def test_another_host_without_it_is_locked_until_it_has_it(
    keys: WrappedKeys, keystore_settings: VaultSettings, tmp_path: Path
) -> None:
    key, root = keys.add("alice", "row", START), keystore_settings.root_key()
    other = tmp_path / "other" / "root.key"
    other.parent.mkdir()
    other.write_bytes(root.read_bytes())
    other.chmod(0o400)
    beside = backend(keystore_settings.model_copy(update={"root_key_file": other})).open()
    keys.replace_root()
    with pytest.raises(Locked, check=lambda locked: "root key" in locked.reason):
        beside.get("alice", "row")
    successor(other).write_bytes(root.read_bytes())
    successor(other).chmod(0o400)
    assert beside.get("alice", "row") == (key, True)
    beside.close()


def test_a_successor_in_use_where_the_folder_cannot_be_written_is_not_taken_for_a_new_one(
    keys: WrappedKeys,
    keystore_settings: VaultSettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plain = os.link

    def read_only(source: Path, target: Path) -> None:
        if target.name.endswith(".old"):
            raise OSError("read-only file system")
        plain(source, target)

    key = keys.add("alice", "row", START)
    create_root_key(successor(keystore_settings.root_key()))
    monkeypatch.setattr(os, "link", read_only)
    keys.replace_root()
    assert keys.get("alice", "row") == (key, True)
    assert names(keystore_settings) == ["root.key", "root.key.next"]
    assert "could not be erased" in caplog.text
    with pytest.raises(StartRefused, match="is the root key already"):
        keys.replace_root()
    monkeypatch.undo()
    backend(keystore_settings).open().close()
    assert names(keystore_settings) == ["root.key"]


def test_what_was_replaced_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    create_root_key(path)
    old = path.read_bytes()
    (tmp_path / "elsewhere").hardlink_to(path)
    roots = RootKeys.read(path)
    roots.key = roots.prepare()
    roots.settle()
    assert (tmp_path / "elsewhere").read_bytes() != old
    assert len((tmp_path / "elsewhere").read_bytes()) == len(old)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["elsewhere", "root.key"]


@pytest.mark.parametrize("left", ["root.key.old", "root.key.12345.partial"])
def test_the_root_key_itself_is_never_taken_for_what_was_left_behind(tmp_path: Path, left: str) -> None:
    """What was replaced, or what another process left half written, may be one of two names of the key in use."""
    path = tmp_path / "root.key"
    create_root_key(path)
    before = path.read_bytes()
    (tmp_path / left).hardlink_to(path)
    RootKeys.read(path).settle()
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["root.key"]


def test_a_root_key_without_a_file_cannot_be_looked_for(tmp_path: Path) -> None:
    roots = RootKeys(KEY)
    assert list(roots.candidates()) == [KEY]
    roots.settle()


def test_two_that_make_a_root_key_at_once_agree_on_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, plain = tmp_path / "root.key", files.write_new

    def quicker(target: Path, content: bytes) -> None:
        plain(target, b"made by another process")
        plain(target, content)

    monkeypatch.setattr(files, "write_new", quicker)
    create_root_key(path)
    assert path.read_bytes() == b"made by another process"
    assert [entry.name for entry in tmp_path.iterdir()] == ["root.key"]


def test_an_older_key_than_the_one_in_use_is_not_put_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    create_root_key(path)
    create_root_key(successor(path))
    before = path.read_bytes()
    RootKeys.read(path).settle()
    assert path.read_bytes() == before
    assert successor(path).exists(), "it waits for the next replacement"


def test_a_draft_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    draft = tmp_path / f"root.key.{os.getpid()}.partial"
    draft.write_bytes(b"half")
    create_root_key(tmp_path / "root.key")
    assert len(read_root_key(tmp_path / "root.key")) == 32
    assert [entry.name for entry in tmp_path.iterdir()] == ["root.key"]
