"""An owner lifts the second factor of who lost it: with a reason, told to that person, and everything else ends."""

import asyncio
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from practice.factors.model import Factors, Passkey
from practice.notices.letter import Letterhead
from practice.organisation.rights import RIGHTS, Right
from signaling.gate import SIGNALING
from tests.opening import of
from tests.signaling.conftest import PASSWORD, Opening, Server
from tests.signaling.test_second_factor import shown, with_app, wrong
from tests.web.forms.conftest import Browser
from tests.web.practice.test_people import be_bob, closed, of_bob, send
from vault.audit import practitioner

"""A fixture."""

FACTOR, LIFT = "/factor", "/factor/lift"


async def held(server: Server, who: Any = None) -> Factors:
    return await server.store.factors.of(of((who or server.bob).id))


async def add_passkey(server: Server, name: str) -> None:
    key = Passkey(name, "cGs", 0, "single_device", False, f"Sleutel {name}", server.time.now())
    await server.store.factors.add_passkey(of(server.bob.id), key)


async def signed_in(server: Server, secret: str) -> dict[str, Any]:
    """Bob, in a browser and in an app: the app's tokens."""
    body = {"mail": "bob@example.org", "password": PASSWORD}
    for path, who in (("/api/v1/sign-in", "bob"), ("/api/v1/tokens", "app")):
        challenge = (await server.call("POST", path, body, who=who)).body["error"]["challenge"]
        server.time.ahead += timedelta(minutes=1)
        said = {"challenge": challenge, "code": shown(server, secret)}
        answer = await server.call("POST", f"{path}/factor", said, who=who)
        assert answer.status == 200
    found: dict[str, Any] = answer.body
    return found


async def test_it_is_lifted_told_and_everything_of_before_ends(
    server: Server, owner: Browser, opening: Opening
) -> None:
    server.store.notices.on = True
    secret, made = await with_app(server, server.bob)
    tokens = await signed_in(server, secret)
    desk = (await server.call("POST", "/api/v1/desk/ticket", who="bob")).body["access_token"]
    wires = [await opening(desk), await opening(tokens["access_token"])]
    page = await owner.get(of_bob(server, FACTOR))
    assert page.status == 200 and secret not in page.html
    assert of_bob(server, FACTOR) in (await owner.get(of_bob(server))).html
    sent = await send(owner, of_bob(server, LIFT), reason="lost", password=PASSWORD)
    assert (sent.status, sent.location) == (303, of_bob(server, f"{FACTOR}?done=factor-lifted"))
    for wire in wires:
        await closed(wire)
    assert server.app[SIGNALING].sockets == 0
    assert (await server.call("GET", "/api/v1/me", who="bob")).code == "unauthenticated"
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert (await server.call("POST", "/api/v1/tokens/refresh", refresh)).code == "token_invalid"
    now = await held(server)
    assert (now.any, now.codes, await server.store.factors.use(of(server.bob.id), made[0])) == (False, (), None)
    told = [one for one in await server.store.notices.waiting() if one.news.word == "factor-lifted"]
    assert [one.news.to for one in told] == ["bob@example.org"]
    head = Letterhead("a@example.org", server.origin, lambda: UTC, server.store.resets.token)
    assert b"device and codes lost" in head.letter(told[0], server.time.now())[1]
    entries = [(one.act, one.subject_name, one.detail) async for one in server.store.audit.entries()]
    name = await server.store.audit.name(practitioner(server.bob.id))
    assert ("factor-lifted", name, "lost") in entries and ("factors-read", name, None) in entries


async def test_passkeys_are_shown_and_kept_or_taken_away(server: Server, owner: Browser) -> None:
    await with_app(server, server.bob)
    for name in ("kept", "gone"):
        await add_passkey(server, name)
    page = await owner.get(of_bob(server, FACTOR))
    assert "Sleutel kept" in page.elements.text and "Sleutel gone" in page.elements.text
    assert not page.elements.with_attribute("checked"), "what nobody ticks goes"
    sent = await send(owner, of_bob(server, LIFT), reason="broken", password=PASSWORD, keep=["kept"])
    assert sent.status == 303
    now = await held(server)
    assert ([one.id for one in now.passkeys], now.secret, now.codes) == (["kept"], None, ())
    again = await send(owner, of_bob(server, LIFT), reason="broken", password=PASSWORD, keep=["kept"])
    assert again.status == 409 and "niets opgeheven" in again.elements.text


async def test_whoever_lost_it_sets_up_another_with_the_password_first(server: Server, owner: Browser) -> None:
    assert (await server.sign_in("bob")).status == 200, "from now on one is asked for"
    await with_app(server, server.bob)
    assert (await server.sign_in("bob")).code == "factor_needed"
    assert (await send(owner, of_bob(server, LIFT), reason="replaced", password=PASSWORD)).status == 303
    answer = await server.sign_in("bob")
    assert answer.code == "factor_set_up_needed", "also in the days in which who never had one is let in"
    challenge = {"challenge": answer.body["error"]["challenge"]}
    assert (await server.call("POST", "/api/v1/sign-in/set-up", challenge, who="bob")).status == 204
    assert (await server.call("GET", "/api/v1/me", who="bob")).code == "unauthenticated"
    await with_app(server, server.bob)
    assert (await server.sign_in("bob")).code == "factor_needed"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": "because", "password": PASSWORD}, 422),
        ({"password": PASSWORD}, 422),
        ({"reason": "lost", "password": "wrong"}, 403),
        ({"reason": "lost", "password": ""}, 422),
        ({"reason": "lost", "password": PASSWORD, "more": "x"}, 422),
        ({"reason": "lost; bob drinks", "password": PASSWORD}, 422),
    ],
)
async def test_bad_input_changes_nothing(server: Server, owner: Browser, fields: dict[str, str], status: int) -> None:
    await with_app(server, server.bob)
    before = await held(server)
    page = await send(owner, of_bob(server, LIFT), **fields)
    assert page.status == status
    assert [one for _, one in page.elements.with_attribute("role") if one["role"] == "alert"]
    assert await held(server) == before


async def test_an_owner_with_a_second_factor_uses_it_just_now(server: Server, owner: Browser) -> None:
    await with_app(server, server.bob)
    secret, _ = await with_app(server, server.alice)
    before = await held(server)
    for code in ("", wrong(server, secret)):
        page = await send(owner, of_bob(server, LIFT), reason="lost", password=PASSWORD, code=code)
        assert page.status == 403 and "De code klopt niet" in page.described("code")
    assert await held(server) == before
    code = shown(server, secret)
    assert (await send(owner, of_bob(server, LIFT), reason="lost", password=PASSWORD, code=code)).status == 303
    assert not (await held(server)).any


async def test_nobody_lifts_their_own_nor_what_is_not_there(server: Server, owner: Browser) -> None:
    mine = f"/practice/people/{server.alice.id}{FACTOR}"
    secret, _ = await with_app(server, server.alice)
    assert FACTOR not in (await owner.get(f"/practice/people/{server.alice.id}")).html
    page = await owner.get(mine)
    assert page.status == 200 and 'name="reason"' not in page.html
    code = shown(server, secret)
    assert (await send(owner, f"{mine}/lift", reason="lost", password=PASSWORD, code=code)).status == 409
    assert (await held(server, server.alice)).any
    server.time.ahead += timedelta(minutes=1)
    code = shown(server, secret)
    assert (await send(owner, of_bob(server, LIFT), reason="lost", password=PASSWORD, code=code)).status == 409
    assert "geen tweede stap" in (await owner.get(of_bob(server, FACTOR))).elements.text


async def test_it_is_an_owners_alone(server: Server, owner: Browser) -> None:
    assert RIGHTS[Right.LIFT_FACTORS] == {"owner"}
    await with_app(server, server.alice)
    await be_bob(server, "administrator")
    await server.sign_in("bob")
    bob = Browser(server, "bob")
    page = f"/practice/people/{server.alice.id}{FACTOR}"
    assert (await bob.get(page)).status == 404
    assert FACTOR not in (await bob.get(f"/practice/people/{server.alice.id}")).html
    assert (await send(bob, f"{page}/lift", reason="lost", password=PASSWORD)).status == 404
    assert (await held(server, server.alice)).any


async def test_of_two_owners_who_lift_at_once_one_does(server: Server, owner: Browser) -> None:
    await with_app(server, server.bob)
    token = await owner.token()
    body = urlencode({"form_token": token, "reason": "lost", "password": PASSWORD})
    answers = await asyncio.gather(*(owner.send(of_bob(server, LIFT), body) for _ in range(3)))
    assert sorted(one.status for one in answers) == [303, 409, 409]
