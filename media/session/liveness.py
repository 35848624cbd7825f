"""When silence of a client means that it is gone."""

from collections import deque

LOST_SECONDS = 30.0
"""Consent is over (RFC 7675, 5.1): the transport is freed."""

_LEAST, _MOST = 6.0, 26.0
_BURST = 1.0
_REMEMBERED = 8


class Liveness:
    """Learns how often a client says that it is there when it sends nothing else.

    Chromium checks each 2.5 s, RFC 7675 asks for a check in 4 to 6 s, RFC 8445 (11) for an indication in 15 s or more.
    So a client is quiet when the third sign in a row is overdue, by the longest of its last gaps: after 8 s, after 13
    to 19 s; and after 26 s where the rhythm is slow or not known yet.

    Attributes:
        seen: monotonic time of the last packet that shows life: media, RTCP, an authentic check, an indication.
        quiet_after: seconds of silence.
    """

    __slots__ = ("_gaps", "_signed", "quiet_after", "seen")

    def __init__(self, now: float) -> None:
        self.seen = now
        self.quiet_after = _MOST
        self._signed: float | None = None
        self._gaps: deque[float] = deque(maxlen=_REMEMBERED)

    def sign(self, now: float) -> None:
        """A check or an indication. Bursts of them, while paths are looked for, say nothing of the rhythm."""
        self.seen = now
        if self._signed is None or now - self._signed >= _BURST:
            if self._signed is not None:
                self._gaps.append(now - self._signed)
            self._signed = now
        if len(self._gaps) > 1:
            self.quiet_after = min(max(3 * max(self._gaps) + 0.5, _LEAST), _MOST)

    def silent(self, now: float) -> bool:
        return now - self.seen > self.quiet_after

    def lost(self, now: float) -> bool:
        return now - self.seen > LOST_SECONDS
