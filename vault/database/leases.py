"""Leases: who may do a periodic task. A holder that was frozen finds out inside its own next transaction."""

from datetime import timedelta

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.clock import Now
from vault.database.database import Database, upsert
from vault.database.tables import leases

TAKE = (
    update(leases)
    .where(
        leases.c.name == bindparam("lease"),
        or_(leases.c.holder == bindparam("us"), leases.c.until < bindparam("now")),
    )
    .values(holder=bindparam("us"), until=bindparam("then"))
)


class Lease:
    """A named lease in the database."""

    def __init__(self, database: Database, name: str, holder: str, term: timedelta, now: Now) -> None:
        self._database = database
        self.name = name
        self.holder = holder
        self.term = term
        self._now = now

    async def take(self) -> bool:
        """Take or renew it; False while another holder's lasts."""
        ours = {"lease": self.name, "us": self.holder, "now": self._milliseconds(), "then": self._until()}
        if await self._database.tell(TAKE, ours) == 1:
            return True
        async with self._database.write() as connection:
            absent = {"name": self.name, "holder": self.holder, "until": 0}
            await connection.execute(upsert(connection, leases).values(absent).on_conflict_do_nothing())
            return (await connection.execute(TAKE, ours)).rowcount == 1

    async def held(self) -> bool:
        """Whether it is ours now; changes nothing."""
        ours = select(leases.c.until).where(leases.c.name == self.name, leases.c.holder == self.holder)
        return any(row.until >= self._milliseconds() for row in await self._database.ask(ours))

    async def renew(self, connection: AsyncConnection) -> bool:
        """Renew it in the caller's transaction; False when it ran out. Nobody takes it until that transaction ends."""
        ours = update(leases).where(leases.c.name == self.name, leases.c.holder == self.holder)
        living = ours.where(leases.c.until >= self._milliseconds())
        return (await connection.execute(living.values(until=self._until()))).rowcount == 1

    async def release(self) -> None:
        """Let the next one in at once."""
        ours = update(leases).where(leases.c.name == self.name, leases.c.holder == self.holder)
        await self._database.tell(ours.values(until=0))

    def _until(self) -> int:
        return self._milliseconds() + int(self.term.total_seconds() * 1000)

    def _milliseconds(self) -> int:
        return int(self._now().timestamp() * 1000)
