"""What a page remembers of its handshakes: whom it agreed with, what came to nothing, which digits were shown
(docs/protocol.md, Chain, Counting, What the code says)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

SAID_FROM = 3
"""As many withheld reveals are said to both people."""

RENEWALS = 10
"""As many epochs without somebody new are said like that."""

_SHOWN = 64

Change = Literal["renewed", "left", "came"]
_GRAVITY: tuple[Change, ...] = ("renewed", "left", "came")


class Chain:
    """The transcripts that this page agreed on and completed, with whom."""

    def __init__(self) -> None:
        self._agreed: dict[str, set[bytes]] = {}
        self._last: dict[str, bytes] = {}

    def last(self, other: str) -> bytes:
        """Of the last handshake completed with ``other`` in it; empty if there was none."""
        return self._last.get(other, b"")

    def holds(self, other: str, claim: bytes) -> bool:
        """Whether ``other`` can have completed this with us: it is empty or was agreed on."""
        return not claim or claim in self._agreed.get(other, ())

    def agree(self, transcript: bytes, others: Iterable[str]) -> None:
        """This is what all of ``others`` agreed on with us, if they are honest."""
        for other in others:
            self._agreed.setdefault(other, set()).add(transcript)

    def complete(self, transcript: bytes, others: Iterable[str]) -> None:
        """A secret of each of ``others`` was opened under it."""
        self._last |= dict.fromkeys(others, transcript)


@dataclass
class Tally:
    """Kept by whoever loads the page anew in the same place, as the browser's page keeps it over a reload.

    Attributes:
        withheld: reveals of ours after which no code was shown, the one that is under way included.
        epochs: begun since somebody new was shown. shown: who was, the newest last. digits: some were shown.
        most: others that were shown at once.
    """

    withheld: int = 0
    epochs: int = 0
    shown: list[str] = field(default_factory=list)
    digits: bool = False
    most: int = 0
    _waiting: bool = False

    @property
    def counted(self) -> int:
        """Without the one that is under way."""
        return self.withheld - self._waiting

    def excuse(self, others: int) -> None:
        """More people are shown than ever before: the epoch that this ends is not held against anybody."""
        if others > self.most:
            self.most = others
            self.withheld = self.counted
            self._waiting = False

    def begin(self, others: Iterable[str]) -> int:
        """A new epoch. Returns what its entry says to be withheld."""
        self.lapse()
        new = [other for other in others if other not in self.shown]
        self.shown = [*self.shown, *new][-_SHOWN:]
        self.epochs = 1 if new else self.epochs + 1
        if self.epochs >= RENEWALS:
            self.withheld = max(self.withheld, SAID_FROM)
        return self.withheld

    def reveal(self) -> None:
        """Before our key leaves."""
        self.withheld += 1
        self._waiting = True

    def show(self) -> None:
        """The code of this epoch is there."""
        self.withheld -= self._waiting
        self._waiting = False
        self.digits = True

    def lapse(self) -> None:
        """If no code came by now, it counts for good."""
        self._waiting = False


class Comparison:
    """The digits on the screen, and why they have to be compared again.

    Attributes:
        code: six digits; None while nobody else is there. again: what changed since they were compared.
        withheld: the sentence about the count is due, here or at another's.
    """

    def __init__(self, *, before: bool) -> None:
        """``before``: digits were shown before this page was loaded."""
        self.code: str | None = None
        self.again: Change | None = None
        self.withheld = False
        self._before = before
        self._last: str | None = None
        self._people: frozenset[str] = frozenset()
        self._compared: frozenset[str] | None = None

    def show(self, code: str, people: Iterable[str], withheld: int) -> None:
        """``people``: the others. ``withheld``: the highest count of anybody."""
        before, self._people = self._people, frozenset(people)
        if self._compared is None:
            self._compared = self._people
            if self._before:
                self._note("renewed")
        elif code != self._last or self._people != before:
            came, left = self._people - self._compared, self._compared - self._people
            self._note("came" if came else "left" if left else "renewed")
        self.code = self._last = code
        self.count(withheld)

    def count(self, withheld: int) -> None:
        """It is never taken back."""
        self.withheld = self.withheld or withheld >= SAID_FROM

    def hide(self) -> None:
        """There is no code for now."""
        self.code = None

    def agree(self) -> None:
        """The person says to have compared."""
        self.again = None
        self._compared = self._people if self._compared is not None else None

    def _note(self, change: Change) -> None:
        self.again = max(self.again or change, change, key=_GRAVITY.index)
