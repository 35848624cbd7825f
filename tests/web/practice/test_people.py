"""The people of an organisation: looked at, given roles, deactivated, let in again; by pages without scripts."""

import asyncio
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from client.wire import Wire
from practice.organisation.model import FIRST, PRACTITIONER, MemberRole
from practice.organisation.records import members
from signaling.gate import SIGNALING
from tests.client.waiting import PATIENCE
from tests.organisations import OPERATOR, found
from tests.signaling.conftest import PASSWORD, Opening, Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen
from vault.records.scope import Scope


def of_bob(server: Server, form: str = "") -> str:
    return f"/practice/people/{server.bob.id}{form}"


async def send(browser: Browser, path: str, **fields: str | list[str]) -> Seen:
    return await browser.send(path, urlencode({"form_token": await browser.token(), **fields}, doseq=True))


async def closed(wire: Wire) -> None:
    async with asyncio.timeout(PATIENCE):
        await wire._gone.wait()


async def roles(server: Server, account: str) -> frozenset[MemberRole]:
    standing = await server.store.organisation.standing(account)
    return frozenset() if standing is None else standing.roles


async def test_everybody_is_in_the_list_with_roles(server: Server, owner: Browser) -> None:
    page = await owner.get("/practice/people")
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    text = " ".join(page.elements.text.split())
    assert "Alice (u) eigenaar, behandelaar" in text
    assert "Bob behandelaar" in text
    assert of_bob(server) in page.html
    assert "/practice/people" in (await owner.get("/account")).html
    assert [entry.act async for entry in server.store.audit.entries()][-1] == "people-listed"


async def test_roles_are_changed_and_entered(server: Server, owner: Browser) -> None:
    page = await owner.get(of_bob(server))
    assert [one["value"] for _, one in page.elements.with_attribute("checked")] == ["practitioner"]
    version = page.hidden("version")
    sent = await send(owner, of_bob(server, "/roles"), version=version, roles=["practitioner", "auditor"])
    assert (sent.status, sent.location) == (303, f"{of_bob(server)}?done=saved")
    assert await roles(server, server.bob.id) == {"practitioner", "auditor"}
    assert "Bewaard." in (await owner.get(sent.location)).elements.text
    entries = [(entry.act, entry.subject, entry.detail) async for entry in server.store.audit.entries()]
    assert ("roles-changed", "practitioner", "2") in entries


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"roles": ["boss"], "version": "1"}, 422),
        ({"version": "1"}, 422),
        ({"roles": ["auditor"], "version": "9"}, 409),
        ({"roles": ["auditor"], "version": "x"}, 422),
        ({"roles": ["auditor"]}, 422),
        ({"roles": ["auditor"], "version": "1", "more": "x"}, 422),
    ],
)
async def test_bad_input_changes_nothing(
    server: Server, owner: Browser, fields: dict[str, str | list[str]], status: int
) -> None:
    page = await send(owner, of_bob(server, "/roles"), **fields)
    assert page.status == status
    assert [one for _, one in page.elements.with_attribute("role") if one["role"] == "alert"]
    assert await roles(server, server.bob.id) == PRACTITIONER
    assert (await send(owner, of_bob(server, "/state"), state="asleep")).status == 422


async def test_the_last_owner_stays_one_and_is_told_why(server: Server, owner: Browser) -> None:
    mine = f"/practice/people/{server.alice.id}"
    for form, fields in (
        ("/roles", {"roles": "practitioner", "version": (await owner.get(mine)).hidden("version")}),
        ("/state", {"state": "deactivated"}),
    ):
        page = await send(owner, mine + form, **fields)
        assert page.status == 409
        assert "ten minste één eigenaar" in page.elements.text
    assert await roles(server, server.alice.id) == FIRST


async def test_who_is_deactivated_is_gone_everywhere_and_can_be_let_in_again(
    server: Server, owner: Browser, opening: Opening
) -> None:
    assert (await server.sign_in("bob")).status == 200
    desk = await server.call("POST", "/api/v1/desk/ticket", who="bob")
    tokens = (await server.call("POST", "/api/v1/tokens", {"mail": "bob@example.org", "password": PASSWORD})).body
    wires = [await opening(desk.body["access_token"]), await opening(tokens["access_token"])]
    sent = await send(owner, of_bob(server, "/state"), state="deactivated")
    assert (sent.status, sent.location) == (303, f"{of_bob(server)}?done=saved")
    for wire in wires:
        await closed(wire)
    assert server.app[SIGNALING].sockets == 0
    assert (await server.call("GET", "/api/v1/me", who="bob")).code == "unauthenticated"
    refreshed = await server.call("POST", "/api/v1/tokens/refresh", {"refresh_token": tokens["refresh_token"]})
    assert refreshed.code == "token_invalid"
    assert (await server.sign_in("bob")).code == "sign_in_refused"
    assert "kan niet inloggen" in (await owner.get("/practice/people")).elements.text
    await send(owner, of_bob(server, "/state"), state="active")
    assert (await server.call("GET", "/api/v1/me", who="bob")).code == "unauthenticated", "the session is no more"
    assert (await server.sign_in("bob")).status == 200
    acts = [entry.act async for entry in server.store.audit.entries()]
    assert acts.index("member-deactivated") < acts.index("member-reactivated")


async def test_who_is_no_practitioner_any_more_leaves_the_desk_and_stays_signed_in(
    server: Server, owner: Browser, opening: Opening
) -> None:
    await server.sign_in("bob")
    ticket = (await server.call("POST", "/api/v1/desk/ticket", who="bob")).body["access_token"]
    wire = await opening(ticket)
    await send(owner, of_bob(server, "/roles"), roles="auditor", version="1")
    await closed(wire)
    assert (await server.call("GET", "/api/v1/me", who="bob")).status == 200
    assert (await server.call("GET", "/api/v1/appointments", who="bob")).code == "not_found"
    assert (await Browser(server, "bob").get("/practice/people")).status == 200


async def test_an_administrator_touches_no_owner(server: Server, owner: Browser) -> None:
    await be_bob(server, "administrator")
    await server.sign_in("bob")
    bob = Browser(server, "bob")
    page = await bob.get(f"/practice/people/{server.alice.id}")
    assert page.status == 200
    assert "<form" not in page.html.partition("<main")[2].partition("</main")[0]
    assert 'value="owner"' not in (await bob.get(of_bob(server))).html
    for form, fields in (("/roles", {"roles": "practitioner", "version": "2"}), ("/state", {"state": "deactivated"})):
        assert (await send(bob, f"/practice/people/{server.alice.id}{form}", **fields)).status == 404
    made = await send(bob, of_bob(server, "/roles"), roles=["owner"], version="2")
    assert made.status == 404
    assert await roles(server, server.bob.id) == {"administrator"}


async def be_bob(server: Server, *wanted: MemberRole) -> None:
    alice = await server.store.organisation.standing(server.alice.id)
    assert alice is not None
    scope = Scope.practitioner(alice.account, alice.organisation, alice.roles)
    await server.store.organisation.set_roles(scope, server.bob.id, wanted)


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support"])
async def test_to_others_the_page_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    for path in ("/practice/people", of_bob(server), of_bob(server, "x")):
        page = await owner.get(path)
        assert page.status == 404
        assert "Bob" not in page.html
    assert "/practice/people" not in (await owner.get("/account")).html


async def test_somebody_of_another_organisation_is_nowhere(server: Server, owner: Browser) -> None:
    stranger = await server.store.practitioners.add("eve@example.org", PASSWORD, "Eve", "nl")
    await found(server.store, stranger.id, ["owner"])
    assert (await owner.get(f"/practice/people/{stranger.id}")).status == 404
    assert "Eve" not in (await owner.get("/practice/people")).html
    for form, fields in (("/roles", {"roles": "auditor", "version": "1"}), ("/state", {"state": "deactivated"})):
        assert (await send(owner, f"/practice/people/{stranger.id}{form}", **fields)).status == 404
    assert await roles(server, stranger.id) == {"owner"}


async def test_names_show_as_they_are_written(server: Server, owner: Browser) -> None:
    """Also from right to left, and with what a page must not take for its own."""
    await server.store.organisation.add_account(OPERATOR, "x@example.org", PASSWORD, "د. مريم <b>العربية</b>", "nl")
    page = await owner.get("/practice/people")
    assert "<bdi>د. مريم &lt;b&gt;العربية&lt;/b&gt;</bdi>" in page.html


async def test_who_cannot_be_read_is_counted(server: Server, owner: Browser) -> None:
    async with server.store.database.write() as connection:
        await connection.execute(update(members).where(members.c.account == server.bob.id).values(content=b"x" * 64))
    page = await owner.get("/practice/people")
    assert page.status == 200
    assert "1 lid is niet te lezen." in page.elements.text
