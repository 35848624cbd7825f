"""The first page of a new server, by a browser without scripts: from the link to an account that is signed in."""

import logging
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from operate import founding
from operate.commands import first_link
from signaling.settings import SignalingSettings
from spreekkamer import Settings
from tests.opening import of, open_store
from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser
from vault.errors import StartRefused
from vault.settings import VaultSettings

FIELDS = {
    "display_name": "Dr. Noor",
    "mail": "noor@example.org",
    "password": "vier losse woorden samen",
    "language": "nl",
    "organisation": "Praktijk Zon",
    "address": "Zonstraat 1, Delft",
    "phone": "015 123 45 67",
    "zone": "Europe/Amsterdam",
}


@pytest.fixture
async def empty(server: Server) -> Server:
    """One whose accounts are closed again, so that there is none."""
    for person in (server.alice, server.bob):
        await server.store.retention.close(of(person.id))
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    return server


async def opened(server: Server) -> str:
    secret = await server.store.organisation.first_link(OPERATOR)
    assert secret is not None
    return f"/first/{secret}"


async def test_it_makes_account_and_organisation_and_signs_in(empty: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path, browser = await opened(empty), Browser(empty, "noor")
    for _ in range(2):
        page = await browser.get(path)
        assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
        assert page.headers["Referrer-Policy"] == "strict-origin"
    sent = await browser.send(f"{path}/begin", urlencode(FIELDS))
    assert (sent.status, sent.location) == (303, "/account")
    page = await browser.get("/account")
    assert page.field("display_name")["value"] == "Dr. Noor"
    assert "/practice/people" in page.html
    organisation = await empty.store.organisation.get(OPERATOR)
    assert (organisation.profile.name, organisation.profile.zone) == ("Praktijk Zon", "Europe/Amsterdam")
    assert [entry.act async for entry in empty.store.audit.entries()][-1] == "account-added"
    assert path.rpartition("/")[2] not in caplog.text
    again = await Browser(empty, "other").get(path)
    assert again.status == 404
    assert (await Browser(empty, "other").send(f"{path}/begin", urlencode(FIELDS))).status == 404


async def test_what_was_typed_comes_back_but_for_the_password(empty: Server) -> None:
    path, browser = await opened(empty), Browser(empty, "noor")
    page = await browser.send(f"{path}/begin", urlencode(FIELDS | {"zone": "Europe/Nergens"}))
    assert page.status == 422
    assert "Dit klopt niet" in page.described("zone")
    assert page.field("organisation")["value"] == "Praktijk Zon"
    assert "value" not in page.field("password")
    assert FIELDS["password"] not in page.html
    short = await browser.send(f"{path}/begin", urlencode(FIELDS | {"password": "kort"}))
    assert "Dit is te kort." in short.described("password")
    common = await browser.send(f"{path}/begin", urlencode(FIELDS | {"password": "password123"}))
    assert common.field("password")["aria-invalid"] == "true"
    assert (await browser.send(f"{path}/begin", urlencode(FIELDS))).status == 303


@pytest.mark.parametrize("secret", ["x", "A" * 43, "%00", "..%2f"])
async def test_another_link_makes_nothing(empty: Server, secret: str) -> None:
    await opened(empty)
    assert (await Browser(empty, "noor").get(f"/first/{secret}")).status == 404
    sent = await Browser(empty, "noor").send(f"/first/{secret}/begin", urlencode(FIELDS))
    assert sent.status == 404
    assert await empty.store.practitioners.id_by_mail(OPERATOR, FIELDS["mail"]) is None


# --- the operator ----------------------------------------------------------------------------------------------------


def settings(tmp_path: Path) -> Settings:
    return Settings(rooms=VaultSettings(data=tmp_path, trust_clock=True), signaling=SignalingSettings())


async def test_without_a_terminal_it_is_in_a_file_that_only_we_read_and_the_command_prints_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    configured = settings(tmp_path)
    async with open_store(configured.rooms) as store:
        await founding.establish(store, configured.web)
        await founding.show_first_link(store, "https://consult.example")
        path = tmp_path / founding.FILE
        assert path.stat().st_mode & 0o777 == 0o600
        kept = path.read_text().strip()
        assert re.fullmatch(r"https://consult\.example/first/[\w-]{43}", kept)
        assert await first_link.show(configured, None) == kept  # type: ignore[arg-type]  # it takes none
        await store.organisation.begin(
            kept.rpartition("/")[2], "a@example.org", "correct horse battery", "A", "nl", PRACTICE
        )
        with pytest.raises(StartRefused, match="an account already"):
            await first_link.show(configured, None)  # type: ignore[arg-type]  # the same
        await founding.show_first_link(store, "https://consult.example")
        assert not path.exists()
    assert kept not in caplog.text + capsys.readouterr().out


async def test_one_that_is_no_good_any_more_is_replaced_by_the_command(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    first = await first_link.show(configured, None)  # type: ignore[arg-type]  # it takes none
    second = await first_link.show(configured, None)  # type: ignore[arg-type]  # the same
    assert first != second
    async with open_store(configured.rooms) as store:
        assert [await store.organisation.is_first(one.rpartition("/")[2]) for one in (first, second)] == [False, True]


async def test_on_a_terminal_it_is_shown_and_in_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configured = settings(tmp_path)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    async with open_store(configured.rooms) as store:
        await founding.establish(store, configured.web)
        await founding.show_first_link(store, "https://consult.example")
    assert "https://consult.example/first/" in capsys.readouterr().out
    assert not (tmp_path / founding.FILE).exists()
