"""A clamd of our own on a Unix socket in a temporary folder, with signatures of our own, gone at the end.

Its signatures are an unsigned list (``.cud``) that is called as the daily one is, so ``VERSION`` says their number and
date as in production; without one, it has a signature and no list that it could name.
"""

import contextlib
import gzip
import hashlib
import io
import os
import shutil
import socket
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers.child import served

PROGRAM = shutil.which("clamd") or "/usr/sbin/clamd"
SHIPPED = Path(__file__).parents[2] / "clamd.conf"
ACCOUNT = "clamav"
NAME = "Spreekkamer.Test-1"
FOUND = b"what our own signature looks for"
NUMBER = 27_000


@dataclass(frozen=True)
class Clamd:
    """Where it listens, and from when its signatures are."""

    socket: Path
    made: datetime


def installed() -> bool:
    return Path(PROGRAM).exists()


@contextlib.contextmanager
def running(*, listed: bool = True, age: timedelta = timedelta(hours=2)) -> Iterator[Clamd]:
    """Start one. As root it runs as Debian's account for it; not ``listed``: without a daily list."""
    user: dict[str, Any] = {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="spreekkamer-clamd-") as name:
        place, made = Path(name), datetime.now(UTC).replace(microsecond=0) - age
        signatures = place / "signatures"
        signatures.mkdir()
        if listed:
            (signatures / "daily.cud").write_bytes(daily(made))
        else:
            (signatures / "own.ndb").write_bytes(signature())
        configuration = place / "clamd.conf"
        configuration.write_text(
            SHIPPED.read_text()
            .replace("/run/clamav/clamd.sock", f"{place}/socket")
            .replace("/var/lib/clamav", str(signatures))
            .replace("TemporaryDirectory /tmp", f"TemporaryDirectory {place}")
        )
        if user:
            for one in (place, signatures, *signatures.iterdir(), configuration):
                shutil.chown(one, ACCOUNT, ACCOUNT)
        command = [PROGRAM, "--config-file", str(configuration)]
        with (place / "log").open("wb") as log, served(command, stdout=log, stderr=log, env={"TZ": "UTC"}, **user):
            await_ready(place / "socket", place / "log")
            yield Clamd(place / "socket", made)


def signature() -> bytes:
    """That finds ``FOUND`` in any file."""
    return f"{NAME}:0:*:{FOUND.hex()}\n".encode()


def daily(made: datetime) -> bytes:
    """A list of signatures as clamd reads it: a header of 512 bytes, and a packed archive that says what is in it."""
    head = f"ClamAV-VDB:{made:%d %b %Y %H-%M +0000}:{NUMBER}:1:90:X:X:us:{int(made.timestamp())}"
    told = f"{head}\ndaily.ndb:{len(signature())}:{hashlib.sha256(signature()).hexdigest()}\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in (("daily.info", told.encode()), ("daily.ndb", signature())):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return head.ljust(512).encode() + gzip.compress(packed.getvalue())


def await_ready(at: Path, log: Path) -> None:
    """Wait up to 60 s."""
    for _ in range(600):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as one:
            one.connect(str(at))
            return
        time.sleep(0.1)
    raise TimeoutError(f"clamd did not start: {log.read_text(errors='replace')[-500:]}")
