"""What an organisation has one of at most, written by who decides there and read by nobody but who needs it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.organisation.records import MEMBERS, members, takes_members
from practice.organisation.rights import Right, demand
from vault.errors import DomainError, Gone, Unreadable
from vault.records.records import Kept, Kind
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

R = TypeVar("R", bound=Kept)


class OneEach(RecordStore, Generic[R]):
    """The store of such a kind begins with this; what may be written is its own."""

    def __init__(self, means: Means, kind: Kind[R]) -> None:
        super().__init__(means)
        self._kind = kind
        owner = kind.table.c.owner
        theirs = select(members.c.owner).where(members.c.account == bindparam("whose"), MEMBERS.is_living)
        self._theirs = kind.living().where(owner == bindparam("organisation"))
        self._of_owner = kind.living().where(or_(owner == bindparam("whose"), owner.in_(theirs)))

    async def of(self, scope: Scope) -> R | None:
        """That of somebody's organisation. Errors: ``not_found`` (without the right), ``unreadable``."""
        return await self._of(demand(scope, Right.POLICIES))

    async def remove(self, scope: Scope, seen: int) -> None:
        """There is none any more: the row dies. Errors: ``not_found`` (also without the right), ``conflict``."""
        before = await self.of(scope)
        if before is None or before.version != seen:
            raise DomainError("not_found" if before is None else "conflict")
        table = self._kind.table
        ours = (table.c.id == before.id, table.c.version == seen, self._kind.is_living)
        if not await self._database.tell(self._kind.marking().where(*ours)):
            raise DomainError("conflict")
        self._sweep()

    async def of_owner(self, owner: str) -> R | None:
        """That which holds for this account, or organisation; None also where nobody can read what was set."""
        rows = await self._database.ask(self._of_owner, {"whose": owner})
        try:
            return (await self._reader.one(self._kind, rows[0]))[0] if rows else None
        except (Gone, Unreadable):
            return None

    async def _of(self, organisation: str) -> R | None:
        rows = await self._database.ask(self._theirs, {"organisation": organisation})
        return (await self._reader.one(self._kind, rows[0]))[0] if rows else None

    async def _write(self, made: R, seen: int, again: Callable[[R], R]) -> R:
        """``made``, or what ``again`` makes of the one that is there, of which version ``seen`` was seen, 0 of none.

        Errors: ``conflict`` (somebody else changed it since), ``closing``, ``unreadable``.
        """
        bound, closing = {"organisation": made.owner}, False
        before = await self._of(made.owner)
        if seen != (before.version if before else 0):
            raise DomainError("conflict")

        async def takes(connection: AsyncConnection) -> bool:
            nonlocal closing
            closing = not await takes_members(connection, made.owner)
            alone = before is not None or (await connection.execute(self._theirs, bound)).first() is None
            return alone and not closing

        after = again(before) if before else made
        write = self._writer.instead if before else self._writer.first
        if not await write(self._kind, after, takes):
            raise DomainError("closing" if closing else "conflict")
        return after
