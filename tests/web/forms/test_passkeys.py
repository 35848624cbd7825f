"""Passkeys: made at the account's page, used to sign in; one that is another's, copied or changed is refused."""

import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import pyotp
import pytest
from sqlalchemy import update

from practice.factors import passkeys
from practice.factors.records import factors
from signaling.challenges import SECONDS
from signaling.sessions import PLAIN
from signaling.settings import SignalingSettings
from tests.opening import of
from tests.signaling.authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator
from tests.signaling.conftest import PASSWORD, Answer, Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.forms.test_security import acts, codes_of, turned_on

PAGE, NEW = "/account/security", "/account/security/passkey"


def offered(page: Seen) -> dict[str, str]:
    """What the page has for the browser."""
    found = re.search(r'<div data-slot="options" ([^>]*)>', page.html)
    assert found
    return {name: html.unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', found[1])}


async def make(browser: Browser, device: Authenticator, *, password: str = PASSWORD, **changes: str) -> Seen:
    page = await browser.get(NEW)
    assert offered(page)["party"] == "localhost"
    fields = {
        "form_token": page.hidden("form_token"),
        "challenge": page.hidden("challenge"),
        "name": "Telefoon",
        "password": password,
        **device.made(offered(page)["bytes"]),
    }
    return await browser.send(f"{NEW}/add", urlencode(fields | changes))


async def sign_in(server: Server, device: Authenticator, owner: str, **changes: str) -> Answer:
    options = (await server.call("POST", "/api/v1/sign-in/passkey/options", {})).body
    assert options["party"] == "localhost"
    body = {"challenge": options["challenge"], **device.used(options["bytes"], passkeys.handle(owner))}
    return await server.call("POST", "/api/v1/sign-in/passkey", body | changes, who="by passkey")


@pytest.fixture
def device(server: Server) -> Authenticator:
    return Authenticator(server.origin)


@pytest.mark.duty("S-24")
async def test_one_is_made_and_signs_in_in_one_step(server: Server, alice: Browser, device: Authenticator) -> None:
    made = await make(alice, device)
    assert len(codes_of(made)) == 10
    page = await alice.get(PAGE)
    assert "Telefoon" in page.elements.text and "Stel de tweede stap in" not in page.elements.text
    for _ in range(2):
        answer = await sign_in(server, device, server.alice.id)
        assert (answer.status, answer.body["display_name"]) == (200, "Alice")
    cookie = next(one.value for one in server.jars["by passkey"] if one.key == PLAIN)
    assert await server.store.sessions.strength(cookie) in ("factors", "passkey")
    error = (await server.sign_in("alice")).body["error"]
    assert (error["code"], error["factors"]) == ("factor_needed", ["recovery", "passkey"])
    assert await acts(server) == [
        ("signed-in", None), ("factor-added", "passkey"), ("signed-in", "passkey"), ("signed-in", "passkey"),
    ]  # fmt: skip


async def test_one_that_is_not_known_here_is_refused(server: Server, alice: Browser, device: Authenticator) -> None:
    await make(alice, device)
    stranger = Authenticator(server.origin)
    impostor = Authenticator(server.origin, id=device.id)
    for one, owner in (
        (stranger, server.alice.id),
        (impostor, server.alice.id),
        (device, server.bob.id),
        (device, "A" * 22),
        (device, "\x00" * 22),
    ):
        answer = await sign_in(server, one, owner)
        assert (answer.status, answer.code) == (403, "passkey_refused"), owner
    assert (await sign_in(server, device, server.alice.id)).status == 200


@pytest.mark.parametrize("how", ["origin", "party", "unverified", "signature"])
async def test_what_was_not_said_here_by_its_person_is_refused(
    server: Server, alice: Browser, device: Authenticator, how: str
) -> None:
    await make(alice, device)
    changes = {}
    if how == "origin":
        device.origin = "https://evil.example"
    elif how == "party":
        device.party = "evil.example"
    elif how == "unverified":
        device.flags = PRESENT
    else:
        changes = {"signature": "AAAA"}
    assert (await sign_in(server, device, server.alice.id, **changes)).code == "passkey_refused"


async def test_what_was_said_once_is_worth_nothing_again(server: Server, alice: Browser, device: Authenticator) -> None:
    await make(alice, device)
    options = (await server.call("POST", "/api/v1/sign-in/passkey/options", {})).body
    body = {
        "challenge": options["challenge"],
        **device.used(options["bytes"], passkeys.handle(server.alice.id)),
    }
    assert (await server.call("POST", "/api/v1/sign-in/passkey", body)).status == 200
    assert (await server.call("POST", "/api/v1/sign-in/passkey", body)).code == "challenge_invalid"
    other = (await server.call("POST", "/api/v1/sign-in/passkey/options", {})).body["challenge"]
    again = await server.call("POST", "/api/v1/sign-in/passkey", body | {"challenge": other})
    assert again.code == "passkey_refused"


async def test_there_is_no_place_for_secrets_of_extensions(
    server: Server, alice: Browser, device: Authenticator
) -> None:
    await make(alice, device)
    answer = await sign_in(server, device, server.alice.id, prf="c2VjcmV0")
    assert (answer.status, answer.code) == (400, "invalid")
    assert (await make(alice, Authenticator(server.origin), prf="c2VjcmV0")).status == 422


@pytest.mark.parametrize(("before", "after"), [(0, ELIGIBLE), (ELIGIBLE, 0), (0, ELIGIBLE | BACKED_UP)])
async def test_one_that_may_be_copied_now_or_no_longer_is_refused_and_told(
    server: Server, alice: Browser, device: Authenticator, before: int, after: int
) -> None:
    device.flags = PRESENT | VERIFIED | before
    await make(alice, device)
    device.flags = PRESENT | VERIFIED | after
    assert (await sign_in(server, device, server.alice.id)).code == "passkey_refused"
    assert (await acts(server))[-1] == ("passkey-refused", "backup-changed")
    assert "Misschien is hij gekopieerd" in (await alice.get(PAGE)).elements.text


@pytest.mark.duty("S-26")
async def test_a_counter_that_was_set_back_is_warned_of_and_asked_beyond_and_shuts_nobody_out(
    server: Server, alice: Browser, device: Authenticator
) -> None:
    secret, _ = await turned_on(server, alice)
    device.count = 40
    await make(alice, device)
    assert (await sign_in(server, device, server.alice.id)).status == 200
    device.count = 7
    for minutes in (1, 2):
        answer = await sign_in(server, device, server.alice.id)
        error = answer.body["error"]
        assert (error["code"], error["factors"]) == ("factor_needed", ["totp", "recovery"])
        server.time.ahead += timedelta(minutes=minutes)
        body = {"challenge": error["challenge"], "code": pyotp.TOTP(secret).at(server.time.now())}
        assert (await server.call("POST", "/api/v1/sign-in/factor", body)).status == 200
    assert ("passkey-refused", "counter-back") in await acts(server)
    assert "Misschien is hij gekopieerd" in (await alice.get(PAGE)).elements.text
    device.count = 41
    assert (await sign_in(server, device, server.alice.id)).status == 200


async def test_what_a_browser_made_for_something_else_is_not_taken(
    server: Server, alice: Browser, device: Authenticator
) -> None:
    unverified = Authenticator(server.origin, flags=PRESENT)
    elsewhere = Authenticator("https://evil.example")
    for one in (unverified, elsewhere):
        sent = await make(alice, one)
        assert (sent.status, "niet bekend" in sent.elements.text) == (403, True)
    assert (await make(alice, device, password="wrong")).status == 403
    assert (await make(alice, device, credential="", client_data="", attestation="")).status == 403
    assert (await make(alice, device, challenge="nonsense")).status == 410
    page = await alice.get(NEW)
    server.time.ahead += timedelta(seconds=SECONDS)
    fields = {"form_token": page.hidden("form_token"), "challenge": page.hidden("challenge"), "name": "x"}
    fields |= {"password": PASSWORD, **device.made(offered(page)["bytes"])}
    assert (await alice.send(f"{NEW}/add", urlencode(fields))).status == 410
    assert not (await server.store.factors.of(of(server.alice.id))).any


async def test_one_is_removed_while_another_is_there(server: Server, alice: Browser, device: Authenticator) -> None:
    await make(alice, device)
    second = Authenticator(server.origin)
    assert (await make(alice, second, name="Sleutel")).location == f"{PAGE}?done=passkey"
    first, other = (await server.store.factors.of(of(server.alice.id))).passkeys
    for one, status in ((first, 303), (other, 409)):
        token = (await alice.get(NEW)).hidden("form_token")
        fields = {"form_token": token, "passkey": one.id, "password": PASSWORD}
        sent = await alice.send(f"{PAGE}/remove-passkey", urlencode(fields))
        assert sent.status == status
    assert (await sign_in(server, device, server.alice.id)).code == "passkey_refused"
    assert (await sign_in(server, second, server.alice.id)).status == 200


@pytest.mark.parametrize("server_settings", [SignalingSettings(origin="https://192.0.2.7")])
async def test_at_a_bare_address_it_is_said_that_there_are_none(server: Server) -> None:
    headers = {"Origin": "https://192.0.2.7"}
    answer = await server.call("POST", "/api/v1/sign-in/passkey/options", {}, headers=headers)
    assert (answer.status, answer.code) == (409, "passkey_address")


async def test_where_the_second_factor_cannot_be_read_that_is_said(
    server: Server, alice: Browser, device: Authenticator
) -> None:
    """It is no passkey that is wrong: the operator has to see to it."""
    await make(alice, device)
    async with server.store.database.write() as connection:
        await connection.execute(update(factors).values(content=b"x" * 300))
    answer = await sign_in(server, device, server.alice.id)
    assert (answer.status, answer.code) == (409, "unreadable")
