"""Whoever has an account is told by mail of what happens to its second step, in the transaction of the change."""

from unittest.mock import MagicMock

import pyotp
import pytest

from practice.accounts.sessions import JUST
from practice.factors.model import Passkey
from practice.notices.model import News
from signaling.settings import SignalingSettings
from signaling.typedefs import POSTMAN
from tests.opening import of
from tests.signaling.authenticator import Authenticator
from tests.signaling.conftest import PASSWORD, Server
from tests.signaling.test_second_factor import challenged, second_step, with_app
from tests.web.forms.conftest import Browser
from tests.web.forms.test_passkeys import make, sign_in
from tests.web.forms.test_security import APP, PAGE, secret_of, send, turned_on
from vault.records.writing import always


@pytest.fixture
async def alice(mailing: Server) -> Browser:
    await mailing.sign_in("alice")
    for one in await mailing.store.notices.waiting():
        await mailing.store.notices.done(one)
    return Browser(mailing, "alice")


async def words(server: Server) -> list[str]:
    waiting = await server.store.notices.waiting()
    assert {one.news.to for one in waiting} <= {"alice@example.org"}
    return [one.news.word for one in waiting if one.news.word != "new-device"]


async def add_passkey(server: Server, name: str = "first") -> None:
    key = Passkey(name, "cGs", 0, "single_device", False, "Sleutel", server.time.now())
    await server.store.factors.add_passkey(of(server.alice.id), key)


@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor="offered")])
async def test_an_app_and_codes(mailing: Server, alice: Browser) -> None:
    await turned_on(mailing, alice)
    assert await words(mailing) == ["app-added"]
    await send(alice, PAGE, f"{PAGE}/codes", password=PASSWORD)
    assert await words(mailing) == ["app-added", "codes-made"]
    await send(alice, PAGE, f"{APP}/remove", password="wrong")
    assert await words(mailing) == ["app-added", "codes-made"], "what did not happen is not told"
    await send(alice, PAGE, f"{APP}/remove", password=PASSWORD)
    assert await words(mailing) == ["app-added", "codes-made", "app-removed"]


async def test_a_passkey_that_is_made(mailing: Server, alice: Browser) -> None:
    device = Authenticator(mailing.origin)
    await make(alice, device, password="wrong")
    assert await words(mailing) == []
    await make(alice, device)
    assert await words(mailing) == ["passkey-added"]


async def test_who_signed_in_by_a_passkey_just_now_is_asked_for_no_code(mailing: Server, alice: Browser) -> None:
    device = Authenticator(mailing.origin)
    await make(alice, device)
    await sign_in(mailing, device, mailing.alice.id)
    browser = Browser(mailing, "by passkey")
    mailing.app._state[POSTMAN] = MagicMock()
    assert 'name="code"' not in (await browser.get("/account/mail")).html
    mailing.time.ahead += JUST
    assert 'name="code"' in (await browser.get("/account/mail")).html


async def test_a_passkey_that_is_taken_out(mailing: Server, alice: Browser) -> None:
    await turned_on(mailing, alice)
    await add_passkey(mailing)
    await send(alice, PAGE, f"{PAGE}/remove-passkey", passkey="first", password=PASSWORD)
    assert await words(mailing) == ["app-added", "passkey-removed"]
    await send(alice, PAGE, f"{PAGE}/remove-passkey", passkey="first", password=PASSWORD)
    assert await words(mailing) == ["app-added", "passkey-removed"]


async def test_the_last_codes(mailing: Server) -> None:
    _, made = await with_app(mailing, mailing.alice)
    left = []
    for code in made:
        assert (await second_step(mailing, await challenged(mailing), code)).status == 200
        waiting = [one.news for one in await mailing.store.notices.waiting() if one.news.word == "codes-low"]
        left.append([one.values["left"] for one in waiting])
    assert left == [[]] * 7 + [["2"], ["2", "1"], ["2", "1", "0"]]


async def test_what_cannot_be_told_does_not_happen(
    mailing: Server, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction: a mail that cannot be written takes its cause back."""
    monkeypatch.setattr("practice.notices.store.new_id", lambda: "A" * 22)
    news = News("password-changed", "alice@example.org", "nl")
    assert await mailing.store.notices.along(mailing.alice.id, [news], always)
    code = pyotp.TOTP(secret_of(await alice.get(APP))).at(mailing.time.now())
    assert (await send(alice, APP, f"{APP}/set", code=code, password=PASSWORD)).status in (409, 503)
    assert not (await mailing.store.factors.of(of(mailing.alice.id))).any
