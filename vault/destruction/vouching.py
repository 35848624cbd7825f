"""Who vouches for the clock by which things are destroyed: an earlier moment of this boot, the kernel, the database."""

import asyncio
import logging
from datetime import UTC, datetime

from sqlalchemy import func, select

from vault.clock import TOLERANCE, Anchor, Clock, kernel_synchronised
from vault.database.database import Database
from vault.database.marks import read_anchor, write_anchor
from vault.database.tables import audit
from vault.keys.store import KeyStore

logger = logging.getLogger(__name__)

ANCHOR_SECONDS = 3600.0


class Vouching:
    """``boot`` is which start of this machine it is (``vault.clock.boot_id``)."""

    def __init__(self, database: Database, keys: KeyStore, clock: Clock, boot: str) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._boot = boot
        self._said = ""
        self._anchored = clock.anchor.boot

    async def judge(self) -> None:
        """Where the clock is in doubt, ask them; where nobody vouches, say it once, not at every sweep."""
        if self._clock.doubt() is None:
            self._said = ""
            await self._keep_anchor()
            return
        async with self._database.read() as connection:
            anchor = await read_anchor(connection, self._boot)
            server = (
                None if self._database.sqlite else (await connection.execute(select(func.clock_timestamp()))).scalar()
            )
        if anchor is not None and self._clock.vouch(anchor):
            return
        if self._clock.proven:  # it jumped while we looked: only a person can say that it is right
            self._doubted("jumped")
            return
        agreed = server is not None and abs(server - self._clock.now()) <= TOLERANCE
        if agreed or await asyncio.to_thread(kernel_synchronised):
            await self.confirm()
        else:
            self._doubted("unproven")

    async def confirm(self) -> None:
        """The clock is right now; a server beside this process learns it too."""
        await self._write(self._clock.confirm())

    async def remember(self) -> None:
        """Tell the clock when something was written last: an entry of the audit trail, or a receipt."""
        async with self._database.read() as connection:
            at = (await connection.execute(select(func.max(audit.c.at)))).scalar()
        entered = None if at is None else datetime.fromtimestamp(at / 1000, UTC)
        written = (entered, await self._keys.newest())
        self._clock.wrote(max((one for one in written if one is not None), default=None))

    async def _keep_anchor(self) -> None:
        """Each hour, for the next start in this boot: an old belief allows for more than a new one."""
        anchor = self._clock.anchor
        if anchor.boot - self._anchored >= ANCHOR_SECONDS:
            await self._write(anchor)
            self._anchored = anchor.boot

    async def _write(self, anchor: Anchor) -> None:
        async with self._database.write() as connection:
            await write_anchor(connection, self._boot, anchor)

    def _doubted(self, cause: str) -> None:
        if self._said != cause:
            logger.error("the clock is in doubt; nothing is destroyed until it is confirmed", extra={"cause": cause})
            self._said = cause
