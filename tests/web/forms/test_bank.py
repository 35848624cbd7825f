"""One's bank account: masked, whole after a second factor, changed after one, taken out at once."""

from urllib.parse import urlencode

import pytest

from practice.accounts.sessions import JUST
from signaling.settings import SignalingSettings
from tests.opening import of
from tests.signaling.conftest import PASSWORD, Server
from tests.signaling.test_second_factor import challenged, second_step, shown, with_app, wrong
from tests.web.forms.conftest import Browser, Seen
from tests.web.forms.taking import account_of

WHERE = "/account/bank"
NUMBER = "NL91ABNA0417164300"


async def send(browser: Browser, form: str, **fields: str) -> Seen:
    token = (await browser.get(WHERE)).hidden("form_token")
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": token, **fields}))


async def change(browser: Browser, typed: str = "nl91 abna 0417 1643 00", version: str = "0", **fields: str) -> Seen:
    return await send(browser, "change", **{"iban": typed, "version": version, "password": PASSWORD, **fields})


async def kept(server: Server) -> str:
    return (await server.store.bank_accounts.of(of(server.alice.id))).iban


@pytest.mark.duty("S-14")
async def test_it_is_shown_masked_and_whole_once_after_the_password(server: Server, alice: Browser) -> None:
    sent = await change(alice)
    assert (sent.status, sent.location, await kept(server)) == (303, f"{WHERE}?done=saved", NUMBER)
    for page in (WHERE, "/account/particulars", "/account/data"):
        html = (await alice.get(page)).html
        assert NUMBER not in html.replace(" ", "") and "0417" not in html, page
    assert "NL** **** 4300" in (await alice.get(WHERE)).html
    wrong = await send(alice, "read", password="something else")
    assert (wrong.status, wrong.described("password")) == (403, "Dit is niet uw wachtwoord.")
    assert "0417" not in wrong.html
    whole = await send(alice, "read", password=PASSWORD)
    assert (whole.status, "NL91 ABNA 0417 1643 00" in whole.html) == (200, True)
    entries = [entry async for entry in server.store.audit.entries()]
    assert [one.act for one in entries if "bank" in one.act] == ["bank-account-changed", "bank-account-read"]
    assert "0417" not in str(entries)
    taken_along = await account_of(alice)
    assert b"NL** **** 4300" in taken_along and NUMBER.encode() not in taken_along


@pytest.mark.duty("S-14")
@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor="offered")])
async def test_who_has_a_second_factor_uses_it_first(server: Server) -> None:
    secret, _ = await with_app(server, server.alice)
    await second_step(server, await challenged(server), shown(server, secret))
    browser = Browser(server, "alice")
    assert (await change(browser)).status == 303, "it was used to sign in a moment ago"
    server.time.ahead += JUST
    assert 'name="code"' in (await browser.get(WHERE)).html
    for code in ("", wrong(server, secret)):
        fields = {"password": PASSWORD, "code": code}
        for sent in (await change(browser, "BE68539007547034", "1", **fields), await send(browser, "read", **fields)):
            assert (sent.status, sent.described("code") != "", "0417" in sent.html) == (403, True, False)
    assert await kept(server) == NUMBER
    whole = await send(browser, "read", password=PASSWORD, code=shown(server, secret))
    assert (whole.status, "NL91 ABNA 0417 1643 00" in whole.html) == (200, True)


@pytest.mark.parametrize("typed", ["", "NL91ABNA0417164301", "417164300", "x" * 69])
async def test_what_is_no_number_is_said_beside_its_field(server: Server, alice: Browser, typed: str) -> None:
    page = await change(alice, typed)
    assert (page.status, page.field("iban")["aria-invalid"], await kept(server)) == (422, "true", "")


@pytest.mark.duty("S-42")
async def test_who_comes_second_sees_which_it_is_and_decides(server: Server, alice: Browser) -> None:
    await change(alice)
    page = await change(alice, "BE68539007547034")
    assert (page.status, page.field("iban")["value"]) == (409, "BE68539007547034")
    assert page.described("iban") == "Nu opgeslagen: NL** **** 4300"
    assert await kept(server) == NUMBER
    await change(alice, "BE68539007547034", version=page.hidden("version"))
    assert await kept(server) == "BE68539007547034"


async def test_each_change_is_told_by_mail_without_the_number(server: Server, alice: Browser) -> None:
    server.store.notices.on = True
    await change(alice)
    assert (await change(alice, "BE68539007547034")).status == 409, "which changed nothing"
    await send(alice, "remove")
    await change(alice)
    one = await server.store.bank_accounts.of(of(server.alice.id))
    taken_out = urlencode({"form_token": await alice.token(), "kind": "bank_accounts", "record": one.id})
    assert (await alice.send("/account/data/destroy", taken_out)).status == 303
    told = await server.store.notices.waiting()
    assert [one.news.word for one in told] == ["bank-changed", "bank-removed", "bank-changed", "bank-removed"]
    assert {(one.owner, one.news.to, *one.news.values) for one in told} == {(server.alice.id, "alice@example.org")}


@pytest.mark.duty("S-43")
async def test_it_is_taken_out_at_once(server: Server, alice: Browser) -> None:
    for form in ({"password": PASSWORD}, {}):
        assert (await send(alice, "read" if form else "remove", **form)).status == 404
    await change(alice)
    one = await server.store.bank_accounts.of(of(server.alice.id))
    assert (await send(alice, "remove")).location == f"{WHERE}?done=removed"
    assert await server.store.keys.receipt(server.alice.id, one.id) is not None
    assert await kept(server) == ""
