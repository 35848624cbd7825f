"""Every registered event with every field missing, wrong, oversize or one too many: one code, nothing changes."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from signaling.protocol.errors import CATALOGUE
from signaling.protocol.events import CLIENT_EVENTS
from signaling.sockets.limits import Limits
from tests.conformance.bodies import GOOD, INSIDE
from tests.signaling.live.cast import Node, Person, Practice, Worker
from tests.signaling.live.raw import raw

LONG = "x" * 131_073
WRONG: tuple[Any, ...] = (None, "", "\x00", "💣" * 2000, LONG, -1, 2**63, 1.5, True, [], {}, [[]], {"$gt": ""})
NOT_A_BODY: tuple[Any, ...] = (None, [], [{}], "text", 7, True, "{}")


def bad_bodies(event: str) -> Iterator[tuple[Any, str | None]]:
    """What the event's own model says must be refused, each with the field that is wrong or the first part of it."""
    body = CLIENT_EVENTS[event].body
    good = GOOD[event]
    yield from ((body, None) for body in NOT_A_BODY)
    yield good | {"unexpected": 1}, "unexpected"
    yield good | {"__proto__": {}}, None
    yield good | {"x" * 1000: 1}, None
    for name, field in body.model_fields.items():
        if field.is_required():
            yield {key: value for key, value in good.items() if key != name}, name
        yield from ((good | {name: value}, name) for value in WRONG if not allowed(body, name, field, value))
    for nested in (field for field in body.model_fields.values() if list_of(field)):
        name = next(key for key, value in body.model_fields.items() if value is nested)
        yield good | {name: good[name] * 41}, name
        yield good | {name: [good[name][0] | {"unexpected": 1}]}, f"{name}.0.unexpected"
        yield good | {name: [{}]}, f"{name}.0"


def allowed(body: type[BaseModel], name: str, field: FieldInfo, value: Any) -> bool:
    try:
        body.__pydantic_validator__.validate_assignment(body.model_construct(), name, value)
    except ValueError:
        return False
    return True


def list_of(field: FieldInfo) -> bool:
    return any(isinstance(part, type) and issubclass(part, BaseModel) for part in get_args(field.annotation))


def test_the_table_of_good_bodies_knows_every_event() -> None:
    assert set(GOOD) == set(CLIENT_EVENTS)
    for event, body in GOOD.items():
        CLIENT_EVENTS[event].body.model_validate(body)
        assert len(list(bad_bodies(event))) > len(NOT_A_BODY) + 1


@pytest.fixture
async def node(nodes: Any) -> Node:
    opened: Node = await nodes(Limits(events_per_second=100_000, events_burst=100_000))
    return opened


async def test_each_bad_body_of_each_event_is_refused_with_one_code_and_changes_nothing(
    node: Node, worker: Worker, practice: Practice
) -> None:
    doctor, appointment = practice.practitioner_page(), practice.appointment.id
    tried = 0
    async with raw(node) as client:
        await client.connect(doctor)
        assert (await client.ask(0, "arrive", {"appointment": appointment, "participant": doctor.id}))["ok"]
        before = await node.signaling.consults.live.load(appointment)
        for event, (body, field) in ((name, bad) for name in CLIENT_EVENTS for bad in bad_bodies(name)):
            tried += 1
            reply = await client.ask(tried, event, body)
            assert not reply["ok"], (event, str(body)[:100])
            named = reply["error"].pop("field", None)
            assert reply["error"] == {"code": "invalid", "category": "protocol", "message": CATALOGUE["invalid"][2]}
            assert named == field or (field and named.startswith(f"{field}.")), (event, str(body)[:100])
            assert (await client.ask(0, event, GOOD[event], GOOD[event]))["error"]["code"] == "invalid"
    assert tried > 300
    after = await node.signaling.consults.live.load(appointment)
    assert before is not None
    assert after is not None
    assert [one.id for one in after.participants] == [one.id for one in before.participants] == [doctor.id]
    assert after.participants[0].indicators == before.participants[0].indicators


@pytest.mark.parametrize("event", sorted(event for event, spec in CLIENT_EVENTS.items() if "patient" not in spec.roles))
async def test_a_patient_may_not_do_what_is_the_practitioners(node: Node, practice: Practice, event: str) -> None:
    patient = await practice.patient_page().connect(node)
    assert await patient.code(event, GOOD[event]) == "forbidden"


@pytest.mark.parametrize("event", INSIDE)
async def test_whoever_waits_may_not_do_what_those_inside_do(node: Node, practice: Practice, event: str) -> None:
    patient = await practice.patient_page().connect(node)
    await patient.arrive(practice.appointment.id)
    assert await patient.code(event, GOOD[event]) == "forbidden"


@pytest.mark.parametrize("event", [*INSIDE, "snapshot", "indicate", "report", "leave"])
async def test_whoever_has_no_place_in_a_room_can_do_nothing_there(node: Node, practice: Practice, event: str) -> None:
    doctor = await practice.practitioner_page().connect(node)
    assert await doctor.code(event, GOOD[event]) == "bad_state"


async def test_what_belongs_to_others_does_not_exist(node: Node, practice: Practice) -> None:
    store = practice.store
    bob = await store.practitioners.add("bob@example.org", "correct horse battery", "B.", "nl")
    charlie = await Practice(store, bob.id, practice.appointment).practitioner_page().connect(node)
    appointment = practice.appointment.id
    patient = await practice.patient_page().connect(node)
    await patient.arrive(appointment)
    attempts: list[tuple[Person, str, dict[str, Any]]] = [
        (charlie, "arrive", {"appointment": appointment, "participant": charlie.id}),
        (charlie, "admit", {"appointment": appointment, "participant": patient.id, "me": charlie.id}),
        (charlie, "tell", {"appointment": appointment, "participant": patient.id, "message": "soon"}),
        (patient, "arrive", {"appointment": (await practice.another()).appointment.id, "participant": patient.id}),
    ]
    for person, event, body in attempts:
        assert await person.code(event, body) == "not_found"
    assert (await charlie.do("watch"))["waiting"] == []
    assert (await patient.do("snapshot"))["me"]["state"] == "waiting"
