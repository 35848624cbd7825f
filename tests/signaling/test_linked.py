"""A patient's link before the consult: what it is about, the file for a calendar, and what they say of coming."""

from dataclasses import replace
from datetime import timedelta

import pytest
from icalendar import Calendar

from practice.agenda.changes import Correction
from practice.agenda.model import Appointment, calendar_entry
from practice.agenda.wishes import WISHES, WORDS
from practice.storage import Store
from tests.opening import of
from tests.signaling.conftest import Answer, Server
from web.locale import CATALOGUES

DAY = timedelta(days=1)


async def planned(server: Server, minutes: int = 600) -> Appointment:
    return await server.appoint(server.alice, minutes)


async def say(server: Server, one: Appointment, wish: str = "cancel", typed: str = "afzeggen") -> Answer:
    body = {"link": one.id + one.secret, "language": "nl", "wish": wish, "typed": typed}
    return await server.call("POST", "/api/v1/join/wish", body)


async def as_stored(store: Store, one: Appointment) -> Appointment:
    return await store.appointments.get(of(one.owner), one.id)


async def test_what_was_typed_is_shown_on_the_desk_and_changes_nothing_else(server: Server) -> None:
    await server.sign_in("alice")
    one = await planned(server)
    answer = await say(server, one, "cancel", " Afzeggen. ")
    assert (answer.status, answer.body["wish"]) == (200, "cancel")
    days = f"first={one.starts_at.date() - DAY}&last={one.starts_at.date() + DAY}"  # it may be tomorrow by now
    (seen,) = (await server.call("GET", f"/api/v1/appointments?{days}", who="alice")).body["appointments"]
    assert (seen["wish"], seen["state"], seen["starts_at"]) == ("cancel", "planned", one.starts_at.isoformat())
    joined = await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})
    assert (joined.status, joined.body["wish"]) == (200, "cancel"), "the link stays good"
    server.store.notices.on = True
    for _ in range(2):
        assert (await say(server, one, "move", "verzetten")).body["wish"] == "move"
    (told,) = await server.store.notices.waiting()
    assert (told.news.word, told.news.to) == ("wished", server.alice.mail), "once, of what is new"
    last = [(entry.act, entry.detail) async for entry in server.store.audit.entries()][-1]
    assert last == ("patient-said", "move")


@pytest.mark.parametrize(
    ("wish", "typed"), [("cancel", ""), ("cancel", "verzetten"), ("move", "x"), ("cancel", "on"), ("move", "afzeggen")]
)
async def test_another_word_changes_nothing(server: Server, wish: str, typed: str) -> None:
    one = await planned(server)
    answer = await say(server, one, wish, typed)
    assert (answer.status, answer.code) == (400, "invalid")
    assert await as_stored(server.store, one) == one


async def test_a_link_of_nobody_says_nothing(server: Server) -> None:
    one = await planned(server)
    for link in ("A" * 44, one.id + "A" * 22, ""):
        for path in ("wish", "appointment", "calendar"):
            body = {"link": link, "language": "nl", "wish": "cancel", "typed": "afzeggen"}
            known = {"appointment": ("link",), "calendar": ("link", "language")}.get(path, tuple(body))
            answer = await server.call("POST", f"/api/v1/join/{path}", {name: body[name] for name in known})
            assert (answer.status, answer.code) == (404, "link_invalid"), path
    assert await as_stored(server.store, one) == one


async def test_moved_it_is_forgotten(server: Server) -> None:
    one = await planned(server)
    await say(server, one)
    said = await as_stored(server.store, one)
    store = server.store.appointments
    kept = await store.change(of(one.owner), one.id, Correction(said.version, patient="Another"))
    assert kept.wish == "cancel"
    moved = await store.change(
        of(one.owner), one.id, Correction(kept.version, starts_at=one.starts_at + timedelta(days=1))
    )
    assert moved.wish is None


async def test_too_late_the_link_says_with_whom_and_when_it_was(server: Server) -> None:
    one = await planned(server, -600)
    assert (await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})).code == "link_invalid"
    found = await server.call("POST", "/api/v1/join/appointment", {"link": one.id + one.secret})
    assert (found.status, found.body["window"]) == (200, "over")
    assert (found.body["practitioner_name"], found.body["starts_at"]) == ("Alice", one.starts_at.isoformat())
    assert "access_token" not in found.body
    assert (await say(server, one)).code == "link_invalid", "there is nothing to say of it any more"


async def test_the_file_for_a_calendar_is_neutral_and_keeps_its_name(server: Server) -> None:
    one = await planned(server)

    async def event() -> dict[str, object]:
        body = {"link": one.id + one.secret, "language": "en"}
        text = (await server.call("POST", "/api/v1/join/calendar", body)).body["calendar"]
        assert one.patient not in text and "Alice" not in text
        (found,) = Calendar.from_ical(text).walk("VEVENT")
        return {name: found.decoded(name) for name in ("uid", "dtstart", "dtend", "summary", "sequence")}

    before = await event()
    assert before["dtstart"] == one.starts_at.replace(microsecond=0)
    assert before["dtend"] == one.ends_at.replace(microsecond=0)
    assert before["summary"] == "Video appointment"
    later = Correction(one.version, starts_at=one.starts_at + timedelta(days=1))
    await server.store.appointments.change(of(one.owner), one.id, later)
    after = await event()
    assert after["uid"] == before["uid"]
    assert int(str(after["sequence"])) > int(str(before["sequence"]))
    moved = replace(one, version=one.version + 1)
    mailed = Correction(moved.version, mail="anna@example.org").of(moved)
    assert calendar_entry(mailed) == (after["uid"], after["sequence"]), "what is mailed from now on is the same entry"


def test_each_page_shows_the_word_that_counts() -> None:
    for wish in WISHES:
        assert {language: one.text(f"wish.{wish}.word") for language, one in CATALOGUES.items()} == WORDS[wish]
