"""Coming back, taking over, and somebody else with the same link."""

import asyncio
from typing import Any

import pytest
from socketio.exceptions import ConnectionError as Refused

from rooms.consult_events import Tick
from signaling.tickets import Tickets
from tests.signaling.live.cast import SECRET, Node, Person, Practice, Worker, until, utc_now

TWO_NODES = pytest.mark.parametrize("second", [False, True], ids=["one node", "two nodes"])


@pytest.fixture
async def elsewhere(nodes: Any, node: Node, second: bool) -> Node:
    """The node that newcomers use: the same, or another one over the same Redis."""
    return (await nodes()) if second else node


async def talking(practice: Practice, node: Node) -> tuple[Person, Person]:
    """Patient and practitioner, in."""
    patient, doctor = await practice.talk(node)
    await until(lambda: patient.view["me"]["state"] == "admitted", "the patient is in")
    return patient, doctor


def shown(doctor: Person) -> list[str]:
    """Who waits, as the newest desk says."""
    newest = max(doctor.events("desk"), key=lambda desk: int(desk["version"]), default=None)
    return [one["participant"] for one in newest["waiting"]] if newest else []


@TWO_NODES
async def test_a_duplicate_tab_is_asked_and_takes_over_with_its_ticket(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice
) -> None:
    patient, doctor = await talking(practice, node)
    epoch = patient.view["keys"]["epoch"]
    second = await Person(patient.view["resume"]).connect(elsewhere)
    arrival = {"appointment": practice.appointment.id, "participant": second.id}
    assert await second.code("arrive", arrival) == "seat_taken"
    assert not patient.events("taken-over")

    view = await second.do("arrive", arrival | {"take_over": True})
    assert view["me"]["state"] == "admitted"
    assert view["keys"]["epoch"] > epoch
    await until(lambda: patient.events("taken-over") and not patient.socket.connected, "the old tab is told and closed")
    await until(
        lambda: [one["participant"] for one in doctor.view["others"]] == [second.id], "one patient, the new tab"
    )
    call = await until(
        lambda: [one for one in worker.calls if one.call == "remove-peer"], "the worker drops the old tab"
    )
    assert call[0].peer == patient.id


@TWO_NODES
async def test_a_page_that_does_not_answer_is_replaced_without_a_question(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice
) -> None:
    patient, _ = await talking(practice, node)
    patient.silent = True
    second = await Person(patient.view["resume"]).connect(elsewhere)
    assert (await second.arrive(practice.appointment.id))["me"]["state"] == "admitted"


@TWO_NODES
async def test_two_newcomers_at_once_both_hear_that_the_holder_lives(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice
) -> None:
    patient, _ = await talking(practice, node)
    newcomers = [await Person(patient.view["resume"]).connect(elsewhere) for _ in range(3)]
    arrivals = [
        one.code("arrive", {"appointment": practice.appointment.id, "participant": one.id}) for one in newcomers
    ]
    assert await asyncio.gather(*arrivals) == ["seat_taken"] * 3


async def test_a_reload_comes_back_to_the_same_place(node: Node, worker: Worker, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    await patient.leave_abruptly()
    await until(lambda: not doctor.view["others"][0]["connected"], "the practitioner sees the patient gone")
    again = await Person(patient.view["resume"]).connect(node)
    assert (await again.arrive(practice.appointment.id))["me"]["state"] == "admitted"
    reloaded = await Person(doctor.view["resume"]).connect(node)
    await doctor.leave_abruptly()
    assert (await reloaded.arrive(practice.appointment.id))["others"][0]["participant"] == again.id


async def test_a_socket_that_reconnects_keeps_participant_and_keys(
    node: Node, worker: Worker, practice: Practice
) -> None:
    patient, _ = await talking(practice, node)
    epoch = patient.view["keys"]["epoch"]
    await patient.leave_abruptly()
    again = await Person(patient.view["resume"], patient.id).connect(node)
    view = await again.arrive(practice.appointment.id)
    assert (view["me"]["state"], view["keys"]["epoch"]) == ("admitted", epoch)


async def test_a_forwarded_link_waits_while_its_holder_stays_in(node: Node, worker: Worker, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    await doctor.do("watch")
    stranger = await practice.patient_page().connect(node)
    arrival = {"appointment": practice.appointment.id, "participant": stranger.id}
    assert await stranger.code("arrive", arrival) == "seat_taken"
    view = await stranger.do("arrive", arrival | {"take_over": True})
    assert (view["me"]["state"], view["others"], view["media"], view["keys"]) == ("waiting", [], None, None)
    assert not patient.events("taken-over")
    await until(lambda: shown(doctor) == [stranger.id], "the desk shows the second device")
    assert all(one["participant"] != stranger.id for one in patient.view["others"])
    for event, body in (("offer", {"fence": 1, "sdp": "v=0", "lines": [{"mid": "0", "use": "slot"}]}),):
        assert await stranger.code(event, body) == "forbidden"

    await doctor.admit(practice.appointment.id, stranger)
    await until(lambda: patient.events("taken-over"), "the first device is told")
    assert [one["participant"] for one in doctor.view["others"]] == [stranger.id]


async def test_a_ticket_of_the_waiting_room_does_not_let_in(node: Node, worker: Worker, practice: Practice) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    again = await Person(patient.view["resume"]).connect(node)
    await patient.leave_abruptly()
    assert (await again.arrive(practice.appointment.id))["me"]["state"] == "waiting"


async def test_whoever_left_waits_again_whatever_ticket_is_shown(
    node: Node, worker: Worker, practice: Practice
) -> None:
    patient, doctor = await talking(practice, node)
    ticket = patient.view["resume"]
    await patient.do("leave")
    await until(lambda: doctor.view["others"] == [], "the practitioner is alone")
    again = await Person(ticket).connect(node)
    assert (await again.arrive(practice.appointment.id))["me"]["state"] == "waiting"


async def test_a_forged_role_in_the_auth_payload_is_refused(node: Node, practice: Practice) -> None:
    patient = practice.patient_page()
    assert not isinstance(patient.claims, str)
    forged = patient.claims.model_copy(update={"role": "practitioner", "practitioner": practice.practitioner})
    token = Tickets(b"x" * 32, utc_now).issue(forged)
    with pytest.raises(Refused):
        await Person(token).connect(node)
    assert node.counters["token_invalid"] == 1
    mixed = Person(Tickets(SECRET, utc_now).issue(forged))
    await mixed.connect(node)
    assert await mixed.code("arrive", {"appointment": practice.appointment.id, "participant": mixed.id}) == "forbidden"


async def test_the_practitioner_has_one_page_at_a_time(node: Node, worker: Worker, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    second = await practice.practitioner_page().connect(node)
    arrival = {"appointment": practice.appointment.id, "participant": second.id}
    assert await second.code("arrive", arrival) == "seat_taken"
    assert (await second.do("arrive", arrival | {"take_over": True}))["others"][0]["participant"] == patient.id
    await until(lambda: doctor.events("taken-over"), "the first page is told")


async def test_a_seat_is_free_after_a_minute(node: Node, worker: Worker, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    await patient.leave_abruptly()
    await until(lambda: not doctor.view["others"][0]["connected"], "the socket counts as lost")
    consults = node.signaling.consults
    clock, consults.live._now = consults.live._now, lambda: utc_now().replace(year=utc_now().year + 1)
    await consults.runner.apply(practice.appointment.id, Tick())
    consults.live._now = clock
    await until(lambda: doctor.view["others"] == [], "the seat is free")


async def test_two_patients_of_one_practitioner_never_meet(node: Node, worker: Worker, practice: Practice) -> None:
    patient, doctor = await talking(practice, node)
    other = await practice.another()
    early = await other.patient_page().connect(node)
    await early.arrive(other.appointment.id)
    assert early.view["others"] == []
    assert [one["participant"] for one in doctor.view["others"]] == [patient.id]
    assert early.heard == []
    assert await early.code("chat", {"ciphertext": "abc"}) == "forbidden"


async def test_a_page_that_goes_to_another_consult_is_held_in_the_first(
    node: Node, worker: Worker, practice: Practice
) -> None:
    patient, doctor = await talking(practice, node)
    other = await practice.another()
    await doctor.arrive(other.appointment.id)
    await until(lambda: not patient.view["others"][0]["connected"], "the patient sees the practitioner away")
    assert not patient.events("ended")


async def test_messages_reach_only_somebody_who_waits_for_this_practitioner(node: Node, practice: Practice) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    doctor = await practice.practitioner_page().connect(node)
    body = {"appointment": practice.appointment.id, "participant": patient.id, "message": "five-minutes"}
    await doctor.do("tell", body)
    await until(lambda: patient.events("told") == [{"message": "five-minutes"}], "the message arrives")
    await doctor.admit(practice.appointment.id, patient)
    assert await doctor.code("tell", body) == "not_found"


@TWO_NODES
async def test_who_signs_out_is_out_everywhere_within_seconds_and_so_are_the_tickets(
    node: Node, elsewhere: Node, worker: Worker, practice: Practice
) -> None:
    patient, doctor = await talking(practice, node)
    ticket = doctor.view["resume"]
    await elsewhere.signaling.sign_out(practice.practitioner)
    await until(lambda: not doctor.socket.connected, "the socket is closed")
    with pytest.raises(Refused):
        await Person(ticket).connect(node)
    assert patient.socket.connected
    await asyncio.sleep(0.01)
    again = await practice.practitioner_page().connect(node)
    assert (await again.arrive(practice.appointment.id))["others"][0]["participant"] == patient.id
