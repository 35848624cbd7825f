"""Who is reminded that nothing of theirs is destroyed by itself: after twelve months of *manual*, and each year again.

**Once each, whatever is restarted and however many servers look**: the reminder is written in the transaction that says
so, and of two that look at once one finds the other's version. A span begins when a look first finds the setting so, a
quarter of a day after it was chosen at the latest, and ends when a look finds another.
"""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select

from practice.accounts.model import Practitioner
from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.accounts.sole import SoleRecords
from practice.agenda.due_times import CapOf, DueTimes, shorter
from practice.reminders.model import ManualSpan
from practice.reminders.records import MANUAL_SPANS, manual_spans
from vault.errors import DomainError, Unreadable
from vault.records.content import new_id
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along


class ManualSpans(RecordStore):
    """``store.manual_spans``. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means, people: People, due_times: DueTimes, cap_of: CapOf) -> None:
        super().__init__(means)
        self._people = people
        self._due_times = due_times
        self._cap_of = cap_of
        self._sole = SoleRecords(means, MANUAL_SPANS)

    async def accounts(self) -> list[str]:
        """All that there are."""
        return [row.id for row in await self._database.ask(select(practitioners.c.id).order_by(practitioners.c.id))]

    async def look(self, account: str, tell: Callable[[Practitioner], Along]) -> bool:
        """Begin, end or go on with a span; whether its owner is reminded now, which ``tell`` writes along."""
        try:
            person, before = await self._people.who(self._database, account), await self._sole.of(account)
            if person is None:
                return False
            async with self._database.read() as connection:
                retention = shorter(person.retention, await self._cap_of(connection, account))
        except Unreadable:
            return False
        if self._due_times.span(retention) is not None:
            await self._end(before)
            return False
        now = self._now()
        if before is not None and now < before.due:
            return False
        try:
            if before is None:
                first = ManualSpan(new_id(), account, now)
                await self._sole.put(first, replace(first, version=0))
                return False
            after = replace(before, told=now, version=before.version + 1)
            await self._sole.put(after, before, tell(person))
        except DomainError as error:
            if error.code not in ("conflict", "not_found"):
                raise
            return False
        return True

    async def _end(self, before: ManualSpan | None) -> None:
        if before is None:
            return
        ours = (manual_spans.c.id == before.id, MANUAL_SPANS.is_living)
        if await self._database.tell(MANUAL_SPANS.marking().where(*ours)):
            self._sweep()
