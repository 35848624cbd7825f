"""Calls to the media workers that have the rooms: so many at a time, for each holds a connection to Redis."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from media.control import Call, CloseRoom, MediaClient, MediaUnavailable, OpenRoom, RemovePeer, Reply

CALLS = 32
"""Calls under way at once that somebody waits for."""

TIDYING = 8
"""The same for calls that nobody waits for: a dead worker must not hold up the living."""

log = logging.getLogger(__name__)


class Workers:
    """``spawn`` runs something in the background until the node stops."""

    def __init__(self, media: MediaClient, spawn: Callable[[Awaitable[None]], object]) -> None:
        self._media = media
        self._spawn = spawn
        self._calls = asyncio.Semaphore(CALLS)
        self._tidying = asyncio.Semaphore(TIDYING)

    async def call(self, worker: str, call: Call) -> Reply:
        """Ask a media worker; MediaUnavailable if it does not answer."""
        async with self._calls:
            return await self._media.call(worker, call)

    def tidy(self, worker: str, call: OpenRoom | RemovePeer | CloseRoom) -> None:
        """Tidy up on a worker, or say that a room of its is larger, in the background."""
        self._spawn(self._tidy(worker, call))

    async def _tidy(self, worker: str, call: OpenRoom | RemovePeer | CloseRoom) -> None:
        """One that is dead needs no tidying; one that was frozen closes its rooms by itself."""
        try:
            async with self._tidying:
                if any(beat.worker == worker for beat in await self._media.workers()):
                    await self._media.call(worker, call)
        except MediaUnavailable:
            log.warning("a media worker did not answer", extra={"event": call.call})
