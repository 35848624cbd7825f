"""The mail server of an organisation: written by who decides there, read by nobody but who sends.

**Under the organisation's key**, which opens no appointment. Whether its host is one that the operator listed is asked
at the door, each time that something is sent.
"""

from dataclasses import replace
from typing import get_args

from pydantic import ValidationError
from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.mail_servers.model import Access, Encrypted, MailServer
from practice.mail_servers.records import MAIL_SERVERS, mail_servers
from practice.organisation.records import MEMBERS, members, takes_members
from practice.organisation.rights import Right, demand
from practice.settings import MAIL_PORTS
from vault.errors import DomainError, Gone, Unreadable
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore

THEIRS = MAIL_SERVERS.living().where(mail_servers.c.owner == bindparam("organisation"))
OF_OWNER = MAIL_SERVERS.living().where(
    or_(
        mail_servers.c.owner == bindparam("whose"),
        mail_servers.c.owner.in_(
            select(members.c.owner).where(members.c.account == bindparam("whose"), MEMBERS.is_living)
        ),
    )
)


class MailServers(RecordStore):
    """``store.mail_servers``. Errors of all: ``locked``, ``try_again``."""

    async def of(self, scope: Scope) -> MailServer | None:
        """That of somebody's organisation. Errors: ``not_found`` (without the right), ``unreadable``."""
        return await self._of(demand(scope, Right.POLICIES))

    async def write(self, scope: Scope, access: Access, seen: int, *, port_is_free: bool) -> MailServer:
        """Another one, in place of what is there; ``seen`` is the version that whoever asks has before them, 0 of none.

        ``port_is_free``: its host may be asked at any port. Errors: ``not_found`` (also without the right), ``invalid``
        (a field), ``conflict`` (somebody else changed it since), ``closing``, ``unreadable``.
        """
        organisation = demand(scope, Right.POLICIES)
        access = checked(access, port_is_free=port_is_free)
        before = await self._of(organisation)
        if seen != (before.version if before else 0):
            raise DomainError("conflict")
        made = MailServer(new_id(), organisation, access, self._now(), 1)
        after = replace(before, access=access, since=made.since, version=seen + 1) if before else made
        sending = Sending(organisation)
        write = self._writer.instead if before else self._writer.first
        if not await write(MAIL_SERVERS, after, sending.takes if before else sending.takes_first):
            raise DomainError("closing" if sending.closing else "conflict")
        return after

    async def remove(self, scope: Scope, seen: int) -> None:
        """Send by the operator's again: the row dies. Errors: ``not_found`` (also without the right), ``conflict``."""
        before = await self.of(scope)
        if before is None or before.version != seen:
            raise DomainError("not_found" if before is None else "conflict")
        ours = (mail_servers.c.id == before.id, mail_servers.c.version == seen, MAIL_SERVERS.is_living)
        if not await self._database.tell(MAIL_SERVERS.marking().where(*ours)):
            raise DomainError("conflict")
        self._sweep()

    async def of_owner(self, owner: str) -> MailServer | None:
        """By which mail of this account, or organisation, is sent; None for the operator's, also where nobody can read
        what was set: what is to be told goes out.
        """
        rows = await self._database.ask(OF_OWNER, {"whose": owner})
        try:
            return (await self._reader.one(MAIL_SERVERS, rows[0]))[0] if rows else None
        except (Gone, Unreadable):
            return None

    async def _of(self, organisation: str) -> MailServer | None:
        rows = await self._database.ask(THEIRS, {"organisation": organisation})
        return (await self._reader.one(MAIL_SERVERS, rows[0]))[0] if rows else None


class Sending:
    """An organisation that sets its mail server; ``closing`` once it was found to end, inside a transaction."""

    def __init__(self, organisation: str) -> None:
        self._organisation = organisation
        self.closing = False

    async def takes(self, connection: AsyncConnection) -> bool:
        """Whether it may."""
        self.closing = not await takes_members(connection, self._organisation)
        return not self.closing

    async def takes_first(self, connection: AsyncConnection) -> bool:
        """The same where it has none."""
        bound = {"organisation": self._organisation}
        return await self.takes(connection) and (await connection.execute(THEIRS, bound)).first() is None


def checked(access: Access, *, port_is_free: bool) -> Access:
    """What somebody typed, as it is used. Errors: ``invalid``, with the field."""
    if not port_is_free and access.port not in MAIL_PORTS:
        raise DomainError("invalid", "port")
    if access.security not in get_args(Encrypted):
        raise DomainError("invalid", "security")
    if access.user and not access.password:
        raise DomainError("invalid", "password")
    try:
        settings = access.settings(None)
    except ValidationError as error:
        where = error.errors(include_url=False, include_input=False)[0]["loc"]
        raise DomainError("invalid", str(where[0]) if where else "host") from None
    return replace(access, host=str(settings.host), sender=str(settings.sender))
