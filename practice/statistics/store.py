"""Counting what happens, at the moment it does, in numbers of a whole organisation.

**Nobody waits for a number, and nothing fails for one**: what cannot be written is lost, and the log says so. Whose
practitioner's it was is asked and not kept.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, date, tzinfo
from typing import Final, Literal

from sqlalchemy import bindparam, delete, select

from practice.organisation.records import MEMBERS, members
from practice.organisation.rights import Right, demand
from practice.statistics.model import KEPT, TALLIES, WAITS, Month, What, table
from practice.statistics.records import statistics
from vault.clock import Now
from vault.database.database import Database, upsert
from vault.errors import DomainError
from vault.records.scope import Scope

logger = logging.getLogger(__name__)

WHOSE: Final = select(members.c.account, members.c.owner).where(
    members.c.account.in_(bindparam("accounts", expanding=True)), MEMBERS.is_living
)
OF: Final = select(statistics.c.day, statistics.c.what, statistics.c.number).where(
    statistics.c.organisation == bindparam("organisation"), statistics.c.what.in_((*TALLIES, *WAITS))
)
OLD: Final = delete(statistics).where(statistics.c.day < bindparam("oldest"))


Paused = Callable[[Literal["statistics"], Collection[str]], Awaitable[frozenset[str]]]


class Statistics:
    """``store.statistics``. ``zone`` says where a day begins; in UTC, until somebody sets it. ``paused`` are those of
    some accounts who objected to being counted (S-45).
    """

    def __init__(self, database: Database, now: Now, paused: Paused) -> None:
        self._database = database
        self._now = now
        self._paused = paused
        self.zone: Callable[[], tzinfo] = lambda: UTC

    async def count(self, scope: Scope, what: What, accounts: Mapping[str, int]) -> None:
        """So many more of it today, by account, for their organisations. Errors: ``not_found`` (the scope)."""
        scope.demand("server")
        try:
            objected = await self._paused("statistics", list(accounts)) if accounts else frozenset()
            accounts = {account: number for account, number in accounts.items() if account not in objected}
            rows = await self._database.ask(WHOSE, {"accounts": list(accounts)}) if accounts else ()
            numbers: Counter[str] = Counter()
            for row in rows:
                numbers[row.owner] += accounts[row.account]
            for organisation, number in numbers.items():
                await self._add(organisation, what, number)
        except DomainError:
            logger.warning("something could not be counted for the statistics", extra={"count": sum(accounts.values())})

    async def swept(self, scope: Scope, accounts: Mapping[str, int]) -> None:
        """So many more were destroyed because they were due. Errors: ``not_found`` (the scope)."""
        await self.count(scope, "swept", accounts)

    async def of(self, scope: Scope) -> list[Month]:
        """What may be shown of one's own organisation, newest first. Errors: ``not_found`` (without the right)."""
        rows = await self._database.ask(OF, {"organisation": demand(scope, Right.OVERSIGHT)})
        return table({(row.day, row.what): row.number for row in rows}, self._today())

    async def purge(self) -> int:
        """Forget days that are too old; how many numbers those were."""
        return await self._database.tell(OLD, {"oldest": self._today() - KEPT})

    async def _add(self, organisation: str, what: What, number: int) -> None:
        values = {"organisation": organisation, "day": self._today(), "what": what, "number": number}
        async with self._database.write() as connection:
            adding = upsert(connection, statistics).values(values)
            more = {"number": statistics.c.number + adding.excluded.number}
            await connection.execute(
                adding.on_conflict_do_update(index_elements=["organisation", "day", "what"], set_=more)
            )

    def _today(self) -> date:
        return self._now().astimezone(self.zone()).date()
