"""An organisation that ends: marked first, then everybody is told, then all accounts end, and it does.

**From the mark on nobody becomes a member**, and the next account of this server founds another organisation. All that
follows is done again wherever it was cut off. What each account has dies as it does when its owner closes it; the
organisation's own key dies like theirs when nothing of it is left.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, exists, literal, select

from practice.accounts.records import practitioners
from practice.organisation.records import ENDING, HOUSE, MEMBERS, members, organisations
from practice.organisation.rights import Right, demand
from vault.database.marks import closing_accounts, no_closing, read_mark, write_mark
from vault.database.tables import marks
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.records.scope import Scope
from vault.records.stores import RecordStore

BEGUN = (
    select(organisations.c.id, marks.c.value)
    .join(marks, marks.c.name == literal(ENDING) + organisations.c.id)
    .order_by(organisations.c.id)
)
DONE = delete(marks).where(
    marks.c.name.startswith(ENDING), ~exists().where(literal(ENDING) + organisations.c.id == marks.c.name)
)

STAYING = (
    select(members)
    .join(practitioners, practitioners.c.id == members.c.account)
    .where(members.c.owner == bindparam("organisation"), MEMBERS.is_living, no_closing(members.c.account))
    .order_by(members.c.id)
)


@dataclass(frozen=True, slots=True)
class Ending:
    """An organisation that is being closed since then; ``accounts`` are those that are not yet."""

    organisation: str
    since: datetime
    accounts: tuple[str, ...]


class Endings(RecordStore):
    """``store.endings``."""

    async def begin(self, scope: Scope) -> str:
        """It ends, with all accounts and all that they have; its id. Errors: ``not_found`` (also without the right)."""
        organisation = demand(scope, Right.END_ORGANISATION)
        await self._mark(organisation)
        return organisation

    async def leave(self, scope: Scope) -> str | None:
        """An account is about to be closed: the organisation ends with its only member, and then this is its id.

        Errors: ``last_owner`` for who is, of an organisation with others in it; ``not_found`` (the scope).
        """
        organisation, account = scope.organisation, scope.owner
        if organisation is None or "owner" not in scope.roles:
            return None
        rows = await self._database.ask(STAYING, {"organisation": organisation})
        others = await self._reader.open(MEMBERS, [row for row in rows if row.account != account])
        if not others.living and not others.damaged:
            await self._mark(organisation)
            return organisation
        if not any(one.active and "owner" in one.roles for one in others.living):
            raise DomainError("last_owner")
        return None

    async def under_way(self) -> list[Ending]:
        """All that were begun and are not done."""
        return [
            Ending(
                row.id,
                datetime.fromtimestamp(int(row.value), UTC),
                tuple(one.account for one in await self._database.ask(STAYING, {"organisation": row.id})),
            )
            for row in await self._database.ask(BEGUN)
        ]

    async def is_last(self, organisation: str) -> bool:
        """Whether no account is still being closed, of whatever organisation: then it may be closed itself."""
        async with self._database.read() as connection:
            return set(await closing_accounts(connection)) <= {organisation}

    async def done(self) -> None:
        """What ended is forgotten."""
        await self._database.tell(DONE)

    async def receipt(self, organisation: str) -> Receipt | None:
        """That its key is gone; None while it is not."""
        return await self._keys.receipt(organisation, organisation)

    async def _mark(self, organisation: str) -> None:
        async with self._database.write() as connection:
            if (await connection.execute(HOUSE, {"organisation": organisation})).first() is None:
                raise DomainError("not_found")
            name = f"{ENDING}{organisation}"
            if await read_mark(connection, name) is None:
                await write_mark(connection, name, str(int(self._now().timestamp())))
