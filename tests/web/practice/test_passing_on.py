"""Handing one patient who waits over to a colleague, by pages without scripts, while a real page waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from client.wire import Wire
from practice.agenda.model import Appointment
from signaling.gate import SIGNALING
from signaling.protocol.events import Arrive, Ended, Watch
from tests.client.waiting import until
from tests.opening import of
from tests.organisations import OPERATOR
from tests.signaling.conftest import PASSWORD, Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.test_served import of_alice
from vault.records.content import new_id


async def send(browser: Browser, path: str, **fields: str) -> Seen:
    return await browser.send(path, urlencode({"form_token": await browser.token(), **fields}))


@asynccontextmanager
async def waiting(server: Server, one: Appointment, heard: list[Any]) -> AsyncIterator[str]:
    """Somebody waits by this link; the participant's id."""
    wire, me = Wire(server.origin, lambda _, body: heard.append(body)), new_id()
    await wire.open((await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})).body["access_token"])
    await wire.request("arrive", Arrive(appointment=one.id, participant=me))
    try:
        yield me
    finally:
        await wire.close()


async def watched(server: Server, who: str, heard: list[tuple[str, Any]]) -> Wire:
    wire = Wire(server.origin, lambda event, body: heard.append((event, body)))
    await wire.open((await server.call("POST", "/api/v1/desk/ticket", who=who)).body["access_token"])
    await wire.request("watch", Watch())
    return wire


@pytest.fixture
async def colleague(server: Server, owner: Browser) -> Browser:
    """Bob, a practitioner of the same organisation as Alice."""
    assert (await server.sign_in("bob")).status == 200
    return Browser(server, "bob")


async def test_who_waits_is_the_colleagues_and_reads_whose_they_are(
    server: Server, owner: Browser, colleague: Browser
) -> None:
    one = await server.appoint(server.alice, patient="Jan Jansen")
    page, heard = f"/waits/{one.id}", list[Any]()
    assert (await owner.get(page)).status == 404, "nobody waits yet"
    desk: list[tuple[str, Any]] = []
    theirs = await watched(server, "bob", desk)
    async with waiting(server, one, heard):
        shown = await owner.get(page)
        assert shown.status == 200 and "Jan Jansen" in shown.html
        assert f'value="{server.bob.id}"' in shown.html and f'value="{server.alice.id}"' not in shown.html
        assert (await colleague.get(page)).status == 404
        assert (await send(colleague, f"{page}/hand-over", to=server.bob.id)).status == 404
        for wrong in (server.alice.id, "A" * 22, ""):
            assert (await send(owner, f"{page}/hand-over", to=wrong)).status == 422, wrong
        done = await send(owner, f"{page}/hand-over", to=server.bob.id)
        assert done.status == 200 and 'data-testid="passed-on"' in done.html
        await until(lambda: None if Ended(reason="left") in heard else f"{heard}")
    assert (await owner.get(page)).status == 410
    joined = await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})
    assert joined.status == 200 and joined.body["practitioner_name"] == "Bob"
    await until(lambda: None if "agenda" in [event for event, _ in desk] else "the other desk was not told")
    today = server.time.now().date()
    assert [each.patient for each in await server.store.appointments.list(of(server.bob.id), today, today)] == [
        "Jan Jansen"
    ]
    acts = [entry.act async for entry in server.store.audit.entries()]
    assert "appointment-handed-over" in acts
    await theirs.close()


async def test_who_was_let_in_meanwhile_stays(server: Server, owner: Browser, colleague: Browser) -> None:
    one = await server.appoint(server.alice)
    async with waiting(server, one, []) as me:
        await server.run(one)
        token = await owner.token()
        await server.app[SIGNALING].desks.greeting.call_in(server.alice.id, one.id, me)
        late = await owner.send(f"/waits/{one.id}/hand-over", urlencode({"form_token": token, "to": server.bob.id}))
        assert late.status == 404
        consult = await server.app[SIGNALING].consults.live.load(one.id)
        assert consult is not None and len(consult.admitted) == 2


async def test_an_assistant_who_may_let_in_hands_over_too(server: Server, owner: Browser) -> None:
    await send(owner, f"/practice/people/{server.bob.id}/roles", version="1", roles="assistant")
    await send(owner, f"/practice/people/{server.bob.id}/engage", practitioner=server.alice.id)
    assert (await server.sign_in("bob")).status == 200
    bob, today = Browser(server, "bob"), of_alice(server, day="today")
    carol = await server.store.organisation.add_account(OPERATOR, "carol@example.org", PASSWORD, "Carol", "nl")
    one, heard = await server.appoint(server.alice, patient="Jan Jansen"), list[Any]()
    async with waiting(server, one, heard) as me:
        where = {"appointment": one.id, "participant": me, "to": carol.id}
        assert (await send(bob, f"{today}/hand-over", **where)).status == 404, "Alice lets nobody in by others"
        page = await owner.get("/account/assistants")
        fields = {"engagement": page.hidden("engagement"), "version": page.hidden("version")}
        await send(owner, "/account/assistants/say", label="whole", admits="on", **fields)
        assert f'value="{carol.id}"' in (await bob.get(today)).html
        sent = await send(bob, f"{today}/hand-over", **where)
        assert sent.location == f"{today}?done=passed-on"
        await until(lambda: None if Ended(reason="left") in heard else f"{heard}")
    joined = await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})
    assert joined.body["practitioner_name"] == "Carol"
    found = [(entry.act, entry.detail) async for entry in server.store.audit.entries()]
    assert ("worked-for", "appointment-handed-over") in found
