"""The whole way of a consult through real Socket.IO clients, on each kind of Redis."""

from ipaddress import IPv4Address

import pytest
from pydantic import SecretStr

from practice.storage import Store
from tests.signaling.live.cast import LINES, SDP, Node, Practice, Worker, open_node, until
from turn.settings import TurnSettings
from vault.records.scope import Scope

EACH_REDIS = pytest.mark.parametrize("redis_url", ["redis", "fakeredis"], indirect=True)

COMMITMENT = "c" * 43
KEY = "k" * 87
WRAPPED = "w" * 80


@EACH_REDIS
async def test_a_patient_waits_is_admitted_talks_and_the_practitioner_ends_it(
    node: Node, worker: Worker, practice: Practice
) -> None:
    appointment = practice.appointment.id
    patient = await practice.patient_page().connect(node)
    doctor = await practice.practitioner_page().connect(node)
    desk = await doctor.do("watch")
    assert desk["waiting"] == []

    view = await patient.arrive(appointment)
    assert view["me"]["state"] == "waiting"
    assert (view["others"], view["media"], view["keys"]) == ([], None, None)
    desk = await until(lambda: doctor.events("desk") and doctor.events("desk")[-1], "the desk shows who waits")
    assert [one["participant"] for one in desk["waiting"]] == [patient.id]
    muted = {"microphone": False, "camera": True, "screen": False}
    await patient.do("indicate", muted)
    await until(lambda: doctor.events("desk")[-1]["waiting"][0]["indicators"] == muted, "who cannot be heard is known")

    view = await doctor.admit(appointment, patient)
    assert [one["participant"] for one in view["others"]] == [patient.id]
    view = await until(
        lambda: patient.views and patient.view["media"] and patient.view["media"]["ready"] and patient.view, "ready"
    )
    assert {member["participant"] for member in view["keys"]["members"]} == {patient.id, doctor.id}

    fence, epoch = view["media"]["fence"], view["keys"]["epoch"]
    answer = await patient.do("offer", {"fence": fence, "sdp": SDP, "lines": LINES})
    assert answer["sdp"] == f"answer to {patient.id}"
    answer = await doctor.do("offer", {"fence": fence, "sdp": SDP, "lines": LINES})
    assert answer["slots"] == [{"slot": 0, "participant": patient.id}]

    await doctor.do("key-commit", {"epoch": epoch, "version": 2, "commitment": COMMITMENT})
    await doctor.do("key-reveal", {"epoch": epoch, "key": KEY, "nonce": COMMITMENT, "last": [""], "withheld": 1})
    await doctor.do("key-wrap", {"epoch": epoch, "to": patient.id, "wrapped": WRAPPED})
    await doctor.do("chat", {"ciphertext": "abc"})
    await until(lambda: patient.events("chat"), "the chat arrives")
    committed = {"epoch": epoch, "version": 2, "commitment": COMMITMENT, "sender": doctor.id}
    assert patient.events("key-commit") == [committed]
    revealed = {"epoch": epoch, "key": KEY, "nonce": COMMITMENT, "last": [""], "withheld": 1, "sender": doctor.id}
    assert patient.events("key-reveal") == [revealed]
    assert patient.events("key-wrap") == [{"epoch": epoch, "wrapped": WRAPPED, "sender": doctor.id}]
    assert patient.events("chat") == [{"ciphertext": "abc", "sender": doctor.id}]

    await doctor.do("leave")
    await until(lambda: patient.events("ended"), "the patient hears of the end")
    await until(lambda: appointment not in worker.rooms, "the worker has closed the room")
    assert await node.signaling.consults.live.load(appointment) is None
    assert (await practice.store.appointments.get(Scope.guest(appointment), appointment)).state == "ended"
    assert await patient.code("arrive", {"appointment": appointment, "participant": patient.id}) == "ended"


async def test_turn_credentials_are_renewed_when_half_of_their_life_is_over(
    redis_url: str, store: Store, worker: Worker, practice: Practice
) -> None:
    """By the room's view, in a consult in which nothing happens; here they live for two seconds."""
    settings = TurnSettings(address=IPv4Address("192.0.2.7"), secrets=[SecretStr("a secret of this test, long enough")])
    short = settings.model_copy(update={"lifetime": 2})
    async with open_node(redis_url, store, turn=short) as node:
        patient, _ = await practice.talk(node)
        await until(lambda: patient.view["media"] and patient.view["media"]["ready"], "ready")

        def ends() -> int:
            (server,) = patient.view["media"]["ice_servers"]
            return int(server["username"].partition(":")[0])

        first, fence = ends(), patient.view["media"]["fence"]
        await until(lambda: ends() >= first + 1, "another credential")
        await until(lambda: ends() >= first + 2, "another credential")
        assert patient.view["media"]["fence"] == fence
