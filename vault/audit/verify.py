"""Whether the trail is whole: every link follows from the one before, up to what the key store remembers."""

import hmac
from dataclasses import dataclass, field

from vault.audit.entry import CHAIN_BYTES, Act, Entry

START = bytes(CHAIN_BYTES)
BASE = "audit-base"
"""The mark that says where the trail begins: the last entry that was forgotten."""


@dataclass(frozen=True, slots=True)
class Bad:
    """The first line that is not as it was written, and a sentence about it."""

    number: int
    reason: str


@dataclass(slots=True)
class TrailReport:
    """What a walk over the trail found. ``gaps`` are losses that the trail itself admits: (first number, how many)."""

    entries: int = 0
    first: int = 0
    last: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    bad: Bad | None = None


class Verifier:
    """Sees the entries in order. ``anchored`` is what the key store remembers of the newest one."""

    def __init__(self, key: bytes, anchored: tuple[int, bytes]) -> None:
        self.report = TrailReport()
        self._key = key
        self._anchored = anchored
        self._number = 0
        self._link = START

    def begin(self, mark: str | None) -> None:
        """Where the trail begins."""
        base = (0, START) if mark is None else read_base(self._key, mark)
        if base is None:
            self._bad(0, "The mark that says where the trail begins was changed.")
            return
        self._number, self._link = base

    def see(self, entry: Entry, link: bytes) -> None:
        """The next entry in order of number."""
        if self.report.bad or entry.number <= self._number:
            return  # forgotten while we looked
        skips = entry.number != self._number + 1
        if not hmac.compare_digest(entry.chained(self._key, self._link), link):
            self._bad(self._number + 1, "It is missing." if skips else "It was changed.")
            return
        if skips and entry.act != Act.AUDIT_LOST:
            self._bad(self._number + 1, "It is missing.")
            return
        if skips:
            self.report.gaps.append((self._number + 1, entry.number - self._number - 1))
        if entry.number == self._anchored[0] and link != self._anchored[1]:
            self._bad(entry.number, "It is not the entry that the key store remembers.")
            return
        self._number, self._link = entry.number, link
        self.report.entries += 1
        self.report.first = self.report.first or entry.number
        self.report.last = entry.number

    def finish(self) -> None:
        """There is no next entry."""
        if self._number < self._anchored[0]:
            self._bad(self._number + 1, "It and all after it are missing; the key store remembers more.")

    def _bad(self, number: int, reason: str) -> None:
        self.report.bad = self.report.bad or Bad(number, reason)


def write_base(key: bytes, number: int, link: bytes) -> str:
    """The mark for a trail that begins after this entry; the number first, for the database's own guard."""
    return f"{number}:{link.hex()}:{seal(key, number, link)}"


def read_base(key: bytes, mark: str | None) -> tuple[int, bytes] | None:
    """Number and link of the last entry that was forgotten; None when the mark is not ours."""
    try:
        number, link, sealed = (mark or "").split(":")
        base = int(number), bytes.fromhex(link)
    except ValueError:
        return None
    return base if hmac.compare_digest(sealed, seal(key, *base)) else None


def seal(key: bytes, number: int, link: bytes) -> str:
    """An HMAC that only the holder of the trail's key can make."""
    return hmac.digest(key, b"base|%d|" % number + link, "sha256").hex()
