"""The state machine of a live consult."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings

from rooms.consult import asked, milliseconds, new, transition
from rooms.consult_events import (
    Admit,
    Arrive,
    Assign,
    CallIn,
    ChangeMedia,
    Close,
    CloseRoom,
    Count,
    Event,
    Leave,
    LoseSocket,
    LoseWorker,
    PlaceRoom,
    RemovePeer,
    RoomOpened,
    Show,
    TakenOver,
    TellEnded,
    Tick,
)
from rooms.consult_state import Consult
from tests.rooms.leading_machine import LeadingMachine
from vault.errors import DomainError

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=61)

TestConsultMachine = LeadingMachine.TestCase
TestConsultMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def at(seat: str, page: str, **more: object) -> Arrive:
    return Arrive(participant=page, seat=seat, role=seat, socket=f"socket of {page}", node="node", **more)  # type: ignore[arg-type]  # of many types


def run(state: Consult, *events: Event, now: datetime = NOW) -> Consult:
    for event in events:
        state, _ = transition(state, event, now)
    return state


def refusal(state: Consult, event: Event, now: datetime = NOW) -> str:
    with pytest.raises(DomainError) as refused:
        transition(state, event, now)
    return refused.value.code


@pytest.fixture
def talking() -> Consult:
    """Both are in, on a worker."""
    state = run(new("a", "o", NOW), at("patient", "p1"), Admit(at("practitioner", "d1"), "p1"))
    state = run(state, Assign("w", state.fence))
    return run(state, RoomOpened(state.fence))


def test_a_patient_waits_until_called_in() -> None:
    state = run(new("a", "o", NOW), at("patient", "p1"))
    assert [one.id for one in state.waiting] == ["p1"]
    state, effects = transition(state, Admit(at("practitioner", "d1"), "p1"), NOW)
    assert {one.id for one in state.admitted} == {"p1", "d1"}
    assert PlaceRoom() in effects
    assert state.epoch > 0


def test_who_is_called_in_by_another_comes_to_the_practitioner_alone(talking: Consult) -> None:
    waiting = run(new("a", "o", NOW), at("patient", "p1"))
    assert refusal(waiting, CallIn("p1")) == "bad_state"
    assert refusal(waiting, CallIn("nobody")) == "not_found"
    state = run(waiting, at("practitioner", "d1"), CallIn("p1"))
    assert {one.id for one in state.admitted} == {"p1", "d1"}
    assert run(state, CallIn("p1")) is state
    second = run(talking, at("patient", "p2", take_over=True))
    assert refusal(second, CallIn("p2")) == "room_full"


def test_somebody_who_is_not_there_cannot_be_called_in_and_nobody_enters_by_trying() -> None:
    state = run(new("a", "o", NOW), at("patient", "p1"))
    assert refusal(state, Admit(at("practitioner", "d1"), "nobody")) == "not_found"


def test_somebody_who_is_in_is_not_called_in_again(talking: Consult) -> None:
    state, effects = transition(talking, Admit(at("practitioner", "d1"), "p1"), LATER)
    assert (state.find("p1"), state.epoch) == (talking.find("p1"), talking.epoch)
    assert not [one for one in effects if isinstance(one, TakenOver)]


def test_a_second_page_is_asked_whether_it_takes_over(talking: Consult) -> None:
    second = at("patient", "p2")
    assert asked(talking, second) == "socket of p1"
    assert refusal(talking, second) == "seat_taken"


def test_a_page_that_takes_over_with_its_ticket_stays_in_and_the_old_one_is_told(talking: Consult) -> None:
    state, effects = transition(talking, at("patient", "p2", take_over=True, lineage="p1", issued=1), NOW)
    assert {one.id for one in state.admitted} == {"p2", "d1"}
    assert TakenOver("socket of p1") in effects
    assert RemovePeer("w", talking.fence, "p1") in effects
    assert state.epoch > talking.epoch


def test_whoever_has_only_the_link_waits_beside_the_holder_and_replaces_it_when_called_in(talking: Consult) -> None:
    state = run(talking, at("patient", "p2", take_over=True))
    assert {one.id for one in state.admitted} == {"p1", "d1"}
    assert [one.id for one in state.waiting] == ["p2"]
    state, effects = transition(state, Admit(at("practitioner", "d1"), "p2"), NOW)
    assert {one.id for one in state.admitted} == {"p2", "d1"}
    assert TakenOver("socket of p1") in effects


def test_the_ticket_of_somebody_who_was_replaced_does_not_let_in_again(talking: Consult) -> None:
    state = run(talking, at("patient", "p2", take_over=True), Admit(at("practitioner", "d1"), "p2"))
    state = run(state, at("patient", "p3", take_over=True, lineage="p1", issued=state.touched))
    assert {one.id for one in state.admitted} == {"p2", "d1"}
    assert [one.id for one in state.waiting] == ["p3"]


def test_a_reload_comes_back_in_and_a_silent_page_is_replaced_without_a_question(talking: Consult) -> None:
    state = run(talking, at("patient", "p2", silent=frozenset({"socket of p1"}), lineage="p1", issued=1))
    assert {one.id for one in state.admitted} == {"p2", "d1"}


def test_a_seat_is_held_for_a_minute(talking: Consult) -> None:
    state = run(talking, LoseSocket("p1", "socket of p1"))
    assert run(state, Tick(), now=NOW + timedelta(seconds=59)) is state
    state, effects = transition(state, Tick(), LATER)
    assert {one.id for one in state.admitted} == {"d1"}
    assert RemovePeer("w", talking.fence, "p1") in effects
    state = run(state, at("patient", "p2", lineage="p1", issued=state.touched), now=LATER)
    assert [one.id for one in state.waiting] == ["p2"]


def test_a_ticket_older_than_the_document_rebuilds_the_room(talking: Consult) -> None:
    rebuilt = new("a", "o", LATER)
    rebuilt = run(
        rebuilt, at("practitioner", "d1"), at("patient", "p2", lineage="p1", issued=talking.touched), now=LATER
    )
    assert {one.id for one in rebuilt.admitted} == {"p2", "d1"}
    assert (rebuilt.version, rebuilt.epoch) > (talking.version, talking.epoch)


def test_the_practitioner_ends_it_for_all(talking: Consult) -> None:
    state, effects = transition(talking, Leave("d1"), NOW)
    assert state.ended == "ended"
    assert {
        TellEnded("socket of p1", "ended"),
        TellEnded("socket of d1", "ended"),
        CloseRoom("w", talking.fence),
    } <= set(effects)
    assert refusal(state, at("patient", "p1")) == "ended"


def test_a_patient_who_leaves_gives_up_the_seat_and_waits_again(talking: Consult) -> None:
    state = run(talking, Leave("p1"))
    assert not state.ended
    state = run(state, at("patient", "p2", lineage="p1", issued=talking.touched))
    assert [one.id for one in state.waiting] == ["p2"]


@pytest.mark.parametrize(
    ("later", "who"), [(-1, "p1"), (1, "p1"), (0, "nobody")], ids=["before", "not yet", "gone meanwhile"]
)
def test_what_a_worker_says_of_another_placing_or_of_who_is_gone_changes_nothing(
    talking: Consult, later: int, who: str
) -> None:
    event = ChangeMedia(talking.fence + later, who, "failed")
    assert transition(talking, event, NOW) == (talking, ())


def test_a_consult_that_the_server_closes_ends_for_everybody(talking: Consult) -> None:
    state, effects = transition(talking, Close("cancelled"), NOW)
    assert state.ended == "cancelled"
    assert {TellEnded("socket of p1", "cancelled"), TellEnded("socket of d1", "cancelled")} <= set(effects)


def test_media_that_flow_are_not_said_to_be_connecting_again(talking: Consult) -> None:
    state = run(talking, ChangeMedia(talking.fence, "p1", "connected"))
    assert run(state, ChangeMedia(talking.fence, "p1", "connecting")) is state


def test_what_an_offer_left_impossible_stands_beside_its_client_until_the_next_one(talking: Consult) -> None:
    state = run(talking, ChangeMedia(talking.fence, "p1", "connecting", ("camera", "seeing")))
    state, effects = transition(state, ChangeMedia(talking.fence, "p1", "connected"), NOW)
    assert Show() in effects
    patient = state.find("p1")
    assert patient
    assert (patient.media, patient.unusable) == ("connected", ("camera", "seeing"))
    state = run(state, ChangeMedia(talking.fence, "p1", "connecting", ()))
    patient = state.find("p1")
    assert patient
    assert (patient.media, patient.unusable) == ("connected", ())


def test_a_room_in_which_nothing_happens_is_shown_anew_for_its_tickets(talking: Consult) -> None:
    tick = Tick(refresh=timedelta(minutes=5))
    moments = [NOW + timedelta(minutes=5) - timedelta(milliseconds=1), NOW + timedelta(minutes=5)]
    touched = [run(talking, tick, now=moment).touched for moment in moments]
    assert touched[0] == talking.touched
    assert touched[1] == talking.touched + 300_000


def test_a_dead_worker_is_replaced_under_a_higher_fence(talking: Consult) -> None:
    state = run(talking, ChangeMedia(talking.fence, "p1", "connected"))
    state, effects = transition(state, LoseWorker(talking.fence), NOW)
    assert PlaceRoom() in effects
    assert CloseRoom("w", talking.fence) in effects, "it may be alive after all"
    patient = state.find("p1")
    assert patient
    assert patient.media == "reconnecting"
    placed = run(state, Assign("w2", state.fence))
    assert placed.fence > talking.fence
    assert run(placed, RoomOpened(talking.fence)) is placed, "an old worker's word"


def test_a_socket_reconnect_keeps_the_keys(talking: Consult) -> None:
    state = run(talking, LoseSocket("p1", "socket of p1"))
    again = Arrive(participant="p1", seat="patient", role="patient", socket="another", node="node")
    assert run(state, again).epoch == talking.epoch


def test_one_place_is_always_the_practitioners() -> None:
    guest = Arrive(participant="g1", seat="guest-1", role="guest", socket="s", node="node")
    state = run(new("a", "o", NOW), at("patient", "p1"), guest, Admit(at("practitioner", "d1"), "p1"))
    assert refusal(state, Admit(at("practitioner", "d1"), "g1")) == "room_full"


def test_a_document_never_falls_behind_the_clock(talking: Consult) -> None:
    assert talking.version >= milliseconds(NOW)
    assert talking.fence >= milliseconds(NOW)
    backwards = run(talking, Leave("p1"), now=NOW - timedelta(hours=1))
    assert backwards.version > talking.version


def test_old_tickets_of_two_people_do_not_overfill_a_rebuilt_room() -> None:
    rebuilt = run(new("a", "o", NOW), at("patient", "p1", lineage="p1", issued=1))
    guest = Arrive(participant="g1", seat="guest-1", role="guest", socket="s", node="node", lineage="g1", issued=1)
    assert refusal(rebuilt, guest) == "room_full"


def test_a_socket_that_comes_as_another_page_is_the_first_ones_no_more(talking: Consult) -> None:
    again = Arrive(participant="p2", seat="patient", role="patient", socket="socket of p1", node="node", lineage="p1")
    state = run(talking, again)
    assert [one.id for one in state.participants if one.socket == "socket of p1"] == ["p2"]
    guest = Arrive(participant="g1", seat="guest-1", role="guest", socket="socket of p1", node="node")
    state = run(talking, guest)
    assert [one.id for one in state.participants if one.socket == "socket of p1"] == ["g1"]


def test_a_page_of_one_seat_cannot_come_back_in_another(talking: Consult) -> None:
    guest = Arrive(participant="p1", seat="guest-1", role="guest", socket="s", node="node")
    assert refusal(talking, guest) == "not_found"
    assert refusal(talking, Admit(replace(at("practitioner", "p1"), socket="s"), "p1")) == "not_found"


def counted(state: Consult, event: Event, now: datetime = NOW) -> list[str]:
    return [one.what for one in transition(state, event, now)[1] if isinstance(one, Count)]


@pytest.mark.parametrize(
    ("minutes", "wait"), [(0, "short"), (4.99, "short"), (5, "middle"), (14.99, "middle"), (15, "long")]
)
def test_a_consult_is_counted_once_and_how_long_somebody_waited(minutes: float, wait: str) -> None:
    waiting, later = run(new("a", "o", NOW), at("patient", "p1")), NOW + timedelta(minutes=minutes)
    calling = Admit(at("practitioner", "d1"), "p1")
    assert sorted(counted(waiting, calling, later)) == sorted(["consults", wait])
    state = run(waiting, calling, now=later)
    again = at("patient", "p2", take_over=True, lineage="p1", issued=1)
    assert counted(state, again, later) == []
    assert counted(run(state, again, now=later), Leave("d1"), later) == []


def test_who_is_alone_and_ends_it_is_counted_and_who_is_not_is_not(talking: Consult) -> None:
    alone = run(new("a", "o", NOW), at("practitioner", "d1"))
    assert counted(alone, Leave("d1")) == ["absent"]
    assert counted(alone, Close("cancelled")) == []
    assert counted(run(alone, at("patient", "p1")), Leave("d1")) == []
    assert counted(run(talking, Leave("p1")), Leave("d1")) == []
