"""Keys to sign mail with, and what to publish for them, from the command line."""

from pathlib import Path

import pytest

from practice import dkim
from tests.in_process import command
from tests.in_process import settings as no_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_settings(monkeypatch, tmp_path / "data")


def test_keys_are_made_and_what_to_publish_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = command(monkeypatch, "dkim-keys").out
    assert len(made.split()) == 2
    monkeypatch.setenv("SPREEKKAMER_PRACTICE__MAIL__HOST", "mail.example.org")
    monkeypatch.setenv("SPREEKKAMER_PRACTICE__MAIL__SENDER", "praktijk@example.org")
    monkeypatch.setenv("SPREEKKAMER_PRACTICE__MAIL__DKIM_KEYS", ",".join(made.split()))
    wanted = dkim.zone("example.org", "key1", dkim.parsed(made.split()))
    said = command(monkeypatch, "dkim-records", "--selector", "key1")
    assert said.out.strip() == wanted, said.err
    assert not [key for key in made.split() if key in wanted]
    assert "dkim_selector" in command(monkeypatch, "dkim-records").sentence
    monkeypatch.setenv("SPREEKKAMER_PRACTICE__MAIL__DKIM_SELECTOR", "key1")
    assert command(monkeypatch, "dkim-records").out.strip() == wanted


def test_without_keys_there_is_nothing_to_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    done = command(monkeypatch, "dkim-records", "--selector", "key1")
    assert done.status == 1 and "dkim_keys" in done.sentence


def test_what_are_no_keys_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREEKKAMER_PRACTICE__MAIL__SENDER", "praktijk@example.org")
    monkeypatch.setenv("SPREEKKAMER_PRACTICE__MAIL__DKIM_KEYS", "geheim")
    done = command(monkeypatch, "dkim-records", "--selector", "key1")
    assert done.status == 1 and "dkim-keys" in done.sentence and "geheim" not in done.sentence
