"""`spreekkamer papers` writes a file for each, as the settings are."""

from pathlib import Path

import pytest

from tests import in_process
from web.locale import CATALOGUES


@pytest.fixture(autouse=True)
def no_blocking_calls() -> None:
    """A command writes files before anybody waits for them."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    in_process.settings(monkeypatch, tmp_path / "data")
    return tmp_path


def test_each_has_its_file_in_the_language_asked_for(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREEKKAMER_PRACTICE__SMS__HOSTS", '["sms.example.org"]')
    ended = in_process.command(monkeypatch, "papers", str(place / "made" / "here"), "--language", "de")
    assert (ended.status, ended.err) == (0, ""), ended
    written = {one.name: one.read_text() for one in (place / "made" / "here").iterdir()}
    names = ("register", "annex", "retention", "cookies", "recipients", "trail")
    assert set(written) == {f"{name}.md" for name in names}
    for name in names:
        assert written[f"{name}.md"].replace("\\", "").startswith(f"# {CATALOGUES['de'].text(f'papers.{name}')}\n")
    assert "sms.example.org" in written["recipients.md"]


def test_a_folder_that_is_a_file_is_refused_in_a_sentence(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "file").write_text("mine")
    ended = in_process.command(monkeypatch, "papers", str(place / "file"))
    assert ended.status == 1 and "could not be written" in ended.err and "Traceback" not in ended.err
    assert (place / "file").read_text() == "mine"
