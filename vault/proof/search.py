"""Finding an id of which only the receipt is known, in bytes of any kind."""

import base64
import re
from collections.abc import Callable, Iterator

ID_LENGTH = 22
RUN = re.compile(rb"[A-Za-z0-9_-]{22,}")
WIDE = re.compile(rb"(?:[A-Za-z0-9_-]\x00){22,}")
HEX = re.compile(rb"[0-9A-Fa-f]{44,}")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{32,}")
CHUNK = 8 << 20
OVERLAP = 1024
REMEMBERED = 1_000_000


class Needle:
    """An id by its receipt. ``receipt_of`` is the key store's keyed hash."""

    def __init__(self, receipt: str, receipt_of: Callable[[str], str]) -> None:
        self.receipt = receipt
        self._receipt_of = receipt_of
        self._not_it: set[bytes] = set()
        self.tried = 0

    def is_it(self, candidate: str) -> bool:
        """Whether this is the id."""
        self.tried += 1
        return self._receipt_of(candidate) == self.receipt

    def positions(self, content: bytes) -> list[int]:
        """Where the id stands: as text, in UTF-16, in hex, in base64. All that could be one is tried."""
        found = set(self._plain(content))
        for match in WIDE.finditer(content):
            if any(True for _ in self._plain(match[0][::2])):
                found.add(match.start())
        for match in HEX.finditer(content):
            if any(True for form in unhexed(match[0]) for _ in self._plain(form)):
                found.add(match.start())
        for match in BASE64.finditer(content):
            if any(True for form in decoded(match[0]) for _ in self._plain(form)):
                found.add(match.start())
        return sorted(found)

    def _plain(self, content: bytes) -> Iterator[int]:
        for match in RUN.finditer(content):
            run = match[0]
            for start in range(len(run) - ID_LENGTH + 1):
                window = run[start : start + ID_LENGTH]
                if window in self._not_it:
                    continue
                if self.is_it(window.decode()):
                    yield match.start() + start
                elif len(self._not_it) < REMEMBERED:
                    self._not_it.add(window)


def unhexed(run: bytes) -> Iterator[bytes]:
    """What a run of hex digits says, at both alignments."""
    for shift in (0, 1):
        yield bytes.fromhex(run[shift : shift + (len(run) - shift) // 2 * 2].decode())


def decoded(run: bytes) -> Iterator[bytes]:
    """What a run of base64 says, at each alignment."""
    for shift in range(4):
        part = run[shift : shift + (len(run) - shift) // 4 * 4]
        yield base64.b64decode(part, altchars=b"-_" if re.search(rb"[-_]", part) else None)
