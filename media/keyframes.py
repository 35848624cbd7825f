"""When to ask a publisher for a key frame."""

_INTERVAL = 0.5
_RETRY = 1.0
_NEVER = float("-inf")


class KeyframeRequests:
    """Requests for one source: the first goes out at once, then one per 500 ms, a pending one is kept.

    A request that no key frame answers is repeated after 1 s for as long as somebody waits. Times are monotonic
    seconds; each method says whether to send a request now.
    """

    __slots__ = ("_asked", "_awaited", "_later", "_pending")

    def __init__(self) -> None:
        self._asked = _NEVER
        self._pending = False
        self._awaited = False
        self._later: float | None = None

    @property
    def active(self) -> bool:
        """Whether `due` may have something to say later."""
        return self._pending or self._awaited or self._later is not None

    def request(self, now: float) -> bool:
        """Somebody needs a key frame."""
        if now - self._asked < _INTERVAL:
            self._pending = True
            return False
        return self._send(now)

    def schedule(self, at: float) -> None:
        """Ask once more at a later time, whatever comes until then; the latest time given holds."""
        self._later = at

    def due(self, now: float, waiting: bool) -> bool:
        """To be called every few ms while `active`. ``waiting``: somebody can't go on without a key frame."""
        if self._later is not None and now >= self._later:
            self._later = None
            self._pending = True
        if self._pending and now - self._asked >= _INTERVAL:
            return self._send(now)
        if self._awaited and now - self._asked >= _RETRY:
            if waiting:
                return self._send(now)
            self._awaited = False
        return False

    def arrived(self) -> None:
        """A key frame came: it answers all that was asked before it."""
        self._pending = self._awaited = False

    def _send(self, now: float) -> bool:
        self._asked = now
        self._pending, self._awaited = False, True
        return True
