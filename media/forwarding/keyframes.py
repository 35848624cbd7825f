"""When to ask a publisher for a key frame, and how often a viewer may want one."""

_INTERVAL = 0.5
_RETRY = 1.0
_SILENT_TRIES = 4
_CONTENT = 6.0
_LONGEST_WAIT = 16.0
_NEVER = float("-inf")


class KeyframeRequests:
    """Requests for one source: the first goes out at once, then one per 500 ms, a pending one is kept.

    A request that no key frame answers is repeated after 1 s for as long as somebody waits. A source that sends nothing
    at all (a screen that is no longer shared, a picture that stands still) is asked again after 1, 2 and 4 s, and then
    no more before something or somebody new comes. Times are monotonic seconds, ``heard`` is when the last packet came;
    each method says whether to send a request now.
    """

    __slots__ = ("_asked", "_awaited", "_in_vain", "_later", "_pending")

    def __init__(self) -> None:
        self._asked = _NEVER
        self._in_vain = 0
        self._pending = False
        self._awaited = False
        self._later: float | None = None

    @property
    def active(self) -> bool:
        """Whether `due` may have something to say later."""
        return self._pending or self._awaited or self._later is not None

    def renew(self) -> None:
        """Somebody new waits: a silent source may be asked again."""
        self._in_vain = 0

    def request(self, now: float, heard: float) -> bool:
        """Somebody needs a key frame."""
        if self._is_in_vain(heard):
            return False
        if now - self._asked < _INTERVAL:
            self._pending = True
            return False
        return self._send(now)

    def schedule(self, at: float) -> None:
        """Ask once more at a later time, whatever comes until then; the latest time given holds."""
        self._later = at

    def due(self, now: float, waiting: bool, heard: float) -> bool:
        """To be called every few ms while `active`. ``waiting``: somebody cannot go on without a key frame."""
        in_vain = self._is_in_vain(heard)
        if self._later is not None and now >= self._later:
            self._later = None
            self._pending = True
        if in_vain:
            self._pending = self._awaited = False
        if self._pending and now - self._asked >= _INTERVAL:
            return self._send(now)
        if self._awaited and now - self._asked >= _RETRY * 2 ** max(0, self._in_vain - 1):
            if waiting:
                return self._send(now)
            self._awaited = False
        return False

    def arrived(self) -> None:
        """A key frame came: it answers all that was asked before it."""
        self._pending = self._awaited = False

    def _is_in_vain(self, heard: float) -> bool:
        if heard > self._asked:
            self._in_vain = 0
        return self._in_vain >= _SILENT_TRIES

    def _send(self, now: float) -> bool:
        self._asked = now
        self._in_vain += 1
        self._pending, self._awaited = False, True
        return True


class ViewerWishes:
    """How often one viewer may want a key frame of what it is shown.

    Who still wants one after one arrived without loss cannot use them, for want of a key or a decoder: each time it has
    to wait twice as long, up to 16 s. Who lost packets, or was content for 6 s, waits no longer than others.
    """

    __slots__ = ("_arrived", "_asked", "_granted", "_wait")

    def __init__(self) -> None:
        self._asked = self._granted = _NEVER
        self._wait = 0.0
        self._arrived = False

    def arrived(self) -> None:
        """A key frame went out to the viewer."""
        self._arrived = True

    def lost(self) -> None:
        """The viewer told of packets that it lacks: the key frame may have been among them."""
        self._arrived = False

    def allow(self, now: float) -> bool:
        """Whether its wish for a key frame counts now."""
        if now - self._asked > _CONTENT:
            self._wait = 0.0
        self._asked = now
        wait = min(max(2 * self._wait, _INTERVAL), _LONGEST_WAIT) if self._arrived else self._wait
        if now - self._granted < wait:
            return False
        self._wait = wait
        self._granted, self._arrived = now, False
        return True
