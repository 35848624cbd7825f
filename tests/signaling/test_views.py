"""What people see of a room at any moment of any life it may have."""

from hypothesis import settings
from hypothesis.stateful import invariant

from rooms.consult_state import PRACTITIONER
from signaling.consults.showing import room_view
from signaling.protocol.events import RoomView
from tests.rooms.consult_machine import ConsultMachine


class ViewMachine(ConsultMachine):
    """Cases 11 and 17 of the waiting room: who is not called in learns nothing, not even that others exist."""

    def views(self) -> list[RoomView]:
        return [room_view(self.state, one, "ticket", []) for one in self.state.participants]

    @invariant()
    def whoever_waits_sees_nobody_and_nothing(self) -> None:
        for view in self.views():
            if view.me.state == "waiting":
                assert (view.others, view.media, view.keys) == ([], None, None)

    @invariant()
    def only_the_practitioner_sees_who_waits(self) -> None:
        waiting = {one.id for one in self.state.waiting}
        for view in self.views():
            seen = {one.participant for one in view.others} & waiting
            assert seen == (waiting if view.me.role == "practitioner" else set())

    @invariant()
    def the_key_handshake_is_of_all_who_are_in_and_nobody_else(self) -> None:
        inside = [one.id for one in self.state.admitted]
        for view in self.views():
            if view.keys:
                assert [one.participant for one in view.keys.members] == inside == sorted(inside)
                assert view.me.participant in inside
            else:
                assert view.me.state == "waiting" or len(inside) < 2

    @invariant()
    def whoever_is_in_may_offer_media_only_to_a_worker_that_has_the_room(self) -> None:
        for view in self.views():
            if view.media and view.media.ready:
                assert self.state.worker
                assert view.media.fence == self.state.fence
            assert (view.me.role == "practitioner") == (self.seats_of[view.me.participant] == PRACTITIONER)


TestViewMachine = ViewMachine.TestCase
TestViewMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
