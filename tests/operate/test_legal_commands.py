"""`operators`, `legal-export` and `legal-preserve`: two people at a command line, a file, and what the trail has."""

import asyncio
import io
import json
import stat
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from practice.storage import Storage
from tests import in_process
from tests.in_process import Ended
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE
from tests.people import PASSWORD

MAIL = "alice@example.org"


@pytest.fixture(autouse=True)
def no_blocking_calls() -> None:
    """Commands read and write files before anybody waits for them."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    in_process.settings(monkeypatch, tmp_path / "data")
    monkeypatch.setenv("SPREEKKAMER_ROOMS__TRUST_CLOCK", "true")
    return tmp_path


class Desk:
    """Anna and Ben at a terminal; their apps are a step ahead each time, for a code is good once."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        self.place, self.patch = place, patch
        self.secrets: dict[str, str] = {}

    def run(self, *arguments: str, said: str = "") -> Ended:
        return in_process.command(self.patch, *arguments, said=said)

    def in_store(self, do: Callable[[Storage], Awaitable[Any]]) -> Any:
        from operate.commands.storage import beside
        from vault.settings import VaultSettings

        async def inside() -> Any:
            async with beside(VaultSettings(data=self.place / "data", trust_clock=True)) as store:
                return await do(store)

        return asyncio.run(inside())

    def enter(self) -> None:
        """Both, by the store, as of a minute ago: what the command shows of a secret is tested beside."""
        from practice.factors import codes

        async def both(store: Storage) -> None:
            for name in ("Anna", "Ben"):
                self.secrets[name] = codes.as_secret(name.encode().ljust(20))
                now = datetime.now(UTC) - timedelta(seconds=30)
                code = pyotp.TOTP(self.secrets[name]).at(now)
                await store.operators.add(OPERATOR, name, self.secrets[name], code)

        self.in_store(both)

    def said(self, first: str = "Anna", second: str = "Ben", ahead: int = 30) -> str:
        """What they type, of so many seconds from now: a code is good once."""
        lines = []
        for name in (first, second):
            lines += [name, pyotp.TOTP(self.secrets[name]).at(datetime.now(UTC) + timedelta(seconds=ahead))]
        return "\n".join(lines) + "\n"

    def acts(self) -> list[tuple[str, str, str | None]]:
        async def read(store: Storage) -> list[tuple[str, str, str | None]]:
            return [(one.act, one.actor, one.subject) async for one in store.audit.entries()]

        found: list[tuple[str, str, str | None]] = self.in_store(read)
        return found


@pytest.fixture
def desk(place: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(place, monkeypatch)


@pytest.fixture
def planned(desk: Desk) -> str:
    """An appointment of Alice's; its id."""

    async def plan(store: Storage) -> str:
        await store.organisation.establish(OPERATOR, PRACTICE)
        alice = await store.organisation.add_account(OPERATOR, MAIL, PASSWORD, "Alice", "nl")
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
        return (await store.appointments.create(of(alice.id), "Jan Jansen", start, 30, "nl")).id

    found: str = desk.in_store(plan)
    return found


WHY = ("--authority", "Officier van justitie", "--reason", "artikel 126nd Sv")


def test_an_operator_is_entered_when_their_app_shows_a_code(
    desk: Desk, planned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    class Typing:
        """Whoever reads the secret from the screen, and types what the app makes of it."""

        def readline(self) -> str:
            assert isinstance(sys.stdout, io.StringIO)
            secret = sys.stdout.getvalue().partition("secret=")[2].partition("&")[0]
            shown.append(secret)
            return pyotp.TOTP(secret).now() + "\n"

    monkeypatch.setattr("builtins.input", lambda _question: Typing().readline().strip())
    ended = desk.run("operators", "add", "Anna")
    assert (ended.status, ended.err) == (0, ""), ended
    assert len(shown[0]) == 32 and "There are 1." in ended.out
    assert "Anna" in desk.run("operators", "list").out
    assert desk.acts()[-1] == ("operator-added", "operator", "operator")
    assert desk.run("operators", "add", "Anna").status == 1


@pytest.mark.duty("S-36")
def test_two_give_out_what_there_is_in_a_file_of_their_own(desk: Desk, planned: str, place: Path) -> None:
    desk.enter()
    file = place / "out.json"
    ended = desk.run("legal-export", MAIL, str(file), "--appointment", planned, *WHY, said=desk.said())
    assert (ended.status, ended.err) == (0, ""), ended
    assert "Given out: 1." in ended.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    given = json.loads(file.read_text())
    assert [one["patient"] for one in given["appointments"]] == ["Jan Jansen"]
    assert (given["authority"], given["operators"]) == ("Officier van justitie", ["Anna", "Ben"])
    assert desk.acts()[-2:] == [
        ("legal-exported", "operator", "appointment"),
        ("legal-seconded", "operator", None),
    ]
    before = file.read_text()
    again = desk.run("legal-export", MAIL, str(file), "--appointment", planned, *WHY, said="")
    assert again.status == 1 and "cannot be written" in again.err
    assert file.read_text() == before


@pytest.mark.duty("S-36")
def test_with_one_operator_or_a_wrong_code_there_is_no_file_and_no_entry(desk: Desk, planned: str, place: Path) -> None:
    desk.enter()
    before, file = len(desk.acts()), place / "out.json"
    wrong = f"Anna\n{desk.said().splitlines()[1]}\nBen\n000000\n"
    for said in (desk.said("Anna", "Anna"), wrong, "Nobody\n1\nNobody\n2\n"):
        ended = desk.run("legal-export", MAIL, str(file), "--appointment", planned, *WHY, said=said)
        assert ended.status == 1 and "Traceback" not in ended.err, ended
        assert not file.exists()
    assert len(desk.acts()) == before


def test_while_nobody_may_tell_the_trail_says_of_none_which_it_was(desk: Desk, planned: str, place: Path) -> None:
    desk.enter()
    later = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    silent = ("--silent-until", later, "--silent-because", "artikel 126bb Sv")
    ended = desk.run(
        "legal-preserve", MAIL, "--appointment", planned, "--until", later, *WHY, *silent, said=desk.said()
    )
    assert (ended.status, ended.err) == (0, ""), ended
    assert desk.acts()[-2:] == [("legal-preserved", "operator", None), ("legal-seconded", "operator", None)]


def test_what_is_wrong_is_said_in_a_sentence(desk: Desk, planned: str, place: Path) -> None:
    desk.enter()
    file, soon = str(place / "out.json"), f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d}"
    far = f"{datetime.now(UTC) + timedelta(days=120):%Y-%m-%d}"
    calls = [
        (("legal-export", MAIL, file, *WHY), "Say which"),
        (("legal-export", "nobody@example.org", file, "--appointment", planned, *WHY), "no account"),
        (("legal-preserve", MAIL, "--appointment", planned, "--until", far, *WHY), "90 days"),
        (("legal-preserve", MAIL, "--until", soon, *WHY), "by its id"),
    ]
    for ahead, (arguments, word) in zip((0, 0, 0, 30), calls, strict=True):
        ended = desk.run(*arguments, said=desk.said(ahead=ahead))
        assert ended.status == 1 and word in ended.err, (arguments, ended)
    assert not (place / "out.json").exists()
