"""Who has to agree to what before the waiting room, and what is still missing. Pure: texts and times come from outside.

| at the begin of the consult | the patient agrees to | a parent or guardian agrees to |
|---|---|---|
| nobody was asked, or 16 and older | what is asked of everybody | nothing |
| 12 to 15 | the video consult, and what is asked of everybody | that the child takes part, and what is asked |
| under 12 | nothing | that the child takes part, and what is asked |

One guardian is enough, by a link of their own; with ``lifted`` none has to. Consent counts for the link that it was
given by: who has another link is asked anew, for the one before may have been a stranger's.
"""

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.agenda.model import Appointment, Consent, Guest, Purpose
from vault.errors import DomainError

PATIENT_SEAT: Final = "patient"

AsksOf = Callable[[AsyncConnection, str], Awaitable[tuple[Purpose, ...]]]
"""What an account and its organisation ask of whoever comes, inside the caller's transaction."""

Current = Mapping[Purpose, Collection[str]]
"""The versions of each text that count now; a purpose that is not there has no text, and is not asked."""

Missing = Literal["consent_needed", "guardian_needed"]


def mark(secret: str) -> str:
    """What tells one link from another in a consent, and opens none."""
    return urlsafe_b64encode(sha256(f"consent {secret}".encode()).digest()[:16]).decode().rstrip("=")


def guardians(one: Appointment) -> list[Guest]:
    """Who may agree for a child."""
    return [guest for guest in one.guests if guest.role == "guardian"]


def demands(one: Appointment) -> bool:
    """Whether anybody may have to agree to anything: also of one that a birthday or another day could make so."""
    return bool(one.asks) or one.age.band is not None


def wanted(one: Appointment, seat: str) -> tuple[Purpose, ...]:
    """What whoever comes by this link has to agree to, in the order in which it is read."""
    if seat == PATIENT_SEAT:
        if one.band == "under-12":
            return ()
        return ("video", *(ask for ask in one.asks if ask != "video")) if one.is_of_a_child else one.asks
    if one.is_of_a_child and any(guest.id == seat for guest in guardians(one)):
        return ("child", *(ask for ask in one.asks if ask != "video"))
    return ()


def standing(one: Appointment, seat: str, purpose: Purpose) -> Consent | None:
    """What this seat agreed to, by the link of now and not withdrawn: the newest."""
    secrets = {PATIENT_SEAT: one.secret} | {guest.id: guest.secret for guest in one.guests}
    link = mark(secrets[seat]) if seat in secrets else None
    found = [given for given in one.consents if (given.seat, given.purpose, given.link) == (seat, purpose, link)]
    return next((given for given in reversed(found) if given.withdrawn is None), None)


def lacking(one: Appointment, seat: str, current: Current) -> list[Purpose]:
    """What this seat has not agreed to, or only to an older text."""
    found = []
    for purpose in wanted(one, seat):
        given, versions = standing(one, seat, purpose), current.get(purpose, ())
        if versions and (given is None or given.version not in versions):
            found.append(purpose)
    return found


def missing(one: Appointment, seat: str, current: Current) -> Missing | None:
    """Why this seat does not get into the waiting room yet. A child waits for a guardian, a guardian for no child."""
    if lacking(one, seat, current):
        return "consent_needed"
    if seat != PATIENT_SEAT or not one.is_of_a_child or one.lifted:
        return None
    agreed = any(not lacking(one, guest.id, current) for guest in guardians(one))
    return None if agreed else "guardian_needed"


def agreed(
    one: Appointment, seat: str, secret: str, read: Mapping[Purpose, tuple[str, Language]], now: datetime
) -> Appointment:
    """The appointment with what this seat agreed to: version and language of each text that they ``read``.

    Errors: ``ended``, ``invalid`` (that is not asked of them).
    """
    if one.state != "planned" or one.cancelled_at or one.withdrawn_at:
        raise DomainError("ended")
    if not read or not set(read) <= set(wanted(one, seat)):
        raise DomainError("invalid", "versions")
    given = tuple(
        Consent(purpose, version, language, seat, mark(secret), now)
        for purpose, (version, language) in read.items()
        if (before := standing(one, seat, purpose)) is None or before.version != version
    )
    replaced = {one.purpose for one in given}
    kept = tuple(past for past in one.consents if past.seat != seat or past.purpose not in replaced)
    return replace(one, consents=(*kept, *given))


def withdrawn(one: Appointment, seat: str, now: datetime) -> Appointment:
    """The appointment with nothing left that this seat agreed to: it goes with that.

    Errors: ``bad_state`` (they agreed to nothing).
    """
    if one.withdrawn_at:
        return one
    if not any(given.seat == seat for given in one.consents):
        raise DomainError("bad_state")
    return replace(
        one, consents=tuple(replace(given, withdrawn=now) if given.seat == seat else given for given in one.consents)
    )
