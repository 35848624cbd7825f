"""Who leads a live consult, and what they alone do; part of the state machine of ``rooms.consult``.

The practitioner leads, and beside them the *host*, a colleague to whom they handed it over: the lineage of a guest who
is in, so a page that they reload leads on, and who is put back or removed leads no more. A consult ends when the last
who leads it leaves, not when their connection is lost. **Nobody but who leads locks it, removes somebody or sees who
waits; nobody but the practitioner makes a host.**

Refusals: ``forbidden`` (of who does not lead), ``not_found`` (nobody of whom that can be done), ``bad_state`` (who is
not here).
"""

from dataclasses import replace

from rooms.consult_events import Effect, EndReason, HandOver, LeadingEvent, Leave, Lock, Remove, TellEnded
from rooms.consult_state import GUEST, PRACTITIONER, Consult, Participant
from vault.errors import DomainError


def apply_leading(state: Consult, event: LeadingEvent) -> tuple[Consult, list[Effect]]:
    """The next state, and what else has to be done."""
    match event:
        case Leave(participant):
            return _leave(state, participant)
        case Lock(by, locked):
            _demand_leading(state, by)
            return replace(state, locked=locked), []
        case HandOver(by, participant):
            return _hand_over(state, by, participant), []
        case Remove():  # pragma: no branch -- the last kind there is
            return _remove(state, event)


def end(state: Consult, reason: EndReason) -> tuple[Consult, list[Effect]]:
    """Over for everybody."""
    effects: list[Effect] = [TellEnded(one.socket, reason) for one in state.participants if one.socket]
    return replace(state, participants=(), ended=reason), effects


def led(state: Consult) -> Consult:
    """The same, with what only holds while there is somebody: a host who is gone is none, what nobody leads is open to
    whoever comes, and who was called in again was not removed.
    """
    if state.host is not None and state.host not in {one.lineage for one in state.admitted}:
        state = replace(state, host=None)
    seats = {one.seat for one in state.admitted}
    if seats & set(state.removed):
        state = replace(state, removed=tuple(seat for seat in state.removed if seat not in seats))
    return replace(state, locked=False) if state.locked and not state.is_led else state


def demand_open(state: Consult, seat: str, *, was_in: bool) -> None:
    """Whoever has no place yet may come as far as the waiting room. Of a locked consult that is who was in it and was
    not removed. Errors: ``room_locked``.
    """
    if state.locked and not (was_in and seat not in state.removed):
        raise DomainError("room_locked")


def _leave(state: Consult, participant: str) -> tuple[Consult, list[Effect]]:
    one = state.present(participant)
    return end(state, "ended") if state.ends_without(one) else (state.without({one.id}), [])


def _hand_over(state: Consult, by: str, participant: str) -> Consult:
    if state.present(by).seat != PRACTITIONER:
        raise DomainError("forbidden")
    if participant == by:
        return replace(state, host=None)
    one = _inside(state, participant)
    if one.role != GUEST:
        raise DomainError("forbidden")
    return replace(state, host=one.lineage)


def _remove(state: Consult, event: Remove) -> tuple[Consult, list[Effect]]:
    _demand_leading(state, event.by)
    one = _inside(state, event.participant)
    if one.seat == PRACTITIONER or one.id == event.by:
        raise DomainError("not_found")
    told: list[Effect] = [TellEnded(one.socket, "removed")] if one.socket else []
    removed = (*(seat for seat in state.removed if seat != one.seat), one.seat)
    return replace(state.without({one.id}), removed=removed), told


def _demand_leading(state: Consult, participant: str) -> None:
    if not state.leads(state.present(participant)):
        raise DomainError("forbidden")


def _inside(state: Consult, participant: str) -> Participant:
    one = state.find(participant)
    if one is None or not one.admitted:
        raise DomainError("not_found")
    return one
