"""How much a peer can take: its own estimate (REMB) and a bound from the loss it reports."""

_LEAST = 100_000
_MOST = 20_000_000
_LOSS_BAD, _LOSS_GOOD = 0.10, 0.02
_GROWTH = 1.05
_DROP = 0.95
_ROOM = 1.5
_STALE = 10.0


class Downlink:
    """Bitrate that a peer can receive, in bit/s; None while nothing speaks for a limit.

    A receiver's estimate never exceeds one and a half times what reaches it, so it limits a fast connection at first
    only because little was sent yet. It counts from the moment it shows congestion (it falls, or is less than
    what is sent) until it leaves room again.
    """

    __slots__ = ("_bound", "_congested", "_estimate", "_estimated_at")

    def __init__(self) -> None:
        self._estimate: int | None = None
        self._estimated_at = float("-inf")
        self._congested = False
        self._bound: float | None = None

    def estimated(self, bitrate: int, sent: float, now: float) -> None:
        """A REMB came while ``sent`` bit/s were being sent. 0 is no estimate."""
        if bitrate <= 0:
            return
        bitrate = max(_LEAST, min(bitrate, _MOST))
        fell = self._estimate is not None and now - self._estimated_at < _STALE and bitrate < _DROP * self._estimate
        if bitrate < _DROP * sent or (fell and bitrate < _ROOM * sent):
            self._congested = True
        elif bitrate > _ROOM * sent and bitrate > 4 * _LEAST:
            self._congested = False
        self._estimate, self._estimated_at = bitrate, now

    def lost(self, fraction: float, sent: float) -> None:
        """A receiver report with the fraction lost of what was sent at ``sent`` bit/s."""
        if fraction > _LOSS_BAD:
            base = min(sent, self._bound) if self._bound is not None else sent
            self._bound = max(_LEAST, base * (1 - fraction / 2))
        elif fraction < _LOSS_GOOD and self._bound is not None and sent > 0.75 * self._bound:
            self._bound *= _GROWTH
            if self._bound > _MOST:
                self._bound = None

    def limit(self, now: float) -> int | None:
        """The limit at ``now``."""
        limits = [self._bound] if self._bound is not None else []
        if self._congested and self._estimate is not None and now - self._estimated_at < _STALE:
            limits.append(self._estimate)
        return int(min(limits)) if limits else None


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
