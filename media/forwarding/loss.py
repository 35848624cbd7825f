"""Packets that a publisher's stream lacks, and when to ask for them again."""

_FIRST_WAIT = 0.010
_LEAST_REPEAT = 0.040
_TRIES = 10
_MAX_MISSING = 512


class MissingPackets:
    """Extended sequence numbers that did not come yet.

    What was only overtaken comes within a few ms, so the first request waits 10 ms: a longer wait is a longer
    stillness for all viewers, and a request too many costs one packet. Then one every max(RTT, 40 ms), ten in all.
    """

    __slots__ = ("_next", "numbers")

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        """Missing number → how often it was asked for."""
        self._next: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self.numbers)

    def add(self, first: int, end: int, now: float) -> bool:
        """``first`` to before ``end`` are missing. False: too many to be worth asking for; all are forgotten."""
        if len(self.numbers) + end - first > _MAX_MISSING:
            self.clear()
            return False
        for number in range(first, end):
            self.numbers[number] = 0
            self._next[number] = now + _FIRST_WAIT
        return True

    def ask(self, number: int, now: float) -> None:
        """Ask for a packet that came and is gone from our store."""
        if number not in self.numbers and len(self.numbers) < _MAX_MISSING:
            self.numbers[number] = _TRIES - 1
            self._next[number] = now

    def arrived(self, number: int) -> bool:
        """Whether it was missing."""
        if self.numbers.pop(number, None) is None:
            return False
        del self._next[number]
        return True

    def due(self, now: float, rtt: float) -> tuple[list[int], bool]:
        """The numbers to ask for now, ascending, and whether one was given up."""
        wanted: list[int] = []
        given_up: list[int] = []
        for number, at in self._next.items():
            if now < at:
                continue
            if self.numbers[number] >= _TRIES:
                given_up.append(number)
                continue
            wanted.append(number)
        for number in wanted:
            self.numbers[number] += 1
            self._next[number] = now + max(rtt, _LEAST_REPEAT)
        for number in given_up:
            self.arrived(number)
        return sorted(wanted), bool(given_up)

    def forget_before(self, number: int) -> None:
        """Nobody needs what came before a key frame."""
        for old in [missing for missing in self.numbers if missing < number]:
            self.arrived(old)

    def clear(self) -> None:
        self.numbers.clear()
        self._next.clear()
