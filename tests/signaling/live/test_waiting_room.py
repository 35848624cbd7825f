"""What whoever waits says and is told, between real pages on two nodes."""

from collections.abc import Awaitable, Callable

import pytest

from tests.signaling.live.cast import Node, Person, Practice, Worker, until


def beside(desk: Person) -> list[dict[str, object]]:
    """Who waits, as the newest view of the desk has them."""
    newest = max(desk.events("desk"), key=lambda view: int(view["version"]), default={"waiting": []})
    return list(newest["waiting"])


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
        await until(lambda shown=shown: beside(doctor)[0].get("check") == shown, f"the desk shows {shown}")
    for wrong in ({"microphone": "works"}, {"microphone": "works", "camera": "my number is 0612345678"}):
        assert await patient.code("check", wrong) == "invalid"
    assert await doctor.code("check", {"microphone": "works", "camera": "works"}) == "forbidden"
    await doctor.admit(practice.appointment.id, patient)
    await patient.do("check", {"microphone": "missing", "camera": "missing"})
    assert (await patient.do("snapshot"))["me"]["state"] == "admitted"
