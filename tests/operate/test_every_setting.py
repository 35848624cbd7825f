"""Each setting, written as somebody may mistype it: it is taken, or the start is refused with its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from operate import setting_names
from operate.configuration import load
from spreekkamer import Settings
from tests.in_process import settings as no_settings
from vault.errors import StartRefused

PATHS = list(setting_names.names(Settings))
CANARY = "canary-in-a-value"
MISTYPED = (
    *("", " ", "null", "none", "0", "1", "-1", "yes", "true", "TRUE", "1.5", "1e400", "nan", "99999999999999999999"),
    *("eighty", "8080 ", "[]", "[", "{}", '"quoted"', "'quoted'", "a,b", "a b,c", "['a']", '["a", 1]', '[["a"]]'),
    *("https://Example.org:443/x", "https://example.org/#", "http://x y", "redis://", "redis://:a#b@h", "postgres://"),
    *(
        "sqlite://x",
        "postgresql://u:p@h:port/d",
        "mysql://h",
        "10.0.0.1/8",
        "::",
        "[::]",
        "256.1.1.1",
        "Europe/Nowhere",
    ),
    *("/nope/\x7f", "~", "C:\\x", "é", "\N{ZERO WIDTH SPACE}", "x" * 5000, CANARY, f"redis://:{CANARY}#x@h:6379/0"),
    *(f"postgresql://u:{CANARY}@x@h/d", f"https://u:{CANARY}@h", "nl_NL", "INFO", "JSON", "24h", "$SECRET", "<secret>"),
)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_settings(monkeypatch, tmp_path / "data")


def is_a_sentence(said: str) -> bool:
    return said.endswith(".") and "\n" not in said and "Traceback" not in said and "pydantic" not in said


def try_it(patch: pytest.MonkeyPatch, path: tuple[str, ...], value: str) -> None:
    """As a variable. What needs more than the text to judge (an address of a database) judges it where it is used."""
    variable, name = setting_names.variable(path), ".".join(path)
    with patch.context() as now:
        now.setenv(variable, value)
        try:
            loaded = load(Settings)
            loaded.rooms.database()
            loaded.rooms.keystore_address()
        except StartRefused as refused:
            said = str(refused)
            # A port so high that workers do not fit is named, whichever of the two was said.
            assert name in said or variable in said or (path[0] == "media" and "media.port" in said), said
            assert is_a_sentence(said), said
            secret = setting_names.is_secret(setting_names.annotation(Settings, path))
            assert CANARY not in said or not secret, said


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_mistyped_variable_is_taken_or_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]
) -> None:
    for value in MISTYPED:
        try_it(monkeypatch, path, value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(path=st.sampled_from(PATHS), value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
@example(path=("signaling", "origin"), value="https://[")
def test_any_text_is_taken_or_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], value: str
) -> None:
    try_it(monkeypatch, path, value)


VALUES: tuple[Any, ...] = (
    "[]",
    "{}",
    "1",
    "-1",
    "1.5",
    "nan",
    "true",
    '""',
    '"x"',
    '["x"]',
    "[1]",
    "1979-05-27",
    "{a=1}",
)


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_wrong_type_in_the_file_is_taken_or_refused_by_name(tmp_path: Path, path: tuple[str, ...]) -> None:
    file = tmp_path / "settings.toml"
    for value in VALUES:
        file.write_text(f"[{'.'.join(path[:-1])}]\n{path[-1]} = {value}\n")
        try:
            load(Settings, file)
        except StartRefused as refused:
            said = str(refused)
            assert ".".join(path) in said or setting_names.variable(path) in said, said
            assert is_a_sentence(said), said


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_mistyped_name_is_refused_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: tuple[str, ...]
) -> None:
    right = setting_names.variable(path)
    for wrong in (right[:-1], right + "S", right[:-2] + right[-1] + right[-2], right.replace("__", "_")):
        if setting_names.annotation(Settings, wrong.removeprefix("SPREEKKAMER_").lower().split("__")) is not None:
            continue
        with monkeypatch.context() as now:
            now.setenv(wrong, "1")
            with pytest.raises(StartRefused, match=f"^{wrong} is not a setting; ") as refused:
                load(Settings)
        assert is_a_sentence(str(refused.value))
    file = tmp_path / "settings.toml"
    file.write_text(f"[{'.'.join(path[:-1])}]\n{path[-1]}x = 1\n")
    with pytest.raises(StartRefused, match=rf"^{re.escape('.'.join(path))}x is not a setting; ") as refused:
        load(Settings, file)
    assert is_a_sentence(str(refused.value))


def test_a_slip_of_one_letter_is_answered_with_the_right_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__TRUSTED_PROXY", "x")
    with pytest.raises(StartRefused, match=r"; SPREEKKAMER_SIGNALING__TRUSTED_PROXIES is\.$"):
        load(Settings)


@pytest.mark.parametrize(
    "name", ["SPREEKAMER_SIGNALING__PORT", "SPREEKKAMMER_SIGNALING__SECRET_FILE", "SPEEKKAMER_ROOMS__DATA"]
)
def test_a_slip_in_the_prefix_is_not_passed_over(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "8080")
    with pytest.raises(StartRefused, match=f"^{name} is not a setting; SPREEKKAMER_"):
        load(Settings)


def test_capitals_do_not_matter_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("spreekkamer_signaling__port", "8081")
    assert load(Settings).signaling.port == 8081
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__PORT", "8082")
    with pytest.raises(StartRefused, match="set twice"):
        load(Settings)


def test_a_secret_is_said_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 40)
    (tmp_path / "secret").chmod(0o400)
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__SECRET", "t" * 40)
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__SECRET_FILE", str(tmp_path / "secret"))
    with pytest.raises(StartRefused, match=r"signaling|SIGNALING__SECRET is set twice"):
        load(Settings)


SERVICES = ("", "_WEB", "_MEDIA", "_SIGNALING", "_2")


@pytest.mark.parametrize("service", SERVICES)
def test_what_kubernetes_sets_for_a_service_of_our_name_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """The variables that a Service named ``spreekkamer…`` puts into every container beside it."""
    prefix = f"SPREEKKAMER{service}"
    for name, value in {
        "SERVICE_HOST": "10.96.0.7", "SERVICE_PORT": "8080", "SERVICE_PORT_HTTP": "8080", "PORT": "tcp://10.96.0.7:8080",
        "PORT_8080_TCP": "tcp://10.96.0.7:8080", "PORT_8080_TCP_PROTO": "tcp", "PORT_8080_TCP_PORT": "8080",
        "PORT_8080_TCP_ADDR": "10.96.0.7", "PORT_40000_UDP": "udp://[fd00::7]:40000", "PORT_40000_UDP_ADDR": "fd00::7",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"{prefix}_{name}", value)
    assert load(Settings).signaling.port == 8080
    monkeypatch.setenv(f"{prefix}_PORT", "8080")
    with pytest.raises(StartRefused, match=f"^{prefix}_PORT is not a setting"):
        load(Settings)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ("\ufeff[signaling]\r\nport = 8081\r\n".encode(), None),
        ("[signaling]\nport = 8081\n".encode("utf-16"), "UTF-8"),
        ("[signaling]\nport = 8081 # é\n".encode("latin-1"), "UTF-8"),
        (b"SPREEKKAMER_SIGNALING__PORT=8081\n", "SPREEKKAMER_SIGNALING__PORT is not a setting; "),
        (b"signaling:\n  port: 8081\n", "not TOML"),
        (b"x = " + b"[" * 5000, "not TOML"),
        (b"#" * (1 << 21), "too large"),
    ],
    ids=["byte order mark", "UTF-16", "Latin-1", "a dotenv file", "YAML", "deep", "a file of another kind"],
)
def test_a_settings_file_as_editors_write_it(tmp_path: Path, content: bytes, outcome: str | None) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    if outcome is None:
        assert load(Settings, file).signaling.port == 8081
    else:
        with pytest.raises(StartRefused, match=outcome):
            load(Settings, file)


@pytest.mark.parametrize(
    ("content", "remedy"),
    [(b"", "is empty"), (b"\n\n", "is empty"), (b"a\nb", "one line"), (b"\xff\xfe", "not a text")],
)
def test_a_file_that_holds_no_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, remedy: str
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    file.chmod(0o400)
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__SECRET_FILE", str(file))
    with pytest.raises(StartRefused, match=rf"^SPREEKKAMER_SIGNALING__SECRET_FILE: .*{remedy}"):
        load(Settings)


@pytest.mark.parametrize("place", ["", "nowhere", "."])
def test_a_secret_s_path_that_leads_nowhere_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__SECRET_FILE", str(tmp_path / place) if place else "")
    with pytest.raises(StartRefused, match=r"^SPREEKKAMER_SIGNALING__SECRET_FILE") as refused:
        load(Settings)
    assert is_a_sentence(str(refused.value))


def test_lists_are_json_or_have_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    for written in (
        '["10.0.0.5/8", "fd00::/8"]',
        "10.0.0.5/8,fd00::/8",
        "10.0.0.5/8 fd00::/8",
        " 10.0.0.5/8, fd00::/8 ",
    ):
        monkeypatch.setenv("SPREEKKAMER_SIGNALING__TRUSTED_PROXIES", written)
        assert [str(one) for one in load(Settings).signaling.trusted_proxies] == ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize("written", ["[::1]", "[::1],[fd00::]/8", "[::ffff:10.0.0.1]"])
def test_an_address_in_brackets_is_no_list_in_json(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__TRUSTED_PROXIES", written)
    assert len(load(Settings).signaling.trusted_proxies) == written.count("[")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        *(("ROOMS__DATA", text) for text in ("~", "~/data", "~carla/data")),
        *(("ROOMS__BACKUPS", "~/backups"), ("ROOMS__TRANSIT__TOKEN_FILE", "~/token")),
        *(("ROOMS__DATABASE_URL", f"sqlite:{slashes}~/rooms.sqlite") for slashes in ("///", "////")),
    ],
)
def test_a_home_that_only_a_shell_knows_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, written: str) -> None:
    monkeypatch.setenv(f"SPREEKKAMER_{name}", written)
    with pytest.raises(StartRefused, match="which only a shell replaces"):
        load(Settings).rooms.database()


def test_what_is_empty_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIGNALING__ORIGIN", "SIGNALING__TRUSTED_PROXIES", "SIGNALING__SECRET", "WEB__OPERATOR__PHONE"):
        monkeypatch.setenv(f"SPREEKKAMER_{name}", "")
    assert load(Settings) == Settings.model_validate({"rooms": load(Settings).rooms})


def test_no_limit_can_be_said_in_both_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[rooms]\nretention_cap = "null"\n')
    assert load(Settings, file).rooms.retention_cap is None
    monkeypatch.setenv("SPREEKKAMER_ROOMS__RETENTION_CAP", "null")
    assert load(Settings).rooms.retention_cap is None
