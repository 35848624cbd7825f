"""clamd, asked over its Unix socket: what it finds something in is refused, and what it cannot look at (S-53).

A clamd without signatures answers ``PONG`` and finds nothing. Only ``VERSION`` says whether it has any, and of when
they are.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vault.errors import DomainError

SECONDS: Final = 30.0
CHUNK: Final = 65_536
MOST_ANSWER: Final = 4096
STALE_HOURS: Final = 48
"""From this age of the signatures on an operator is warned (S-53)."""

VERSION: Final = re.compile(r"ClamAV [^/]+/(?P<number>\d+)/(?P<made>.+)")
MADE: Final = "%a %b %d %H:%M:%S %Y"


@dataclass(frozen=True)
class Signatures:
    """What a scanner looks for: the number of its daily list, and when that was made, by the scanner's own clock."""

    number: int
    made: datetime


class Scanner:
    """One that listens on ``socket``. Errors of all: ``scanner_missing``, where it does not answer or cannot judge."""

    def __init__(self, socket: Path | None) -> None:
        self._socket = socket

    async def signatures(self) -> Signatures:
        """Those it has now."""
        found = VERSION.fullmatch(await self._ask(b"VERSION"))
        if found is None:
            raise DomainError("scanner_missing")
        try:
            made = datetime.strptime(found["made"].strip(), MADE).replace(tzinfo=UTC)
        except ValueError:
            raise DomainError("scanner_missing") from None
        return Signatures(int(found["number"]), made)

    async def demand_clean(self, data: bytes) -> None:
        """Errors: ``file_infected``, where it found something."""
        await self.signatures()
        chunks = (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
        sent = b"".join(len(one).to_bytes(4, "big") + one for one in chunks)
        answer = await self._ask(b"INSTREAM", sent + bytes(4))
        if answer.endswith(" FOUND"):
            raise DomainError("file_infected")
        if answer != "stream: OK":
            raise DomainError("scanner_missing")

    async def _ask(self, command: bytes, more: bytes = b"") -> str:
        if self._socket is None:
            raise DomainError("scanner_missing")
        try:
            async with asyncio.timeout(SECONDS):
                reader, writer = await asyncio.open_unix_connection(self._socket)
                try:
                    writer.write(b"z" + command + b"\0" + more)
                    await writer.drain()
                    return (await reader.read(MOST_ANSWER)).rstrip(b"\0").decode("ascii", "replace")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            raise DomainError("scanner_missing") from None
