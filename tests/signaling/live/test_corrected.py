"""What is planned was corrected: who waits and every desk hear so, on whichever node they are."""

from functools import partial
from typing import Any

from practice.agenda.changes import Correction
from tests.opening import of
from tests.signaling.live.cast import Practice, until


def told_once(desk: Any) -> bool:
    return bool(desk.events("agenda") == [{}])


async def test_who_waits_and_every_desk_hear_of_it_on_every_node(nodes: Any, practice: Practice) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    one = practice.appointment
    patient = await practice.patient_page().connect(there)
    desks = [await practice.practitioner_page().connect(node) for node in (here, there)]
    for desk in desks:
        await desk.do("watch")
    stranger = await practice.practitioner_page().connect(here)
    assert "plan" not in await patient.arrive(one.id)
    after = await practice.store.appointments.change(of(one.owner), one.id, Correction(one.version, minutes=60))
    await here.signaling.corrected(after)
    await until(lambda: patient.view.get("plan") == after.version, "the waiting page is told")
    for desk in desks:
        await until(partial(told_once, desk), "each desk is told, once")
    assert patient.events("agenda") == stranger.events("agenda") == [], "only who watches"
    again = await practice.patient_page(patient.id).connect(here)
    assert (await again.arrive(one.id))["plan"] == after.version, "whoever was away meanwhile reads it too"


async def test_where_nobody_is_nothing_is_kept_of_it(node: Any, practice: Practice) -> None:
    one = practice.appointment
    after = await practice.store.appointments.change(of(one.owner), one.id, Correction(one.version, minutes=60))
    await node.signaling.corrected(after)
    assert await node.signaling.consults.live.load(one.id) is None


async def test_a_consult_that_ended_is_read_anew_at_every_desk(nodes: Any, practice: Practice) -> None:
    here, there = await nodes(name="here"), await nodes(name="there")
    desk = await practice.practitioner_page().connect(there)
    await desk.do("watch")
    doctor = await practice.practitioner_page().connect(here)
    await doctor.arrive(practice.appointment.id)
    await doctor.do("leave")
    await until(lambda: desk.events("agenda"), "the other desk is told")


async def test_who_met_and_who_did_not_come_is_noted_and_every_desk_told(nodes: Any, practice: Practice) -> None:
    node = await nodes(name="here")
    one, scope = practice.appointment, of(practice.practitioner)

    async def attended() -> str | None:
        return (await practice.store.appointments.get(scope, one.id)).attended

    doctor = await practice.practitioner_page().connect(node)
    desk = await practice.practitioner_page().connect(node)
    await desk.do("watch")
    await doctor.arrive(one.id)
    await doctor.do("leave")
    await until(lambda: len(desk.events("agenda")) == 2, "ended, and that nobody came")
    assert await attended() == "missed"
    await practice.store.appointments.reopen(scope, one.id)
    await practice.talk(node)
    await until(lambda: len(desk.events("agenda")) == 3, "somebody came after all")
    assert await attended() == "held"
