"""What whoever waits says and is told, between real pages on two nodes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from rooms.announced import NOTHING, announced_key, overrun
from tests.opening import of
from tests.signaling.live.cast import Node, Person, Practice, Worker, until, utc_now


def beside(desk: Person) -> list[dict[str, Any]]:
    """Who waits, as the newest view of the desk has them."""
    views: list[dict[str, Any]] = [{"version": 0, "waiting": []}, *desk.events("desk")]
    waiting: list[dict[str, Any]] = max(views, key=lambda view: int(view["version"]))["waiting"]
    return waiting


def shows(desk: Person, check: dict[str, Any]) -> bool:
    return bool(beside(desk)[0].get("check") == check)


@pytest.fixture
async def elsewhere(nodes: Callable[..., Awaitable[Node]]) -> Node:
    return await nodes()


async def test_how_devices_are_stands_beside_who_waits_before_they_are_called_in(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice
) -> None:
    doctor = await practice.practitioner_page().connect(elsewhere)
    await doctor.do("watch")
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    await until(lambda: beside(doctor), "the desk shows who waits")
    assert "check" not in beside(doctor)[0], "an app that says nothing of it"
    for microphone, camera, shown in (
        ("denied", "works", {"grade": "red", "device": "microphone", "found": "denied"}),
        ("works", "busy", {"grade": "amber", "device": "camera", "found": "busy"}),
        ("works", "works", {"grade": "green", "device": None, "found": None}),
    ):
        await patient.do("check", {"microphone": microphone, "camera": camera})
        await until(partial(shows, doctor, shown), f"the desk shows {shown}")
    for wrong in ({"microphone": "works"}, {"microphone": "works", "camera": "my number is 0612345678"}):
        assert await patient.code("check", wrong) == "invalid"
    assert await doctor.code("check", {"microphone": "works", "camera": "works"}) == "forbidden"
    await doctor.admit(practice.appointment.id, patient)
    await patient.do("check", {"microphone": "missing", "camera": "missing"})
    assert (await patient.do("snapshot"))["me"]["state"] == "admitted"


async def everything(node: Node) -> bytes:
    """All that Redis has."""
    redis, found = node.signaling.redis, []
    async for key in redis.scan_iter("*"):
        found += [key, await redis.dump(key) or b""]
    return b"".join(found)


async def test_words_reach_who_waits_and_the_answer_the_desk_and_both_are_gone_with_admission(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    doctor = await practice.practitioner_page().connect(elsewhere)
    await doctor.do("watch")
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    to = {"appointment": practice.appointment.id, "participant": patient.id}
    await doctor.do("write", to | {"text": "  Zit u bij het raam?  "})
    await until(lambda: patient.view.get("written") == "Zit u bij het raam?", "it arrives, trimmed")
    await patient.do("say", {"text": "Ja, zonder licht"})
    await until(lambda: beside(doctor)[0].get("said") == "Ja, zonder licht", "the answer arrives")
    assert beside(doctor)[0]["written"] == "Zit u bij het raam?", "every desk sees what was written"
    stored = await everything(node)
    assert b"raam" not in stored
    assert b"licht" not in stored

    again = await practice.patient_page().connect(elsewhere)
    view = await again.arrive(practice.appointment.id, take_over=True)
    assert view["written"] == "Zit u bij het raam?", "the same place, the page loaded anew"
    await doctor.admit(practice.appointment.id, again)
    await until(lambda: again.view["me"]["state"] == "admitted", "called in")
    assert "written" not in again.view
    consult = await node.signaling.consults.live.load(practice.appointment.id)
    assert consult is not None
    assert {(one.written, one.said) for one in consult.participants} == {(None, None)}
    await again.do("say", {"text": "Too late"})
    assert beside(doctor) == []
    assert not {"raam", "licht"} & set(caplog.text.replace("?", " ").split())


async def test_words_that_are_none_or_too_many_change_nothing(node: Node, practice: Practice) -> None:
    doctor = await practice.practitioner_page().connect(node)
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    to = {"appointment": practice.appointment.id, "participant": patient.id}
    await doctor.do("write", to | {"text": "x" * 500})
    await until(lambda: patient.view.get("written") == "x" * 500, "five hundred arrive")
    for wrong in ("", " ", "\u200b", "two\nlines", "nul\x00", "x" * 501, 7, None):
        assert await doctor.code("write", to | {"text": wrong}) == "invalid", wrong
        assert await patient.code("say", {"text": wrong}) == "invalid", wrong
    for nobody in (to | {"participant": "nobody"}, to | {"appointment": "A" * 22}):
        assert await doctor.code("write", nobody | {"text": "hello"}) == "not_found"
    assert (await patient.do("snapshot"))["written"] == "x" * 500
    assert (await node.signaling.consults.live.desk(practice.practitioner)).waiting[0].said is None
    assert await patient.code("write", to | {"text": "hello"}) == "forbidden"
    assert await doctor.code("say", {"text": "hello"}) == "forbidden"


async def test_words_of_another_secret_or_place_are_none(node: Node) -> None:
    words = node.signaling.consults.beside.words
    sealed = words.sealed("hello", "a", "patient", "written")
    assert words.opened(sealed, "a", "patient", "written") == "hello"
    for wrong in (
        (sealed, "b", "patient", "written"),
        (sealed, "a", "guest-1", "written"),
        (sealed, "a", "patient", "said"),
    ):
        assert words.opened(*wrong) is None
    assert words.opened("no base64", "a", "patient", "written") is None


async def test_what_is_announced_reaches_all_who_wait_and_those_who_come_later(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice
) -> None:
    doctor = await practice.practitioner_page().connect(node)
    assert (await doctor.do("watch"))["announced"] == {"status": "open", "delay": None, "overrun": False}
    patient = await practice.patient_page().connect(elsewhere)
    await patient.arrive(practice.appointment.id)
    await doctor.do("announce", {"status": "away", "delay": 15})
    said = {"status": "away", "delay": 15, "overrun": False}
    await until(lambda: patient.events("announced") == [said], "who waits is told")
    await until(lambda: doctor.events("desk")[-1]["announced"] == said, "the desk shows what was said")
    late = await practice.patient_page().connect(node)
    await late.arrive(practice.appointment.id, take_over=True)
    await until(lambda: late.events("announced") == [said], "who comes later is told")
    for wrong in ({"status": "asleep"}, {"status": "open", "delay": 0}, {"status": "open", "delay": 241}, {}):
        assert await doctor.code("announce", wrong) == "invalid"
    assert await doctor.code("announce", {"status": "open", "practitioner": "A" * 22}) == "not_found"
    assert await late.code("announce", {"status": "open"}) == "forbidden"
    await doctor.admit(practice.appointment.id, late)
    await doctor.do("announce", {"status": "open"})
    await node.signaling.desks.announcing.look()
    await asyncio.sleep(1.5)
    assert late.events("announced") == [said], "who is in waits no more"


async def test_a_consult_that_overruns_makes_who_waits_late_and_shows_nothing_of_itself(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice
) -> None:
    begun = utc_now() - timedelta(minutes=37)
    long = await practice.store.appointments.create(of(practice.practitioner), "P.", begun, 30, "nl")
    inside, doctor = await Practice(practice.store, practice.practitioner, long).talk(node)
    patient = await practice.patient_page().connect(elsewhere)
    await patient.arrive(practice.appointment.id)
    await elsewhere.signaling.desks.announcing.look_for_overruns()
    late = {"status": "open", "delay": 10, "overrun": True}
    await until(lambda: late in patient.events("announced"), "late by seven minutes, up to the next five")
    await doctor.do("announce", {"status": "open", "delay": 45})
    by_hand = {"status": "open", "delay": 45, "overrun": False}
    await until(lambda: patient.events("announced")[-1] == by_hand, "what somebody says comes first")
    await doctor.do("announce", {"status": "open"})
    await until(lambda: patient.events("announced")[-1] == late, "nobody says anything any more")
    await doctor.do("chat", {"ciphertext": "abcd"})
    heard = json.dumps(patient.heard)
    for foreign in (long.id, inside.id, doctor.id, practice.practitioner, "chat", "slots", "key-"):
        assert foreign not in heard, "nothing of the consult that runs"
    assert not [view for view in patient.views if view["others"] or view["media"] or view["keys"]]
    await doctor.do("leave")
    await elsewhere.signaling.desks.announcing.look_for_overruns()
    await until(lambda: patient.events("announced")[-1]["delay"] is None, "it is over")


def test_a_consult_overruns_from_five_minutes_on() -> None:
    end = utc_now()
    for seconds, minutes in ((-60, None), (299, None), (300, 5), (301, 10), (600, 10), (3601, 65)):
        assert overrun(end, end + timedelta(seconds=seconds)) == minutes


@pytest.mark.parametrize("wrong", [b"not signed", b'{"status":"asleep"}', b"[]"])
async def test_what_others_put_in_redis_is_announced_to_nobody(node: Node, practice: Practice, wrong: bytes) -> None:
    owner, consults = practice.practitioner, node.signaling.consults
    key = announced_key(owner)
    forged = wrong if wrong == b"not signed" else node.signaling.authentic.sign(key, wrong)
    await node.signaling.redis.set(key, forged)
    assert await consults.beside.announcements.of([owner]) == {owner: NOTHING}


async def test_who_is_declined_reads_why_stays_out_and_may_come_again(
    node: Node, elsewhere: Node, practice: Practice
) -> None:
    doctor = await practice.practitioner_page().connect(node)
    await doctor.do("watch")
    patient = await practice.patient_page().connect(elsewhere)
    await patient.arrive(practice.appointment.id)
    to = {"appointment": practice.appointment.id, "participant": patient.id}
    for wrong in ({"message": "go away"}, {"text": ""}, {"text": "\u200b"}, {"text": "x" * 501}):
        assert await doctor.code("decline", to | wrong) == "invalid"
    for nobody in (to | {"participant": "nobody"}, to | {"appointment": "A" * 22}):
        assert await doctor.code("decline", nobody) == "not_found"
    assert await patient.code("decline", to) == "forbidden"
    await doctor.do("decline", to | {"message": "new-time", "text": "Volgende week"})
    said = {"reason": "ended", "declined": {"message": "new-time", "text": "Volgende week"}}
    await until(lambda: patient.events("ended") == [said], "it is told")
    await until(lambda: not beside(doctor), "nobody waits")
    await asyncio.sleep(2.5)
    assert beside(doctor) == [], "a page that stays open is not put back by the look of each second"
    assert await patient.code("say", {"text": "But"}) == "bad_state"
    assert (await patient.arrive(practice.appointment.id))["me"]["state"] == "waiting"
    await patient.leave_abruptly()
    await until(
        lambda: [one["connected"] for one in beside(doctor)] == [False], "the desk shows that the connection is lost"
    )
    assert await doctor.code("decline", to) == "not_found", "nobody would be told"


async def test_who_is_put_back_waits_without_media_until_called_in_again(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice
) -> None:
    patient, doctor = await practice.talk(node, at=elsewhere)
    await doctor.do("watch")
    inside, epoch = patient.view["resume"], patient.view["keys"]["epoch"]
    assert await patient.code("put-back", {"participant": doctor.id}) == "forbidden"
    assert await doctor.code("put-back", {"participant": "nobody"}) == "not_found"
    await doctor.do("put-back", {"participant": patient.id})
    await until(lambda: patient.view["me"]["state"] == "waiting", "out")
    assert (patient.view["others"], patient.view["media"], patient.view["keys"]) == ([], None, None)
    assert patient.view["held"] is True
    await until(lambda: [one.get("held") for one in beside(doctor)] == [True], "the desk shows it")
    assert await patient.code("chat", {"ciphertext": "abcd"}) == "forbidden"
    thief = await Person(inside).connect(node)
    view = await thief.arrive(practice.appointment.id, take_over=True)
    assert view["me"]["state"] == "waiting", "the ticket of before lets nobody in"
    await doctor.admit(practice.appointment.id, thief)
    await until(lambda: thief.view["me"]["state"] == "admitted", "called in again")
    assert thief.view["keys"]["epoch"] > epoch
    assert "held" not in thief.view
