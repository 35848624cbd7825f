"""Turning on the second step and signing in with it, as a browser without scripts has the pages."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pyotp
import pytest

from signaling.sessions import PLAIN
from signaling.settings import SignalingSettings
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.signaling.conftest import PASSWORD, Server
from tests.web.forms.conftest import Browser, Seen
from vault.records.scope import Scope

PAGE, APP = "/account/security", "/account/security/app"


def secret_of(page: Seen) -> str:
    found = re.search(r'data-testid="secret">([A-Z2-7 ]+)<', page.html)
    assert found
    return found[1].replace(" ", "")


def codes_of(page: Seen) -> list[str]:
    return re.findall(r"<li><code>([a-z2-9]{5}-[a-z2-9]{5})</code>", page.html)


async def send(browser: Browser, page: str, form: str, **fields: str) -> Seen:
    token = (await browser.get(page)).hidden("form_token")
    return await browser.send(form, urlencode({"form_token": token, **fields}))


async def turned_on(server: Server, browser: Browser) -> tuple[str, list[str]]:
    """The secret and the recovery codes."""
    secret = secret_of(await browser.get(APP))
    code = pyotp.TOTP(secret).at(server.time.now())
    made = codes_of(await send(browser, APP, f"{APP}/set", code=code, password=PASSWORD))
    server.time.ahead += timedelta(minutes=2)
    return secret, made


async def acts(server: Server) -> list[tuple[str, str | None]]:
    return [(entry.act, entry.detail) async for entry in server.store.audit.entries()]


@pytest.mark.duty("S-24")
async def test_who_turns_it_on_signs_in_with_it(server: Server, alice: Browser) -> None:
    page = await alice.get(PAGE)
    assert "Er is nog geen app ingesteld." in page.elements.text
    assert "Stel de tweede stap in voor" in page.elements.text
    secret, made = await turned_on(server, alice)
    assert len(set(made)) == 10
    page = await alice.get(PAGE)
    assert "Codes over: 10" in page.elements.text and not codes_of(page)
    answer = await server.sign_in("alice")
    assert answer.code == "factor_needed"
    body = {"challenge": answer.body["error"]["challenge"], "code": pyotp.TOTP(secret).at(server.time.now())}
    assert (await server.call("POST", "/api/v1/sign-in/factor", body, who="alice")).status == 200
    assert await acts(server) == [("signed-in", None), ("factor-added", "totp"), ("signed-in", "factors")]


async def test_the_same_key_is_shown_until_it_is_set_and_its_picture_is_drawn(server: Server, alice: Browser) -> None:
    first = await alice.get(APP)
    assert secret_of(await alice.get(APP)) == secret_of(first)
    assert "<svg" in first.html and " style=" not in first.html
    assert first.headers["Cache-Control"] == "no-store"
    assert "Content-Encoding" not in first.headers
    assert (await server.store.factors.of(of(server.alice.id))).secret is None


async def test_a_wrong_code_or_password_is_said_beside_its_field_and_changes_nothing(
    server: Server, alice: Browser
) -> None:
    secret = secret_of(await alice.get(APP))
    code = pyotp.TOTP(secret).at(server.time.now())
    bad = await send(alice, APP, f"{APP}/set", code="abcdef", password=PASSWORD)
    assert (bad.status, secret_of(bad)) == (403, secret)
    assert "De code klopt niet" in bad.described("code")
    bad = await send(alice, APP, f"{APP}/set", code=code, password="wrong")
    assert (bad.status, "wachtwoord klopt niet" in bad.described("password")) == (403, True)
    assert "wrong" not in bad.html.replace("wrong-", "")
    assert not (await server.store.factors.of(of(server.alice.id))).any


async def test_whoever_was_signed_in_elsewhere_is_not_any_more(server: Server, alice: Browser) -> None:
    other = Browser(server, "alice elsewhere")
    body = {"mail": "alice@example.org", "password": PASSWORD}
    await server.call("POST", "/api/v1/sign-in", body, who=other.who)
    tokens = (await server.call("POST", "/api/v1/tokens", body)).body
    await turned_on(server, alice)
    assert (await server.call("GET", "/api/v1/me", who=other.who)).code == "unauthenticated"
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert (await server.call("POST", "/api/v1/tokens/refresh", refresh)).code == "token_invalid"
    assert (await server.call("GET", "/api/v1/me", who="alice")).status == 200
    cookie = next(one.value for one in server.jars["alice"] if one.key == PLAIN)
    assert await server.store.sessions.strength(cookie) == "factors"


async def test_new_codes_are_shown_once_and_end_the_old(server: Server, alice: Browser) -> None:
    _, old = await turned_on(server, alice)
    new = codes_of(await send(alice, PAGE, f"{PAGE}/codes", password=PASSWORD))
    assert len(new) == 10 and not set(new) & set(old)
    assert await server.store.factors.use(of(server.alice.id), old[0]) is None
    assert await server.store.factors.use(of(server.alice.id), new[0]) == "recovery"
    assert (await acts(server))[-1] == ("recovery-codes-made", None)


async def test_the_only_one_is_not_removed_while_one_is_demanded(server: Server, alice: Browser) -> None:
    await turned_on(server, alice)
    page = await alice.get(PAGE)
    assert "App verwijderen" not in page.elements.text
    sent = await send(alice, PAGE, f"{APP}/remove", password=PASSWORD)
    assert sent.status == 409 and "uw enige tweede stap" in sent.elements.text
    assert (await server.store.factors.of(of(server.alice.id))).any


@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor="offered")])
async def test_where_it_is_offered_it_can_be_turned_off(server: Server, alice: Browser) -> None:
    await turned_on(server, alice)
    sent = await send(alice, PAGE, f"{APP}/remove", password=PASSWORD)
    assert (sent.status, sent.location) == (303, f"{PAGE}?done=removed")
    assert (await server.sign_in("alice")).status == 200
    assert (await acts(server))[-2] == ("factor-removed", "totp")


async def has_to_set_one_up(server: Server) -> Browser:
    """Alice's, in which she gets no further."""
    answer = await server.sign_in("alice")
    body = {"challenge": answer.body["error"]["challenge"]}
    assert (await server.call("POST", "/api/v1/sign-in/set-up", body, who="alice")).status == 204
    return Browser(server, "alice")


@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor_grace_days=0)])
async def test_who_has_to_set_one_up_first_gets_at_that_page_only_and_then_everywhere(server: Server) -> None:
    browser = await has_to_set_one_up(server)
    assert (await browser.get("/account")).location.startswith("/signin")
    assert (await browser.get(PAGE)).status == 200
    _, made = await turned_on(server, browser)
    assert len(made) == 10
    assert (await browser.get("/account")).status == 200
    assert (await server.call("GET", "/api/v1/me", who="alice")).status == 200


async def test_nobody_else_gets_at_it(server: Server) -> None:
    nobody = Browser(server, "nobody")
    for page in (PAGE, APP):
        assert (await nobody.get(page)).location.startswith("/signin")
    for form in (f"{APP}/set", f"{APP}/remove", f"{PAGE}/codes"):
        sent = await nobody.send(form, urlencode({"password": PASSWORD, "code": "123456"}))
        assert sent.status == 303 and sent.location.startswith("/signin")


@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor_grace_days=0)])
async def test_who_is_deactivated_meanwhile_sets_nothing_up(server: Server) -> None:
    browser = await has_to_set_one_up(server)
    assert (await browser.get(PAGE)).status == 200
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    await server.store.organisation.name_owner(Scope.operator(server.bob.id))
    owner = await scope_of(server.store, server.bob.id)
    await server.store.organisation.set_state(owner, server.alice.id, "deactivated")
    assert (await browser.get(PAGE)).location.startswith("/signin")
    assert not (await server.store.factors.of(of(server.alice.id))).any
