"""What an assistant does at their pages for those whom they work for, without scripts."""

import re
from datetime import UTC, date

import pytest

from client.wire import Wire
from practice.agenda.guests import Invitee
from practice.agenda.model import Appointment
from practice.organisation.model import MemberRole
from signaling.protocol.events import Arrive, Ended, Told
from signaling.protocol.waiting_room import AnnouncedView, Check, Declined, Say
from tests.client.waiting import until
from tests.organisations import scope_of
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.test_people import of_bob, send
from vault.audit import practitioner
from vault.records.content import new_id

DAY = date(2027, 3, 1)
FIELDS = {"patient": "Jan Jansen", "day": "2027-03-01", "time": "09:30", "minutes": "20", "language": "nl"}


def of_alice(server: Server, form: str = "", day: str = "2027-03-01") -> str:
    return f"/served/{server.alice.id}/{day}{form}"


@pytest.fixture
async def bob(server: Server, owner: Browser) -> Browser:
    """Bob, who works for Alice."""
    await send(owner, of_bob(server, "/roles"), version="1", roles="assistant")
    await send(owner, of_bob(server, "/engage"), practitioner=server.alice.id)
    assert (await server.sign_in("bob")).status == 200
    return Browser(server, "bob")


async def planned(server: Server, bob: Browser, **fields: str) -> Seen:
    return await send(bob, of_alice(server, "/plan"), **FIELDS | fields)


async def entries(server: Server) -> list[tuple[str, str | None, str | None]]:
    names = {await server.store.audit.name(practitioner(one.id)): one.mail for one in (server.alice, server.bob)}
    found = [entry async for entry in server.store.audit.entries()]
    return [(entry.act, names.get(entry.actor_name), names.get(entry.subject_name)) for entry in found]


async def test_an_assistant_is_led_to_those_whom_they_work_for(server: Server, bob: Browser) -> None:
    assert (await server.call("GET", "/api/v1/me", who="bob")).body["assists"] is True
    assert "assists" not in (await server.call("GET", "/api/v1/me", who="alice")).body
    page = await bob.get("/served")
    assert f'href="{of_alice(server, day="today")}"' in page.html
    assert "<bdi>Alice</bdi>" in page.html
    assert (await bob.get(of_alice(server, day="today"))).status == 200
    assert 'href="/served"' in (await bob.get("/account")).html


async def test_a_day_is_planned_ended_reopened_and_destroyed(server: Server, bob: Browser) -> None:
    sent = await planned(server, bob)
    assert (sent.status, sent.location) == (303, f"{of_alice(server)}?done=planned")
    page = await bob.get(of_alice(server))
    assert "09.30 Jan Jansen" in " ".join(page.elements.text.split())
    (one,) = await server.store.appointments.list(await scope_of(server.store, server.alice.id), DAY, DAY)
    assert f"#{one.id}{one.secret}" in page.html
    for form, done in (
        ("end", "saved"),
        ("reopen", "saved"),
        ("cancel", "cancelled"),
        ("keep", "kept"),
        ("destroy", "appointment-destroyed"),
    ):
        sent = await send(bob, of_alice(server, f"/{form}"), appointment=one.id)
        assert (sent.status, sent.location) == (303, f"{of_alice(server)}?done={done}"), form
    assert "Jan Jansen" not in (await bob.get(of_alice(server))).html
    alice, by = server.alice.mail, server.bob.mail
    found = [one for one in await entries(server) if one[1] == by and one[0] != "signed-in"]
    assert [one for one in found if one[0] == "worked-for"] == [("worked-for", by, alice)] * 6
    assert {"appointment-created", "appointment-ended", "appointment-changed", "destroyed"} <= {one[0] for one in found}
    assert ("appointments-listed", by, alice) in found


async def test_what_is_seldom_meant_is_asked_about(server: Server, bob: Browser) -> None:
    await planned(server, bob)
    asked = await planned(server, bob, time="09:40")
    assert asked.status == 409
    assert "Kruis hieronder aan" in asked.elements.text
    assert asked.field("anyway")["type"] == "checkbox"
    assert (await planned(server, bob, time="09:40", anyway="on")).status == 303


@pytest.mark.duty("S-13")
async def test_what_a_label_says_too_much_is_asked_about_beside_the_time(server: Server, bob: Browser) -> None:
    await planned(server, bob)
    known = {"patient": "Jan, zwanger", "time": "09:40"}
    asked = await planned(server, bob, **known)
    assert (asked.status, asked.hidden("patient")) == (422, "Jan, zwanger")
    assert "gezondheid" in asked.described("patient")
    (button,) = [one for tag, one in asked.elements.elements if tag == "button" and one.get("name") == "keep"]
    asked = await planned(server, bob, **known, keep=button["value"])
    assert (asked.status, asked.hidden("keep")) == (409, "medical"), "what was meant is not asked about again"
    assert (await planned(server, bob, **known, keep="medical", anyway="on")).status == 303
    for wrong in ("x" * 101, "citizen-nl"):
        assert (await planned(server, bob, **known, keep=wrong, anyway="on")).status == 422


async def one_of(server: Server) -> Appointment:
    """The first of Alice's day."""
    return (await server.store.appointments.list(await scope_of(server.store, server.alice.id), DAY, DAY))[0]


async def corrected(server: Server, bob: Browser, seen: int, **fields: str) -> Seen:
    one = await one_of(server)
    path = f"/served/{server.alice.id}/appointments/{one.id}/correct"
    return await send(bob, path, **FIELDS | {"version": str(seen)} | fields)


@pytest.mark.duty("S-42")
async def test_one_is_corrected_by_the_rules_of_the_desk(server: Server, bob: Browser) -> None:
    await planned(server, bob)
    await planned(server, bob, time="11:00", patient="Piet")
    one = await one_of(server)
    page = f"/served/{server.alice.id}/appointments/{one.id}"
    assert f'href="{page}"' in (await bob.get(of_alice(server))).html
    assert (await bob.get(page)).field("time")["value"] == "09:30"
    for asked, field in (({"time": "11:10"}, "anyway"), ({"patient": "Jan, zwanger"}, "patient")):
        answer = await corrected(server, bob, 1, **asked)
        assert answer.status in (409, 422) and answer.field(field), asked
        assert await one_of(server) == one
    sent = await corrected(server, bob, 1, time="10:15", minutes="25")
    assert (sent.status, sent.location) == (303, f"{page}?done=saved")
    after = await one_of(server)
    assert (after.starts_at.astimezone(UTC).hour, after.minutes, after.patient) == (10, 25, "Jan Jansen")
    assert [one[0] for one in await entries(server)][-2:] == ["appointment-changed", "worked-for"]
    late = await corrected(server, bob, 1, patient="Jan de Vries", language="fr")
    assert (late.status, late.field("patient")["value"]) == (409, "Jan de Vries")
    assert (late.described("patient"), late.described("time")) == ("Nu opgeslagen: Jan Jansen", "Nu opgeslagen: 10:15")
    assert await one_of(server) == after
    seen = int(late.hidden("version"))
    again = await corrected(server, bob, seen, patient="Jan de Vries", time="10:15", minutes="25")
    assert (again.status, (await one_of(server)).patient) == (303, "Jan de Vries")


async def test_who_sees_initials_corrects_the_time_and_leaves_the_name(
    server: Server, owner: Browser, bob: Browser
) -> None:
    await planned(server, bob)
    page = await owner.get("/account/assistants")
    fields = {"engagement": page.hidden("engagement"), "version": page.hidden("version")}
    await send(owner, "/account/assistants/say", label="initials", **fields)
    assert (await corrected(server, bob, 1, patient="J. J.", time="10:00")).status == 303
    assert ((await one_of(server)).patient, (await one_of(server)).version) == ("Jan Jansen", 2)


async def test_what_cannot_be_corrected_is_said_and_changes_nothing(
    server: Server, owner: Browser, bob: Browser
) -> None:
    await planned(server, bob)
    one = await one_of(server)
    for wrong in ({"patient": ""}, {"day": "2099-01-01"}, {"time": "half tien"}, {"minutes": "4"}, {"version": "x"}):
        assert (await corrected(server, bob, 1, **wrong)).status == 422, wrong
    assert (await owner.get(f"/served/{server.alice.id}/appointments/{one.id}")).status == 404
    theirs = await server.appoint(server.bob)
    assert (await bob.get(f"/served/{server.alice.id}/appointments/{theirs.id}")).status == 404
    await server.run(one)
    held = await corrected(server, bob, 1, time="10:00")
    assert (held.status, "alleen naam en duur" in held.elements.text) == (409, True)
    await send(bob, of_alice(server, "/end"), appointment=one.id)
    assert (await bob.get(f"/served/{server.alice.id}/appointments/{one.id}")).status == 410
    assert (await one_of(server)).starts_at == one.starts_at


async def test_bad_input_is_told_and_changes_nothing(server: Server, bob: Browser) -> None:
    for wrong in (
        {"patient": ""}, {"patient": "\u200b"}, {"day": "1 maart"}, {"day": "2099-01-01"}, {"time": "half tien"},
        {"minutes": "4"}, {"minutes": "x"}, {"language": "es"},
    ):  # fmt: skip
        assert (await planned(server, bob, **wrong)).status == 422, wrong
    for form in ("end", "reopen", "cancel", "keep", "destroy"):
        assert (await send(bob, of_alice(server, f"/{form}"), appointment="A" * 22)).status == 404
    for day in ("x", "2027-13-01", "0001-01-01", "9999-12-31"):
        assert (await bob.get(of_alice(server, day=day))).status == 404
    assert "Geen afspraken" in (await bob.get(of_alice(server))).elements.text


async def test_labels_are_as_the_practitioner_says(server: Server, owner: Browser, bob: Browser) -> None:
    await planned(server, bob)
    page = await owner.get("/account/assistants")
    fields = {"engagement": page.hidden("engagement"), "version": page.hidden("version")}
    await send(owner, "/account/assistants/say", label="initials", **fields)
    seen = await bob.get(of_alice(server))
    assert "Jan Jansen" not in seen.html
    assert "<bdi>J. J.</bdi>" in seen.html


async def test_who_waits_is_seen_and_told_so(server: Server, bob: Browser) -> None:
    one = await server.appoint(server.alice, patient="Jan Jansen")
    link = {"link": one.id + one.secret}
    heard: list[object] = []
    wire = Wire(server.origin, lambda _, body: heard.append(body))
    await wire.open((await server.call("POST", "/api/v1/join", link)).body["access_token"])
    try:
        me = new_id()
        await wire.request("arrive", Arrive(appointment=one.id, participant=me))
        await wire.request("check", Check(microphone="denied", camera="works"))
        queue = await bob.get("/served")
        assert "de browser blokkeert die: niet te horen" in queue.elements.text
        assert re.search(r"Wachtkamer\s+Jan Jansen\s+Voor:\s+Alice", queue.elements.text)
        assert (await entries(server))[-1] == ("worked-for", server.bob.mail, server.alice.mail)
        page = await bob.get(of_alice(server, day="today"))
        assert re.search(r"Wachtkamer\s+Jan Jansen", page.elements.text)
        told = await send(
            bob, of_alice(server, "/tell", "today"), appointment=one.id, participant=me, message="five-minutes"
        )
        assert told.location == f"{of_alice(server, day='today')}?done=told"
        await until(lambda: None if Told(message="five-minutes") in heard else "no message came")
        assert (await entries(server))[-1] == ("worked-for", server.bob.mail, server.alice.mail)
        sent = await send(bob, of_alice(server, "/announce", "today"), status="away", delay="20")
        assert sent.location == f"{of_alice(server, day='today')}?done=announced"
        away = AnnouncedView(status="away", delay=20)
        await until(lambda: None if away in heard else "nothing was announced")
        assert (await send(bob, of_alice(server, "/announce", "today"), status="asleep")).status == 422
        where = {"appointment": one.id, "participant": me}
        sent = await send(bob, of_alice(server, "/write", "today"), text="Nog <even> geduld", **where)
        assert sent.status == 303
        await wire.request("say", Say(text="Goed & wel"))
        html = (await bob.get(of_alice(server, day="today"))).html
        assert "Nog &lt;even&gt; geduld" in html and "Goed &amp; wel" in html
        assert (await send(bob, of_alice(server, "/write", "today"), text="x" * 501, **where)).status == 422
        assert "/decline" not in html, "Bob may not let anybody in, nor send away"
        assert (await send(bob, of_alice(server, "/decline", "today"), **where)).status == 404
        wrong = {"appointment": one.id, "participant": "A" * 22, "message": "soon"}
        assert (await send(bob, of_alice(server, "/tell", "today"), **wrong)).status == 404
        assert (await send(bob, of_alice(server, "/tell", "today"), **wrong | {"message": "hello"})).status == 422
    finally:
        await wire.close()


async def test_who_may_let_in_also_declines_in_words(server: Server, owner: Browser, bob: Browser) -> None:
    page = await owner.get("/account/assistants")
    fields = {"engagement": page.hidden("engagement"), "version": page.hidden("version")}
    await send(owner, "/account/assistants/say", label="whole", admits="on", **fields)
    one = await server.appoint(server.alice, patient="Jan Jansen")
    heard: list[object] = []
    wire = Wire(server.origin, lambda _, body: heard.append(body))
    await wire.open((await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})).body["access_token"])
    try:
        me, today = new_id(), of_alice(server, day="today")
        await wire.request("arrive", Arrive(appointment=one.id, participant=me))
        assert 'data-testid="decline"' in (await bob.get(today)).html
        where = {"appointment": one.id, "participant": me}
        for wrong in ({"message": "go-away"}, {"text": "x" * 501}, {"text": "a\u0000b"}):
            assert (await send(bob, f"{today}/decline", **where, **wrong)).status == 422, wrong
        sent = await send(bob, f"{today}/decline", **where, message="call-us", text=" Bel <na> tienen ")
        assert sent.location == f"{today}?done=declined"
        ended = Ended(reason="ended", declined=Declined(message="call-us", text="Bel <na> tienen"))
        await until(lambda: None if ended in heard else "nothing was said")
        assert (await entries(server))[-1] == ("worked-for", server.bob.mail, server.alice.mail)
        assert "Jan Jansen" not in (await bob.get("/served")).html
        assert (await send(bob, f"{today}/decline", **where)).status == 404
    finally:
        await wire.close()


async def test_a_guest_who_was_just_taken_off_is_not_shown_as_the_patient(server: Server, bob: Browser) -> None:
    one = await server.appoint(server.alice, patient="Jan Jansen")
    alice = await scope_of(server.store, server.alice.id)
    invitee = Invitee("Maria Kowalska", "interpreter", "nl")
    (guest,) = (await server.store.guests.add(alice, one.id, invitee)).guests
    wire = Wire(server.origin, lambda *_: None)
    await wire.open((await server.call("POST", "/api/v1/join", {"link": one.id + guest.secret})).body["access_token"])

    def named() -> str:
        found = re.search(r'data-testid="waiting".*?<strong><bdi>(.*?)</bdi></strong>', page.html, re.DOTALL)
        return found[1] if found else ""

    try:
        await wire.request("arrive", Arrive(appointment=one.id, participant=new_id()))
        page = await bob.get(of_alice(server, day="today"))
        assert named() == "Maria Kowalska" and "tolk bij Jan Jansen" in page.elements.text
        await server.store.guests.remove(alice, one.id, guest.id)
        page = await bob.get(of_alice(server, day="today"))
        assert named() == "Onbekende afspraak" and "gast bij Jan Jansen" in page.elements.text
    finally:
        await wire.close()


@pytest.mark.parametrize("role", ["practitioner", "auditor", "support", "department_administrator"])
async def test_to_others_there_is_nobody_to_work_for(
    server: Server, owner: Browser, bob: Browser, role: MemberRole
) -> None:
    theirs = f"/served/{server.bob.id}/today"
    for path in (theirs, f"/served/{'A' * 22}/today"):
        assert (await bob.get(path)).status == 404
        assert (await send(bob, f"{path}/plan", **FIELDS)).status == 404
    await be(server, role)
    assert (await owner.get("/served")).status == 404
    assert (await owner.get(theirs)).status == 404


async def test_a_day_that_was_taken_away_is_nowhere(server: Server, owner: Browser, bob: Browser) -> None:
    page = await owner.get("/account/assistants")
    await send(owner, "/account/assistants/part", engagement=page.hidden("engagement"))
    assert (await bob.get(of_alice(server))).status == 404
    assert (await planned(server, bob)).status == 404
    assert "U werkt nog voor niemand" in (await bob.get("/served")).elements.text
