"""The same lives of a consult, with who leads it: a host, a lock, people who are put out, a room that grows."""

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from rooms.consult_events import Grow, HandOver, Lock, Remove
from rooms.consult_state import GUEST, PRACTITIONER
from tests.rooms.consult_machine import ConsultMachine


class LeadingMachine(ConsultMachine):
    """The invariants of ``rooms.leading`` beside those of ``rooms.consult``."""

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        by, whom = self.anybody(data, "by"), self.anybody(data, "whom")
        before, one = self.state, self.state.find(whom)
        if self.run(Remove(by, whom)) is None:
            assert self.state is before
            return
        assert self.leads(before.find(by))
        assert by != whom
        assert one
        assert one.admitted
        assert one.seat != PRACTITIONER
        assert not self.state.ended
        assert self.state.find(whom) is None
        self.put_out.add(one.seat)

    @rule(data=st.data(), locked=st.booleans())
    def lock(self, data: st.DataObject, locked: bool) -> None:
        by, before = self.anybody(data), self.state
        if self.run(Lock(by, locked)) is None:
            assert self.state is before
            return
        assert self.leads(before.find(by))
        assert self.state.locked == locked

    @rule(data=st.data())
    def hand_over(self, data: st.DataObject) -> None:
        by, whom, before = self.anybody(data, "by"), self.anybody(data, "whom"), self.state
        if self.run(HandOver(by, whom)) is None:
            assert self.state is before
            return
        practitioner, one = before.find(by), before.find(whom)
        assert practitioner
        assert practitioner.seat == PRACTITIONER
        assert one
        assert one.id == by or (one.role == GUEST and one.admitted)
        self.handed = None if one.id == by else one.lineage

    @rule(capacity=st.integers(2, 5))
    def grow(self, capacity: int) -> None:
        before = self.state
        if self.run(Grow(capacity)) is not None:
            assert self.state.capacity == max(before.capacity, capacity)

    @invariant()
    def the_worker_knows_how_many_it_is_for(self) -> None:
        assert not self.state.worker or self.room_capacity == self.state.capacity

    @invariant()
    def only_who_was_made_one_is_host_and_only_while_they_are_in(self) -> None:
        hosts = [one for one in self.state.participants if self.state.is_host(one)]
        assert len(hosts) == (self.state.host is not None)
        assert all(one.role == GUEST and one.admitted and one.lineage == self.handed for one in hosts)

    @invariant()
    def what_is_locked_has_somebody_to_unlock_it(self) -> None:
        assert not self.state.locked or any(map(self.leads, self.state.participants))
