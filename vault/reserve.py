"""Room on the disk that is kept for destroying: a full disk may keep nobody's data longer than was promised (S-30).

A file of zeros lies where we write. When the disk is nearly full it is given up, and nothing new is planned until there
is room for it again: what it leaves is for destroying, and for what that writes.
"""

import errno
import logging
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from vault.errors import DomainError

logger = logging.getLogger(__name__)

NAME: Final = "reserve"
BYTES: Final = 16 << 20
SHARE: Final = 0.1
"""Of a small disk the reserve is no more than this."""

LEAST: Final = 0.25
"""Of the reserve's size: with less free than that it is given up."""

AGAIN: Final = 1.5
"""Of the reserve's size: with so much free it is made again."""

FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class Reserve:
    """One for each disk that the folders are on. Blocks; run ``look`` in a thread."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self.low = False

    @property
    def trouble(self) -> str | None:
        """What is wrong with the disk, as one sentence for the operator."""
        if not self.low:
            return None
        return "The disk is nearly full: nothing new is planned, destroying goes on for a while. Make room."

    def require(self) -> None:
        """Before anything new is written: DomainError ``try_again`` while the disk is nearly full."""
        if self.low:
            raise DomainError("try_again")

    def look(self) -> None:
        """Give a reserve up where the disk is nearly full, make it where there is room."""
        lows = [self._low(folder) for folder in self._disks()]
        before, self.low = self.low, any(lows)
        if self.low and not before:
            logger.error("the disk is nearly full; its reserve is given up, so that destroying goes on")
        if before and not self.low:
            logger.info("there is room on the disk again")

    def _disks(self) -> list[Path]:
        """The first of the folders on each."""
        found: dict[int, Path] = {}
        for folder in self._folders:
            with suppress(OSError):
                found.setdefault(folder.stat().st_dev, folder)
        return list(found.values())

    def _low(self, folder: Path) -> bool:
        file = folder / NAME
        try:
            usage = shutil.disk_usage(folder)
            size = min(BYTES, int(usage.total * SHARE))
            if file.exists() and file.stat().st_size >= size:
                if usage.free >= size * LEAST:
                    return False
                file.unlink()
                return True
            if usage.free < size * AGAIN:
                file.unlink(missing_ok=True)
                return True
            return not made(file, size)
        except OSError as error:
            logger.warning("the reserve on the disk cannot be kept", exc_info=error)
            return error.errno in FULL


def made(file: Path, size: int) -> bool:
    """Whether a file of this size could be made, with its place on the disk."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        file.unlink()
        if error.errno in FULL:
            return False
        raise
    finally:
        os.close(descriptor)
    return True
