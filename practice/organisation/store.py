"""The organisation, its members and their roles.

**Owners are counted under a lock on the organisation's row**, so that the last of them stays one, whoever else changes
roles at the same moment.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Row, Update, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.common import is_common
from practice.accounts.model import Language, Practitioner
from practice.accounts.people import People
from practice.accounts.records import practitioners
from practice.accounts.sessions import Sessions
from practice.names import named
from practice.organisation.first import FirstLink
from practice.organisation.founding import Founding, founded
from practice.organisation.joining import Joining
from practice.organisation.model import (
    PRACTITIONER,
    Colleague,
    Member,
    MemberRole,
    MemberState,
    Organisation,
    Person,
    Profile,
    Roster,
    Standing,
)
from practice.organisation.reach import Reach, Reaches, looks_after_all
from practice.organisation.records import (
    HOUSE,
    MEMBERS,
    members,
    open_organisation,
    organisations,
    replace_organisation,
)
from practice.organisation.rights import Right, demand
from practice.organisation.standings import OF_ACCOUNT, Standings
from vault.errors import DomainError, Unreadable
from vault.records.reading import Reader
from vault.records.scope import Role, Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Allowed, Along, always

TRIES = 5
COLOUR = re.compile(r"#[0-9a-f]{6}")

ROW = select(organisations).where(organisations.c.id == bindparam("organisation"))
THEIRS = MEMBERS.living().where(members.c.owner == bindparam("organisation")).order_by(members.c.id)
ACCOUNTS = (
    select(practitioners)
    .join(members, members.c.account == practitioners.c.id)
    .where(members.c.owner == bindparam("organisation"), MEMBERS.is_living)
)


class Organisations(RecordStore):
    """``store.organisation``. ``ends``: what is marked with what a member is no longer; ``standings``: who is who."""

    def __init__(
        self,
        means: Means,
        people: People,
        joining: Joining,
        signed_in: Sessions,
        ends: Callable[[Member], Sequence[Update]],
    ) -> None:
        super().__init__(means)
        self._people = people
        self._joining = joining
        self._ends = ends
        self._founding = Founding(means.database, means.keys, means.now)
        self._first = FirstLink(means.database, means.keys, means.now)
        self.standings = Standings(means.database, means.reader, signed_in)
        self._reaches = Reaches(means.database, means.reader)

    async def establish(self, scope: Scope, profile: Profile) -> str:
        """The organisation of this server, made if there is none, with every account as a member. Errors: ``locked``,
        ``not_found`` (the scope).
        """
        scope.demand("operator")
        return await self._founding.establish(profile)

    async def enrol(self) -> int:
        """Accounts that are no members yet become some, beside whatever else is done: how many. Errors: DomainError."""
        return await self._founding.enrol()

    async def add_account(
        self, scope: Scope, mail: str, password: str, display_name: str, language: Language
    ) -> Practitioner:
        """A new account and its member in one transaction; the first of all is an owner.

        Errors: as of ``store.practitioners.add``; ``not_found`` (the scope, or there is no organisation yet).
        """
        organisation = await self._of_server(scope)
        return await self._joining.add(organisation, mail, password, display_name, language)

    async def first_link(self, scope: Scope) -> str | None:
        """The secret of a new link that makes the first account, in place of any before; None where there is one.

        Errors: ``not_found`` (the scope), ``locked``.
        """
        scope.demand("operator")
        return await self._first.make()

    async def is_first(self, secret: str) -> bool:
        """Whether this link makes the first account now; looking is no use of it."""
        return await self._first.good(secret)

    async def begin(
        self, secret: str, mail: str, password: str, display_name: str, language: Language, profile: Profile
    ) -> Practitioner:
        """The first account, and what its organisation is, by the link that is good for it once.

        Errors: ``link_invalid``; ``password_common``; as of ``store.practitioners.add``; ``invalid`` (a field).
        """
        if not await self._first.good(secret):
            raise DomainError("link_invalid")
        profile = await asyncio.to_thread(checked, profile)  # a zone is a file
        if await asyncio.to_thread(is_common, password, (mail, display_name)):
            raise DomainError("password_common")
        before = await self._opened(await self._founding.establish(profile))
        made = replace(before, profile=profile, version=before.version + 1)

        async def spend(connection: AsyncConnection, account: str) -> None:
            await self._first.spend(connection, secret, account, made)

        return await self._joining.add(before.id, mail, password, display_name, language, spend)

    async def name_owner(self, scope: Scope) -> None:
        """The operator makes whom the scope is about an owner, active again if need be.

        Errors: ``not_found``, ``try_again``.
        """
        organisation, account = await self._of_server(scope), scope.owner
        for _ in range(TRIES):
            row = await self._row(organisation, account)
            try:
                before, _ = await self._reader.one(MEMBERS, row)
            except Unreadable:  # the operator's word counts for more than what nobody can read
                before = Member(row.id, organisation, account, PRACTITIONER, "active", row.version)
            after = replace(before, roles=before.roles | {"owner"}, state="active", version=before.version + 1)
            if await self._writer.instead(MEMBERS, after, always):
                return
        raise DomainError("try_again")

    async def get(self, scope: Scope) -> Organisation:
        """The one that somebody is a member of, or the server's. Errors: ``not_found``, ``unreadable``."""
        organisation = scope.organisation if scope.role == "practitioner" else await self._of_server(scope, "server")
        return await self._opened(organisation)

    async def profile_of(self, owner: str) -> Profile:
        """What the organisation says of itself that is this owner, or of which this account is a member.

        Errors: ``not_found``, ``unreadable``.
        """
        standing = await self.standing(owner)
        return (await self._opened(standing.organisation if standing and standing.organisation else owner)).profile

    async def change(self, scope: Scope, profile: Profile, seen: int) -> Organisation:
        """Say something else of the organisation; ``seen`` is the version that whoever asks has before them (S-42).

        Errors: ``not_found`` (also without the right), ``invalid`` (a field; the name is ``organisation``),
        ``conflict`` (somebody else changed it since), ``unreadable``.
        """
        organisation = demand(scope, Right.ORGANISATION)
        profile = await asyncio.to_thread(checked, profile)  # a zone is a file
        before = await self._opened(organisation)
        after = replace(before, profile=profile, version=before.version + 1)
        key, known = await self._keys.get(organisation, organisation)
        if not known:
            raise DomainError("not_found")
        if seen != before.version or not await self._database.tell(replace_organisation(key, after)):
            raise DomainError("conflict")
        return after

    async def _opened(self, organisation: str | None) -> Organisation:
        rows = await self._database.ask(ROW, {"organisation": organisation})
        if not rows:
            raise DomainError("not_found")
        key, known = await self._keys.get(rows[0].id, rows[0].id)
        if not known:
            raise DomainError("not_found")
        return open_organisation(key, rows[0])

    async def standing(self, account: str) -> Standing | None:
        """Of whoever has proved to have this account; None where it is deactivated. Errors: ``unreadable``."""
        return await self.standings.of(account)

    async def signed_in(self, token: str) -> Standing | None:
        """Of whose session this is, if it lives and they are not deactivated; that counts as use. Errors: the same."""
        return await self.standings.signed_in(token)

    async def roster(self, scope: Scope) -> Roster:
        """All members whom somebody sees, by the names that they are shown with. Errors: ``not_found`` (without the
        right).
        """
        organisation = demand(scope, Right.PEOPLE)
        reach = await self._reaches.of(scope)
        bound = {"organisation": organisation}
        opened = await self._reader.open(MEMBERS, await self._database.ask(THEIRS, bound))
        rows = {row.id: row for row in await self._database.ask(ACCOUNTS, bound)}
        keys = await self._keys.get_many((row_id, row_id) for row_id in rows)
        people = [
            Person(one, self._account(keys.get(one.account), rows.get(one.account)), reach.changes(one))
            for one in opened.living
            if reach.sees(one)
        ]
        return Roster(sorted(people, key=_shown), opened.damaged if looks_after_all(scope.roles, Right.PEOPLE) else [])

    async def colleagues(self, organisation: str, fits: Callable[[Member], bool]) -> Sequence[Colleague]:
        """Those members of an organisation who fit, by name and no more: for who is a member of it too."""
        bound = {"organisation": organisation}
        opened = await self._reader.open(MEMBERS, await self._database.ask(THEIRS, bound))
        rows = {row.id: row for row in await self._database.ask(ACCOUNTS, bound)}
        fitting = [one.account for one in opened.living if fits(one)]
        keys = await self._keys.get_many((one, one) for one in fitting)
        accounts = {one: self._account(keys.get(one), rows.get(one)) for one in fitting}
        found = [Colleague(one, account.display_name if account else None) for one, account in accounts.items()]
        return sorted(found, key=lambda one: ((one.name or "").casefold(), one.account))

    async def person(self, scope: Scope, account: str) -> Person:
        """One of the members. Errors: ``not_found`` (also without the right, or out of reach), ``unreadable``."""
        row = await self._row(demand(scope, Right.PEOPLE), account)
        reach = await self._reaches.of(scope)
        member = await self._seen(reach, row)
        rows = await self._database.ask(select(practitioners).where(practitioners.c.id == account))
        keys = await self._keys.get_many([(account, account)])
        return Person(member, self._account(keys.get(account), rows[0] if rows else None), reach.changes(member))

    async def set_roles(
        self, scope: Scope, account: str, roles: Collection[MemberRole], seen: int | None = None
    ) -> Member:
        """Give a member exactly these roles; ``seen`` is the version that whoever asks has before them.

        Errors: ``not_found`` (also without the right), ``invalid`` (no role, or one that is none), ``last_owner``,
        ``conflict`` (somebody else changed it since), ``try_again``.
        """
        if not roles or not set(roles) <= set(get_args(MemberRole)):
            raise DomainError("invalid", "roles")
        return await self._change(scope, account, seen, {"roles": frozenset(roles)})

    async def set_state(self, scope: Scope, account: str, state: MemberState) -> Member:
        """Deactivate somebody, or the reverse. Whoever calls this ends their sessions too. Errors: as ``set_roles``."""
        if state not in get_args(MemberState):
            raise DomainError("invalid", "state")
        return await self._change(scope, account, None, {"state": state, "asked": None})

    async def set_departments(
        self, scope: Scope, account: str, departments: Collection[str], seen: int | None = None
    ) -> Member:
        """Somebody is in exactly these. Errors: as ``set_roles``; ``invalid`` (one that is none)."""
        wanted = frozenset(departments)
        if not wanted <= await self._reaches.living(demand(scope, Right.DEPARTMENTS)):
            raise DomainError("invalid", "departments")
        return await self._change(scope, account, seen, {"departments": wanted})

    async def _seen(self, reach: Reach, row: Row[Any]) -> Member:
        """Errors: ``not_found`` (also where nobody out of reach can be read), ``unreadable``."""
        try:
            member, _ = await self._reader.one(MEMBERS, row)
        except Unreadable:
            if looks_after_all(reach.roles, Right.PEOPLE):
                raise
            raise DomainError("not_found") from None
        if not reach.sees(member):
            raise DomainError("not_found")
        return member

    async def _row(self, organisation: str, account: str) -> Row[Any]:
        rows = await self._database.ask(OF_ACCOUNT, {"account": account})
        if not rows or rows[0].owner != organisation:
            raise DomainError("not_found")
        return rows[0]

    async def _change(self, scope: Scope, account: str, seen: int | None, changes: Mapping[str, Any]) -> Member:
        organisation = demand(scope, Right.CHANGE_PEOPLE)
        reach = await self._reaches.of(scope)
        for _ in range(TRIES):
            before = await self._seen(reach, await self._row(organisation, account))
            after = replace(before, **changes, version=before.version + 1)
            if not (reach.changes(before) and reach.changes(after)):
                raise DomainError("not_found")
            if seen not in (None, before.version):
                raise DomainError("conflict")
            written = Change(self._reader, organisation, after)
            if await self._writer.instead(MEMBERS, after, written.leaves_an_owner, self._with_what_ends(after)):
                self._sweep()
                return after
            if written.last:
                raise DomainError("last_owner")
        raise DomainError("try_again")

    def _with_what_ends(self, after: Member) -> Along:
        async def carry_out(change: Allowed) -> bool:
            async with self._database.write() as connection:
                done = await change(connection)
                for ended in self._ends(after) if done else ():
                    await connection.execute(ended)
            return done

        return carry_out

    async def _of_server(self, scope: Scope, *also: Role) -> str:
        scope.demand("operator", *also)
        async with self._database.read() as connection:
            organisation = await founded(connection)
        if organisation is None:
            raise DomainError("not_found")
        return organisation

    def _account(self, key: bytes | None, row: Row[Any] | None) -> Practitioner | None:
        if key is None or row is None:
            return None
        try:
            return self._people.profile(key, row)
        except Unreadable:
            return None


class Change:
    """Of one member; ``last`` once it was found to leave the organisation without an owner, inside a transaction."""

    def __init__(self, reader: Reader, organisation: str, after: Member) -> None:
        self._reader = reader
        self._organisation = organisation
        self._after = after
        self.last = False

    async def leaves_an_owner(self, connection: AsyncConnection) -> bool:
        """Whether there is one; nobody else changes roles until the transaction ends."""
        bound = {"organisation": self._organisation}
        await connection.execute(HOUSE, bound)
        if not _owns(self._after):
            rows: Sequence[Row[Any]] = (await connection.execute(THEIRS, bound)).all()
            others = await self._reader.open(MEMBERS, rows)
            was = next((one for one in others.living if one.id == self._after.id), None)
            left = any(_owns(one) for one in others.living if one.id != self._after.id)
            self.last = was is not None and _owns(was) and not left
        return not self.last


def _owns(member: Member) -> bool:
    return member.active and "owner" in member.roles


def _shown(person: Person) -> tuple[str, str]:
    return (person.account.display_name.casefold() if person.account else "", person.member.id)


def checked(profile: Profile) -> Profile:
    """What somebody typed of an organisation. Errors: ``invalid``, with the field."""
    name = named(profile.name, "organisation", 200)
    address, phone = [
        named(text, field, most) if text.strip() else ""
        for text, field, most in ((profile.address, "address", 400), (profile.phone, "phone", 40))
    ]
    if profile.language not in get_args(Language):
        raise DomainError("invalid", "language")
    try:
        zone = ZoneInfo(profile.zone.strip()).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DomainError("invalid", "zone") from None
    if profile.colours and not all(map(COLOUR.fullmatch, astuple(profile.colours))):
        raise DomainError("invalid", "colours")
    return replace(profile, name=name, address=address, phone=phone, zone=zone)
