"""Lock files: one running server per data folder, one migration at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rooms.errors import StartRefused
from rooms.keys.files import private_folder


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a data folder while the process lives; the kernel lets go of it when the process dies.

    Errors: StartRefused when another process holds it.
    """
    with opened(folder / "server.lock") as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartRefused(
                "Another server is running on this data folder; stop it or choose another one."
            ) from None
        yield


@contextmanager
def waited_for(path: Path) -> Iterator[None]:
    """Hold a lock file, waiting for it if need be. Blocks."""
    with opened(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A lock file; the lock goes with the descriptor. It is never unlinked: that would let two in."""
    try:
        private_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        raise StartRefused("The data folder can not be written.") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)
