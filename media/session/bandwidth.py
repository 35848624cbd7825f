"""How much a peer can take, from what its losses, its round trips and its own estimate (REMB) say."""

from collections import deque

_LEAST = 100_000
_MOST = 20_000_000
_LOSS_BAD, _LOSS_GOOD, _LOSS_HEAVY = 0.15, 0.05, 0.40
_WINDOW_PACKETS, _HEAVY_PACKETS = 100, 20
_MOST_GIVEN = 0.30
_QUEUE = 0.100
_QUEUE_SAMPLES = 3
_FRESH = 5.0
_CALM = 3.0
_PATIENCE = 1.0
_BACK_OFF = 0.85
_MOST_AT_ONCE = 0.70
_CAREFUL, _BOLD = 1.08, 1.20
"""Growth in a second."""
_MOST_STEPS = 2.0
_NEAR = 0.20


class Downlink:
    """A bound in bit/s on what to send a peer; None as long as nothing speaks for one.

    - A browser's REMB grows so slowly that it lags behind what arrives without any trouble (measured: 390 kbit/s
      estimated, 540 received, nothing lost). It counts only while the round trip shows that a queue stands; a
      single long one is a busy machine.
    - Losses that do not become fewer when less is sent are not ours: radio loses packets at any rate. They are
      taken as given, and only what comes on top of them counts. Few packets say little: they are counted in
      windows, unless almost half is lost.
    - The bound grows carefully near the rate that was too much the last time, boldly elsewhere.
    """

    __slots__ = (
        "_before",
        "_bound",
        "_bounded_at",
        "_ceiling",
        "_estimate",
        "_estimated_at",
        "_expected",
        "_given",
        "_grown_at",
        "_least_rtt",
        "_lost",
        "_rtts",
    )

    def __init__(self) -> None:
        self._bound: float | None = None
        self._bounded_at = self._estimated_at = float("-inf")
        self._ceiling = self._grown_at = 0.0
        self._estimate = 0
        self._lost = self._expected = 0
        self._given = 0.0
        # What was sent and lost when the bound was lowered last, until it showed whether that helped.
        self._before: tuple[float, float] | None = None
        self._rtts: deque[float] = deque(maxlen=_QUEUE_SAMPLES)
        self._least_rtt = float("inf")

    def round_trip(self, rtt: float) -> None:
        """A round trip was measured, in seconds."""
        self._rtts.append(rtt)
        # The least is forgotten slowly: a path may change for the worse.
        self._least_rtt = min(rtt, self._least_rtt * 1.01)

    def estimated(self, bitrate: int, now: float) -> None:
        """A REMB came. 0 is no estimate."""
        if bitrate > 0:
            self._estimate, self._estimated_at = bitrate, now

    @property
    def _queued(self) -> bool:
        return len(self._rtts) == _QUEUE_SAMPLES and min(self._rtts) > self._least_rtt + _QUEUE

    def reported(self, lost: int, expected: int, sent: float, now: float) -> None:
        """Of ``expected`` packets ``lost`` were lost since the report before, at ``sent`` bit/s."""
        self._lost += lost
        self._expected += expected
        loss = self._lost / max(1, self._expected)
        base = max(1.0, sent if self._bound is None else min(sent, self._bound))
        estimate = self._estimate / base if now - self._estimated_at < _FRESH else 1.0
        if loss > self._given + _LOSS_HEAVY and self._expected >= _HEAVY_PACKETS:
            share = 1 - loss
            self._lower(base, max(_BACK_OFF * share, min(estimate, (1 + share) / 2)), loss, now)
        elif self._queued and estimate < 1:
            self._lower(base, max(_MOST_AT_ONCE, estimate), loss, now)
        elif self._expected >= _WINDOW_PACKETS:
            self._judge(base, loss, sent, now)

    def _judge(self, base: float, loss: float, sent: float, now: float) -> None:
        """A window is full."""
        self._lost = self._expected = 0
        if self._before is not None and now - self._bounded_at >= _CALM:
            self._learn_what_is_given(loss, sent)
        if loss < self._given:
            self._given += (loss - self._given) / 4
        excess = loss - self._given
        if excess > _LOSS_BAD:
            self._lower(base, min(_BACK_OFF, 1 - loss / 2), loss, now)
        elif excess < _LOSS_GOOD and not self._queued and now - self._bounded_at >= _CALM:
            self._grow(sent, now)

    def _learn_what_is_given(self, loss: float, sent: float) -> None:
        """If a full link lost them, less would be lost of less: all that is more than what got through before."""
        assert self._before is not None
        rate, before = self._before
        expected = max(0.0, 1 - rate * (1 - before) / max(1.0, sent))
        if sent < 0.95 * rate and loss > (before + expected) / 2:
            self._given = min(_MOST_GIVEN, max(self._given, loss))
        self._before = None

    def _lower(self, base: float, share: float, loss: float, now: float) -> None:
        """Not again before what is sent could follow, and before it shows whether that helped."""
        patience = _PATIENCE if self._queued or loss > self._given + _LOSS_HEAVY else _CALM + _PATIENCE
        if now - self._bounded_at >= patience:
            self._lost = self._expected = 0
            self._before = (base, loss)
            self._ceiling = base
            self._bound = max(float(_LEAST), share * base)
            self._bounded_at = self._grown_at = now

    def _grow(self, sent: float, now: float) -> None:
        """Once a window. A bound that is not made use of proves nothing; the smallest ones cannot be used well."""
        if self._bound is None or sent < self._bound / 2:
            return
        near = abs(self._bound / max(1.0, self._ceiling) - 1) < _NEAR
        self._bound *= (_CAREFUL if near else _BOLD) ** min(_MOST_STEPS, now - self._grown_at)
        self._grown_at = now
        if self._bound > _MOST:
            self._bound = None

    @property
    def limit(self) -> int | None:
        return None if self._bound is None else int(self._bound)


class Rate:
    """Bits per second from a counter of bytes, looked at about once a second.

    Attributes:
        value: since the last look; 0 until two looks in a row saw bytes, for a part of a second says nothing.
    """

    __slots__ = ("_at", "_octets", "_running", "value")

    def __init__(self, now: float) -> None:
        self._at = now
        self._octets = 0
        self._running = False
        self.value = 0.0

    def update(self, octets: int, now: float) -> float:
        """``octets``: all so far."""
        elapsed = now - self._at
        if elapsed > 0.1:
            moved = max(0, octets - self._octets)
            self.value = moved * 8 / elapsed if self._running else 0.0
            self._running = moved > 0
            self._at, self._octets = now, octets
        return self.value
