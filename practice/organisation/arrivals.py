"""Who registered by themselves and waits: let in or turned down by whoever changes people, in thirty days.

Until then nobody signs in. Who is turned down, and who nobody answered, has the account closed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import bindparam

from practice.organisation.model import REFUSED, Member
from practice.organisation.reach import looks_after_all
from practice.organisation.records import MEMBERS, members
from practice.organisation.rights import Right, demand
from practice.organisation.store import THEIRS, Organisations
from vault.database.marks import no_closing
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along, always

ANSWERED_WITHIN: Final = timedelta(days=30)
LATE: Final = MEMBERS.living().where(members.c.asked <= bindparam("oldest"), no_closing(members.c.account))


class Arrivals(RecordStore):
    """``store.arrivals``. Errors: ``locked``, ``try_again``."""

    def __init__(self, means: Means, organisation: Organisations) -> None:
        super().__init__(means)
        self._organisation = organisation

    async def approve(self, scope: Scope, account: str, along: Along) -> Member:
        """They may sign in from now on; ``along`` writes the mail of it with that.

        Errors: ``not_found`` (also without the right, or who does not wait), ``conflict`` (somebody else changed it),
        ``unreadable``.
        """
        return await self._answer(scope, account, {"state": "active", "asked": None}, along)

    async def refuse(self, scope: Scope, account: str, along: Along) -> Member:
        """They are turned down: whoever calls this closes the account, or ``unanswered`` does. Errors: the same."""
        return await self._answer(scope, account, {"asked": REFUSED}, along)

    async def deciders(self, scope: Scope, organisation: str) -> list[str]:
        """The accounts of whoever could let somebody in. Errors: ``not_found`` (the scope)."""
        scope.demand("server")
        opened = await self._reader.open(MEMBERS, await self._database.ask(THEIRS, {"organisation": organisation}))
        return [one.account for one in opened.living if one.active and looks_after_all(one.roles, Right.CHANGE_PEOPLE)]

    async def unanswered(self) -> list[str]:
        """The accounts to be closed: nobody let them in, in time."""
        oldest = max(0, int((self._now() - ANSWERED_WITHIN).timestamp()))
        opened = await self._reader.open(MEMBERS, await self._database.ask(LATE, {"oldest": oldest}))
        return [one.account for one in opened.living if not one.active and one.asked is not None]

    async def _answer(self, scope: Scope, account: str, changes: Mapping[str, Any], along: Along) -> Member:
        demand(scope, Right.CHANGE_PEOPLE)
        person = await self._organisation.person(scope, account)
        if not (person.changeable and person.member.waits):
            raise DomainError("not_found")
        after = replace(person.member, **changes, version=person.member.version + 1)
        if not await self._writer.instead(MEMBERS, after, always, along):
            raise DomainError("conflict")
        return after
