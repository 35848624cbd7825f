"""Invitations: somebody is asked by mail to become a member, in roles; the link is good once, for 72 hours.

**Who reads the database or the mails to be sent can make no link**: a row holds a keyed hash of the link's token, the
mail that is written down only a seed, and it takes the key store to get from one to the other. **Who can only write
there gives nobody a role**: roles are sealed together with the hash of the link that they are for.

**A link is as good as whoever sent it**: it opens nothing from the moment on at which they may not give its roles any
more. Sent again it is a new record under a new key, so that the old link stays dead even in a copy that comes back.

**Nobody learns whether an address is known** beyond the members, whom whoever may invite sees anyway: no other account
is looked for. Of who administers departments this is who is seen there: an address that is a member or invited
elsewhere gets a second link, of which only one makes an account. Whose address has one meanwhile is told ``conflict``
by the link, which only its mailbox has.
"""

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, get_args

from sqlalchemy import ColumnElement, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language, Practitioner
from practice.accounts.records import practitioners
from practice.accounts.store import MAX_MAIL
from practice.factors.model import Passkey
from practice.factors.store import SecondFactors
from practice.mailboxes import canonical, mailbox, spellings
from practice.organisation.joining import Joining
from practice.organisation.model import Invitation, Invited, Member, MemberRole, Welcome
from practice.organisation.newcomers import Newcomer, with_passkey, with_password
from practice.organisation.reach import Reach, Reaches, looks_after_all, may_give
from practice.organisation.records import (
    INVITATIONS,
    MEMBERS,
    invitations,
    members,
    open_organisation,
    organisations,
    seal_invitation,
    takes_members,
)
from practice.organisation.rights import Right, allowed, demand
from practice.organisation.standings import OF_ACCOUNT
from vault.errors import DomainError, Gone, Unreadable
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along

LIFE: Final = timedelta(hours=72)

ROW: Final = INVITATIONS.living().where(
    invitations.c.id == bindparam("wanted"), invitations.c.owner == bindparam("organisation")
)
THEIRS: Final = INVITATIONS.living().where(invitations.c.owner == bindparam("organisation"))
BY_TOKEN: Final = INVITATIONS.living().where(invitations.c.token == bindparam("token"))
SAME: Final = THEIRS.where(invitations.c.mail.in_(bindparam("mails", expanding=True)))
MEMBER: Final = (
    select(members)
    .join(practitioners, practitioners.c.id == members.c.account)
    .where(members.c.owner == bindparam("organisation"), MEMBERS.is_living)
    .where(practitioners.c.mail.in_(bindparam("mails", expanding=True)))
    .limit(1)
)
HOST: Final = select(organisations).where(organisations.c.id == bindparam("organisation"))

Tell = Callable[[Invitation, str], Along]
"""The mail with a seed about an invitation, to be written in its transaction."""

Invites = Callable[[Sequence[Any]], Awaitable[bool]]
"""Whether there is one among these rows that whoever invites is told of."""


async def nobody_is(_: Sequence[Any]) -> bool:
    """For an invitation in place of another."""
    return False


class Invitations(RecordStore):
    """``store.invitations``. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means, joining: Joining, factors: SecondFactors) -> None:
        super().__init__(means)
        self._joining = joining
        self._factors = factors
        self._reaches = Reaches(means.database, means.reader)

    # --- for who may invite ------------------------------------------------------------------------------------------

    async def invite(
        self,
        scope: Scope,
        mail: str,
        roles: Collection[MemberRole],
        language: Language,
        tell: Tell,
        departments: Collection[str] = (),
    ) -> Invited:
        """Ask somebody to become a member, in these departments: of who administers some at least in one of theirs.

        Errors: ``not_found`` (without the right to give these roles), ``invalid`` (a field), ``closing`` (the
        organisation ends), ``conflict`` (a member whom whoever asks sees has this address, or it is invited already,
        by what they see).
        """
        if not roles or not set(roles) <= set(get_args(MemberRole)):
            raise DomainError("invalid", "roles")
        organisation = self._demand(scope, roles)
        if language not in get_args(Language):
            raise DomainError("invalid", "language")
        reach, within = await self._reaches.of(scope), frozenset(departments)
        mine = await self._reaches.living(organisation) if reach.everybody else reach.mine
        if not within <= mine or not (reach.everybody or within):
            raise DomainError("invalid", "departments")
        known = self._indices(sendable(mail))
        if await self._is_seen(reach, await self._database.ask(MEMBER, {"organisation": organisation, "mails": known})):
            raise DomainError("conflict")
        now = self._now()
        made = Invitation(
            new_id(), organisation, mail.strip(), frozenset(roles), language, scope.owner, now, now + LIFE,
            token="", index=known[0].hex(), version=1, departments=within,
        )  # fmt: skip
        return await self._issue(made, tell, partial(self._is_invited, reach))

    async def get(self, scope: Scope, invitation_id: str) -> Invitation:
        """One that waits. Errors: ``not_found`` (also without the right to give its roles), ``unreadable``."""
        organisation = demand(scope, Right.CHANGE_PEOPLE)
        rows = await self._database.ask(ROW, {"wanted": invitation_id, "organisation": organisation})
        if not rows:
            raise DomainError("not_found")
        one, _ = await self._reader.one(INVITATIONS, rows[0])
        self._demand(scope, one.roles)
        reach = await self._reaches.of(scope)
        if not (reach.everybody or reach.holds(one.departments)):
            raise DomainError("not_found")
        return one

    async def again(self, scope: Scope, invitation_id: str, tell: Tell) -> Invited:
        """A new link, from whoever sends it, in place of the one before, which is worth nothing from then on.

        Errors: as ``get``; ``closing``.
        """
        before = await self.get(scope, invitation_id)
        now = self._now()
        made = replace(before, id=new_id(), by=scope.owner, written=now, until=now + LIFE, version=1)
        return await self._issue(made, tell, before=before)

    async def withdraw(self, scope: Scope, invitation_id: str) -> Invitation:
        """Its link is worth nothing any more, and it dies. Errors: as ``get``."""
        one = await self.get(scope, invitation_id)
        if not await self._mark(invitations.c.id == one.id):
            raise DomainError("not_found")
        return one

    async def waiting(self, scope: Scope) -> list[Invitation]:
        """All whose link was not used yet, by address; of who administers departments those into these.

        Errors: ``not_found`` (without the right).
        """
        organisation = demand(scope, Right.PEOPLE)
        opened = await self._reader.open(INVITATIONS, await self._database.ask(THEIRS, {"organisation": organisation}))
        reach = await self._reaches.of(scope)
        living = [one for one in opened.living if reach.sees_invitation(one) and self._now() < one.until]
        return sorted(living, key=lambda one: (canonical(one.mail), one.id))

    # --- for who has the link ----------------------------------------------------------------------------------------

    async def welcome(self, token: str) -> Welcome:
        """What the link says, while it is good; looking changes nothing. Errors: ``link_invalid``."""
        one = await self._good(token)
        rows = await self._database.ask(HOST, {"organisation": one.owner})
        key, there = await self._keys.get(one.owner, one.owner)
        if not rows or not there:
            raise DomainError("link_invalid")
        return Welcome(open_organisation(key, rows[0]).profile.name, one.mail, one.language)

    async def accept(self, token: str, display_name: str, language: Language, password: str) -> Practitioner:
        """A new account with the invited address, and its member in the invited roles: in one transaction with the end
        of the link.

        Errors: ``link_invalid``; ``conflict`` (the address has an account meanwhile); ``password_common``; ``invalid``.
        """
        one = await self._good(token)
        return await self._join(one, await with_password(one.mail, display_name, language, password))

    async def accept_by_passkey(
        self, token: str, account: str, display_name: str, language: Language, passkey: Passkey
    ) -> tuple[Practitioner, tuple[str, ...]]:
        """The same with a passkey that was made for an account of this id, and with recovery codes.

        Errors: ``link_invalid``; ``conflict``; ``invalid``.
        """
        join = partial(self._join, await self._good(token))
        return await with_passkey(self._factors, account, display_name, language, passkey, join)

    def token(self, seed: str) -> str:
        """What the link of a mail holds."""
        return self._keys.link_token(seed)

    async def stands(self, token: str) -> bool:
        """Whether the link is good now."""
        try:
            await self._good(token)
        except DomainError as error:
            if error.code != "link_invalid":
                raise
            return False
        return True

    async def bury(self) -> int:
        """Those that are too old die; how many."""
        return await self._mark(self._late())

    # --- inside ------------------------------------------------------------------------------------------------------

    def _demand(self, scope: Scope, roles: Collection[str]) -> str:
        organisation = demand(scope, Right.CHANGE_PEOPLE)
        if not may_give(scope.roles, roles):
            raise DomainError("not_found")
        return organisation

    async def _issue(
        self, draft: Invitation, tell: Tell, invited: Invites = nobody_is, before: Invitation | None = None
    ) -> Invited:
        """Write it, in place of ``before`` if there is one, unless its address is ``invited``."""
        seed = secrets.token_urlsafe(16)
        token = self.token(seed)
        made = replace(draft, token=self._index(token).hex())
        row = seal_invitation(await self._keys.add(made.owner, made.id, self._now()), made)
        bound: dict[str, Any] = {"organisation": made.owner, "mails": self._indices(made.mail)}
        gone = self._late() if before is None else self._late() | (invitations.c.id == before.id)

        closing = False

        async def written(connection: AsyncConnection) -> bool:
            nonlocal closing
            closing = not await takes_members(connection, made.owner)
            if closing:
                return False
            if before is not None and not (await connection.execute(ROW, bound | {"wanted": before.id})).first():
                return False
            await connection.execute(INVITATIONS.marking().where(gone, INVITATIONS.is_living))
            if await invited((await connection.execute(SAME, bound)).all()):
                return False
            await connection.execute(insert(invitations).values(row))
            return True

        done = await tell(made, seed)(written)
        if not done:
            await self._keys.discard([made.id])
            raise DomainError("closing" if closing else "conflict" if before is None else "not_found")
        # A server that does not know this table must not take the key for one whose row never came.
        await self._keys.confirm([made.id])
        self._sweep()
        return Invited(made, token)

    async def _join(self, one: Invitation, said: Newcomer) -> Practitioner:
        spent = INVITATIONS.marking().where(invitations.c.id == one.id, INVITATIONS.is_living)

        async def spend(connection: AsyncConnection, account: str) -> None:
            by = (await connection.execute(OF_ACCOUNT, {"account": one.by})).one_or_none()
            if not await self._may_still(one, by) or (await connection.execute(spent)).rowcount != 1:
                raise DomainError("link_invalid")
            if said.beside is not None:
                await said.beside(connection, account)

        person = await self._joining.add(
            one.owner, one.mail, said.password, said.display_name, said.language, spend, one.roles, said.account,
            one.departments,
        )  # fmt: skip
        self._sweep()
        return person

    async def _good(self, token: str) -> Invitation:
        rows = await self._database.ask(BY_TOKEN, {"token": self._index(token)})
        try:
            one = await self._as_it_is((await self._reader.one(INVITATIONS, rows[0]))[0]) if rows else None
            by = await self._database.ask(OF_ACCOUNT, {"account": one.by}) if one else []
            if one is not None and self._now() < one.until and by and await self._may_still(one, by[0]):
                return one
        except (Gone, Unreadable):  # nobody can say whether a link to a damaged one is right
            pass
        raise DomainError("link_invalid")

    async def _as_it_is(self, one: Invitation) -> Invitation:
        """Into the departments that there are still: who sent it and administers none of them may not any more."""
        there = await self._reaches.living(one.owner) if one.departments else frozenset()
        return replace(one, departments=one.departments & there)

    async def _is_seen(self, reach: Reach, rows: Sequence[Any]) -> bool:
        """Whether whoever asks sees this member anyway: of others nobody learns that they are one."""
        if not rows or reach.everybody:
            return bool(rows)
        return any(reach.sees(one) for one in (await self._reader.open(MEMBERS, rows)).living)

    async def _is_invited(self, reach: Reach, rows: Sequence[Any]) -> bool:
        """The same of invitations of one address: two links of which one is used are harmless."""
        if not rows or reach.everybody:
            return bool(rows)
        return any(reach.sees_invitation(one) for one in (await self._reader.open(INVITATIONS, rows)).living)

    async def _may_still(self, one: Invitation, by: Any) -> bool:
        return by is not None and holds(one, (await self._reader.one(MEMBERS, by))[0])

    def _late(self) -> ColumnElement[bool]:
        return invitations.c.until <= int(self._now().timestamp())

    async def _mark(self, which: ColumnElement[bool]) -> int:
        count = await self._database.tell(INVITATIONS.marking().where(which, INVITATIONS.is_living))
        if count:
            self._sweep()
        return count

    def _indices(self, mail: str) -> list[bytes]:
        return [self._keys.mail_index(one) for one in spellings(mail)]

    def _index(self, token: str) -> bytes:
        return self._keys.reset_mark("invitation", token)


def sendable(mail: str) -> str:
    """An address that mail can be sent to: one that only looks like another is of another script, which no mailbox's
    name is in. Errors: ``invalid``.
    """
    try:
        mailbox(mail)
    except ValueError:
        raise DomainError("invalid", "mail") from None
    if len(mail.strip()) > MAX_MAIL or not mail.strip().isprintable():
        raise DomainError("invalid", "mail")
    return mail


def holds(one: Invitation, by: Member | None) -> bool:
    """Whether whoever invited, who is this member now, may still give these roles."""
    if by is None or by.owner != one.owner or not by.active:
        return False
    if not allowed(Right.CHANGE_PEOPLE, by.roles) or not may_give(by.roles, one.roles):
        return False
    alone = bool(one.departments) and one.departments <= by.departments
    return looks_after_all(by.roles, Right.CHANGE_PEOPLE) or alone
