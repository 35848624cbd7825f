"""What both sides can is agreed upon at the beginning, and nobody who says nothing notices."""

import json

import pytest

from signaling.protocol.capabilities import CAPABILITIES
from tests.signaling.live.cast import Node, Practice, until
from tests.signaling.live.raw import raw

SUPPORTED = {"oldest": 1, "newest": 1}


@pytest.mark.parametrize(
    ("named", "both"),
    [
        ([], []),
        (["replay"], ["replay"]),
        (["telepathy", "once", "replay", "once"], ["once", "replay"]),
        (["x" * 64], []),
    ],
)
async def test_the_first_event_says_what_both_can(
    node: Node, practice: Practice, named: list[str], both: list[str]
) -> None:
    page = practice.patient_page()
    page.capabilities = named
    await page.connect(node)
    await page.arrive(practice.appointment.id)
    assert page.heard[0] == ("welcome", {"version": 1, "supported": SUPPORTED, "capabilities": both})


async def test_who_names_nothing_is_told_nothing_new(node: Node, practice: Practice) -> None:
    patient, doctor = await practice.talk(node)
    await doctor.do("chat", {"ciphertext": "aaaa"})
    await until(lambda: patient.events("chat"), "the message")
    assert {name for name, _ in patient.heard} <= {"room", "chat"}
    assert patient.numbered == []


@pytest.mark.parametrize("named", ["replay", [1], ["x" * 65], ["x"] * 65, {"replay": True}])
async def test_a_list_that_is_none_is_refused(node: Node, practice: Practice, named: object) -> None:
    async with raw(node) as client:
        token = practice.patient_page().token()
        await client.send(f"40{json.dumps({'version': 1, 'token': token, 'capabilities': named})}")
        assert (await client.until("44"))["data"]["code"] == "invalid"


@pytest.mark.parametrize("version", [0, 2, -1, 10**30])
async def test_an_unsupported_version_is_told_which_are(node: Node, version: int) -> None:
    async with raw(node) as client:
        await client.send(f'40{{"version":{version},"of":"the future","token":"x"}}')
        error = (await client.until("44"))["data"]
    assert (error["code"], error["supported"]) == ("version_unsupported", SUPPORTED)


def test_every_capability_is_described() -> None:
    assert all(len(what) > 20 for what in CAPABILITIES.values())
