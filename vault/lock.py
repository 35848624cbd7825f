"""Lock files: one running server per data folder, one migration at a time."""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vault.errors import StartRefused
from vault.faults import reason
from vault.keys.files import private_folder

HOLDER = re.compile(r"[A-Za-z0-9_-]{22}")


def hold(folder: Path) -> int:
    """Take a data folder. The lock lasts until the descriptor is closed; the kernel does that for a process that dies.

    Errors: StartRefused when another process holds it.
    """
    descriptor = opened(folder / "server.lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StartRefused("Another server is running on this data folder; stop it or choose another one.") from None
    return descriptor


def holder(descriptor: int) -> str:
    """The id of this data folder's server, kept in its lock file: after a restart its leases are its own again."""
    name = os.pread(descriptor, 64, 0).decode("ascii", "replace")
    if not HOLDER.fullmatch(name):
        name = secrets.token_urlsafe(16)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, name.encode(), 0)
    return name


@contextmanager
def waited_for(path: Path) -> Iterator[None]:
    """Hold a lock file, waiting for it if need be. Blocks."""
    descriptor = opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def opened(path: Path) -> int:
    """A lock file, which is never unlinked: that would let two in."""
    try:
        private_folder(path.parent)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartRefused(reason(error, f"The folder {path.parent.absolute()}")) from None
