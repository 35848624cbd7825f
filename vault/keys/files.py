"""Key files: the root key and the epoch secrets."""

import base64
import binascii
import os
import re
from contextlib import suppress
from pathlib import Path

from vault.errors import Locked, StartRefused
from vault.keys.envelope import KEY_BYTES, new_key
from vault.keys.epoch_secrets import Made

MOUNTED_SECRETS = (Path("/run/secrets"), Path("/run/credentials"))
"""Container engines mount 0444 in the first, inside a private file system. systemd gives each service a folder in the
second, and the right to read by an ACL, which shows as the group's.
"""


def read_root_key(path: Path) -> bytes:
    """The root key; Locked when it is not there or not a key, StartRefused when others can read it."""
    try:
        text, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        raise Locked("The root key file is missing; put it back and start again.") from None
    except OSError:
        raise Locked("The root key file cannot be read.") from None
    if mode & 0o077 and not any(path.is_relative_to(place) for place in MOUNTED_SECRETS):
        raise StartRefused("The root key file can be read by others; set its mode to 0400.")
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise Locked("The root key file does not hold 32 bytes in base64.")
    return key


def create_root_key(path: Path) -> None:
    """Write a new root key, mode 0400, durable before anything is wrapped with it. Never replaces a file."""
    private_folder(path.parent)
    if path.exists():
        return
    with suppress(FileExistsError):
        write_new(path, base64.b64encode(new_key()) + b"\n")


class EpochFiles:
    """Epoch secrets: 32 random bytes in ``epoch-<number>.key`` beside the key store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, after: int) -> Made:
        """The secret of the epoch after this one."""
        return Made(after + 1, self.create(after + 1))

    def read(self, number: int, _sealed: bytes = b"") -> bytes:
        """The secret; Locked when it is gone."""
        try:
            secret = self._path(number).read_bytes()
        except OSError:
            raise Locked(
                "The key store's epoch key is missing; an older copy of the key store cannot be used."
            ) from None
        if len(secret) != KEY_BYTES:
            raise Locked("The key store's epoch key is damaged.")
        return secret

    def create(self, number: int) -> bytes:
        """A new secret on disk. A file of that number is a leftover of a rotation that never took effect."""
        self.erase(number)
        secret = new_key()
        write_new(self._path(number), secret)
        return secret

    def there(self, number: int) -> bool:
        """Whether the secret's file is."""
        return self._path(number).exists()

    def erase(self, number: int) -> None:
        """Overwrite and remove the secret. Safe to repeat."""
        erase(self._path(number))

    def erased(self, number: int) -> bool:
        """Whether no secret of this epoch or of one before is there."""
        return not any(there <= number for there in self._numbers())

    def tidy(self, current: int) -> None:
        """Erase every epoch but the current one: what a rotation that was cut off left behind."""
        for number in self._numbers():
            if number != current:
                self.erase(number)
        for path in list(self._folder.glob("*.partial")):
            path.unlink(missing_ok=True)

    def check(self) -> None:
        """Nothing to ask of a folder: what is missing shows when it is read."""

    def _numbers(self) -> list[int]:
        """Of each secret that is there."""
        found = (re.fullmatch(r"epoch-(\d+)\.key", path.name) for path in self._folder.iterdir())
        return [int(match[1]) for match in found if match]

    def _path(self, number: int) -> Path:
        return self._folder / f"epoch-{number}.key"


def private_folder(path: Path) -> None:
    """A folder that only we can enter."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


def private_file(path: Path) -> None:
    """A file that only we can read, empty if it is new, and what SQLite keeps beside it. Errors: OSError."""
    private_folder(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            each = path.with_name(path.name + suffix)
            if each.stat().st_mode & 0o077:
                each.chmod(0o600)


def write_new(path: Path, content: bytes) -> None:
    """Create a file, mode 0400, whole or not at all; FileExistsError when it is there."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            file.write(content)
            os.fsync(descriptor)
        os.link(partial, path)
    finally:
        partial.unlink()
    flush_folder(path.parent)


def erase(path: Path) -> None:
    """Overwrite a file in place, flush, unlink, flush the folder. Safe to repeat."""
    with suppress(FileNotFoundError):
        path.chmod(0o600)
        with path.open("r+b", buffering=0) as file:
            file.write(os.urandom(path.stat().st_size))
            os.fsync(file.fileno())
        path.unlink()
        flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    """Make a rename, link or unlink in this folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
