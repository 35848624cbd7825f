"""Random lives of a consult: pages that come, reload, vanish and lie, workers that die, a Redis that forgets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rooms.consult import HOLD, asked, milliseconds, new, transition
from rooms.consult_events import (
    Admit,
    Arrive,
    Assign,
    CallIn,
    ChangeMedia,
    CloseRoom,
    Decline,
    Drop,
    Effect,
    Event,
    GrowRoom,
    Indicate,
    Indicators,
    Leave,
    LoseSocket,
    LoseWorker,
    PlaceRoom,
    PutBack,
    RemovePeer,
    Replan,
    RestartKeys,
    RoomOpened,
    Show,
    TakenOver,
    TellEnded,
    Tick,
    Vacate,
)
from rooms.consult_state import PRACTITIONER, Consult, Participant
from vault.errors import DomainError

SEATS = {PRACTITIONER: "practitioner", "patient": "patient", "guest-1": "guest", "guest-2": "guest"}
REFUSALS = {"seat_taken", "room_full", "room_locked", "not_found", "bad_state", "ended", "forbidden"}


class ConsultMachine(RuleBasedStateMachine):
    """The invariants of ``rooms.consult``, each checked against a model that knows only what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count()
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    @initialize(capacity=st.integers(2, 4))
    def begin(self, capacity: int) -> None:
        self.state = new("appointment", "owner", self.now, capacity=capacity)
        self.seats_of: dict[str, str] = {}
        self.called: set[str] = set()
        self.tickets: list[tuple[str, str, int]] = []
        self.on_worker: set[str] = set()
        self.open_sockets: set[str] = set()
        self.wanted = False
        self.handed: str | None = None
        self.put_out: set[str] = set()
        self.room_capacity = capacity

    # --- running one event ---------------------------------------------------------------------------------------

    def run(self, event: Event) -> tuple[Effect, ...] | None:
        """None when it is refused."""
        before = self.state
        try:
            after, effects = transition(before, event, self.now)
        except DomainError as error:
            if error.code not in REFUSALS:
                raise
            return None
        if after is before:
            assert effects == ()
            return effects
        assert not before.ended
        self.compare(before, after, effects)
        self.state = after
        for effect in effects:
            self.carry_out(effect)
        self.tickets += [(one.seat, one.lineage, after.touched) for one in after.admitted if one.lineage]
        self.put_out -= {one.seat for one in after.admitted}
        return effects

    def leads(self, one: Participant | None) -> bool:
        """By what was handed over, whatever the document says."""
        return one is not None and (one.seat == PRACTITIONER or (one.admitted and one.lineage == self.handed))

    def anybody(self, data: st.DataObject, label: str = "who") -> str:
        return data.draw(st.sampled_from([*(one.id for one in self.state.participants), "nobody"]), label=label)

    def compare(self, before: Consult, after: Consult, effects: tuple[Effect, ...]) -> None:
        """What must hold between two states."""
        assert after.version > before.version
        assert after.touched >= before.touched
        assert (after.fence, after.epoch) >= (before.fence, before.epoch)
        assert after.fence >= before.fence
        assert after.capacity >= before.capacity
        members, remaining = ({one.id for one in state.admitted} for state in (before, after))
        if members != remaining and len(remaining) >= 2:
            assert after.epoch > before.epoch
        if after.ended:
            assert after.participants == ()
        else:
            assert Show() in effects

    def carry_out(self, effect: Effect) -> None:
        match effect:
            case TakenOver(socket) | Drop(socket) | TellEnded(socket):
                assert all(one.socket != socket for one in self.state.participants)
                self.open_sockets.discard(socket)
            case RemovePeer(worker, fence, participant):
                if (worker, fence) == (self.state.worker, self.state.fence):
                    self.on_worker.discard(participant)
            case CloseRoom():
                self.on_worker.clear()
            case GrowRoom(worker, fence, capacity):
                if (worker, fence) == (self.state.worker, self.state.fence):
                    self.room_capacity = capacity
            case PlaceRoom():
                self.wanted = True

    # --- pages ---------------------------------------------------------------------------------------------------

    def arrival(self, seat: str, data: st.DataObject, *, take_over: bool) -> Arrive:
        known = [one for one, its in self.seats_of.items() if its == seat]
        participant = data.draw(st.sampled_from([*known, "new"]), label="page")
        if participant == "new":
            participant = f"page-{next(self.numbers)}"
            self.seats_of[participant] = seat
        socket = f"socket-{next(self.numbers)}"
        event = Arrive(
            participant=participant,
            seat=seat,
            role=SEATS[seat],
            socket=socket,
            node=data.draw(st.sampled_from(["node-1", "node-2"])),
            take_over=take_over,
        )
        tickets = [one for one in self.tickets if one[0] == seat]
        if seat != PRACTITIONER and tickets and data.draw(st.booleans(), label="with a ticket"):
            _, lineage, issued = data.draw(st.sampled_from(tickets[-6:] + tickets[:2]))
            event = replace(event, lineage=lineage, issued=issued)
        if data.draw(st.booleans(), label="ask who is in the way"):
            while (question := asked(self.state, event)) and question not in self.open_sockets:
                event = replace(event, silent=event.silent | {question})
        return event

    def expect_entry(self, event: Arrive, before: Consult) -> None:
        """Whoever is in after an arrival had a right to it."""
        one = self.state.find(event.participant)
        assert one
        assert one.socket == event.socket
        known = before.find(event.participant)
        holder = next((other for other in before.admitted if other.seat == event.seat), None)
        if known:
            assert one.lineage == known.lineage
        elif one.admitted and event.seat != PRACTITIONER:
            assert one.lineage == event.lineage
            assert event.issued < before.born if holder is None else holder.lineage == event.lineage
        if holder and not one.admitted:
            assert self.state.find(holder.id), "somebody who must wait put the holder out"
        if before.locked and not known and not one.admitted:
            waited = any(other.seat == event.seat for other in before.waiting)
            assert waited or (event.lineage and event.seat not in self.put_out), "somebody new came to a locked consult"

    @rule(seat=st.sampled_from(sorted(SEATS)), take_over=st.booleans(), data=st.data())
    def arrive(self, seat: str, take_over: bool, data: st.DataObject) -> None:
        event, before = self.arrival(seat, data, take_over=take_over), self.state
        living = asked(before, replace(event, take_over=False))
        effects = self.run(event)
        if effects is None:
            return
        assert take_over or living is None, "an unasked page took a place"
        self.open_sockets.add(event.socket)
        self.expect_entry(event, before)

    @rule(data=st.data(), take_over=st.booleans())
    def admit(self, data: st.DataObject, take_over: bool) -> None:
        people = [one.id for one in self.state.participants] + ["nobody"]
        whom = data.draw(st.sampled_from(people))
        me = self.arrival(PRACTITIONER, data, take_over=take_over)
        before = self.state
        if self.run(Admit(me, whom)) is None:
            assert self.state is before
            return
        self.open_sockets.add(me.socket)
        self.called.add(whom)
        one = self.state.find(whom)
        assert one
        assert one.admitted

    @rule(data=st.data())
    def call_in(self, data: st.DataObject) -> None:
        whom = self.anybody(data)
        before, inside = self.state, {one.id for one in self.state.admitted}
        if self.run(CallIn(whom)) is None:
            assert self.state is before
            return
        self.called.add(whom)
        assert {one.id for one in self.state.admitted} == inside | {whom}, "it lets one in and puts nobody out"
        assert whom in inside or any(map(self.leads, before.participants))

    @rule(seat=st.sampled_from(["patient", "guest-1"]), data=st.data())
    def a_patient_tries_to_admit(self, seat: str, data: st.DataObject) -> None:
        waiting = [one.id for one in self.state.waiting]
        if waiting:
            assert (
                self.run(Admit(self.arrival(seat, data, take_over=True), data.draw(st.sampled_from(waiting)))) is None
            )

    @rule(seat=st.sampled_from(["patient", "guest-1"]))
    def a_patient_claims_the_practitioners_role(self, seat: str) -> None:
        forged = Arrive(participant="forger", seat=seat, role="practitioner", socket="socket-f", node="node-1")
        assert self.run(forged) is None

    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        whom = data.draw(st.sampled_from([*(one.id for one in self.state.participants), "nobody"]))
        before = self.state
        if self.run(PutBack(whom)) is None:
            assert self.state is before
            return
        one = self.state.find(whom)
        assert one
        assert not one.admitted
        assert one.seat != PRACTITIONER

    @rule(data=st.data())
    def decline(self, data: st.DataObject) -> None:
        whom = data.draw(st.sampled_from([*(one.id for one in self.state.participants), "nobody"]))
        waiting = {one.id for one in self.state.waiting}
        inside = self.state.admitted
        if self.run(Decline(whom)) is not None:
            assert whom in waiting
            assert self.state.find(whom) is None
            assert self.state.admitted == inside

    @rule(seat=st.sampled_from(sorted(SEATS)))
    def vacate(self, seat: str) -> None:
        others = {one.id for one in self.state.participants if one.seat != seat}
        if self.run(Vacate(seat)) is not None:
            assert {one.id for one in self.state.participants} == others
            assert seat != PRACTITIONER

    @rule(data=st.data())
    def lose_socket(self, data: st.DataObject) -> None:
        connected = [one for one in self.state.participants if one.socket]
        if connected:
            one = data.draw(st.sampled_from(connected))
            assert one.socket
            self.open_sockets.discard(one.socket)
            self.run(LoseSocket(one.id, one.socket))

    @rule(data=st.data())
    def an_old_socket_closes_late(self, data: st.DataObject) -> None:
        if self.seats_of:
            before = self.state
            self.run(LoseSocket(data.draw(st.sampled_from(sorted(self.seats_of))), "socket-of-long-ago"))
            assert self.state is before

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        if not self.seats_of:
            return
        one = data.draw(st.sampled_from(sorted(self.seats_of)))
        leads = self.leads(self.state.find(one))
        others = [other for other in self.state.participants if other.id != one and self.leads(other)]
        if self.run(Leave(one)) is not None:
            assert self.state.find(one) is None
            assert bool(self.state.ended) == (leads and not others)

    @rule(data=st.data(), camera=st.booleans())
    def indicate(self, data: st.DataObject, camera: bool) -> None:
        if self.seats_of:
            self.run(Indicate(data.draw(st.sampled_from(sorted(self.seats_of))), Indicators(camera=camera)))

    @rule(plan=st.integers(1, 5))
    def correct_what_is_planned(self, plan: int) -> None:
        before = self.state
        if self.run(Replan(plan)) is not None:
            assert self.state == replace(
                before, plan=max(before.plan, plan), version=self.state.version, touched=self.state.touched
            )

    # --- time, workers, keys, faults -----------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.001, 0.5, 2.0, 20.0, 59.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(nodes=st.sampled_from([None, {"node-1"}, {"node-1", "node-2"}]), alive=st.booleans())
    def tick(self, nodes: set[str] | None, alive: bool) -> None:
        workers = frozenset({self.state.worker} if alive and self.state.worker else ())
        before = self.state
        if self.run(Tick(None if nodes is None else frozenset(nodes), workers)) is None:
            return
        limit = max(milliseconds(self.now), before.touched) - HOLD // timedelta(milliseconds=1)
        assert all(one.gone is None or one.gone > limit for one in self.state.participants)
        assert all(one.socket is None or nodes is None or one.node in nodes for one in self.state.participants)

    @rule(stale=st.booleans())
    def assign(self, stale: bool) -> None:
        before = self.state
        self.run(Assign(f"worker-{next(self.numbers)}", before.fence - 1 if stale else before.fence))
        if self.state is not before:
            assert not stale
            assert not before.worker
            assert self.state.fence > before.fence
            self.wanted = False
            self.on_worker.clear()
            self.room_capacity = self.state.capacity

    @rule(late=st.booleans())
    def opened(self, late: bool) -> None:
        self.run(RoomOpened(self.state.fence - late))

    @rule(late=st.booleans())
    def lose_worker(self, late: bool) -> None:
        before = self.state
        if self.run(LoseWorker(self.state.fence - late)) and late:
            assert self.state is before

    @precondition(lambda self: self.state.ready)
    @rule(data=st.data())
    def offer(self, data: st.DataObject) -> None:
        if self.state.admitted:
            one = data.draw(st.sampled_from(self.state.admitted))
            self.on_worker.add(one.id)
            self.run(ChangeMedia(self.state.fence, one.id, "connecting"))
            self.run(ChangeMedia(self.state.fence, one.id, data.draw(st.sampled_from(["connected", "reconnecting"]))))

    @rule(data=st.data(), behind=st.integers(0, 2))
    def restart_keys(self, data: st.DataObject, behind: int) -> None:
        before = self.state
        self.run(RestartKeys(before.epoch - behind))
        assert (self.state.epoch > before.epoch) == (behind == 0 and len(before.admitted) >= 2 and not before.ended)

    @rule()
    def redis_is_emptied(self) -> None:
        lost = self.state
        self.now = max(self.now, datetime.fromtimestamp(lost.touched / 1000, UTC)) + timedelta(seconds=1)
        if not lost.ended:
            self.state = new("appointment", "owner", self.now, capacity=lost.capacity)
            self.on_worker.clear()
            self.wanted = False
            self.handed = None
            self.put_out.clear()
            assert self.state.version > lost.version

    # --- at every moment -----------------------------------------------------------------------------------------

    @invariant()
    def everybody_who_is_in_was_called_in(self) -> None:
        for one in self.state.admitted:
            assert one.seat == PRACTITIONER or one.lineage in self.called

    @invariant()
    def a_seat_has_one_inside_and_one_waiting_at_most(self) -> None:
        for people in (self.state.admitted, self.state.waiting):
            seats = [one.seat for one in people]
            assert len(seats) == len(set(seats))
        assert all(one.seat != PRACTITIONER for one in self.state.waiting)

    @invariant()
    def sockets_and_pages_belong_to_one_participant(self) -> None:
        sockets = [one.socket for one in self.state.participants if one.socket]
        assert len(sockets) == len(set(sockets))
        pages = [one.id for one in self.state.participants]
        assert len(pages) == len(set(pages))
        assert all((one.socket is None) == (one.gone is not None) for one in self.state.participants)

    @invariant()
    def nobody_is_on_the_worker_but_who_is_in(self) -> None:
        assert self.on_worker <= {one.id for one in self.state.admitted}
        assert self.state.worker or not self.on_worker, "a room left behind"
        assert self.state.worker or not self.state.ready

    @invariant()
    def there_is_always_a_place_for_the_practitioner(self) -> None:
        assert sum(one.seat != PRACTITIONER for one in self.state.admitted) <= self.state.capacity - 1

    @invariant()
    def a_room_in_use_has_a_worker_or_asked_for_one(self) -> None:
        assert not self.state.admitted or self.state.worker or self.wanted
        assert self.state.admitted or not self.state.worker
