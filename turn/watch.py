"""Whether TURN works, tried once a minute with a credential as people get it."""

import asyncio
from time import monotonic
from typing import Final

from turn.credentials import TurnCredentials

SECONDS: Final = 60.0
AFTER_FAILURE: Final = 10.0


class TurnWatch:
    """``trouble`` is one sentence for the operator, None when the last allocation was good or there is no TURN."""

    def __init__(self, credentials: TurnCredentials) -> None:
        self._credentials = credentials
        self._looked = monotonic()
        self.trouble: str | None = None
        self.seconds: float | None = None

    @property
    def age(self) -> float:
        """Seconds since the last try; since the start before the first, and 0 where there is no TURN to try."""
        return monotonic() - self._looked if self._credentials.server else 0.0

    async def run(self) -> None:
        """Try for as long as the server runs."""
        while self._credentials.server:
            await self.look()
            await asyncio.sleep(AFTER_FAILURE if self.trouble else SECONDS)

    async def look(self) -> None:
        """One allocation over UDP, given back at once."""
        server, credential = self._credentials.server, self._credentials.issue()
        if server is None or credential is None:
            return
        from turn.probe import Unreachable, allocate  # only where there is TURN: it is much of what a start imports

        try:
            self.seconds = await allocate(server, credential, "udp", None)
            self.trouble = None
        except Unreachable as reason:
            self.seconds = None
            self.trouble = f"TURN {reason}; people whose network blocks UDP cannot take part (`spreekkamer doctor`)."
        self._looked = monotonic()
