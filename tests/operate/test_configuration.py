"""Settings: later wins, secrets come from files, and nothing unknown is taken in silence."""

from pathlib import Path

import pytest

from operate.configuration import load
from spreekkamer import Settings
from vault.errors import StartRefused


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("SPREEKKAMER_"):
            monkeypatch.delenv(name)


def file(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text)
    return path


def test_without_anything_the_defaults_hold() -> None:
    settings = load(Settings)
    assert (settings.signaling.host, settings.signaling.port) == ("127.0.0.1", 8080)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, '[signaling]\nport = 1000\nhost = "::1"\n[web.operator]\nname = "A practice"\n')
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__PORT", "2000")
    monkeypatch.setenv("SPREEKKAMER_WEB__OPERATOR__PHONE", "030")
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__TRUSTED_PROXIES", '["10.0.0.0/8"]')
    settings = load(Settings, path)
    assert (settings.signaling.host, settings.signaling.port) == ("::1", 2000)
    assert (settings.web.operator.name, settings.web.operator.phone) == ("A practice", "030")
    assert str(settings.signaling.trusted_proxies[0]) == "10.0.0.0/8"


def test_a_secret_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 40 + "\n")
    secret.chmod(0o400)
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__SECRET_FILE", str(secret))
    settings = load(Settings)
    assert settings.signaling.secret is not None
    assert settings.signaling.secret.get_secret_value() == "s" * 40
    assert "sss" not in repr(settings)


def test_a_file_with_two_secrets_makes_a_list_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("new-secret\nold-secret\n")
    secret.chmod(0o440)
    monkeypatch.setenv("SPREEKKAMER_TURN__SECRETS_FILE", str(secret))
    assert [one.get_secret_value() for one in load(Settings).turn.secrets] == ["new-secret", "old-secret"]


def test_a_secret_that_everybody_can_read_refuses_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 40)
    secret.chmod(0o644)
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__SECRET_FILE", str(secret))
    with pytest.raises(StartRefused, match="chmod"):
        load(Settings)


@pytest.mark.parametrize(
    "name",
    [
        "SPREEKKAMER_PORT",
        "SPREEKKAMER_SIGNALING",
        "SPREEKKAMER_SIGNALING__",
        "SPREEKKAMER_SIGNALING__PROT",
        "SPREEKKAMER_SIGNALING__PORT_FILE",
        "SPREEKKAMER_SIGNALING__PORT__MORE",
        "SPREEKKAMER_WEB__OPERATOR__NAMES",
    ],
)
def test_an_unknown_variable_refuses_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(StartRefused):
        load(Settings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[signaling]\nprot = 1\n", "signaling.prot is not a setting; signaling.port is."),
        ("[nothing]\nx = 1\n", "nothing is not a setting; docs/settings.md lists them all."),
        ("port = 1\n", "port is not a setting; docs/settings.md lists them all."),
        ("[signaling]\nport = 70000\n", "Setting signaling.port must be 65535 or less: "),
        ('[signaling]\nsecret = "canary"\n', "Setting signaling.secret must have 32 characters or more; "),
    ],
)
def test_a_wrong_file_refuses_the_start_and_quotes_no_value(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(StartRefused) as refused:
        load(Settings, file(tmp_path, text))
    assert str(refused.value).startswith(sentence)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("text", ["not toml", "[x", "\x00"])
def test_a_file_that_is_not_toml_refuses_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(StartRefused, match="not TOML"):
        load(Settings, file(tmp_path, text))


def test_a_missing_file_refuses_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be read"):
        load(Settings, tmp_path / "nowhere.toml")
