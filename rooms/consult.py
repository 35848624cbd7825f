"""A live consult as a state machine: ``transition(state, event, now) -> (state, effects)``, pure and ids only.

A *seat* is a stable place (the practitioner's, one per patient link); a *participant* is one page load in a seat, so
a reload is a new participant in the same seat. A participant waits until called in and is then *admitted*.

Invariants, each held by a property test:

- **Nobody is admitted but by the practitioner's ``Admit``, by a ``CallIn`` to where somebody is who leads the consult
  (``rooms.leading``), by sitting in the practitioner's seat, or by a resume ticket of somebody who was: its lineage is
  that of the seat's present holder, or the ticket is older than this document (an emptied Redis lost the one before).**
- **A ``CallIn`` puts nobody out;** a ``PutBack`` makes whoever is in wait, a ``Remove`` puts them out, and no ticket of
  theirs lets them in again.
- **Never more are in than ``capacity``, one place of which is the practitioner's;** it only grows. Who was put back has
  no place: nobody comes in by themselves, so whoever leads decides who has it next.
- **While it is locked, nobody comes as far as the waiting room who did not wait and was not in.**
- **A waiting participant is never in the key handshake, never on a worker, and sees nobody.**
- **A seat has at most one admitted and at most one waiting participant.** The second is somebody who opened the link
  while its holder is inside (a forwarded link, another device): the holder stays until that one is called in.
- **A socket belongs to at most one participant; a participant has at most one socket.**
- **Version, fence and epoch only rise, and never fall below the clock,** so that what a client or a worker remembers
  of a document that Redis lost is always older than what it hears now.
- **After the end nothing happens any more.**

Refusals are ``DomainError``: ``seat_taken room_full room_locked not_found forbidden bad_state ended``; a refused event
changes nothing.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rooms.consult_events import (
    Admit,
    Arrive,
    Assign,
    CallIn,
    ChangeMedia,
    Check,
    Close,
    CloseRoom,
    Count,
    Decline,
    Drop,
    Effect,
    Event,
    Feature,
    Grow,
    GrowRoom,
    HandOver,
    Indicate,
    Leave,
    Lock,
    LoseSocket,
    LoseWorker,
    MediaEvent,
    PlaceRoom,
    PutBack,
    Remove,
    RemovePeer,
    Replan,
    RestartKeys,
    RoomOpened,
    Say,
    Show,
    ShowDesk,
    TakenOver,
    TellEnded,
    Tick,
    Vacate,
    Write,
)
from rooms.consult_state import PRACTITIONER, Consult, Participant
from rooms.leading import apply_leading, demand_open, end, led
from rooms.tally import tallied
from rooms.waiting import apply_waiting, let_in, same_place
from vault.errors import DomainError

MILLISECOND = timedelta(milliseconds=1)
HOLD = timedelta(seconds=60)
OPENING = timedelta(seconds=3)
"""A worker that has not opened an assigned room in this time does not get it."""

EPOCH_ZERO = 1_735_689_600
"""2025-01-01 in seconds, so that key epochs fit 31 bits until 2093."""


def new(appointment: str, owner: str, now: datetime, *, capacity: int = 2, barred: Collection[Feature] = ()) -> Consult:
    """A consult nobody came to yet."""
    moment = milliseconds(now)
    return Consult(
        appointment=appointment,
        owner=owner,
        capacity=capacity,
        born=moment,
        touched=moment,
        version=moment,
        barred=tuple(sorted(barred)),
    )


def milliseconds(now: datetime) -> int:
    return int(now.astimezone(UTC).timestamp() * 1000)


def transition(state: Consult, event: Event, now: datetime) -> tuple[Consult, tuple[Effect, ...]]:
    """The next state and what has to be done. An event that changes nothing returns ``state`` itself and no effects.

    Raises DomainError; the state is then unchanged.
    """
    if state.ended:
        raise DomainError("ended")
    moment = max(milliseconds(now), state.touched)
    after, effects = _apply(state, event, moment)
    if after == state:
        return state, ()
    return _settle(state, after, effects, moment)


def asked(state: Consult, event: Arrive) -> str | None:
    """The socket that must be asked whether it is still there before ``event`` may take its place."""
    if event.take_over or state.find(event.participant):
        return None
    holder, heard = _holder(state, event.seat), event.silent | {event.socket}
    places = (holder,) if _inherited(state, event, holder) else (holder, _candidate(state, event.seat))
    return next((one.socket for one in places if one and one.socket and one.socket not in heard), None)


def _apply(state: Consult, event: Event, moment: int) -> tuple[Consult, list[Effect]]:
    match event:
        case Arrive():
            return _arrive(state, event, moment)
        case Admit():
            return _admit(state, event, moment)
        case CallIn(participant):
            return _call_in(state, participant), []
        case Leave() | Remove() | Lock() | HandOver():
            return apply_leading(state, event)
        case Close(reason):
            return end(state, reason)
        case Vacate(seat):
            return _vacate(state, seat)
        case Replan() | Grow():
            return _plan(state, event), []
        case LoseSocket(participant, socket):
            return _lose_socket(state, participant, socket, moment), []
        case Indicate(participant, indicators):
            return state.having(replace(state.present(participant), indicators=indicators)), []
        case Tick():
            return _tick(state, event, moment), []
        case Check() | Write() | Say() | Decline() | PutBack():
            return apply_waiting(state, event, moment), []
        case _:
            return _apply_media(state, event, moment), []


def _apply_media(state: Consult, event: MediaEvent, moment: int) -> Consult:
    match event:
        case RestartKeys(epoch):
            return _restart_keys(state, epoch, moment)
        case Assign(worker, unless):
            return _assign(state, worker, unless, moment)
        case RoomOpened(fence):
            return replace(state, ready=True) if state.worker and state.fence == fence else state
        case LoseWorker(fence):
            return _unplace(state) if state.worker and state.fence == fence else state
        case ChangeMedia():  # pragma: no branch -- the last kind there is
            return _change_media(state, event)


# --- coming ----------------------------------------------------------------------------------------------------------


def _inherited(state: Consult, event: Arrive, holder: Participant | None) -> str | None:
    """The lineage with which somebody arrives; None waits."""
    if event.seat == PRACTITIONER:
        return event.participant
    if event.lineage is None:
        return None
    if holder:
        return event.lineage if holder.lineage == event.lineage else None
    return event.lineage if event.issued < state.born else None


def _holder(state: Consult, seat: str) -> Participant | None:
    return next((one for one in state.admitted if one.seat == seat), None)


def _candidate(state: Consult, seat: str) -> Participant | None:
    return next((one for one in state.waiting if one.seat == seat), None)


def _arrive(state: Consult, event: Arrive, moment: int) -> tuple[Consult, list[Effect]]:
    if (event.seat == PRACTITIONER) != (event.role == PRACTITIONER):
        raise DomainError("forbidden")
    if asked(state, event):
        raise DomainError("seat_taken")
    state, known = _grown(state, event.capacity), state.find(event.participant)
    if known and known.socket == event.socket:
        return state, []
    for socket in (event.socket, *sorted(event.silent)):
        state = _free(state, socket, moment)
    return _return(state, known, event) if known else _sit(state, event, moment)


def _return(state: Consult, known: Participant, event: Arrive) -> tuple[Consult, list[Effect]]:
    """The same page again, after its socket broke."""
    if known.seat != event.seat or known.role != event.role:
        raise DomainError("not_found")
    effects: list[Effect] = [Drop(known.socket)] if known.socket else []
    back = replace(known, socket=event.socket, node=event.node, gone=None, replay=event.replay)
    back = replace(back, family=event.family, session=event.session)
    return state.having(back), effects


def _sit(state: Consult, event: Arrive, moment: int) -> tuple[Consult, list[Effect]]:
    """A page that was not here yet: in the place of the one before it, or waiting."""
    holder = _holder(state, event.seat)
    lineage = _inherited(state, event, holder)
    leaving = holder if lineage else _candidate(state, event.seat)
    if leaving:
        state = state.without({leaving.id})
    elif not lineage:
        demand_open(state, event.seat, was_in=event.lineage is not None)
    if lineage and event.seat != PRACTITIONER:
        _require_place(state)
    newcomer = Participant(
        id=event.participant,
        seat=event.seat,
        role=event.role,
        lineage=lineage,
        since=moment,
        socket=event.socket,
        node=event.node,
        replay=event.replay,
        family=event.family,
        session=event.session,
        number=event.number,
    )
    effects: list[Effect] = [TakenOver(leaving.socket)] if leaving and leaving.socket else []
    return replace(state, participants=(*state.participants, same_place(newcomer, leaving))), effects


def _plan(state: Consult, event: Replan | Grow) -> Consult:
    if isinstance(event, Replan):
        return replace(state, plan=max(state.plan, event.plan))
    return _grown(state, event.capacity)


def _grown(state: Consult, capacity: int) -> Consult:
    return replace(state, capacity=max(state.capacity, capacity))


def _require_place(state: Consult) -> None:
    """One place is always the practitioner's."""
    if sum(one.seat != PRACTITIONER for one in state.admitted) >= state.capacity - 1:
        raise DomainError("room_full")


def _free(state: Consult, socket: str, moment: int) -> Consult:
    """A socket that was somebody else's in this room (a page that changed its mind, or is gone) is theirs no more."""
    other = next((one for one in state.participants if one.socket == socket), None)
    return _lose_socket(state, other.id, socket, moment) if other else state


def _admit(state: Consult, event: Admit, moment: int) -> tuple[Consult, list[Effect]]:
    if event.me.seat != PRACTITIONER:
        raise DomainError("forbidden")
    state, effects = _arrive(state, event.me, moment)
    called = state.find(event.participant)
    if called is None:
        raise DomainError("not_found")
    if called.admitted:
        return state, effects
    before = _holder(state, called.seat)
    if before:
        state = state.without({before.id})
        effects += [TakenOver(before.socket)] if before.socket else []
    _require_place(state)
    return state.having(let_in(called)), effects


def _call_in(state: Consult, participant: str) -> Consult:
    """Into a free seat, and only to who leads the consult."""
    called = state.find(participant)
    if called is None:
        raise DomainError("not_found")
    if called.admitted:
        return state
    if not state.is_led:
        raise DomainError("bad_state")
    if _holder(state, called.seat):
        raise DomainError("room_full")
    _require_place(state)
    return state.having(let_in(called))


# --- going -----------------------------------------------------------------------------------------------------------


def _lose_socket(state: Consult, participant: str, socket: str, moment: int) -> Consult:
    one = state.find(participant)
    if one is None or one.socket != socket:
        return state
    return state.having(replace(one, socket=None, node=None, gone=moment))


def _vacate(state: Consult, seat: str) -> tuple[Consult, list[Effect]]:
    if seat == PRACTITIONER:
        raise DomainError("forbidden")
    leaving = [one for one in state.participants if one.seat == seat]
    told: list[Effect] = [TellEnded(one.socket, "ended") for one in leaving if one.socket]
    return state.without({one.id for one in leaving}), told


def _tick(state: Consult, tick: Tick, moment: int) -> Consult:
    for one in state.participants:
        if tick.nodes is not None and one.socket and one.node not in tick.nodes:
            state = _lose_socket(state, one.id, one.socket, moment)
    limit = moment - HOLD // MILLISECOND
    state = state.without({one.id for one in state.participants if one.gone is not None and one.gone <= limit})
    if state.participants and moment - state.touched >= tick.refresh // MILLISECOND:
        state = replace(state, touched=moment)
    late = not state.ready and moment - state.assigned >= OPENING // MILLISECOND
    missing = tick.workers is not None and state.worker not in tick.workers
    return _unplace(state) if state.worker is not None and (late or missing) else state


# --- media and keys --------------------------------------------------------------------------------------------------


def _assign(state: Consult, worker: str, unless: int, moment: int) -> Consult:
    if state.fence != unless or state.worker is not None or not state.admitted:
        return state
    return replace(state, worker=worker, fence=max(state.fence + 1, moment), ready=False, assigned=moment)


def _unplace(state: Consult) -> Consult:
    participants = tuple(
        replace(one, media="reconnecting") if one.admitted and one.media != "new" else one for one in state.participants
    )
    return replace(state, worker=None, ready=False, participants=participants)


def _change_media(state: Consult, event: ChangeMedia) -> Consult:
    one = state.find(event.participant)
    if one is None or not one.admitted or state.worker is None or state.fence != event.fence:
        return state
    flows = event.media == "connecting" and one.media not in ("new", "failed")
    unusable = one.unusable if event.unusable is None else event.unusable
    changed = replace(one, media=one.media if flows else event.media, unusable=unusable)
    return state if changed == one else state.having(changed)


def _restart_keys(state: Consult, epoch: int, moment: int) -> Consult:
    if epoch != state.epoch or len(state.admitted) < 2:
        return state
    return replace(state, epoch=_next_epoch(state, moment))


def _next_epoch(state: Consult, moment: int) -> int:
    return max(state.epoch + 1, moment // 1000 - EPOCH_ZERO)


# --- what follows from any change ------------------------------------------------------------------------------------


def _settle(before: Consult, after: Consult, effects: list[Effect], moment: int) -> tuple[Consult, tuple[Effect, ...]]:
    after = led(after)
    members = {one.id for one in before.admitted}
    remaining = {one.id for one in after.admitted}
    if remaining != members and len(remaining) >= 2:
        after = replace(after, epoch=_next_epoch(before, moment), met=before.met or moment)
    if not remaining and after.worker:
        after = replace(after, worker=None, ready=False)
    if before.worker and not after.worker:
        effects.append(CloseRoom(before.worker, before.fence))
    elif after.worker:
        effects += [RemovePeer(after.worker, after.fence, one) for one in sorted(members - remaining)]
        if after.capacity > before.capacity:
            effects.append(GrowRoom(after.worker, after.fence, after.capacity))
    if remaining and after.worker is None and (before.worker or not members):
        effects.append(PlaceRoom())
    effects += [Count(what) for what in tallied(before, after, moment)]
    if not after.ended:
        effects.append(Show())
    if _desk(before) != _desk(after):
        effects.append(ShowDesk())
    return replace(after, version=max(before.version + 1, moment), touched=moment), tuple(effects)


def _desk(state: Consult) -> tuple[object, ...]:
    waiting = tuple(replace(one, socket="" if one.socket else None, node=None, session=None) for one in state.waiting)
    return waiting, state.practitioner is not None, bool(state.participants)
