"""Consent at the server's door: whatever ticket a socket comes with, nobody sits down without what is asked of them."""

import pytest

from practice.agenda.ages import Age
from practice.agenda.guests import Invitee
from practice.agenda.visit import Visit
from signaling.leaving import consent_withdrawn
from signaling.tickets import Claims
from tests.opening import of
from tests.signaling.live.cast import Node, Person, Practice, Worker, page, soon, until
from vault.records.scope import Scope


def child(practice: Practice) -> Person:
    where = practice.appointment.id
    return Person(Claims(kind="access", role="patient", appointment=where, seat="patient", asks=True, expires=soon()))


async def visit(practice: Practice, secret: str) -> Visit:
    found = await practice.store.appointments.by_link(Scope.guest(practice.appointment.id), secret)
    assert found
    return found


async def agree(practice: Practice, secret: str) -> None:
    scope, found, consents = (
        Scope.guest(practice.appointment.id),
        await visit(practice, secret),
        practice.store.consents,
    )
    texts = (await consents.reading(scope, found, "nl")).texts
    await consents.give(scope, secret, [one.version for one in texts], found)


@pytest.mark.duty("S-16", "S-44")
async def test_a_ticket_seats_no_child_before_both_agreed_and_none_after_one_withdrew(
    node: Node, worker: Worker, practice: Practice
) -> None:
    one, store = practice.appointment, practice.store
    where, scope = one.id, of(one.owner)
    await store.consents.say_age(scope, where, Age("12-15"))
    guardian = (await store.guests.add(scope, where, Invitee("Moeder", "guardian", "nl"))).guests[0]
    doctor, patient = await practice.practitioner_page().connect(node), await child(practice).connect(node)
    body = {"appointment": where, "participant": patient.id}
    assert await patient.code("arrive", body) == "consent_needed"
    await agree(practice, one.secret)
    assert await patient.code("arrive", body) == "guardian_needed"
    await agree(practice, guardian.secret)
    await patient.arrive(where)
    await doctor.admit(where, patient)
    await until(lambda: patient.view["me"]["state"] == "admitted", "the child is in")

    after = await store.consents.withdraw(Scope.guest(where), guardian.secret, await visit(practice, guardian.secret))
    await consent_withdrawn(node.signaling, after)
    again = await child(practice).connect(node)
    assert await again.code("arrive", {"appointment": where, "participant": page()}) in ("ended", "gone", "not_found")
    assert await doctor.code("arrive", {"appointment": where, "participant": page()}) in ("ended", "gone", "not_found")
