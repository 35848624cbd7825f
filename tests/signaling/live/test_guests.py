"""A guest between real pages: a seat of their own, admitted alone, and out when they are removed."""

from typing import Any

import pytest

from practice.agenda.guests import Invitee
from practice.agenda.model import Guest
from signaling.leaving import link_renewed
from signaling.protocol.errors import ProtocolError
from signaling.tickets import Claims
from tests.opening import of
from tests.signaling.live.cast import Node, Person, Practice, Worker, soon, until
from tests.signaling.live.test_waiting_room import beside


@pytest.fixture
async def guest(practice: Practice) -> Guest:
    invitee = Invitee("Maria Kowalska", "interpreter", "en")
    one = practice.appointment
    return (await practice.store.guests.add(of(one.owner), one.id, invitee)).guests[0]


def guest_page(practice: Practice, guest: Guest) -> Person:
    claims = Claims(kind="access", role="guest", appointment=practice.appointment.id, seat=guest.id, expires=soon())
    return Person(claims)


async def test_patient_and_guest_wait_apart_and_each_is_admitted_alone(
    node: Node, worker: Worker, practice: Practice, guest: Guest
) -> None:
    where = practice.appointment.id
    doctor = await practice.practitioner_page().connect(node)
    await doctor.do("watch")
    patient, other = await practice.patient_page().connect(node), await guest_page(practice, guest).connect(node)
    await patient.arrive(where)
    view = await other.arrive(where)
    assert (view["me"]["role"], view["me"]["guest"], view["others"]) == ("guest", guest.id, [])
    await until(lambda: len(beside(doctor)) == 2, "the desk shows both")
    rows = {one["participant"]: (one["role"], one.get("guest")) for one in beside(doctor)}
    assert rows == {patient.id: ("patient", None), other.id: ("guest", guest.id)}

    await doctor.admit(where, patient)
    await until(lambda: [one["participant"] for one in beside(doctor)] == [other.id], "one waits on")
    await doctor.do("put-back", {"participant": patient.id})
    await doctor.admit(where, other)
    seen = {one["participant"]: (one["role"], one["state"], one.get("guest")) for one in doctor.view["others"]}
    assert seen == {patient.id: ("patient", "waiting", None), other.id: ("guest", "admitted", guest.id)}
    assert (await patient.do("snapshot"))["others"] == []
    await until(lambda: other.view["me"]["state"] == "admitted", "the guest is in")
    assert [one["role"] for one in other.view["others"]] == ["practitioner"]


async def test_who_is_removed_is_out_and_no_ticket_of_theirs_opens_anything(
    node: Node, worker: Worker, practice: Practice, guest: Guest
) -> None:
    where, owner = practice.appointment.id, practice.appointment.owner
    doctor, other = await practice.practitioner_page().connect(node), await guest_page(practice, guest).connect(node)
    await other.arrive(where)
    await doctor.admit(where, other)
    await until(lambda: other.view["me"]["state"] == "admitted", "the guest is in")
    resume = other.view["resume"]
    changed = await practice.store.guests.remove(of(owner), where, guest.id)
    await node.signaling.uninvited(changed, guest.id)
    await until(lambda: other.events("ended") == [{"reason": "ended"}], "they are told")
    assert (await doctor.do("snapshot"))["others"] == []
    for ticket in (resume, other.token()):
        again = await Person(ticket).connect(node)
        assert await again.code("arrive", {"appointment": where, "participant": again.id}) == "not_found"


async def test_who_is_removed_while_they_come_in_has_no_place(
    node: Node, worker: Worker, practice: Practice, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invited when that was asked; whoever removed them found nobody to put out yet."""
    where, seats = practice.appointment.id, node.signaling.consults.seats
    real = seats._seat

    async def removed(*what: Any) -> Any:
        changed = await practice.store.guests.remove(of(practice.appointment.owner), where, guest.id)
        await node.signaling.uninvited(changed, guest.id)
        return await real(*what)

    page = await guest_page(practice, guest).connect(node)
    monkeypatch.setattr(seats, "_seat", removed)
    assert await page.code("arrive", {"appointment": where, "participant": page.id}) == "not_found"
    consult = await node.signaling.consults.live.load(where)
    assert consult is None or not consult.participants


async def test_a_seat_that_no_guest_has_is_no_place(node: Node, worker: Worker, practice: Practice) -> None:
    nobody = Guest("n" * 22, "Nobody", "guest", "nl", "s" * 22)
    page = await guest_page(practice, nobody).connect(node)
    assert await page.code("arrive", {"appointment": practice.appointment.id, "participant": page.id}) == "not_found"


async def test_by_a_former_link_of_the_patient_nobody_stays_or_comes_back(
    node: Node, worker: Worker, practice: Practice, guest: Guest
) -> None:
    where = practice.appointment.id
    doctor, other = await practice.practitioner_page().connect(node), await guest_page(practice, guest).connect(node)
    patient = await practice.patient_page().connect(node)
    await patient.arrive(where)
    await other.arrive(where)
    await doctor.admit(where, patient)
    await until(lambda: patient.view["me"]["state"] == "admitted", "the patient is in")
    former = [patient.view["resume"], patient.token()]
    changed = await practice.store.appointments.invite(of(practice.appointment.owner), where, new_link=True)
    await link_renewed(node.signaling, changed)
    await until(lambda: patient.events("ended") == [{"reason": "ended"}], "they are told")
    await until(lambda: not patient.socket.connected, "and their socket is closed")
    assert [one["role"] for one in (await doctor.do("snapshot"))["others"]] == ["guest"], "who came by another stays"
    for ticket in former:
        with pytest.raises(ProtocolError, match="token_invalid"):
            await node.signaling.admission.authenticate(ticket)
