"""Where somebody is signed in: what the page shows of it, and what ends with a session."""

from datetime import timedelta

import pytest

from client.errors import Refusal
from client.wire import Wire
from tests.client.waiting import until
from tests.opening import of
from tests.signaling.conftest import PASSWORD, Opening, Server
from tests.web.forms.conftest import Browser
from vault.errors import DomainError
from vault.records.scope import Scope


async def signed_in(server: Server, jar: str, who: str = "alice") -> Browser:
    """Another browser of the same person."""
    body = {"mail": f"{who}@example.org", "password": PASSWORD}
    assert (await server.call("POST", "/api/v1/sign-in", body, who=jar)).status == 200
    return Browser(server, jar)


async def ticket(server: Server, jar: str) -> str:
    token: str = (await server.call("POST", "/api/v1/desk/ticket", {}, who=jar)).body["access_token"]
    return token


async def closes(*wires: Wire) -> None:
    """Within a second; other nodes look as often."""
    await until(lambda: "still connected" if any(wire.connected for wire in wires) else None)


async def status(server: Server, jar: str) -> int:
    return (await server.call("GET", "/api/v1/me", who=jar)).status


@pytest.mark.duty("S-41")
async def test_all_are_shown_and_this_one_is_marked(server: Server, alice: Browser) -> None:
    await signed_in(server, "phone")
    await signed_in(server, "bob", "bob")
    page = await alice.get("/account")
    assert page.elements.text.count("Deze browser") == 1
    assert page.elements.text.count("Een andere browser") == 1
    assert "Begonnen vandaag om" in page.elements.text
    server.time.ahead += timedelta(minutes=29)
    await alice.get("/account")
    server.time.ahead += timedelta(minutes=2)
    assert "Een andere browser" not in (await alice.get("/account")).elements.text, "it fell idle"


async def test_one_other_ends_with_its_socket_and_its_tickets(server: Server, alice: Browser, opening: Opening) -> None:
    await signed_in(server, "phone")
    here, there = await opening(await ticket(server, "alice")), await opening(await ticket(server, "phone"))
    late = await ticket(server, "phone")
    page = await alice.get("/account")
    sent = await alice.send(
        "/account/session", f"form_token={page.hidden('form_token')}&session={page.hidden('session')}"
    )
    assert (sent.status, sent.location) == (303, "/account?done=session-ended")
    await closes(there)
    assert await status(server, "phone") == 401
    with pytest.raises(Refusal, match="token_invalid"):
        await opening(late)
    assert here.connected and await status(server, "alice") == 200
    await opening(await ticket(server, "alice"))
    acts = [(entry.act, entry.detail) async for entry in server.store.audit.entries()]
    assert acts[-1] == ("sessions-ended", "1")


async def test_nobody_ends_this_one_or_somebody_elses_so(server: Server, alice: Browser) -> None:
    await signed_in(server, "bob", "bob")
    token = await alice.token()
    theirs = [(await server.store.sessions.of(of(one.id)))[0].reference for one in (server.alice, server.bob)]
    for session in (*theirs, "", "x", "%00", "A" * 43):
        page = await alice.send("/account/session", f"form_token={token}&session={session}")
        assert page.status == 404
    assert (await status(server, "alice"), await status(server, "bob")) == (200, 200)
    await server.store.sessions.end_of(of(server.alice.id), [theirs[1]])
    assert await status(server, "bob") == 200
    with pytest.raises(DomainError, match="not_found"):
        await server.store.sessions.of(Scope.guest("A" * 22))


async def test_everywhere_else_ends_with_apps_and_this_page_stays(
    server: Server, alice: Browser, opening: Opening
) -> None:
    await signed_in(server, "phone")
    await signed_in(server, "bob", "bob")
    body = {"mail": "alice@example.org", "password": PASSWORD}
    app = (await server.call("POST", "/api/v1/tokens", body)).body
    page = await alice.get("/account")
    assert "Apps waarin u bent ingelogd: 1" in page.elements.text
    sockets = [await opening(await ticket(server, jar)) for jar in ("phone", "alice", "bob")]
    sockets.append(await opening(app["access_token"]))
    late = await ticket(server, "phone")
    sent = await alice.send("/account/others", f"form_token={page.hidden('form_token')}")
    assert (sent.status, sent.location) == (303, "/account?done=others-ended")
    await closes(sockets[0], sockets[3])
    assert sockets[1].connected and sockets[2].connected
    assert (await status(server, "phone"), await status(server, "bob")) == (401, 200)
    refresh = {"refresh_token": app["refresh_token"]}
    assert (await server.call("POST", "/api/v1/tokens/refresh", refresh)).code == "token_invalid"
    for token in (late, app["access_token"]):
        with pytest.raises(Refusal, match="token_invalid"):
            await opening(token)
    await opening(await ticket(server, "alice"))
    again = await signed_in(server, "phone")
    await opening(await ticket(server, "phone"))
    assert "Een andere browser" in (await again.get("/account")).elements.text
