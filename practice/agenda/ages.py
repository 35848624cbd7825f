"""How old a patient is, as far as the law asks: a band, said by whoever plans (S-16). Nothing here works out an age.

**What is kept tells the least** (S-07). A band stands for an age without saying one, and is of the day of the consult.
The day on which somebody becomes 16 tells their date of birth, so it is kept only where it decides: where that birthday
may come before the consult.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, get_args

from vault.errors import DomainError

Band = Literal["under-12", "12-15", "16"]
"""On the day of the consult: a parent or guardian decides; they and the child do; the patient does (WGBO)."""

BANDS: Final[tuple[Band, ...]] = get_args(Band)

CLOSE: Final = timedelta(days=31)
"""A birthday later than this after the consult decides nothing, and is not kept."""

LiftReason = Literal["emergency", "unreachable", "otherwise"]
LIFT_REASONS: Final[tuple[LiftReason, ...]] = get_args(LiftReason)


@dataclass(frozen=True, slots=True)
class Age:
    """What somebody said of a patient's age; ``sixteen`` is the day on which they become that."""

    band: Band | None = None
    sixteen: date | None = field(default=None, repr=False)


NOT_ASKED: Final = Age()


@dataclass(frozen=True, slots=True)
class Lifted:
    """That a child is received although no guardian consented: why, in whose words, and when (UTC)."""

    reason: LiftReason
    note: str = field(repr=False)
    at: datetime = field(repr=False)


def checked(age: Age, now: datetime, starts_at: datetime) -> Age:
    """The same. Errors: ``invalid``, with the field; ``sixteen`` also for a day that decides nothing: it has passed,
    or comes long after the consult.
    """
    if age.band is not None and age.band not in BANDS:
        raise DomainError("invalid", "band")
    if age.sixteen is None:
        return age
    first, last = now.astimezone(starts_at.tzinfo).date(), starts_at.date() + CLOSE
    if age.band != "12-15" or not first <= age.sixteen <= last:
        raise DomainError("invalid", "sixteen")
    return age


def band_at(age: Age, starts_at: datetime) -> Band | None:
    """The band that counts at this begin, by the day where it was planned."""
    turned = age.band == "12-15" and age.sixteen is not None and age.sixteen <= starts_at.date()
    return "16" if turned else age.band
