"""The root key and its replacement.

While a root key is replaced its successor lies beside it as ``<name>.next``. Whichever of the two opens the key store
is the root key, so being cut off anywhere loses nothing, and other hosts can be given the successor beforehand.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from vault.errors import StartRefused
from vault.keys.files import create_root_key, erase, flush_folder, read_root_key

logger = logging.getLogger(__name__)


class RootKeys:
    """The root key in use. Without a path it can be neither looked for again nor replaced."""

    def __init__(self, key: bytes, path: Path | None = None) -> None:
        self.key = key
        self._path = path

    @classmethod
    def read(cls, path: Path) -> Self:
        """From its file. Errors: Locked, StartRefused (others can read it)."""
        return cls(read_root_key(path), path)

    def there(self) -> bool:
        """Whether its file is, in its place or as a successor's; true without a path."""
        return self._path is None or self._path.exists() or successor(self._path).exists()

    def candidates(self) -> Iterator[bytes]:
        """The key in use; then, should that not open the key store, what lies on disk."""
        yield self.key
        if self._path is not None:
            for path in (self._path, successor(self._path)):
                if path.exists():
                    yield read_root_key(path)

    def prepare(self) -> bytes:
        """The successor: the one that lies there, or a new one. Errors: OSError, Locked, StartRefused."""
        assert self._path is not None
        path = successor(self._path)
        create_root_key(path)
        key = read_root_key(path)
        if key == self.key:
            raise StartRefused(f"{path.name} is the root key already; put it in the root key's place first.")
        return key

    def settle(self) -> None:
        """Put the successor in the root key's place if it is the one in use, and overwrite what it replaced.

        Inside a write transaction of the key store: nobody else may settle or prepare meanwhile. In a folder that
        cannot be written (a mounted secret) the successor is used from where it lies.
        """
        if self._path is None:
            return
        path, following, leaving = self._path, successor(self._path), self._path.with_name(f"{self._path.name}.old")
        try:
            if following.exists() and read_root_key(following) == self.key:
                with suppress(FileExistsError):
                    os.link(path, leaving)
                following.replace(path)
                flush_folder(path.parent)
            if leaving.exists() and leaving.samefile(path):
                leaving.unlink()  # cut off before the replacement: this is still the key itself
            erase(leaving)
            for draft in path.parent.glob(f"{path.name}.*.partial"):
                draft.unlink()  # not overwritten: it may be another name of the file it was written for
        except OSError:
            logger.warning("the replaced root key file could not be erased")


def successor(path: Path) -> Path:
    """Where the next root key lies."""
    return path.with_name(f"{path.name}.next")
