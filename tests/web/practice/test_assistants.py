"""For whom an assistant works, said by pages without scripts: who looks after people, and the practitioner."""

import pytest

from practice.organisation.model import MemberRole
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser
from tests.web.practice.test_people import of_bob, send
from vault.audit import practitioner
from vault.records.scope import Scope


@pytest.fixture
async def assistant(server: Server, owner: Browser) -> Browser:
    """Bob is one, and signed in; Alice is an owner and a practitioner."""
    await send(owner, of_bob(server, "/roles"), version="1", roles="assistant")
    assert (await server.sign_in("bob")).status == 200
    return Browser(server, "bob")


async def entries(server: Server) -> list[tuple[str, str | None]]:
    return [(entry.act, entry.subject) async for entry in server.store.audit.entries()]


async def engage(server: Server, owner: Browser) -> None:
    sent = await send(owner, of_bob(server, "/engage"), practitioner=server.alice.id)
    assert (sent.status, sent.location) == (303, f"{of_bob(server)}?done=engaged")


async def test_an_assistant_is_set_to_work_and_released(server: Server, owner: Browser, assistant: Browser) -> None:
    page = await owner.get(of_bob(server))
    assert "Nog voor niemand." in page.elements.text
    assert [one["value"] for tag, one in page.elements.elements if tag == "option"] == ["", server.alice.id]
    await engage(server, owner)
    assert (await entries(server))[-2:] == [("engaged", "practitioner")] * 2
    page = await owner.get(f"{of_bob(server)}?done=engaged")
    assert "werkt nu voor deze behandelaar" in page.elements.text
    assert "option" not in [tag for tag, _ in page.elements.elements], "there is nobody else"
    sent = await send(owner, of_bob(server, "/release"), engagement=page.hidden("engagement"))
    assert (sent.status, sent.location) == (303, f"{of_bob(server)}?done=released")
    assert (await entries(server))[-2:] == [("people-listed", "practitioner"), ("engagement-ended", "practitioner")][
        1:
    ] * 2


async def test_of_who_is_no_assistant_the_page_says_nothing_of_it(server: Server, owner: Browser) -> None:
    page = await owner.get(of_bob(server))
    assert "Werkt voor" not in page.elements.text
    refused = await send(owner, of_bob(server, "/engage"), practitioner=server.alice.id)
    assert refused.status == 409


async def test_bad_input_is_told_and_changes_nothing(server: Server, owner: Browser, assistant: Browser) -> None:
    for fields, status in (
        ({"practitioner": ""}, 422),
        ({"practitioner": server.bob.id}, 422),
        ({"practitioner": "A" * 22}, 422),
        ({}, 422),
    ):
        page = await send(owner, of_bob(server, "/engage"), **fields)
        assert page.status == status, fields
    await engage(server, owner)
    again = await send(owner, of_bob(server, "/engage"), practitioner=server.alice.id)
    assert again.status == 409
    assert "werkt al voor deze behandelaar" in again.elements.text
    assert (await send(owner, of_bob(server, "/release"), engagement="A" * 22)).status == 404


async def test_a_practitioner_says_what_is_seen_and_ends_it(server: Server, owner: Browser, assistant: Browser) -> None:
    assert "Er werkt niemand voor u." in (await owner.get("/account/assistants")).elements.text
    assert "/account/assistants" in (await owner.get("/account")).html
    await engage(server, owner)
    page = await owner.get("/account/assistants")
    assert "<bdi>Bob</bdi>" in page.html
    fields = {"engagement": page.hidden("engagement"), "version": page.hidden("version")}
    sent = await send(owner, "/account/assistants/say", label="initials", **fields)
    assert (sent.status, sent.location) == (303, "/account/assistants?done=saved")
    assert (await entries(server))[-1] == ("engagement-changed", "practitioner")
    planned = await server.appoint(server.alice, patient="Jan Jansen")
    listed = await server.call("GET", f"/api/v1/appointments?practitioner={server.alice.id}", who="bob")
    assert [one["patient"] for one in listed.body["appointments"]] == ["J. J."]
    for more, status in (({"label": "whole"} | fields, 409), ({"label": "all"} | fields, 422), (fields, 422)):
        assert (await send(owner, "/account/assistants/say", **more)).status == status
    await send(owner, "/account/assistants/part", engagement=fields["engagement"])
    one = await server.call("GET", f"/api/v1/appointments/{planned.id}?practitioner={server.alice.id}", who="bob")
    assert one.code == "not_found"


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "auditor", "department_administrator"])
async def test_to_others_there_is_nothing_to_say(
    server: Server, owner: Browser, assistant: Browser, role: MemberRole
) -> None:
    await engage(server, owner)
    engagement = (await owner.get(of_bob(server))).hidden("engagement")
    await be(server, role)
    assert (await send(owner, of_bob(server, "/engage"), practitioner=server.alice.id)).status == 404
    assert (await send(owner, of_bob(server, "/release"), engagement=engagement)).status == 404
    if role == "auditor":
        assert "Werkt voor" not in (await owner.get(of_bob(server))).elements.text


async def test_an_assistant_reads_for_whom_they_work(server: Server, owner: Browser, assistant: Browser) -> None:
    assert (await server.call("GET", "/api/v1/served", who="bob")).body == {"practitioners": []}
    await engage(server, owner)
    served = (await server.call("GET", "/api/v1/served", who="bob")).body["practitioners"]
    assert served == [{"practitioner": server.alice.id, "display_name": "Alice", "label": "whole", "admits": False}]
    assert (await server.call("GET", "/api/v1/served", who="alice")).code == "not_found"


async def test_what_an_assistant_does_is_entered_with_who_and_for_whom(
    server: Server, owner: Browser, assistant: Browser
) -> None:
    await engage(server, owner)
    new = {"patient": "Jan", "starts_at": "2027-03-01T09:00:00+01:00", "minutes": 30}
    whom = f"?practitioner={server.alice.id}"
    made = await server.call("POST", f"/api/v1/appointments{whom}", new, who="bob")
    assert made.status == 201
    one = f"/api/v1/appointments/{made.body['appointment']}"
    calls = [("GET", one), ("POST", f"{one}/end"), ("POST", f"{one}/reopen"), ("DELETE", one)]
    for method, path in calls:
        assert (await server.call(method, path + whom, who="bob")).status == 200, path
    found = [entry async for entry in server.store.audit.entries()][-10:]
    bob, alice = [await server.store.audit.name(practitioner(person.id)) for person in (server.bob, server.alice)]
    assert [entry.actor_name for entry in found] == [bob] * 10
    acts = ["appointment-created", "appointment-read", "appointment-ended", "appointment-changed", "destroyed"]
    assert [entry.act for entry in found[::2]] == acts
    assert [(entry.act, entry.subject_name, entry.detail) for entry in found[1::2]] == [
        ("worked-for", alice, act) for act in acts
    ]
    assert (await server.call("GET", "/api/v1/receipts", who="alice")).body["receipts"]


async def test_of_whom_one_does_not_work_for_there_is_nothing(
    server: Server, owner: Browser, assistant: Browser
) -> None:
    planned = await server.appoint(server.alice)
    one = f"/api/v1/appointments/{planned.id}"
    new = {"patient": "Jan", "starts_at": "2027-03-01T09:00:00+01:00", "minutes": 30}
    for whom in (f"?practitioner={server.alice.id}", f"?practitioner={server.bob.id}", ""):
        for method, path, body in (
            ("GET", "/api/v1/appointments", None),
            ("POST", "/api/v1/appointments", new),
            ("GET", one, None),
            ("POST", f"{one}/end", None),
            ("POST", f"{one}/reopen", None),
            ("PUT", f"{one}/attendance", {"attended": "held"}),
            ("POST", f"{one}/cancel", {"tell": True}),
            ("POST", f"{one}/keep", None),
            ("DELETE", one, None),
        ):
            answer = await server.call(method, path + whom, body, who="bob")
            assert (answer.status, answer.code) == (404, "not_found"), (method, path, whom)
    wrong = await server.call("GET", "/api/v1/appointments?practitioner=a%20b", who="bob")
    assert (wrong.status, wrong.code) == (400, "invalid")
    assert await server.store.appointments.get(Scope.practitioner(server.alice.id), planned.id) == planned


async def test_who_is_both_has_an_agenda_and_works_for_another(
    server: Server, owner: Browser, assistant: Browser
) -> None:
    await engage(server, owner)
    page = await owner.get(of_bob(server))
    await send(owner, of_bob(server, "/roles"), version=page.hidden("version"), roles=["assistant", "practitioner"])
    await server.appoint(server.alice, patient="Van Alice")
    await server.appoint(server.bob, patient="Van Bob")
    for whom, patient in (("", "Van Bob"), (f"?practitioner={server.bob.id}", "Van Bob"),
                          (f"?practitioner={server.alice.id}", "Van Alice")):  # fmt: skip
        listed = await server.call("GET", f"/api/v1/appointments{whom}", who="bob")
        assert [one["patient"] for one in listed.body["appointments"]] == [patient]
