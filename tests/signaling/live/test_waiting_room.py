"""What whoever waits says and is told, between real pages on two nodes."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from tests.signaling.live.cast import Node, Person, Practice, Worker, until


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
    words = node.signaling.consults.words
    sealed = words.sealed("hello", "a", "patient", "written")
    assert words.opened(sealed, "a", "patient", "written") == "hello"
    for wrong in (
        (sealed, "b", "patient", "written"),
        (sealed, "a", "guest-1", "written"),
        (sealed, "a", "patient", "said"),
    ):
        assert words.opened(*wrong) is None
    assert words.opened("no base64", "a", "patient", "written") is None
