"""Parts of a sweep that must not keep each other back."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

PARTS = ("marked", "clock", "settings", "due", "handing", "settle", "closing", "rotate", "sessions", "journal")


class Apart:
    """Each part is tried whatever became of the one before. ``failures`` counts by part, for as long as its owner."""

    def __init__(self, failures: dict[str, int]) -> None:
        self._failures = failures
        self._first: Exception | None = None

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A fault in here is logged and counted, and kept for ``end``."""
        try:
            yield
        except Exception as fault:
            logger.exception("a part of the sweep failed", extra={"cause": name})
            self._failures[name] += 1
            self._first = self._first or fault

    @property
    def sound(self) -> bool:
        """Whether nothing failed up to here."""
        return self._first is None

    def end(self) -> None:
        """Raise the first fault there was."""
        if self._first is not None:
            raise self._first
