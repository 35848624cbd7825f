"""The keys of key store snapshots end after 24 hours, and with them what the snapshots hold."""

import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vault.keys.envelope import new_key
from vault.keys.files import flush_folder

LIFETIME = timedelta(hours=24)
STAMP = "%Y%m%dT%H%M%SZ"
NAME = re.compile(r"keys-(\d{8}T\d{6}Z)-[0-9a-f]{16}")
KEY = ".key"
SEALED = ".sealed"


def expire(folder: Path, now: datetime) -> int:
    """Erase the keys of snapshots that are 24 hours old; returns how many. What else lies there is left alone."""
    count = 0
    for path in sorted(folder.glob(f"keys-*{KEY}")) if folder.is_dir() else ():
        match = NAME.fullmatch(path.stem)
        if match and now - datetime.strptime(match[1], STAMP).replace(tzinfo=UTC) >= LIFETIME:
            erase(path)
            count += 1
    return count


def erase(path: Path) -> None:
    """Overwrite in place, flush, unlink, flush the folder."""
    with suppress(FileNotFoundError):
        path.chmod(0o600)
        with path.open("r+b", buffering=0) as file:
            file.write(new_key())
            os.fsync(file.fileno())
        path.unlink()
        flush_folder(path.parent)
