"""The loop that sends every packet when it is due and takes what comes back."""

import gc
import heapq
import random
import select
import time
from dataclasses import dataclass
from typing import Any

from cffi import FFI  # type: ignore[import-untyped]  # it has no types

from bench.load.person import Person
from bench.load.streams import Outgoing

_ffi = FFI()
_ffi.cdef(
    """
    struct timespec { long tv_sec; long tv_nsec; };
    struct itimerspec { struct timespec it_interval; struct timespec it_value; };
    int timerfd_create(int clockid, int flags);
    int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value);
    int close(int fd);
    """
)
_libc: Any = _ffi.dlopen(None)
_CLOCK_MONOTONIC, _NONBLOCK, _ABSOLUTE = 1, 0o4000, 1
_REPORT_NS = 1_000_000_000
_BURST = 32


@dataclass
class Run:
    """Of one measured interval: counts of all persons together, latencies and lateness in nanoseconds, sorted.

    Attributes:
        lateness: how much later than due packets were sent: what the generator itself adds.
    """

    seconds: float
    sent: int
    received: int
    lost: int
    latencies: list[int]
    lateness: list[int]

    def latency(self, share: float) -> float:
        """Milliseconds that ``share`` of the packets took at most."""
        return percentile(self.latencies, share) / 1e6


def percentile(ordered: list[int], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Generator:
    """Runs persons that are connected. Timers are a timerfd: epoll's own timeout has milliseconds only."""

    def __init__(self, persons: list[Person]) -> None:
        self.persons = persons
        self._by_fd = {person.sock.fileno(): person for person in persons}
        self._epoll = select.epoll()
        self._timer = _libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK)
        self._spec = _ffi.new("struct itimerspec *")
        self._epoll.register(self._timer, select.EPOLLIN)
        for fd in self._by_fd:
            self._epoll.register(fd, select.EPOLLIN)
        start = time.monotonic_ns()
        self._due: list[tuple[int, int, Person, Outgoing | None]] = []
        for person in persons:
            for stream in (*person.out, None):
                period = stream.period_ns if stream else _REPORT_NS
                heapq.heappush(self._due, (start + random.randrange(period), len(self._due), person, stream))
        self._late: list[int] = []

    def run(self, seconds: float) -> Run:
        """Send and receive for so long; counts start anew."""
        for person in self.persons:
            person.into.clear()
            person.unstamped = 0
        sent = sum(stream.counter for person in self.persons for stream in person.out)
        self._late = []
        gc.collect()
        gc.disable()
        try:
            started = time.monotonic_ns()
            self._loop(started + int(seconds * 1e9))
            elapsed = (time.monotonic_ns() - started) / 1e9
        finally:
            gc.enable()
        streams = [stream for person in self.persons for stream in person.into.values()]
        return Run(
            seconds=elapsed,
            sent=sum(stream.counter for person in self.persons for stream in person.out) - sent,
            received=sum(stream.received for stream in streams) + sum(person.unstamped for person in self.persons),
            lost=sum(stream.lost for stream in streams),
            latencies=sorted(latency for stream in streams for latency in stream.latencies),
            lateness=sorted(self._late),
        )

    def close(self) -> None:
        self._epoll.close()
        _libc.close(self._timer)

    def _loop(self, end: int) -> None:
        by_fd, timer = self._by_fd, self._timer
        while (now := time.monotonic_ns()) < end:
            self._send_due(now)
            self._arm(self._due[0][0])
            for fd, _ in self._epoll.poll(1.0):
                if fd != timer:
                    receive = by_fd[fd].receive
                    for _ in range(_BURST):
                        if not receive():
                            break

    def _send_due(self, now: int) -> None:
        due = self._due
        while due[0][0] <= now:
            at, number, person, stream = due[0]
            if stream is None:
                person.send_reports()
                period = _REPORT_NS
            else:
                person.send(stream)
                period = stream.period_ns
                self._late.append(now - at)
            heapq.heapreplace(due, (at + period, number, person, stream))

    def _arm(self, at: int) -> None:
        value = self._spec.it_value
        value.tv_sec, value.tv_nsec = divmod(at, 1_000_000_000)
        _libc.timerfd_settime(self._timer, _ABSOLUTE, self._spec, _ffi.NULL)
