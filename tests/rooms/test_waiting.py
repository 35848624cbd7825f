"""What whoever waits says and is told, in the state machine."""

from typing import get_args

import pytest

from rooms.consult import new, transition
from rooms.consult_events import Admit, CallIn, Check, Decline, PutBack, RemovePeer, Say, ShowDesk, Write
from rooms.consult_state import Consult
from rooms.device_check import DeviceCheck, Found, Grade, Judgement, judged
from tests.rooms.test_consult import NOW, at, refusal, run, talking

__all__ = ["talking"]

WORKS = DeviceCheck("works", "works")


@pytest.fixture
def waiting() -> Consult:
    return run(new("a", "o", NOW), at("patient", "p1"))


@pytest.mark.parametrize("found", [one for one in get_args(Found) if one != "works"])
def test_who_cannot_be_heard_is_red_and_who_cannot_be_seen_amber(found: Found) -> None:
    heard: Grade = "amber" if found == "silent" else "red"
    assert judged(DeviceCheck(found, "works")) == Judgement(heard, "microphone", found)
    assert judged(DeviceCheck(found, found)).device == "microphone", "what matters most comes first"
    assert judged(DeviceCheck("works", found)) == Judgement("amber", "camera", found)
    assert judged(WORKS) == Judgement("green")


def test_how_devices_are_is_shown_at_the_desk_until_they_are_in(waiting: Consult, talking: Consult) -> None:
    blocked = DeviceCheck("denied", "works")
    state, effects = transition(waiting, Check("p1", blocked), NOW)
    assert (state.waiting[0].check, ShowDesk() in effects) == (blocked, True)
    assert transition(state, Check("p1", blocked), NOW) == (state, ()), "the same again is no news"
    assert run(state, Check("p1", WORKS)).waiting[0].check == WORKS
    assert run(talking, Check("p1", WORKS)) is talking
    assert refusal(waiting, Check("nobody", WORKS)) == "bad_state"


def test_words_are_the_newest_and_end_with_admission(waiting: Consult, talking: Consult) -> None:
    state = run(waiting, Write("p1", "one"), Say("p1", "two"), Write("p1", "three"))
    assert (state.waiting[0].written, state.waiting[0].said) == ("three", "two")
    anew = run(state, at("patient", "p2", take_over=True))
    assert (anew.waiting[0].id, anew.waiting[0].written, anew.waiting[0].said) == ("p2", "three", "two")
    for inside in (
        run(state, Admit(at("practitioner", "d1"), "p1")),
        run(state, at("practitioner", "d1"), CallIn("p1")),
    ):
        assert {(one.written, one.said) for one in inside.participants} == {(None, None)}
    assert refusal(talking, Write("p1", "late")) == "not_found"
    assert refusal(waiting, Write("nobody", "hello")) == "not_found"
    assert run(talking, Say("p1", "late")) is talking


def test_who_is_declined_is_gone_and_may_come_again(waiting: Consult, talking: Consult) -> None:
    state, effects = transition(waiting, Decline("p1"), NOW)
    assert (state.participants, ShowDesk() in effects) == ((), True)
    assert run(state, at("patient", "p2")).waiting[0].id == "p2"
    assert refusal(talking, Decline("p1")) == "not_found"
    assert refusal(waiting, Decline("nobody")) == "not_found"


def test_who_is_put_back_waits_without_media_and_no_ticket_of_theirs_lets_them_in(talking: Consult) -> None:
    ticket = talking.touched
    state, effects = transition(talking, PutBack("p1"), NOW)
    (one,) = state.waiting
    assert (one.id, one.lineage, one.held, one.media) == ("p1", None, True, "new")
    assert RemovePeer(str(talking.worker), talking.fence, "p1") in effects
    anew = run(state, at("patient", "p2", lineage="p1", issued=ticket, take_over=True))
    assert [(one.id, one.held) for one in anew.waiting] == [("p2", True)], "the ticket of when they were in"
    again = run(state, Admit(at("practitioner", "d1"), "p1"))
    assert not again.waiting
    assert again.epoch > talking.epoch
    assert not any(one.held for one in again.participants)


def test_only_who_is_in_by_a_link_is_put_back(talking: Consult, waiting: Consult) -> None:
    for nobody in ("nobody", "d1"):
        assert refusal(talking, PutBack(nobody)) == "not_found"
    assert refusal(waiting, PutBack("p1")) == "not_found"
    second = run(talking, at("patient", "p2", take_over=True))
    assert refusal(second, PutBack("p1")) == "bad_state", "two would wait in one seat"
