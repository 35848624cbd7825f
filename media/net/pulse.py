"""A regular wake-up of the event loop, finer than the millisecond that epoll's timeout knows."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from media.net.arena import ffi

ffi.cdef("""
    struct timespec { long tv_sec; long tv_nsec; };
    struct itimerspec { struct timespec it_interval; struct timespec it_value; };
    int timerfd_create(int clock, int flags);
    int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, void *old_value);
""")

_AVAILABLE = sys.platform == "linux"
_CLOCK_MONOTONIC = 1
_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)

_libc: Any = ffi.dlopen(None) if _AVAILABLE else None


class Pulse:
    """Calls ``beat`` each ``interval`` seconds while it runs: by a timerfd on Linux, else by the loop's own timers.

    A beat that comes late is not made up for.
    """

    def __init__(self, interval: float, beat: Callable[[], None]) -> None:
        self._interval = interval
        self._beat = beat
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd = -1
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        return self._loop is not None

    def start(self) -> None:
        """On the running loop."""
        self._loop = asyncio.get_running_loop()
        if _AVAILABLE:
            self._fd = _libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS)
        if self._fd < 0:
            self._timer = self._loop.call_later(self._interval, self._late_beat)
            return
        every = ffi.new("struct itimerspec *")
        every.it_interval.tv_nsec = every.it_value.tv_nsec = int(self._interval * 1e9)
        _libc.timerfd_settime(self._fd, 0, every, ffi.NULL)
        self._loop.add_reader(self._fd, self._expired)

    def _expired(self) -> None:
        os.read(self._fd, 8)
        self._beat()

    def _late_beat(self) -> None:
        self._beat()
        if self._loop is not None:
            self._timer = self._loop.call_later(self._interval, self._late_beat)

    def stop(self) -> None:
        """Idempotent."""
        if self._fd >= 0 and self._loop is not None:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
        if self._timer is not None:
            self._timer.cancel()
        self._fd, self._timer, self._loop = -1, None, None
