"""Handing appointments over by a page without scripts; the patient's link, and the pages of both practitioners."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock
from urllib.parse import urlencode

import pytest

from client.wire import Wire
from practice.organisation.model import MemberRole
from signaling.gate import SIGNALING
from signaling.protocol.events import Arrive, Watch
from tests.client.waiting import PATIENCE, until
from tests.opening import of
from tests.organisations import found
from tests.signaling.conftest import PASSWORD, Opening, Server
from tests.signaling.test_rights import be
from tests.signaling.test_second_factor import shown, with_app
from tests.web.forms.conftest import Browser, Seen
from vault.destruction.handing import Handing
from vault.records.content import new_id
from vault.records.scope import Scope


def of_bob(server: Server, form: str = "") -> str:
    return f"/practice/people/{server.bob.id}/appointments{form}"


async def send(browser: Browser, path: str, **fields: str) -> Seen:
    return await browser.send(path, urlencode({"form_token": await browser.token(), **fields}))


def text(page: Seen) -> str:
    return " ".join(page.elements.text.split())


async def planned_by(server: Server, who: str) -> list[str]:
    """Today and tomorrow: an hour from now may be either."""
    first, last = (server.time.now().date() + timedelta(days=days) for days in (0, 1))
    listed = (await server.call("GET", f"/api/v1/appointments?first={first}&last={last}", who=who)).body
    return [one["patient"] for one in listed["appointments"]]


@pytest.mark.duty("S-28")
async def test_somebody_leaves_and_their_patients_find_the_other(server: Server, owner: Browser) -> None:
    appointment = await server.appoint(server.bob, minutes_from_now=10, patient="Jan Jansen")
    assert "Afspraken overdragen" in (await owner.get(f"/practice/people/{server.bob.id}")).html
    await send(owner, f"/practice/people/{server.bob.id}/state", state="deactivated")
    page = await owner.get(of_bob(server))
    assert "1 afspraak komt nog." in text(page)
    assert "Jan Jansen" not in page.html, "numbers, and no more"
    options = [one["value"] for tag, one in page.elements.elements if tag == "option" and "value" in one]
    assert options.count(server.alice.id) == 1
    assert server.bob.id not in options
    sent = await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=server.alice.id)
    assert (sent.status, sent.location) == (303, f"{of_bob(server)}?done=handed")
    page = await owner.get(sent.location)
    assert "Gedaan." in text(page)
    assert "Er is niets om over te dragen." in text(page)
    assert await planned_by(server, "alice") == ["Jan Jansen"]
    link = {"link": appointment.id + appointment.secret}
    joined = await server.call("POST", "/api/v1/join", link)
    assert (joined.status, joined.body["practitioner_name"]) == (200, "Alice")
    entries = [(entry.act, entry.actor, entry.subject) async for entry in server.store.audit.entries()]
    assert ("appointment-handed-over", "practitioner", "appointment") in entries
    assert ("destroyed", "practitioner", "receipt") in entries
    assert ("handing-over-asked", "practitioner", "practitioner") in entries


async def test_the_takers_desk_that_is_open_shows_them_at_once(server: Server, owner: Browser) -> None:
    await server.appoint(server.bob, minutes_from_now=60, patient="Jan Jansen")
    heard: list[tuple[str, Any]] = []
    desk = Wire(server.origin, lambda event, body: heard.append((event, body)))
    await desk.open((await server.call("POST", "/api/v1/desk/ticket", who="alice")).body["access_token"])
    await desk.request("watch", Watch())
    await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=server.alice.id)
    await until(lambda: None if "agenda" in [event for event, _ in heard] else "the desk was not told")
    assert await planned_by(server, "alice") == ["Jan Jansen"], "and is given them when it asks"
    await desk.close()


async def test_a_consult_with_somebody_in_it_goes_on(server: Server, owner: Browser, opening: Opening) -> None:
    """Told in words, beside what went over."""
    running = await server.appoint(server.bob, minutes_from_now=0)
    coming = await server.appoint(server.bob, minutes_from_now=60)
    await server.sign_in("bob")
    entrance = (await server.call("POST", f"/api/v1/appointments/{running.id}/join", who="bob")).body
    wire = await opening(entrance["access_token"])
    await wire.request("arrive", Arrive(appointment=running.id, participant=new_id()))
    assert await server.app[SIGNALING].in_progress(running.id)
    assert "1 afspraak is nu in een consult en blijft" in text(await owner.get(of_bob(server)))
    sent = await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=server.alice.id)
    assert sent.status == 303
    assert "1 afspraak is nu in een consult en blijft" in text(await owner.get(sent.location))
    assert await server.app[SIGNALING].in_progress(running.id)
    assert wire.connected
    assert (await server.store.appointments.get(of(server.bob.id), running.id)).id == running.id
    joined = await server.call("POST", "/api/v1/join", {"link": coming.id + coming.secret})
    assert joined.body["practitioner_name"] == "Alice"


async def test_who_waits_comes_back_to_the_other_by_the_same_link(server: Server, owner: Browser) -> None:
    appointment = await server.appoint(server.bob)
    heard: list[tuple[str, Any]] = []
    wire = Wire(server.origin, lambda event, body: heard.append((event, body)))
    link = {"link": appointment.id + appointment.secret}
    await wire.open((await server.call("POST", "/api/v1/join", link)).body["access_token"])
    await wire.request("arrive", Arrive(appointment=appointment.id, participant=new_id()))
    assert (await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=server.alice.id)).status == 303
    async with asyncio.timeout(PATIENCE):
        await wire._gone.wait()
    assert [body.reason for event, body in heard if event == "ended"] == ["left"]
    assert [event for event, _ in heard][-2:] == ["signed-out", "disconnect"]
    assert not await server.app[SIGNALING].consults.live.load(appointment.id)
    again = (await server.call("POST", "/api/v1/join", link)).body
    assert again["practitioner_name"] == "Alice"
    back = Wire(server.origin, lambda _event, _body: None)
    await back.open(again["access_token"])
    arrive = Arrive(appointment=again["appointment"], participant=new_id())
    assert await back.request("arrive", arrive) is not None
    desk = await server.app[SIGNALING].consults.live.desk(server.alice.id)
    assert [one.appointment for one in desk.waiting] == [again["appointment"]]
    await back.close()


@pytest.mark.parametrize("to", ["", "A" * 22, "A" * 23, "bob", "{bob}", "<b>"])
async def test_whoever_cannot_take_them_gets_nothing(server: Server, owner: Browser, to: str) -> None:
    await server.appoint(server.bob, minutes_from_now=60)
    page = await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=to.replace("{bob}", server.bob.id))
    assert page.status == 422
    assert page.field("to")["aria-invalid"] == "true"
    assert [one for _, one in page.elements.with_attribute("role") if one["role"] == "alert"]
    await server.sign_in("bob")
    assert len(await planned_by(server, "bob")) == 1


async def test_who_takes_over_is_told_and_nobody_of_what_is_refused(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.store.notices.on = True
    for to in ("A" * 22, server.bob.id, server.alice.id):
        await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=to)
    assert await server.store.notices.waiting() == [], "there was nothing"
    await server.appoint(server.bob, minutes_from_now=60)
    await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=server.alice.id)
    (told,) = await server.store.notices.waiting()
    assert (told.owner, told.news.word, told.news.to) == (server.alice.id, "taken-over", "alice@example.org")
    monkeypatch.setattr(Handing, "carry_out", AsyncMock(return_value=0))  # no sweep comes in between
    await server.store.retention.handing.ask(server.bob.id, server.alice.id, server.alice.id)
    assert (await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=server.alice.id)).status == 409
    assert len(await server.store.notices.waiting()) == 1


async def test_it_is_asked_for_by_password_and_a_code_that_only_what_is_done_uses_up(
    server: Server, owner: Browser
) -> None:
    await server.appoint(server.bob, minutes_from_now=60)
    path = of_bob(server, "/hand-over")
    for password in ("", "wrong"):
        page = await send(owner, path, password=password, to=server.alice.id)
        assert page.status in (401, 403, 422)
        assert page.field("password")["aria-invalid"] == "true"
    secret, _ = await with_app(server, server.alice)
    code = shown(server, secret)
    page = await send(owner, path, password=PASSWORD, to=server.alice.id)
    assert page.field("code")["aria-invalid"] == "true"
    assert (await send(owner, path, password=PASSWORD, code=code, to="A" * 22)).status == 422
    assert (await send(owner, path, password=PASSWORD, code=code, to=server.alice.id)).status == 303
    assert await planned_by(server, "alice") == ["Charlie"]
    await server.appoint(server.bob, minutes_from_now=60)
    again = await send(owner, path, password=PASSWORD, code=code, to=server.alice.id)
    assert again.field("code")["aria-invalid"] == "true", "it was used"


async def test_asked_twice_it_says_that_it_goes_on(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handing, "carry_out", AsyncMock(return_value=0))  # no sweep comes in between
    await server.appoint(server.bob, minutes_from_now=60)
    await server.store.retention.handing.ask(server.bob.id, server.alice.id, server.alice.id)
    assert "worden al overgedragen" in text(await owner.get(of_bob(server)))
    page = await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=server.alice.id)
    assert page.status == 409
    assert "worden al overgedragen" in text(page)


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator", "auditor"])
async def test_to_others_it_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await server.appoint(server.bob, minutes_from_now=60)
    await be(server, role)
    assert (await owner.get(of_bob(server))).status == 404
    assert (await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=server.alice.id)).status == 404
    assert (await owner.get(of_bob(server, "/hand-over"))).status == 303, "a form's address leads to its page"
    await server.sign_in("bob")
    assert len(await planned_by(server, "bob")) == 1


async def test_an_owners_are_another_owners_to_give_and_a_strangers_nobodys(server: Server, owner: Browser) -> None:
    alice = await server.store.organisation.standing(server.alice.id)
    assert alice is not None
    scope = Scope.practitioner(alice.account, alice.organisation, alice.roles)
    await server.store.organisation.set_roles(scope, server.bob.id, ["administrator", "practitioner"])
    await server.sign_in("bob")
    bob = Browser(server, "bob")
    assert (await bob.get(f"/practice/people/{server.alice.id}/appointments")).status == 404
    stranger = await server.store.practitioners.add("eve@example.org", PASSWORD, "Eve", "nl")
    await found(server.store, stranger.id, ["owner", "practitioner"])
    path = f"/practice/people/{stranger.id}/appointments"
    assert (await owner.get(path)).status == 404
    assert (await send(owner, f"{path}/hand-over", password=PASSWORD, to=server.alice.id)).status == 404
    assert (await send(owner, of_bob(server, "/hand-over"), password=PASSWORD, to=stranger.id)).status == 422
