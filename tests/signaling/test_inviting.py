"""An invitation over REST: planned, sent, opened, sent again with another link; who greets and who strays."""

from datetime import timedelta
from typing import Any

import pytest

from practice.agenda.cancelling import UNDO
from practice.outgoing import Door
from signaling.app import post
from signaling.couriers import courier
from signaling.gate import SIGNALING
from signaling.mailing import mailers
from signaling.typedefs import COURIER
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server
from tests.signaling.test_entries import acts

TO = "jan@example.com"


@pytest.fixture
async def inviting(server: Server, mails: MailServer) -> Server:
    """As with a mail server."""
    server.store.outbox.ways = frozenset({"mail"})
    settings, told = mails.settings(), server.app[SIGNALING].told
    by = mailers(server.store, settings, Door.of(settings))
    made = courier(server.store, by, server.origin, lambda: server.time.now().tzinfo, told)  # type: ignore[arg-type,return-value]  # its clock has a zone
    server.app._state[COURIER] = made
    await server.sign_in("alice")
    return server


async def plan(server: Server, **told: Any) -> dict[str, Any]:
    starts_at = (server.time.now() + timedelta(hours=1)).isoformat()
    body = {"patient": "Jan", "starts_at": starts_at, "minutes": 30, "language": "nl", "mail": TO} | told
    answer = await server.call("POST", "/api/v1/appointments", body, who="alice")
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def told(server: Server, one: dict[str, Any]) -> list[tuple[str, str]]:
    answer = await server.call("GET", f"/api/v1/appointments/{one['appointment']}", who="alice")
    return [(each["word"], each["state"]) for each in answer.body.get("told", [])]


async def send(server: Server) -> None:
    server.time.ahead += UNDO
    sender = server.app[COURIER]
    assert sender is not None
    await sender.round()


async def test_a_patient_is_invited_and_the_desk_sees_what_became_of_it(inviting: Server, mails: MailServer) -> None:
    made = await plan(inviting)
    assert (made["mail"], await told(inviting, made)) == (TO, [("invitation", "queued")])
    await send(inviting)
    (mail,) = mails.taken
    body = mail.message.get_body(("plain",))
    assert body is not None and made["link"] in str(body.get_content())
    assert await told(inviting, made) == [("invitation", "sent")]
    assert (await inviting.call("POST", "/api/v1/join", {"link": made["link"]})).status == 200
    assert await told(inviting, made) == [("invitation", "opened")]


async def test_it_is_sent_again_with_another_link(inviting: Server, mails: MailServer) -> None:
    made = await plan(inviting)
    await send(inviting)
    path = f"/api/v1/appointments/{made['appointment']}/invitation"
    again = await inviting.call("POST", path, {"new_link": True}, who="alice")
    assert again.status == 200 and again.body["link"] != made["link"]
    await send(inviting)
    assert len(mails.taken) == 2
    assert (await inviting.call("POST", "/api/v1/join", {"link": made["link"]})).code == "link_invalid"
    assert ("patient-told", "practitioner", None) in await acts(inviting)


async def test_who_has_no_address_is_not_invited(inviting: Server) -> None:
    made = await plan(inviting, mail=None)
    path = f"/api/v1/appointments/{made['appointment']}"
    answer = await inviting.call("POST", f"{path}/invitation", {}, who="alice")
    assert (answer.status, answer.code, answer.body["error"]["field"]) == (400, "invalid", "mail")
    corrected = await inviting.call("PATCH", path, {"seen": 1, "mail": TO}, who="alice")
    assert corrected.body["told"][0]["state"] == "queued"
    removed = await inviting.call("PATCH", path, {"seen": 2, "mail": ""}, who="alice")
    assert "mail" not in removed.body and "told" not in removed.body


async def test_a_patient_is_told_again_five_times_a_day(inviting: Server, mails: MailServer) -> None:
    """Of one appointment. Who may not invite uses nothing up, and where nobody is told, nothing is counted."""
    made, other = await plan(inviting), await plan(inviting, mail=None, anyway=True)
    path = f"/api/v1/appointments/{made['appointment']}/invitation"
    await inviting.sign_in("bob")
    assert {(await inviting.call("POST", path, {}, who="bob")).status for _ in range(6)} == {404}
    answers = [await inviting.call("POST", path, {"new_link": True}, who="alice") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    error = answers[-1].body["error"]
    assert error["code"] == "told_often" and 86_000 < error["retry_after"] <= 86_400
    kept = await inviting.call("GET", path.removesuffix("/invitation"), who="alice")
    assert kept.body["link"] == answers[-2].body["link"], "what is refused changes nothing"
    path = f"/api/v1/appointments/{other['appointment']}/invitation"
    answers = [await inviting.call("POST", path, {"new_link": True}, who="alice") for _ in range(6)]
    assert {answer.status for answer in answers} == {200}


async def test_nobody_else_invites(inviting: Server) -> None:
    made = await plan(inviting)
    await inviting.sign_in("bob")
    path = f"/api/v1/appointments/{made['appointment']}/invitation"
    assert (await inviting.call("POST", path, {}, who="bob")).status == 404


async def test_pages_are_told_whether_anybody_can_be_invited(server: Server, inviting: Server) -> None:
    assert (await inviting.call("GET", "/api/v1/me", who="alice")).body["sends"] is True
    inviting.store.outbox.ways = frozenset()
    assert "sends" not in (await inviting.call("GET", "/api/v1/me", who="alice")).body


async def test_the_server_sends_by_itself_and_counts(inviting: Server, mails: MailServer) -> None:
    made = await plan(inviting)
    inviting.time.ahead += UNDO
    sender = post(inviting.app)
    await anext(sender)
    await mails.arrived.wait()
    with pytest.raises(StopAsyncIteration):
        await anext(sender)
    assert made["appointment"]
    assert "spreekkamer_dispatches" in (await inviting.call("GET", "/metrics")).body
