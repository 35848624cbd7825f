"""The secret that a first start makes: one, whoever starts beside it, in folders that only we can enter."""

import base64
from pathlib import Path

import pytest

from operate import process
from signaling.settings import SignalingSettings
from vault.keys import files


def test_of_two_that_start_at_once_the_first_has_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, first, second = tmp_path / "data", b"1" * 32, b"2" * 32

    def beside(_: int) -> bytes:
        files.write_new(data / "secrets" / "signaling.key", base64.b64encode(first))
        return second

    monkeypatch.setattr(process, "token_bytes", beside)
    assert process.shared_secret(SignalingSettings(), data) == first
    assert process.shared_secret(SignalingSettings(), data) == first, "also after a restart"


def test_its_folders_are_ours_alone_though_nothing_was_opened_before(tmp_path: Path) -> None:
    process.shared_secret(SignalingSettings(), tmp_path / "data")
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert [one.stat().st_mode & 0o077 for one in made] == [0] * 3
