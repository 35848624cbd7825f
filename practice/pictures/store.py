"""Pictures that are kept: one of an organisation, its logo, and one of an account, a photograph.

A kind of record (``vault.records.records``) without a due time. Taking a photograph back is
``store.retention.destroy``. What is given here was encoded by ``intake`` and is not looked at again.
"""

from dataclasses import replace
from typing import Final

from sqlalchemy import bindparam, or_, select

from practice.accounts.sole import SoleRecords
from practice.agenda.visit import Visit
from practice.organisation.records import MEMBERS, members, takes_members
from practice.organisation.rights import Right, demand
from practice.organisation.store import Organisations
from practice.pictures.model import Picture
from practice.pictures.records import PICTURES, pictures
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

LOGO_OF: Final = PICTURES.living().where(
    or_(
        pictures.c.owner == bindparam("whose"),
        pictures.c.owner.in_(select(members.c.owner).where(members.c.account == bindparam("whose"), MEMBERS.is_living)),
    )
)
ROW: Final = PICTURES.living().where(pictures.c.id == bindparam("wanted"))


class Pictures(RecordStore):
    """``store.pictures``. Errors of all: ``not_found`` (the scope), ``unreadable``, ``locked``, ``try_again``."""

    def __init__(self, means: Means, organisation: Organisations) -> None:
        super().__init__(means)
        self._organisation = organisation
        self._people = SoleRecords(means, PICTURES)
        self._houses = SoleRecords(means, PICTURES, takes_members)

    # --- an organisation's -------------------------------------------------------------------------------------------

    async def logo(self, scope: Scope) -> Picture:
        """That of the organisation that somebody is a member of, or of the server's; version 0 without one."""
        owner = (await self._organisation.get(scope)).id
        return await self._houses.of(owner) or Picture("", owner, "logo")

    async def logo_of(self, owner: str) -> bytes:
        """That of the organisation that is this owner, or of which this account is a member; empty without one, also
        where nobody can read it: a letter goes without.
        """
        opened = await self._reader.open(PICTURES, await self._database.ask(LOGO_OF, {"whose": owner}))
        return next((one.data for one in opened.living if one.use == "logo"), b"")

    async def set_logo(self, scope: Scope, data: bytes, seen: int) -> Picture:
        """This one, where nobody changed it since the version that was ``seen``.

        Errors: ``conflict``, ``not_found`` (also without the right).
        """
        demand(scope, Right.ORGANISATION)
        before = await self.logo(scope)
        after = replace(before, id=before.id or new_id(), data=data, version=seen + 1)
        return await self._houses.put(after, before)

    async def drop_logo(self, scope: Scope) -> None:
        """None any more; its key goes at the next sweep. Errors: ``not_found`` (also where there is none)."""
        owner = demand(scope, Right.ORGANISATION)
        if not await self._database.tell(PICTURES.marking().where(pictures.c.owner == owner, PICTURES.is_living)):
            raise DomainError("not_found")
        self._sweep()

    # --- somebody's own ----------------------------------------------------------------------------------------------

    async def photograph(self, scope: Scope) -> Picture:
        """One's own; version 0 without one."""
        owner = scope.owner
        return await self._people.of(owner) or Picture("", owner, "photograph")

    async def set_photograph(self, scope: Scope, data: bytes, shown: bool, seen: int) -> Picture:
        """This one, and whether who waits sees it.

        Errors: ``conflict``, ``not_found`` (also: the account is closing).
        """
        before = await self.photograph(scope)
        after = replace(before, id=before.id or new_id(), data=data, shown=shown, version=seen + 1)
        return await self._people.put(after, before)

    async def show(self, scope: Scope, shown: bool, seen: int) -> Picture:
        """Whether who waits sees it. Errors: as of ``set_photograph``; ``not_found`` without a photograph."""
        before = await self.photograph(scope)
        if not before.there:
            raise DomainError("not_found")
        return await self._people.put(replace(before, shown=shown, version=seen + 1), before)

    async def named(self, scope: Scope, name: str) -> Picture:
        """The photograph whose address ends in this: one's own, or for the server one that patients are shown.

        Errors: ``not_found``.
        """
        scope.demand("practitioner", "server")
        row_id, _, version = name.rpartition("-")
        opened = await self._reader.open(PICTURES, await self._database.ask(ROW, {"wanted": row_id}))
        found = next((one for one in opened.living if one.use == "photograph" and str(one.version) == version), None)
        if found is None or not (found.owner == scope.owner if scope.role == "practitioner" else found.shown):
            raise DomainError("not_found")
        return found

    async def for_waiting(self, scope: Scope, visit: Visit) -> Picture | None:
        """The photograph that whoever came by this link sees while they wait."""
        scope.demand("guest")
        if not scope.covers(visit.appointment.owner, visit.appointment.id):
            raise DomainError("not_found")
        found = await self._people.of(visit.appointment.owner)
        return found if found is not None and found.shown else None
