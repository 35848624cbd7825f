"""What a change of an appointment is told as, and what of the outbox it makes void. Nothing here knows of a database.

**What is told last counts.** Each change is compared with what the patient was last told, not with what was there
before: what is moved and moved back is told to nobody, and what nobody was told of is not cancelled. Who waits in the
queue of an open hour was told that it begins now: so it does, however often it begins anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from practice.agenda.cancelling import UNDO
from practice.agenda.model import Appointment
from practice.invitations.model import Dispatch, Way, Word
from vault.records.content import new_id

SOON: Final = timedelta(minutes=5)
"""A reminder that would go this soon after what it reminds of is none."""


@dataclass(frozen=True)
class Telling:
    """``appointment`` with its sequence, ``write`` what is to be sent, ``void`` what of the outbox is not any more."""

    appointment: Appointment
    write: Sequence[Dispatch]
    void: Sequence[Dispatch]

    @property
    def idle(self) -> bool:
        """Whether nothing is to be sent, now or later."""
        return not self.write


def plan(
    after: Appointment,
    addresses: Mapping[Way, str],
    found: Sequence[Dispatch],
    now: datetime,
    reminders: Sequence[timedelta] = (),
    *,
    again: bool = False,
) -> Telling:
    """Of an appointment as it is from now on, with the marks of the addresses by which its patient can be told.

    ``found`` is all that was written of it, the oldest first; ``again``: tell them in any case.
    """
    wanted: list[tuple[Way, str, Word]] = []
    kept: list[Dispatch] = []
    for way, to in addresses.items():
        word: Word | None = "invitation" if again else _word(after, way, to, found, now)
        standing = [one for one in _queued(found) if (one.way, one.to, one.word) == (way, to, word)]
        if standing and not again and _says(standing[-1], after, now):
            kept.append(standing[-1])
        elif word is not None:
            wanted.append((way, to, word))
    if after.contact is not None and any(word in ("changed", "cancelled") for *_, word in wanted):
        after = replace(after, contact=replace(after.contact, sequence=after.contact.sequence + 1))
    write = [_made(after, way, to, word, now, now + UNDO) for way, to, word in wanted]
    for at in _times(after, reminders, now):
        for way, to in addresses.items():
            same = [one for one in _queued(found) if one.is_reminder and (one.way, one.to, one.again) == (way, to, at)]
            if same and _says(same[-1], after, now):
                kept.append(same[-1])
            else:
                write.append(_made(after, way, to, "reminder", now, at))
    return Telling(after, write, [one for one in _queued(found) if one not in kept])


def _word(after: Appointment, way: Way, to: str, found: Sequence[Dispatch], now: datetime) -> Word | None:
    """What somebody at this address is to be told; None for nothing."""
    news = [one for one in found if (one.way, one.to) == (way, to) and not one.is_reminder]
    told = next((one for one in reversed(news) if one.begun), None)
    if after.cancelled_at is not None:
        silent = after.contact is not None and after.contact.silent
        return "cancelled" if not silent and told and (told.word != "cancelled" or told.state == "queued") else None
    if after.state != "planned":
        return None
    if told is not None:
        stands = told.word != "cancelled" and told.state != "void" and _says(told, after, now)
        return "changed" if not stands else told.word if told.state == "queued" else None
    tried = news[-1] if news else None
    done = tried is not None and tried.state in ("refused", "late") and _says(tried, after, now)
    return None if done else "invitation"


def _says(one: Dispatch, after: Appointment, now: datetime) -> bool:
    """Whether what was told is so now."""
    # As UTC: a wall's time that comes twice equals none of another zone (PEP 495).
    told, begins = one.starts_at.astimezone(UTC), after.starts_at.astimezone(UTC)
    same = told == begins or (after.number is not None and max(told, begins) <= now)
    return same and one.minutes == after.minutes


def _queued(found: Sequence[Dispatch]) -> list[Dispatch]:
    return [one for one in found if one.state == "queued"]


def _times(after: Appointment, reminders: Sequence[timedelta], now: datetime) -> list[datetime]:
    """When this appointment is reminded of."""
    if after.state != "planned" or after.cancelled_at is not None:
        return []
    times = [after.starts_at.astimezone(UTC) - before for before in sorted(reminders, reverse=True)]
    return [at for at in times if at > now + SOON]


def _made(after: Appointment, way: Way, to: str, word: Word, now: datetime, at: datetime) -> Dispatch:
    sequence = after.contact.sequence if after.contact else 0
    return Dispatch(new_id(), after.id, way, word, to, sequence, after.starts_at, after.minutes, now, at)
