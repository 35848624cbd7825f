"""Sight of an agenda by pages without scripts: two people open it, its practitioner is told at once and reads all."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from client.wire import Wire
from practice.accounts.model import Practitioner
from practice.sights.model import LASTS, WAITS, NamedSight
from signaling.protocol.events import CLIENT_EVENTS, Watch
from signaling.routes import ENDPOINTS
from signaling.sockets.acceptance import EVENTS
from tests.client.waiting import until
from tests.opening import of
from tests.organisations import OPERATOR, scope_of
from tests.signaling.conftest import PASSWORD, Opening, Server
from tests.signaling.test_rights import BODIES, refused
from tests.signaling.test_second_factor import shown, with_app, wrong
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.test_people import be_bob, send
from vault.audit import practitioner
from vault.records.content import new_id


def text(page: Seen) -> str:
    return " ".join(page.elements.text.split())


@dataclass
class Three:
    """Alice owns and asks, Carol is an administrator and gives; Bob's agenda it is."""

    server: Server
    carol: Practitioner
    secrets: dict[str, str]
    browsers: dict[str, Browser] = field(init=False)

    def __post_init__(self) -> None:
        self.browsers = {who: Browser(self.server, who) for who in ("alice", "bob", "carol")}

    def path(self, form: str = "") -> str:
        return f"/practice/people/{self.server.bob.id}/sight{form}"

    async def all(self) -> list[NamedSight]:
        store, bob = self.server.store, self.server.bob.id
        return await store.sights.of(await scope_of(store, bob), bob)

    async def send(self, who: str, form: str, **fields: str) -> Seen:
        """With the newest of them, a password, and a code that was not used yet."""
        self.server.time.ahead += timedelta(seconds=60)
        found = await self.all()
        proof = {"password": PASSWORD, "code": shown(self.server, self.secrets[who]) if who in self.secrets else ""}
        known = {"/ask": {"reason": "unreachable"} | proof, "/give": proof}.get(form, {})
        which = {} if form == "/ask" or not found else {"sight": found[0].sight.id}
        return await send(self.browsers[who], self.path(form), **(known | which | fields))

    async def open(self) -> None:
        assert (await self.send("alice", "/ask")).status == 303
        assert (await self.send("carol", "/give")).status == 303

    async def me(self) -> int | None:
        """What Bob's desk is told when it opens."""
        found: int | None = (await self.server.call("GET", "/api/v1/me", who="bob")).body.get("sights_unseen")
        return found


@pytest.fixture
async def three(server: Server, owner: Browser) -> Three:
    scope = await scope_of(server.store, server.alice.id)
    carol = await server.store.organisation.add_account(OPERATOR, "carol@example.org", PASSWORD, "Carol", "nl")
    await server.store.organisation.set_roles(scope, carol.id, ["administrator"])
    for who in ("bob", "carol"):
        assert (await server.sign_in(who)).status == 200
    secrets = {who: (await with_app(server, one))[0] for who, one in (("alice", server.alice), ("carol", carol))}
    return Three(server, carol, secrets)


async def watching(server: Server, heard: list[tuple[str, Any]]) -> Wire:
    """Bob's desk."""
    wire = Wire(server.origin, lambda event, body: heard.append((event, body)))
    await wire.open((await server.call("POST", "/api/v1/desk/ticket", who="bob")).body["access_token"])
    await wire.request("watch", Watch())
    return wire


async def acts(server: Server) -> list[tuple[str, str | None, str | None]]:
    return [
        (one.act, one.subject_name, one.detail)
        async for one in server.store.audit.entries()
        if one.act.startswith("sight-")
    ]


@pytest.mark.duty("S-51")
async def test_two_people_open_it_and_its_practitioner_is_told_at_once(three: Three) -> None:
    server, heard = three.server, list[tuple[str, Any]]()
    server.store.notices.on = True
    planned = await server.appoint(server.bob, minutes_from_now=120, patient="Jan Jansen")
    desk = await watching(server, heard)
    assert three.path() in (await three.browsers["alice"].get(f"/practice/people/{server.bob.id}")).html
    sent = await three.send("alice", "/ask")
    assert (sent.status, sent.location) == (303, three.path("?done=sight-asked"))
    asked = await server.store.notices.waiting()
    who_could = [(one.news.word, one.news.to) for one in asked]
    assert who_could == [("sight-asked", "carol@example.org")]
    assert (dict(asked[0].news.values), await three.me()) == ({}, None)
    assert "Een verzoek om inzage wacht op u: Bob" in text(await three.browsers["carol"].get("/practice/people"))
    assert "wacht op u" not in text(await three.browsers["alice"].get("/practice/people"))
    assert (await three.send("carol", "/give")).status == 303
    told = (await server.store.notices.waiting())[-1]
    assert (told.owner, told.news.word, told.news.to) == (server.bob.id, "sight-given", "bob@example.org")
    await until(lambda: None if "sight" in [event for event, _ in heard] else "the desk was not told")
    assert await three.me() == 1
    seen = await three.send("alice", "/look")
    assert (seen.status, seen.headers["Cache-Control"]) == (200, "no-store")
    assert "Jan Jansen" in text(seen) and "30 minuten" in text(seen)
    for kept in (planned.id, planned.secret, "/c#"):
        assert kept not in seen.html
    again = await three.browsers["alice"].get(three.path("/look"))
    assert again.location == three.path(), "no address brings it back"
    page = text(await three.browsers["bob"].get("/account/sights"))
    for said in ("Alice", "Carol", "Niet te bereiken", "Gelezen", "Inzage beëindigen"):
        assert said in page
    assert "Gelezen niet" not in page
    name = await server.store.audit.name(practitioner(server.bob.id))
    assert await acts(server) == [
        *(("sight-asked", name, "unreachable"), ("sight-given", name, None), ("sight-used", name, None)),
    ]
    assert (await send(three.browsers["bob"], "/account/sights/know")).status == 303
    assert await three.me() is None
    assert (await server.store.notices.waiting())[-1].id == told.id, "the mail goes whatever the practitioner does here"
    await desk.close()


async def test_each_of_the_two_uses_a_second_factor_just_now(three: Three) -> None:
    code = wrong(three.server, three.secrets["alice"])
    for fields in ({"code": code}, {"code": ""}, {"password": "wrong"}, {"reason": "because"}):
        assert (await three.send("alice", "/ask", **fields)).status in (403, 422)
    assert await three.all() == []
    assert (await three.send("alice", "/ask")).status == 303
    assert (await three.send("carol", "/give", code="")).status == 403
    assert [one.phase for one in await three.all()] == ["waiting"]


async def test_without_a_second_factor_nobody_asks(server: Server, owner: Browser) -> None:
    path = f"/practice/people/{server.bob.id}/sight/ask"
    page = await send(owner, path, reason="absent", password=PASSWORD)
    assert page.status == 409 and "een tweede stap nodig" in page.described("password")
    assert await server.store.sights.of(await scope_of(server.store, server.bob.id), server.bob.id) == []


async def test_who_asked_and_whose_it_is_give_nothing_and_cannot_prevent_it(three: Three) -> None:
    await be_bob(three.server, "administrator", "practitioner")
    three.secrets["bob"] = (await with_app(three.server, three.server.bob))[0]
    assert (await three.send("bob", "/ask")).status == 404, "not of one's own"
    assert (await three.send("alice", "/ask")).status == 303
    for who in ("alice", "bob"):
        assert (await three.send(who, "/give")).status == 404
    assert (await three.send("bob", "/end")).status == 404
    assert [one.phase for one in await three.all()] == ["waiting"]
    again = await three.send("carol", "/ask", reason="moving")
    assert again.status == 409 and "wacht al een verzoek" in text(again)
    assert (await three.send("carol", "/give")).status == 303
    ended = await send(three.browsers["bob"], "/account/sights/end", sight=(await three.all())[0].sight.id)
    assert (ended.status, ended.location) == (303, "/account/sights?done=sight-ended")
    assert (await three.send("alice", "/look")).status == 409
    assert (await acts(three.server))[-1][::2] == ("sight-ended", "ended")


@pytest.mark.parametrize("late", ["asked", "given"])
async def test_it_expires(three: Three, late: str) -> None:
    assert (await three.send("alice", "/ask")).status == 303
    if late == "asked":
        for _ in range(3):
            await three.browsers["carol"].get("/account")  # whose session lives
            three.server.time.ahead += WAITS / 3
        page = await three.send("carol", "/give")
        assert page.status == 409 and "kan niet meer" in text(page)
        return
    assert (await three.send("carol", "/give")).status == 303
    for _ in range(3):
        assert (await three.send("alice", "/look")).status == 200, "that is use of the session too"
        three.server.time.ahead += LASTS / 3
    assert (await three.send("alice", "/look")).status == 409
    assert (await acts(three.server))[-1][0] == "sight-used", "a look that is refused is none"


async def test_it_is_over_once_one_of_the_two_may_not_any_more(three: Three) -> None:
    await three.open()
    page = await three.browsers["alice"].get(f"/practice/people/{three.carol.id}")
    path = f"/practice/people/{three.carol.id}/roles"
    await send(three.browsers["alice"], path, version=page.hidden("version"), roles=["auditor"])
    assert [one.phase for one in await three.all()] == ["over"]
    assert "iemand mocht dit niet meer" in text(await three.browsers["bob"].get("/account/sights"))
    assert (await three.send("alice", "/look")).status == 409


async def test_it_opens_no_route_and_no_event_of_the_practitioners(three: Three, opening: Opening) -> None:
    server = three.server
    planned = await server.appoint(server.bob, patient="Jan Jansen")
    await three.open()
    assert "Jan Jansen" in text(await three.send("alice", "/look"))
    before = await server.store.appointments.get(of(server.bob.id), planned.id)
    for endpoint in ENDPOINTS:
        if "{appointment}" in endpoint.path:
            path = endpoint.path.replace("{appointment}", planned.id).replace("{guest}", planned.id)
            sent = {"seen": before.version, "patient": "Piet", "tell": True, "new_link": True, "attended": "held"}
            sent |= {"name": "An", "role": "guest", "band": None, "reason": "emergency"}
            body = {name: sent[name] for name in sent if name in endpoint.body.model_fields} if endpoint.body else None
            answer = await server.call(endpoint.method, path, body, who="alice")
            assert (answer.status, answer.code) == (404, "not_found"), path
        elif endpoint.method == "GET" and endpoint.right is not None:
            assert "Jan Jansen" not in str((await server.call("GET", endpoint.path, who="alice")).body), endpoint.path
    wire = await opening((await server.call("POST", "/api/v1/desk/ticket", who="alice")).body["access_token"])
    for event in EVENTS:
        model = CLIENT_EVENTS[event].body
        body = BODIES.get(event, {}) | ({"appointment": planned.id} if "appointment" in model.model_fields else {})
        body |= {"participant": new_id()} if event == "arrive" else {}
        code = await refused(wire, event, body)
        assert code == "not_found" if "appointment" in body else code != "invalid", (event, code)
    assert await server.store.appointments.get(of(server.bob.id), planned.id) == before


async def test_nothing_of_it_is_there_for_others(three: Three) -> None:
    await three.open()
    for form in ("/look", "/end", "/give", "/ask"):
        assert (await three.send("bob", form)).status == 404, "the right is not his"
    for wanted in ("A" * 22, "x", ""):
        assert (await three.send("alice", "/look", sight=wanted)).status in (404, 422)
    other = f"/practice/people/{three.carol.id}/sight/look"
    assert (await send(three.browsers["alice"], other, sight=(await three.all())[0].sight.id)).status == 404
    assert (await three.send("carol", "/look")).status == 404, "it is for who asked"
