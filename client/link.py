"""A connection that comes back by itself, with the resume ticket."""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from client.errors import ClientError, Offline, Refusal
from client.wire import DISCONNECT, Listener, Wire

RETRY_MIN_SECONDS = 0.2
RETRY_MAX_SECONDS = 4.0
HOPELESS = frozenset(
    {
        "version_unsupported",
        "origin_refused",
        "link_invalid",
        "code_needed",
        "consent_needed",
        "guardian_needed",
        "ended",
        "gone",
        "unauthenticated",
        "sign_in_refused",
        "token_reused",
    }
)
"""What trying again cannot mend."""

Token = Callable[[], Awaitable[str]]


class Link:
    """After a loss it opens a new connection, after a jittered delay that doubles up to 4 s.

    Args:
        listener: as in `wire.Wire`.
        token: a fresh access token, asked for when there is no resume ticket.
        returned: called with each new connection after a loss; what it raises counts as another loss.

    Attributes:
        resume: the ticket to come back with; keep it up to date.
        refused: the code after which it gave up; None as long as it tries.
    """

    def __init__(
        self,
        url: str,
        listener: Listener,
        token: Token,
        returned: Callable[[], Awaitable[None]],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.resume: str | None = None
        self.refused: str | None = None
        self._url = url
        self._listener = listener
        self._token = token
        self._returned = returned
        self._tls = tls
        self._wire: Wire | None = None
        self._returning: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def connected(self) -> bool:
        return self._wire is not None and self._wire.connected

    async def open(self) -> None:
        """A new connection.

        Raises:
            ClientError: as `wire.Wire.open` and ``token`` do.
        """
        wire = Wire(self._url, lambda event, body: self._heard(wire, event, body), tls=self._tls, seen=self.seen)
        ticket = self.resume
        try:
            await wire.open(ticket or await self._token())
        except Refusal as refusal:
            if refusal.code != "token_invalid" or ticket is None:
                raise
            self.resume = None
            await self.open()
            return
        before, self._wire = self._wire, wire
        if before:
            await before.close()

    @property
    def seen(self) -> int | None:
        """The number of the last numbered event; None as long as there was none."""
        return self._wire.seen if self._wire else None

    async def request(self, event: str, body: Any = None, *, once: str | None = None) -> Any:
        """As `wire.Wire.request`; nothing is kept for later, because later it could mean something else."""
        if self._wire is None:
            raise Offline
        return await self._wire.request(event, body, once=once)

    async def drop(self) -> None:
        """As a network would: without a goodbye."""
        if self._wire:
            await self._wire.drop()

    async def close(self) -> None:
        """For good. Idempotent."""
        self._closed = True
        if self._returning:
            self._returning.cancel()
            await asyncio.gather(self._returning, return_exceptions=True)
        if self._wire:
            await self._wire.close()

    def _heard(self, wire: Wire, event: str, body: Any) -> None:
        if event != DISCONNECT:
            self._listener(event, body)
        elif wire is self._wire and not self._closed:
            self._listener(event, body)
            if self._returning is None or self._returning.done():
                self._returning = asyncio.create_task(self._return())

    async def _return(self) -> None:
        delay = RETRY_MIN_SECONDS
        while not self._closed:
            # Jitter, so that a restarted server is not met by everybody at once.
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 -- no secret
            delay = min(delay * 2, RETRY_MAX_SECONDS)
            try:
                if not self.connected:
                    await self.open()
                await self._returned()
            except ClientError as error:
                if error.code in HOPELESS:
                    self.refused = error.code
                    return
            else:
                return
