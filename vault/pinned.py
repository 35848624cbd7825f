"""Noticing that a file that is in use is not where it was any more: deleted, replaced, its folder unmounted.

Such a file works on as if nothing had happened, until the process ends, and everything with it.
"""

from collections.abc import Iterable
from pathlib import Path

Identity = tuple[int, int]


class Pinned:
    """Files as they are when this is made, by device and inode. One that is not there then is not asked for later."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._files = {path: found for path in paths if (found := identity(path)) is not None}

    def whole(self) -> bool:
        """Whether each of them is still the same."""
        return all(identity(path) == found for path, found in self._files.items())


def identity(path: Path) -> Identity | None:
    """Which file this is; None when there is none, or nobody can say."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
