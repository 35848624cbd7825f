"""Who leads a consult, and what they alone do: remove, lock, hand over; how a room grows."""

import pytest

from rooms.consult import new
from rooms.consult import transition as move
from rooms.consult_events import (
    Admit,
    Arrive,
    Assign,
    CallIn,
    Effect,
    Event,
    Grow,
    GrowRoom,
    HandOver,
    Leave,
    Lock,
    LoseSocket,
    PutBack,
    Remove,
    RemovePeer,
    RoomOpened,
    TellEnded,
    Tick,
)
from rooms.consult_state import Consult
from tests.rooms.test_consult import LATER, NOW, at, refusal, run

NOW_MS = int(NOW.timestamp() * 1000)
"""Of a ticket that was told when they were in."""


def guest(name: str, **more: object) -> Arrive:
    return Arrive(participant=name, seat=f"seat of {name}", role="guest", socket=f"socket of {name}", node="n", **more)  # type: ignore[arg-type]  # of many types


def effects_of(state: Consult, event: Event) -> tuple[Effect, ...]:
    return move(state, event, NOW)[1]


@pytest.fixture
def group() -> Consult:
    """Practitioner, patient and two colleagues are in, on a worker; a third waits."""
    state = run(new("a", "o", NOW, capacity=5), at("patient", "p"), guest("g"), guest("h"), guest("i"))
    state = run(state, Admit(at("practitioner", "d"), "p"), CallIn("g"), CallIn("h"))
    state = run(state, Assign("w", state.fence))
    return run(state, RoomOpened(state.fence))


def inside(state: Consult) -> set[str]:
    return {one.id for one in state.admitted}


def test_who_is_removed_is_told_so_and_may_wait_again_by_their_link(group: Consult) -> None:
    after, effects = move(group, Remove("d", "g"), NOW)
    assert TellEnded("socket of g", "removed") in effects
    assert RemovePeer("w", group.fence, "g") in effects
    assert inside(after) == {"d", "p", "h"}
    assert after.epoch > group.epoch
    again = run(after, Arrive(participant="g2", seat="seat of g", role="guest", socket="s", node="n"))
    assert "g2" in {one.id for one in again.waiting}
    ticket = Arrive(participant="g3", seat="seat of g", role="guest", socket="s3", node="n", lineage="g", issued=NOW_MS)
    assert "g3" in {one.id for one in run(after, ticket).waiting}, "nor does a ticket let them in"


def test_nobody_is_removed_but_by_who_leads_and_never_the_practitioner(group: Consult) -> None:
    for by in ("p", "g"):
        assert refusal(group, Remove(by, "h")) == "forbidden"
    assert refusal(group, Remove("i", "h")) == "forbidden", "who waits leads nothing"
    assert refusal(group, Remove("nobody", "h")) == "bad_state"
    hosted = run(group, HandOver("d", "g"))
    for whom in ("d", "g", "i", "nobody"):
        assert refusal(hosted, Remove("g", whom)) == "not_found"
    assert inside(run(hosted, Remove("g", "p"))) == {"d", "g", "h"}


def test_only_the_practitioner_hands_over_and_only_to_a_guest_who_is_in(group: Consult) -> None:
    assert refusal(group, HandOver("g", "h")) == "forbidden"
    assert refusal(group, HandOver("d", "p")) == "forbidden"
    for nobody in ("i", "nobody"):
        assert refusal(group, HandOver("d", nobody)) == "not_found"
    hosted = run(group, HandOver("d", "g"))
    assert [one.id for one in hosted.admitted if hosted.is_host(one)] == ["g"]
    assert refusal(hosted, HandOver("g", "h")) == "forbidden", "a host hands nothing on"
    assert run(hosted, HandOver("d", "h")).host == "h"
    assert run(hosted, HandOver("d", "d")).host is None


def test_it_goes_on_without_the_practitioner_while_there_is_a_host(group: Consult) -> None:
    hosted = run(group, HandOver("d", "g"), Leave("d"))
    assert inside(hosted) == {"p", "g", "h"}
    assert not hosted.ended
    assert "i" in inside(run(hosted, CallIn("i")))
    assert run(hosted, Leave("g")).ended == "ended"
    assert run(group, HandOver("d", "g"), Leave("g")).ended is None, "while the practitioner is there it goes on"
    assert run(group, Leave("d")).ended == "ended"
    back = run(hosted, at("practitioner", "d2"), Leave("g"))
    assert (back.ended, back.host) == (None, None)


def test_a_host_who_reloads_leads_on_and_one_who_was_out_of_it_does_not(group: Consult) -> None:
    hosted = run(group, HandOver("d", "g"))
    reloaded = Arrive(
        participant="g2", seat="seat of g", role="guest", socket="s2", node="n", take_over=True, lineage="g", issued=1
    )
    assert run(hosted, reloaded, Lock("g2", locked=True)).locked
    for out in (PutBack("g"), Remove("d", "g")):
        assert run(hosted, out).host is None
    assert run(hosted, PutBack("g"), CallIn("g")).host is None
    other = Arrive(participant="x", seat="seat of g", role="guest", socket="sx", node="n", take_over=True)
    replaced = run(hosted, other, Admit(at("practitioner", "d"), "x"))
    assert "x" in inside(replaced)
    assert replaced.host is None, "whoever else has the link was handed nothing"


def test_nobody_new_comes_to_a_locked_consult(group: Consult) -> None:
    locked = run(group, Lock("d", locked=True))
    assert refusal(locked, guest("new")) == "room_locked"
    assert "i" in inside(run(locked, CallIn("i"))), "who waited before may come in"
    assert run(locked, at("practitioner", "d2", take_over=True)).practitioner
    assert "new" in {one.id for one in run(locked, Lock("d", locked=False), guest("new")).waiting}
    second = Arrive(participant="p2", seat="patient", role="patient", socket="s", node="n", take_over=True)
    assert refusal(locked, second) == "room_locked", "nor beside who is in, by the same link"


def test_who_was_in_comes_back_to_a_locked_consult_but_not_who_was_removed(group: Consult) -> None:
    locked = run(group, Lock("d", locked=True))
    reloaded = at("patient", "p2", take_over=True, lineage="p", issued=1)
    assert "p2" in inside(run(locked, reloaded))
    gone = run(run(locked, LoseSocket("p", "socket of p")), Tick(), now=LATER)
    assert gone.locked
    assert "p" not in inside(gone)
    assert refusal(gone, at("patient", "p3"), LATER) == "room_locked"
    back = run(gone, at("patient", "p3", lineage="p", issued=NOW_MS), now=LATER)
    assert "p3" in {one.id for one in back.waiting}, "somebody whose place was lost may wait"
    out = run(locked, Remove("d", "g"))
    ticket = Arrive(participant="g2", seat="seat of g", role="guest", socket="s2", node="n", lineage="g", issued=NOW_MS)
    assert refusal(out, ticket) == "room_locked"


def test_only_who_leads_locks_and_what_nobody_leads_is_open(group: Consult) -> None:
    for by in ("p", "g", "i"):
        assert refusal(group, Lock(by, locked=True)) == "forbidden"
    locked = run(group, Lock("d", locked=True))
    assert run(locked, Lock("d", locked=True)) is locked
    gone = run(run(locked, LoseSocket("d", "socket of d")), Tick(), now=LATER)
    assert not gone.locked, "the practitioner's place is lost"
    assert run(locked, HandOver("d", "g"), Leave("d")).locked, "the host can unlock it"


def test_a_room_grows_on_its_worker_and_never_shrinks(group: Consult) -> None:
    assert GrowRoom("w", group.fence, 7) in effects_of(group, Grow(7))
    assert run(group, Grow(4)) is group
    assert GrowRoom("w", group.fence, 6) in effects_of(group, guest("late", capacity=6))
    unplaced = run(new("a", "o", NOW), at("patient", "p"))
    assert not [one for one in effects_of(unplaced, Grow(3)) if isinstance(one, GrowRoom)]


def test_one_more_than_there_is_room_for_is_refused_until_a_place_is_free() -> None:
    state = run(new("a", "o", NOW, capacity=3), at("patient", "p"), guest("g"), guest("h"))
    state = run(state, Admit(at("practitioner", "d"), "p"), CallIn("g"))
    assert refusal(state, CallIn("h")) == "room_full"
    assert refusal(state, Admit(at("practitioner", "d"), "h")) == "room_full"
    assert inside(run(state, PutBack("p"), CallIn("h"))) == {"d", "g", "h"}, "who was put back has no place"
    assert "h" in inside(run(state, Grow(4), CallIn("h")))


def test_who_is_called_in_again_was_not_removed(group: Consult) -> None:
    again = Arrive(participant="g2", seat="seat of g", role="guest", socket="s2", node="n")
    state = run(group, Remove("d", "g"), again, CallIn("g2"), Lock("d", locked=True), LoseSocket("g2", "s2"))
    gone = run(state, Tick(), now=LATER)
    ticket = Arrive(
        participant="g3", seat="seat of g", role="guest", socket="s3", node="n", lineage="g2", issued=NOW_MS
    )
    assert "g3" in {one.id for one in run(gone, ticket, now=LATER).waiting}
