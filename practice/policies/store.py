"""What an organisation decides, and what follows for its practitioners.

**Never longer, never later**: a cap holds for what is planned from then on, and in the same transaction all accounts
are marked to be brought under it, which the next sweep does. An appointment keeps the shortest cap that it was ever
under: what an organisation allows later delays no destruction.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Retention
from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.organisation.records import MEMBERS, members, takes_members
from practice.organisation.rights import Right, demand
from practice.policies.model import CAPS, FEATURES, HOURS, Cap, Feature, Policy
from practice.policies.records import POLICIES, policies
from vault.database.marks import set_behind
from vault.errors import DomainError, Gone, Unreadable
from vault.records.content import new_id
from vault.records.reading import Reader
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

MANY = 4096
MOMENT = 2.0
"""Seconds for which a day that begins, with all its consults, is not asked again."""

THEIRS = POLICIES.living().where(policies.c.owner == bindparam("organisation"))
OF_ACCOUNT = (
    POLICIES.living()
    .join(members, members.c.owner == policies.c.owner)
    .where(members.c.account == bindparam("account"), MEMBERS.is_living)
)
ACCOUNTS = select(members.c.account).where(members.c.owner == bindparam("organisation"), MEMBERS.is_living)
SETTER = (
    select(practitioners)
    .join(members, members.c.account == practitioners.c.id)
    .where(practitioners.c.id == bindparam("account"), members.c.owner == bindparam("organisation"), MEMBERS.is_living)
)


class Caps:
    """For whoever plans, and for what follows a setting."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def of(self, connection: AsyncConnection, account: str) -> Retention | None:
        """The longest that this account may choose, inside the caller's transaction; None for any.

        Errors: ``unreadable``: what nobody can read allows nothing.
        """
        found = await self._policy(connection, account)
        return found.cap if found else None

    async def reminders(self, connection: AsyncConnection, account: str) -> list[timedelta]:
        """How long before its begin patients of this account are reminded of an appointment, inside the caller's
        transaction. Errors: ``unreadable``.
        """
        found = await self._policy(connection, account)
        return [timedelta(hours=hours) for hours in found.reminders] if found else []

    async def _policy(self, connection: AsyncConnection, account: str) -> Policy | None:
        row = (await connection.execute(OF_ACCOUNT, {"account": account})).one_or_none()
        try:
            return None if row is None else (await self._reader.one(POLICIES, row))[0]
        except Gone:  # the organisation ends, and its accounts with it
            return None


class Policies(RecordStore):
    """``store.policies``. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means, people: People, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(means)
        self._people = people
        self._clock = clock
        self._recent: dict[str, tuple[float, frozenset[Feature]]] = {}

    async def of(self, scope: Scope) -> Policy:
        """What somebody's organisation has decided. Errors: ``not_found`` (they are in none), ``unreadable``."""
        scope.demand("practitioner")
        if scope.organisation is None:
            raise DomainError("not_found")
        return await self._of(scope.organisation)

    async def cap(self, scope: Scope) -> Cap:
        """The longest that somebody may choose, for who is in no organisation any. Errors: ``unreadable``."""
        scope.demand("practitioner")
        if scope.organisation is None:
            return Cap()
        policy = await self._of(scope.organisation)
        if policy.cap is None or policy.by is None:
            return Cap()
        rows = await self._database.ask(SETTER, {"account": policy.by, "organisation": scope.organisation})
        key, there = await self._people.key(policy.by) if rows else (b"", False)
        name = self._people.profile(key, rows[0]).display_name if there else None
        return Cap(policy.cap, name, policy.since)

    async def barred(self, scope: Scope, account: str) -> frozenset[Feature]:
        """What a consult of this account that begins now does not have, as it was a moment ago; all of it where nobody
        can read that. Errors: ``not_found`` (the scope).
        """
        scope.demand("server")
        known = self._recent.get(account)
        if known is None or self._clock() - known[0] >= MOMENT:
            if len(self._recent) >= MANY:
                self._recent.clear()
            known = self._recent[account] = (self._clock(), await self._barred(account))
        return known[1]

    async def _barred(self, account: str) -> frozenset[Feature]:
        rows = await self._database.ask(OF_ACCOUNT, {"account": account})
        try:
            return (await self._reader.one(POLICIES, rows[0]))[0].barred if rows else frozenset()
        except (Gone, Unreadable):
            return frozenset(FEATURES)

    async def change(
        self,
        scope: Scope,
        cap: Retention | None,
        barred: Collection[Feature],
        seen: int,
        reminders: Collection[int] | None = None,
    ) -> Policy:
        """Decide something else; ``seen`` is the version that whoever asks has before them; without ``reminders`` they
        stay. Those hold for what is planned or moved from then on.

        Errors: ``not_found`` (also without the right), ``invalid`` (a field), ``conflict`` (somebody else changed it
        since), ``closing`` (the organisation ends), ``unreadable``.
        """
        organisation = demand(scope, Right.POLICIES)
        if cap is not None and cap not in CAPS:
            raise DomainError("invalid", "cap")
        if not set(barred) <= set(FEATURES):
            raise DomainError("invalid", "allowed")
        if not set(reminders or ()) <= set(HOURS):
            raise DomainError("invalid", "reminders")
        before = await self._of(organisation)
        if seen != before.version:
            raise DomainError("conflict")
        after = replace(before, cap=cap, barred=frozenset(barred), version=seen + 1)
        if reminders is not None:
            after = replace(after, reminders=frozenset(reminders))
        if cap != before.cap:
            after = replace(after, by=scope.owner, since=self._now())
        house = House(organisation, follow=cap is not None and cap != before.cap)
        write = self._writer.instead if before.version else self._writer.first
        if not await write(POLICIES, after, house.takes_first if seen == 0 else house.takes):
            raise DomainError("closing" if house.closing else "conflict")
        self._recent.clear()
        if house.follow:
            self._sweep()
        return after

    async def _of(self, organisation: str) -> Policy:
        rows = await self._database.ask(THEIRS, {"organisation": organisation})
        return (await self._reader.one(POLICIES, rows[0]))[0] if rows else Policy(new_id(), organisation)


class House:
    """An organisation in which something is decided; ``closing`` once it was found to end, inside a transaction.

    With ``follow`` all accounts are marked to be brought under it.
    """

    def __init__(self, organisation: str, *, follow: bool) -> None:
        self._bound = {"organisation": organisation}
        self.follow = follow
        self.closing = False

    async def takes(self, connection: AsyncConnection) -> bool:
        """Whether it may be decided."""
        self.closing = not await takes_members(connection, self._bound["organisation"])
        if self.closing:
            return False
        accounts = (await connection.execute(ACCOUNTS, self._bound)).scalars().all() if self.follow else ()
        for account in accounts:
            await set_behind(connection, account, behind=True)
        return True

    async def takes_first(self, connection: AsyncConnection) -> bool:
        """The same where nothing was decided yet."""
        return await self.takes(connection) and (await connection.execute(THEIRS, self._bound)).first() is None
