"""Guests with an address are told as the patient is, each of their own link, in their own language."""

from datetime import timedelta
from typing import Any

import pytest

from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server
from tests.signaling.test_inviting import inviting, plan, send, told
from vault.records.scope import Label, Scope

__all__ = ["inviting"]

MARIA = {"name": "Maria Kowalska", "role": "interpreter", "language": "en", "mail": "maria@example.com"}


async def with_guest(server: Server, **patient: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    one = await plan(server, **patient)
    path = f"/api/v1/appointments/{one['appointment']}/guests"
    answer = await server.call("POST", path, MARIA, who="alice")
    assert answer.status == 201, answer.body
    return one, dict(answer.body["guests"][0])


async def guest_of(server: Server, one: dict[str, Any]) -> dict[str, Any]:
    answer = await server.call("GET", f"/api/v1/appointments/{one['appointment']}", who="alice")
    return dict(answer.body["guests"][0])


async def guest_told(server: Server, one: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["word"], each["state"]) for each in (await guest_of(server, one)).get("told", [])]


def read(mails: MailServer) -> dict[str, tuple[str, str]]:
    """Subject and text by address, and an empty box."""
    found = {}
    for mail in mails.taken:
        body = mail.message.get_body(("plain",))
        assert body is not None
        found[str(mail.message["To"])] = str(mail.message["Subject"]), str(body.get_content())
    mails.taken.clear()
    return found


async def test_each_is_invited_with_their_own_link_and_only_theirs_is_opened(
    inviting: Server, mails: MailServer
) -> None:
    one, guest = await with_guest(inviting)
    assert await guest_told(inviting, one) == [("invitation", "queued")]
    await send(inviting)
    letters = read(mails)
    assert set(letters) == {"jan@example.com", "maria@example.com"}
    subject, text = letters["maria@example.com"]
    assert subject.startswith("Your video appointment") and guest["link"] in text and one["link"] not in text
    assert guest["link"] not in letters["jan@example.com"][1]
    joined = await inviting.call("POST", "/api/v1/join", {"link": guest["link"].partition("#")[2]})
    assert joined.status == 200
    assert await guest_told(inviting, one) == [("invitation", "opened")]
    assert await told(inviting, one) == [("invitation", "sent")]


async def test_a_guest_is_told_where_the_patient_has_no_address(inviting: Server, mails: MailServer) -> None:
    one, _ = await with_guest(inviting, mail=None)
    await send(inviting)
    assert set(read(mails)) == {"maria@example.com"}
    moved = (inviting.time.now() + timedelta(hours=3)).isoformat()
    path, seen = f"/api/v1/appointments/{one['appointment']}", one["version"] + 1
    answer = await inviting.call("PATCH", path, {"seen": seen, "starts_at": moved, "anyway": True}, who="alice")
    assert answer.status == 200, answer.body
    await send(inviting)
    assert read(mails)["maria@example.com"][0].startswith("Changed")
    assert (await inviting.call("POST", f"{path}/cancel", {}, who="alice")).status == 200
    await send(inviting)
    subject, text = read(mails)["maria@example.com"]
    assert subject.startswith("Cancelled") and "#" not in text


async def test_another_link_is_told_and_the_removed_hear_nothing(inviting: Server, mails: MailServer) -> None:
    one, guest = await with_guest(inviting, mail=None)
    path = f"/api/v1/appointments/{one['appointment']}/guests"
    assert (await inviting.call("POST", f"{path}/{guest['guest']}/link", {}, who="alice")).status == 200
    await send(inviting)
    renewed = await guest_of(inviting, one)
    (letter,) = read(mails).values()
    assert renewed["link"] in letter[1] and guest["link"] not in letter[1]
    for _ in range(4):
        renewed = await guest_of(inviting, one)
        assert (await inviting.call("POST", f"{path}/{renewed['guest']}/link", {}, who="alice")).status == 200
    renewed = await guest_of(inviting, one)
    often = await inviting.call("POST", f"{path}/{renewed['guest']}/link", {}, who="alice")
    assert (often.status, often.body["error"]["code"]) == (429, "told_often")
    assert (await inviting.call("DELETE", f"{path}/{renewed['guest']}", who="alice")).status == 200
    await send(inviting)
    assert read(mails) == {}


@pytest.mark.parametrize("label", ["whole", "initials", "pseudonym"])
async def test_who_is_shown_no_address_tells_as_seldom(inviting: Server, label: Label) -> None:
    (one, _), (other, guest) = await with_guest(inviting), await with_guest(inviting, anyway=True)
    store = inviting.store
    await store.organisation.establish(OPERATOR, PRACTICE)
    await store.organisation.name_owner(Scope.operator(inviting.alice.id))
    owner = await scope_of(store, inviting.alice.id)
    await store.organisation.set_roles(owner, inviting.bob.id, ["assistant"])
    engagement = await store.assistants.engage(owner, inviting.bob.id, inviting.alice.id)
    if label != "whole":
        await store.assistants.say(owner, engagement.id, label, False, 1)
    await inviting.sign_in("bob")
    appointments, for_alice = "/api/v1/appointments", f"?practitioner={inviting.alice.id}"
    path = f"{appointments}/{one['appointment']}/invitation{for_alice}"
    answers = [await inviting.call("POST", path, {}, who="bob") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert ("mail" in answers[0].body) == (label == "whole")
    found = [guest["guest"]]
    for expected in [200] * 5 + [429]:
        path = f"{appointments}/{other['appointment']}/guests/{found[-1]}/link{for_alice}"
        answer = await inviting.call("POST", path, {}, who="bob")
        assert answer.status == expected
        found += [each["guest"] for each in answer.body.get("guests", [])]


async def test_a_cancelling_that_nobody_is_told_of_is_told_to_no_guest(inviting: Server, mails: MailServer) -> None:
    one, _ = await with_guest(inviting)
    await send(inviting)
    read(mails)
    path = f"/api/v1/appointments/{one['appointment']}/cancel"
    assert (await inviting.call("POST", path, {"tell": False}, who="alice")).status == 200
    await send(inviting)
    assert read(mails) == {}


async def test_a_wrong_address_is_refused_with_its_field(inviting: Server) -> None:
    one = await plan(inviting)
    path = f"/api/v1/appointments/{one['appointment']}/guests"
    answer = await inviting.call("POST", path, MARIA | {"mail": "nobody"}, who="alice")
    assert (answer.status, answer.body["error"]["field"]) == (400, "mail")
    answer = await inviting.call("POST", path, MARIA | {"phone": "+31612345678"}, who="alice")
    assert (answer.status, answer.body["error"]["reason"]) == (400, "provider")
