"""How much a peer can take, from what its own estimate (REMB), its losses and its round trips say."""

_LEAST = 100_000
_MOST = 20_000_000
_LOSS_BAD, _LOSS_GOOD = 0.10, 0.02
_GROWTH = 1.05
_BACK_OFF = 0.85
_FELL = 0.90
_FRESH = 5.0
_CALM = 3.0
_QUEUE = 0.060
_PATIENCE = 1.0


class Downlink:
    """A bound in bit/s on what to send a peer; None as long as nothing speaks for one.

    A browser's REMB grows so slowly that it lags behind what arrives without any trouble (measured: 390 kbit/s
    estimated, 540 received, nothing lost), so its value says little, but its fall says that a queue is building
    up. It counts if losses or the round trip say so too: a busy machine makes it fall as well.
    """

    __slots__ = ("_backed_off", "_bound", "_estimate", "_estimated_at", "_least_rtt", "_loss", "_rtt")

    def __init__(self) -> None:
        self._bound: float | None = None
        self._estimate = 0
        self._estimated_at = self._backed_off = float("-inf")
        self._loss = 0.0
        self._rtt = 0.0
        self._least_rtt = float("inf")

    def round_trip(self, rtt: float) -> None:
        """A round trip was measured, in seconds."""
        self._rtt = rtt
        # The least is forgotten slowly: a path may change for the worse.
        self._least_rtt = min(rtt, self._least_rtt * 1.01)

    def estimated(self, bitrate: int, sent: float, now: float) -> None:
        """A REMB came while ``sent`` bit/s were being sent. 0 is no estimate."""
        if bitrate <= 0:
            return
        fell = now - self._estimated_at < _FRESH and bitrate < _FELL * self._estimate
        self._estimate, self._estimated_at = bitrate, now
        queued = self._rtt > self._least_rtt + _QUEUE
        if fell and (queued or self._loss > _LOSS_GOOD) and now - self._backed_off > _PATIENCE:
            self._limit_to(_BACK_OFF * self._base(sent), now)

    def lost(self, fraction: float, sent: float, now: float) -> None:
        """A receiver report with the fraction lost of what was sent at ``sent`` bit/s."""
        self._loss = fraction
        if fraction > _LOSS_BAD:
            base = self._base(sent)
            bound = base * (1 - fraction / 2)
            if now - self._estimated_at < _FRESH and self._estimate < bound:
                bound = max(self._estimate, _BACK_OFF * base * (1 - fraction))
            self._limit_to(bound, now)
        elif fraction < _LOSS_GOOD and self._bound is not None and now - self._backed_off > _CALM:
            if sent > 0.75 * self._bound:
                self._bound *= _GROWTH
            if self._bound > _MOST:
                self._bound = None

    def _base(self, sent: float) -> float:
        return sent if self._bound is None else min(sent, self._bound)

    def _limit_to(self, bound: float, now: float) -> None:
        self._bound = max(float(_LEAST), bound)
        self._backed_off = now

    @property
    def limit(self) -> int | None:
        return None if self._bound is None else int(self._bound)


class Rate:
    """Bits per second from a counter of bytes, looked at about once a second."""

    __slots__ = ("_at", "_octets", "value")

    def __init__(self, now: float) -> None:
        self._at = now
        self._octets = 0
        self.value = 0.0

    def update(self, octets: int, now: float) -> float:
        """``octets``: all so far."""
        elapsed = now - self._at
        if elapsed > 0.1:
            self.value = max(0, octets - self._octets) * 8 / elapsed
            self._at, self._octets = now, octets
        return self.value
