"""New epochs for what was destroyed: apart from the sweeps, and not one for each of many destructions."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from vault.database.leases import Lease
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.keys.wrapped import WaitingKeys

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 1.0
PERIOD = 20.0
"""Seconds from one epoch to the next at least, and from a destruction to the epoch that makes it final at most."""


class Rotation:
    """``after`` is called when an epoch ended in ``run``, and ``ended`` is true from then on, until somebody sets it
    back. ``failures`` counts for as long as the process lives.
    """

    def __init__(self, keys: KeyStore, lease: Lease, after: Callable[[], None]) -> None:
        self._keys = keys
        self._lease = lease
        self._after = after
        self._wake = asyncio.Event()
        self._last = float("-inf")
        self._known = WaitingKeys(0, None)
        self.ended = False
        self.running = False
        self.failures = 0

    def wake(self) -> None:
        """Something was destroyed."""
        self._wake.set()

    async def soon(self, *, needed: bool = True) -> bool:
        """Where ``run`` runs it is told, if ``needed``; else it is done now. Whether an epoch ended."""
        if not self.running:
            return await self._rotate()
        if needed:
            self.wake()
        return False

    async def run(self) -> None:
        """For ever, where this server has the lease of the sweep. Faults are logged and tried again."""
        self.running = True
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PERIOD):
                        await self._wake.wait()
                await asyncio.sleep(max(0.0, self._last + PERIOD - monotonic()))
                self._wake.clear()
                try:
                    if self._keys.locked is None and await self._lease.held() and await self._rotate():
                        self.ended = True
                        self._after()
                except Exception:  # nothing may end it but its owner
                    logger.exception("no new epoch could begin for what was destroyed; it is tried again")
        finally:
            self.running = False

    async def waiting(self) -> WaitingKeys:
        """Whose keys wait for an epoch; where the key store does not answer, what was known last."""
        if self._keys.locked is None:
            with suppress(DomainError, TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    self._known = await self._keys.waiting()
        return self._known

    async def _rotate(self) -> bool:
        try:
            ended = await self._keys.rotate()
        except Exception:
            self._last = monotonic()
            self.failures += 1
            raise
        if ended:
            self._last = monotonic()
        return ended
