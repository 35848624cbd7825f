"""Whom somebody looks after: everybody in the organisation, or who is in the departments that they administer.

**A department administrator is one in the departments that they are in.** They see who is in one of these, and change
who is in no other, and only with roles below their own. Who is out of reach answers ``not_found``, as if nowhere.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam

from practice.organisation.model import Invitation, Member, MemberRole
from practice.organisation.records import DEPARTMENTS, MEMBERS, departments
from practice.organisation.rights import Right, allowed
from practice.organisation.standings import OF_ACCOUNT
from vault.database.database import Database
from vault.errors import DomainError
from vault.records.reading import Reader
from vault.records.scope import Scope

OVER: Final[MemberRole] = "department_administrator"
BELOW: Final[frozenset[MemberRole]] = frozenset({"practitioner", "assistant"})
"""The roles that whoever administers a department gives, takes, and changes the holders of."""

THEIRS: Final = DEPARTMENTS.living().where(departments.c.owner == bindparam("organisation")).order_by(departments.c.id)


@dataclass(frozen=True)
class Reach:
    """Of ``me``, in these ``roles``: ``living`` are all departments there are, ``mine`` those that they administer.

    Both are looked up only for who does not look after everybody.
    """

    me: str
    roles: frozenset[str]
    living: frozenset[str] = frozenset()
    mine: frozenset[str] = frozenset()

    @property
    def everybody(self) -> bool:
        """Whether they change whomever there is."""
        return looks_after_all(self.roles, Right.CHANGE_PEOPLE)

    def sees(self, member: Member) -> bool:
        """Whether a member is there for them."""
        if looks_after_all(self.roles, Right.PEOPLE) or member.account == self.me:
            return True
        return not self.mine.isdisjoint(member.departments)

    def sees_invitation(self, one: Invitation) -> bool:
        """Whether an invitation is there for them: into a department of theirs, or any."""
        return looks_after_all(self.roles, Right.PEOPLE) or not self.mine.isdisjoint(one.departments)

    def changes(self, member: Member) -> bool:
        """Whether they may change what a member is, or make them this."""
        if not allowed(Right.CHANGE_PEOPLE, self.roles) or not may_give(self.roles, member.roles):
            return False
        return self.everybody or self.holds(member.departments)

    def holds(self, within: Collection[str]) -> bool:
        """Whether somebody in these departments is theirs alone."""
        there = self.living.intersection(within)
        return bool(there) and there <= self.mine


class Reaches:
    """Looked up at everything that is done to people."""

    def __init__(self, database: Database, reader: Reader) -> None:
        self._database = database
        self._reader = reader

    async def of(self, scope: Scope) -> Reach:
        """Of who is signed in, which is looked up anew. Errors: ``not_found``, ``unreadable``."""
        me = scope.owner
        if OVER not in scope.roles or looks_after_all(scope.roles, Right.CHANGE_PEOPLE):
            return Reach(me, scope.roles)
        rows = await self._database.ask(OF_ACCOUNT, {"account": me})
        if not rows or rows[0].owner != scope.organisation:
            raise DomainError("not_found")
        member, _ = await self._reader.one(MEMBERS, rows[0])
        living = await self.living(member.owner)
        return Reach(me, scope.roles, living, living & member.departments)

    async def living(self, organisation: str) -> frozenset[str]:
        """The departments that there are, each opened: who can only write to the database makes none."""
        rows = await self._database.ask(THEIRS, {"organisation": organisation})
        return frozenset(one.id for one in (await self._reader.open(DEPARTMENTS, rows)).living)


def looks_after_all(roles: Collection[str], right: Right) -> bool:
    """Whether somebody has this right beyond any department."""
    return allowed(right, set(roles) - {OVER})


def may_give(own: Collection[str], wanted: Collection[str]) -> bool:
    """Whether somebody in their own roles may give these: only an owner makes an owner, and who looks after a
    department those below.
    """
    if "owner" in wanted and not allowed(Right.CHANGE_OWNERS, own):
        return False
    return looks_after_all(own, Right.CHANGE_PEOPLE) or BELOW.issuperset(wanted)
