"""An assistant sees who waits for whom they work for, tells them so, and does nothing of the kind for anybody else."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from client.errors import Refusal
from client.wire import Wire
from practice.agenda.model import Appointment
from practice.assistants.model import Engagement
from signaling.gate import SIGNALING
from signaling.protocol.events import Admit, Arrive, CallIn, DeskView, Tell, Told, Watch
from tests.client.waiting import until
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.signaling.conftest import PASSWORD, Server
from vault.audit import practitioner
from vault.records.content import new_id
from vault.records.scope import Scope


@dataclass
class Page:
    """A socket, and all that it was told."""

    wire: Wire
    heard: list[tuple[str, Any]]

    def desks(self) -> list[DeskView]:
        return [body for event, body in self.heard if event == "desk"]


@dataclass
class Desk:
    """Alice owns the practice; Bob assists her, and has a socket; a patient comes to her."""

    server: Server
    engagement: Engagement
    planned: Appointment
    pages: list[Page]

    @property
    def bob(self) -> Page:
        return self.pages[0]

    async def open(self, token: str) -> Page:
        heard: list[tuple[str, Any]] = []
        page = Page(Wire(self.server.origin, lambda event, body: heard.append((event, body))), heard)
        self.pages.append(page)
        await page.wire.open(token)
        return page

    async def patient(self) -> tuple[Page, str]:
        link = {"link": self.planned.id + self.planned.secret}
        token = (await self.server.call("POST", "/api/v1/join", link)).body["access_token"]
        page, me = await self.open(token), new_id()
        await page.wire.request("arrive", Arrive(appointment=self.planned.id, participant=me))
        return page, me

    async def refused(self, event: str, body: Any) -> str:
        with pytest.raises(Refusal) as refused:
            await self.bob.wire.request(event, body)
        return refused.value.code

    async def entered(self) -> list[tuple[str | None, str | None, str | None]]:
        found = [one async for one in self.server.store.audit.entries() if one.act == "worked-for"]
        return [(one.actor_name, one.subject_name, one.detail) for one in found]


@pytest.fixture
async def desk(server: Server) -> AsyncIterator[Desk]:
    store = server.store
    await store.organisation.establish(OPERATOR, PRACTICE)
    await store.organisation.name_owner(Scope.operator(server.alice.id))
    owner = await scope_of(store, server.alice.id)
    await store.organisation.set_roles(owner, server.bob.id, ["assistant"])
    engagement = await store.assistants.engage(owner, server.bob.id, server.alice.id)
    await server.sign_in("bob")
    ticket = (await server.call("POST", "/api/v1/desk/ticket", who="bob")).body["access_token"]
    desk = Desk(server, engagement, await server.appoint(server.alice), [])
    await desk.open(ticket)
    yield desk
    for page in desk.pages:
        await page.wire.close()


async def test_who_waits_is_seen_and_told_so(desk: Desk) -> None:
    alice = desk.server.alice.id
    view = await desk.bob.wire.request("watch", Watch(practitioner=alice))
    assert (view.practitioner, view.waiting) == (alice, [])
    patient, me = await desk.patient()
    await until(lambda: None if desk.bob.desks() else "no desk came")
    seen = desk.bob.desks()[-1]
    assert seen.practitioner == alice
    assert [(one.appointment, one.participant) for one in seen.waiting] == [(desk.planned.id, me)]
    await desk.bob.wire.request("tell", Tell(appointment=desk.planned.id, participant=me, message="soon"))
    await until(lambda: None if ("told", Told(message="soon")) in patient.heard else "no message came")
    names = [await desk.server.store.audit.name(practitioner(one)) for one in (desk.server.bob.id, alice)]
    assert await desk.entered() == [(*names, "watch"), (*names, "tell")]


async def test_nobody_else_is_seen_or_told_anything(desk: Desk) -> None:
    server = desk.server
    other = await server.store.organisation.add_account(OPERATOR, "eve@example.org", "correct horse", "Eve", "nl")
    theirs = await server.appoint(other)
    for whom in (other.id, new_id()):
        assert await desk.refused("watch", Watch(practitioner=whom)) == "not_found"
    _, me = await Desk(server, desk.engagement, theirs, desk.pages).patient()
    tell = Tell(appointment=theirs.id, participant=me, message="soon")
    assert await desk.refused("tell", tell) == "not_found"
    assert await desk.refused("tell", Tell(appointment=new_id(), participant=me, message="soon")) == "not_found"
    assert await desk.entered() == []


async def test_an_assistant_enters_no_consult(desk: Desk) -> None:
    _, me = await desk.patient()
    one = desk.planned.id
    assert await desk.refused("arrive", Arrive(appointment=one, participant=new_id())) == "not_found"
    assert await desk.refused("admit", Admit(appointment=one, participant=me, me=new_id())) == "not_found"
    joined = await desk.server.call("POST", f"/api/v1/appointments/{one}/join", who="bob")
    assert joined.code == "not_found"


async def test_who_waits_is_called_in_to_the_practitioner_where_that_one_lets_them(desk: Desk) -> None:
    store, server = desk.server.store, desk.server
    patient, me = await desk.patient()
    call_in = CallIn(appointment=desk.planned.id, participant=me)
    assert await desk.refused("call-in", call_in) == "not_found"
    await store.assistants.say(await scope_of(store, server.alice.id), desk.engagement.id, "whole", True, 1)
    assert await desk.refused("call-in", call_in) == "bad_state", "nobody is there yet"
    await server.run(desk.planned)
    await desk.bob.wire.request("call-in", call_in)

    def let_in() -> str | None:
        states = [body.me.state for event, body in patient.heard if event == "room"]
        return None if "admitted" in states else "nobody was let in"

    await until(let_in)
    consult = await server.app[SIGNALING].consults.live.load(desk.planned.id)
    assert consult is not None
    assert {one.seat for one in consult.admitted} == {"practitioner", "patient"}, "whoever called in is not there"
    assert [detail for _, _, detail in await desk.entered()] == ["call-in"] * 2
    assert await desk.refused("call-in", CallIn(appointment=new_id(), participant=me)) == "not_found"


@pytest.mark.parametrize("how", ["released", "practitioner deactivated"])
async def test_a_desk_that_ends_is_taken_away_and_the_page_goes_on(desk: Desk, how: str) -> None:
    server, store = desk.server, desk.server.store
    alice = server.alice.id
    await desk.patient()
    assert len((await desk.bob.wire.request("watch", Watch(practitioner=alice))).waiting) == 1
    if how == "released":
        await store.assistants.part(await scope_of(store, alice), desk.engagement.id)
    else:
        owner = await store.organisation.add_account(OPERATOR, "eve@example.org", "correct horse", "Eve", "nl")
        await store.organisation.name_owner(Scope.operator(owner.id))
        await store.organisation.set_state(await scope_of(store, owner.id), alice, "deactivated")
    await until(lambda: None if any(not one.waiting for one in desk.bob.desks()) else "somebody still waits there")
    before = len(desk.bob.desks())
    server.app[SIGNALING].consults.showing.show_desk(alice)
    await asyncio.gather(*server.app[SIGNALING].gate._tasks)
    assert await desk.refused("watch", Watch(practitioner=alice)) == "not_found"
    assert desk.bob.wire.connected
    assert len(desk.bob.desks()) == before


async def test_who_is_deactivated_is_gone(desk: Desk) -> None:
    await desk.bob.wire.request("watch", Watch(practitioner=desk.server.alice.id))
    owner = await scope_of(desk.server.store, desk.server.alice.id)
    await desk.server.store.organisation.set_state(owner, desk.server.bob.id, "deactivated")
    desk.server.store.organisation.standings._recent.clear()
    assert await desk.refused("watch", Watch(practitioner=desk.server.alice.id)) == "token_invalid"


async def test_what_is_planned_is_read_anew_by_every_desk_that_shows_it(desk: Desk) -> None:
    """Those of who works for the practitioner too; nobody else's."""
    server, path = desk.server, "/api/v1/appointments"
    await server.sign_in("alice")
    alices = await desk.open((await server.call("POST", "/api/v1/desk/ticket", who="alice")).body["access_token"])
    elsewhere = await desk.open((await server.call("POST", "/api/v1/desk/ticket", who="bob")).body["access_token"])
    await alices.wire.request("watch", Watch())
    await desk.bob.wire.request("watch", Watch(practitioner=server.alice.id))
    starts_at = (server.time.now() + timedelta(days=1)).isoformat(timespec="seconds")
    made = {"patient": "Jan", "starts_at": starts_at, "minutes": 30}
    one = (await server.call("POST", f"{path}?practitioner={server.alice.id}", made, who="bob")).body["appointment"]
    await heard_by([alices, desk.bob], 1, "planned")
    acts = [("POST", "/cancel"), ("POST", "/keep"), ("POST", "/end"), ("POST", "/reopen"), ("DELETE", "")]
    for number, (method, act) in enumerate(acts, start=2):
        answer = await server.call(method, f"{path}/{one}{act}", {} if act else None, who="alice")
        assert answer.status == 200, answer.body
        await heard_by([alices, desk.bob], number, f"{method} {act}")
    password = {"password": PASSWORD}
    assert (await server.call("POST", "/api/v1/account/destroy-all", password, who="alice")).status == 200
    await heard_by([alices, desk.bob], 7, "all destroyed")
    assert "agenda" not in [event for event, _ in elsewhere.heard], "only who watches"


async def heard_by(pages: list[Page], times: int, why: str) -> None:
    def late() -> str | None:
        counts = [[event for event, _ in page.heard].count("agenda") for page in pages]
        return None if counts == [times] * len(pages) else f"{why}: {counts}"

    await until(late)
