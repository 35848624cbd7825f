"""What happens to whoever waits, or is to wait again; part of the state machine of ``rooms.consult``.

What somebody who is in says here changes nothing: it came too late. Refusals: ``bad_state`` (who is not here, or a seat
in which somebody waits already), ``not_found`` (nobody of whom that can be done).
"""

from dataclasses import replace

from rooms.consult_events import Check, Decline, PutBack, Say, WaitingEvent, Write
from rooms.consult_state import PRACTITIONER, Consult, Participant
from vault.errors import DomainError


def apply_waiting(state: Consult, event: WaitingEvent, moment: int) -> Consult:
    """The next state; ``moment`` in milliseconds since the Unix epoch."""
    one = state.find(event.participant)
    match event:
        case Check() | Say():
            if one is None:
                raise DomainError("bad_state")
            return state if one.admitted else state.having(_told(one, event))
        case Write() | Decline():
            if one is None or one.admitted:
                raise DomainError("not_found")
            return (
                state.having(replace(one, written=event.words)) if isinstance(event, Write) else state.without({one.id})
            )
        case PutBack():  # pragma: no branch -- the last kind there is
            if one is None or not one.admitted or one.seat == PRACTITIONER:
                raise DomainError("not_found")
            return _put_back(state, one, moment)


def _told(one: Participant, event: Check | Say) -> Participant:
    return replace(one, check=event.found) if isinstance(event, Check) else replace(one, said=event.words)


def _put_back(state: Consult, one: Participant, moment: int) -> Consult:
    """Not while somebody waits in the same seat, by the same link on another device."""
    if any(other.seat == one.seat for other in state.waiting):
        raise DomainError("bad_state")
    return state.having(replace(one, lineage=None, since=moment, media="new", unusable=(), held=True))


def let_in(one: Participant) -> Participant:
    """What was said while they waited ends there."""
    return replace(one, lineage=one.id, written=None, said=None, held=False)


def same_place(newcomer: Participant, before: Participant | None) -> Participant:
    """A page that waits where another waited: what was written stays."""
    if before is None or before.admitted or newcomer.admitted:
        return newcomer
    return replace(newcomer, written=before.written, said=before.said, held=before.held)
