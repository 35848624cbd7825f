"""What happens to whoever waits before they are called in; part of the state machine of ``rooms.consult``.

What somebody who is in says or is told here changes nothing: it came too late. Refusals: ``bad_state``.
"""

from dataclasses import replace

from rooms.consult_events import Check, WaitingEvent
from rooms.consult_state import Consult, Participant
from vault.errors import DomainError


def apply_waiting(state: Consult, event: WaitingEvent) -> Consult:
    """The next state."""
    match event:
        case Check(participant, found):  # pragma: no branch -- the only kind there is
            one = _present(state, participant)
            return state if one.admitted else state.having(replace(one, check=found))


def _present(state: Consult, participant: str) -> Participant:
    one = state.find(participant)
    if one is None:
        raise DomainError("bad_state")
    return one
