"""Whether the wall clock may be believed: destroying cannot be undone (design: a forward jump pauses it)."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

TOLERANCE = timedelta(minutes=5)
SLEW = 500e-6  # as fast as a kernel corrects a clock without a step, adjtimex(2)
STA_UNSYNC = 0x40
TIME_ERROR = 5

JUMPED = "The clock jumped forward; nothing is destroyed until it is confirmed."
BEHIND = "The clock is behind the time that passed, or behind what was written before; set it, then resume retention."
UNPROVEN = "Nothing vouches for the clock; nothing is destroyed until it is confirmed."

Now = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def boottime() -> float:
    """Seconds since boot, suspension included; nothing can set this clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot_id() -> str:
    """Eight characters that change with every boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return "unknown"


def kernel_synchronised() -> bool:
    """Whether the kernel says that a time service disciplines its clock (adjtimex(2), asked without changing it)."""
    try:
        buffer = (ctypes.c_byte * 512)()  # struct timex, modes = 0
        state = ctypes.CDLL(None).adjtimex(buffer)
    except (OSError, AttributeError):
        return False
    long = ctypes.sizeof(ctypes.c_long)
    offset = 5 * long  # modes (padded), offset, freq, maxerror, esterror, then status
    status = int.from_bytes(bytes(buffer)[offset : offset + 4], "little")
    return state not in (-1, TIME_ERROR) and not status & STA_UNSYNC


@dataclass(frozen=True)
class Anchor:
    """A moment at which the wall clock was believed."""

    wall: datetime
    boot: float

    def agrees(self, wall: datetime, boot: float) -> bool:
        """Whether the wall clock has not run ahead of the time that really passed since.

        However long ago that was: a kernel slews both clocks alike, only a step takes them apart.
        """
        return wall - self.wall - timedelta(seconds=boot - self.boot) <= TOLERANCE

    def later(self, wall: datetime, boot: float) -> "Anchor":
        """The same belief at this moment: it goes with the time that passed, and after a wall clock that is a little
        ahead as slowly as a kernel slews, so that small steps are forgotten in time and many do not add up.
        """
        elapsed = timedelta(seconds=boot - self.boot)
        expected = self.wall + elapsed
        if not self.agrees(wall, boot):
            return Anchor(expected, boot)
        return Anchor(min(max(wall, expected), expected + elapsed * SLEW), boot)


class Clock:
    """The wall clock, watched. ``now`` never runs behind the time that passed since the clock was last believed."""

    def __init__(self, now: Now = utc_now, boot: Callable[[], float] = boottime) -> None:
        self.wall = now
        self._boot = boot
        self._anchor = Anchor(now(), boot())
        self.proven = False
        self._written: datetime | None = None

    def now(self) -> datetime:
        """For comparing with due times: a clock that is set back delays nothing."""
        if not self.proven:
            return self.wall()
        elapsed = timedelta(seconds=self._boot() - self._anchor.boot)
        return max(self.wall(), self._anchor.wall + elapsed * (1 - SLEW))

    def wrote(self, moment: datetime | None) -> None:
        """A moment that was written once: a clock that says an earlier one is wrong, or was."""
        if moment is not None and (self._written is None or moment > self._written):
            self._written = moment

    def behind(self) -> timedelta:
        """How far the wall clock is behind the time that passed since it was believed, or behind what was written."""
        wall, expected = self.wall(), self.now()
        return max(expected, self._written or expected) - wall

    def doubt(self) -> str | None:
        """Why destruction has to wait: one sentence, or None."""
        if not self.proven:
            return UNPROVEN
        wall, boot = self.wall(), self._boot()
        agrees = self._anchor.agrees(wall, boot)
        self._anchor = self._anchor.later(wall, boot)
        return None if agrees else JUMPED

    def vouch(self, anchor: Anchor) -> bool:
        """Believe the clock if it agrees with a moment at which it was believed before, in this boot."""
        if not anchor.agrees(self.wall(), self._boot()):
            return False
        self._anchor, self.proven = anchor, True
        return True

    def confirm(self) -> Anchor:
        """Believe the clock as it is now."""
        self._anchor, self.proven, self._written = self.reading(), True, None
        return self._anchor

    @property
    def anchor(self) -> Anchor:
        """When the clock was last believed."""
        return self._anchor

    def reading(self) -> Anchor:
        """Both clocks."""
        return Anchor(self.wall(), self._boot())
