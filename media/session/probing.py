"""Whether a line takes more than it is sent: tried for a moment, with packets that carry nothing."""

_LEAD, _SECONDS = 0.7, 0.3
"""From one turn to the next: first nothing, then more, so that the sender reports of the next turn meet its queue."""

_CAREFUL, _AGAIN = 1.25, 2.0
"""How much is tried: after there was too much; at first, and after it went well."""

_NEAR = 0.05
_PACKET = 300
"""What a packet of 255 bytes of padding costs a line, in bytes of a picture's payload: its headers are as long."""

_WAIT, _LONGER_WAIT, _LONGEST_WAIT = 4.0, 8.0, 12.0
_NO_ANSWER = 3.0
_REGRET = 6.0
_WORTH_IT = 1.05
_TICK = 0.020
_ENOUGH = 0.7


class Probing:
    """Tries more, and waits after it was too much. Bit/s and seconds.

    Attributes:
        refused: nothing went out for the last one: a receiver without RTX is sent none.
    """

    __slots__ = (
        "_answered",
        "_begins",
        "_ends",
        "_extra",
        "_factor",
        "_failures",
        "_padded",
        "_rate",
        "_succeeded",
        "_waits_until",
        "_wanted",
        "refused",
    )

    def __init__(self) -> None:
        self.refused = False
        self._answered = False
        self._begins = self._ends = 0.0
        self._rate = 0.0
        self._extra = self._wanted = self._padded = 0
        self._factor = _AGAIN
        self._failures = 0
        self._waits_until = self._succeeded = float("-inf")

    @property
    def planned(self) -> bool:
        """One is to be, or was not judged."""
        return self._rate > 0

    def begun(self, now: float) -> bool:
        """What is reported now may be about one."""
        return self._rate > 0 and now >= self._begins

    def plan(self, turn: float, now: float, bound: float, sent: float, goal: float) -> None:
        """Have one before the next turn, if it is time.

        Args:
            turn: when the last one was.
            bound: what the line is known to take.
            sent: what it is sent.
            goal: what there is to send it.
        """
        rate = min(bound * self._factor, goal)
        if self._rate or now < self._waits_until or now > turn + _LEAD or rate < _WORTH_IT * bound:
            return
        self._rate, self._extra = rate, int(rate - min(sent, bound))
        self._wanted, self._padded, self._answered = 0, 0, False
        self._begins, self._ends = turn + _LEAD, turn + _LEAD + _SECONDS

    def listening(self, now: float) -> bool:
        """One is over and not answered."""
        return self._rate > 0 and now > self._ends + _NEAR and not self._answered

    def packets(self, now: float) -> int:
        """To be sent now, each with 255 bytes of padding; to be asked for each 20 ms."""
        if not self._rate or not self._begins <= now < self._ends:
            return 0
        due = self._extra * (now - self._begins + _TICK) / 8 / _PACKET
        wanted = int(due) - self._wanted
        self._wanted += wanted
        return wanted

    def padded(self, packets: int) -> None:
        """So many went out."""
        self._padded += packets

    def answered(self, asked: float) -> None:
        """A sender report that left at ``asked`` met no queue."""
        self._answered |= asked >= self._ends - _NEAR

    def found(self, now: float) -> float:
        """What was tried and went well, once it is known to; else 0.

        It may have been a sixth too much: so short a queue is not told from none.
        """
        if not self._rate or not (self._answered or now - self._ends > _NO_ANSWER):
            return 0.0
        rate = self._rate if self._answered and self._padded > _ENOUGH * self._wanted else 0.0
        self._rate = 0.0
        self.refused = not self._padded
        if rate:
            self._factor, self._succeeded, self._failures = _AGAIN, now, 0
        elif self.refused:
            self._waits_until = now + _WAIT
        return rate

    def failed(self, now: float) -> None:
        """It was too much; or what was found by the last one is too much after all."""
        if not self._rate and now - self._succeeded < _REGRET:
            wait = _LONGEST_WAIT
        elif self._rate and self._failures:
            wait = _LONGER_WAIT
        else:
            wait = _WAIT
        self._failures += self._rate > 0
        self._waits_until = max(self._waits_until, now + wait)
        self._rate, self._factor, self._succeeded = 0.0, _CAREFUL, float("-inf")
