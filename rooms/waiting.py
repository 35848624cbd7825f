"""What happens to whoever waits before they are called in; part of the state machine of ``rooms.consult``.

What somebody who is in says here changes nothing: it came too late. Refusals: ``bad_state`` (who is not here),
``not_found`` (nobody who waits).
"""

from dataclasses import replace

from rooms.consult_events import Check, Say, WaitingEvent, Write
from rooms.consult_state import Consult, Participant
from vault.errors import DomainError


def apply_waiting(state: Consult, event: WaitingEvent) -> Consult:
    """The next state."""
    one = state.find(event.participant)
    if one is None or (one.admitted and isinstance(event, Write)):
        raise DomainError("not_found" if isinstance(event, Write) else "bad_state")
    if one.admitted:
        return state
    match event:
        case Check(found=found):
            return state.having(replace(one, check=found))
        case Write(words=words):
            return state.having(replace(one, written=words))
        case Say(words=words):  # pragma: no branch -- the last kind there is
            return state.having(replace(one, said=words))


def let_in(one: Participant) -> Participant:
    """What was said while they waited ends there."""
    return replace(one, lineage=one.id, written=None, said=None)


def same_place(newcomer: Participant, before: Participant | None) -> Participant:
    """A page that waits where another waited: what was written stays."""
    if before is None or before.admitted or newcomer.admitted:
        return newcomer
    return replace(newcomer, written=before.written, said=before.said)
