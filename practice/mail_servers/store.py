"""The mail server of an organisation: written by who decides there, read by nobody but who sends.

**Under the organisation's key**, which opens no appointment. Whether its host is one that the operator listed is asked
at the door, each time that something is sent.
"""

from dataclasses import replace
from typing import get_args

from pydantic import ValidationError

from practice.mail_servers.model import Access, Encrypted, MailServer
from practice.mail_servers.records import MAIL_SERVERS
from practice.organisation.one_each import OneEach
from practice.organisation.rights import Right, demand
from practice.settings import MAIL_PORTS
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means


class MailServers(OneEach[MailServer]):
    """``store.mail_servers``; of ``of_owner`` one sends. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means) -> None:
        super().__init__(means, MAIL_SERVERS)

    async def write(self, scope: Scope, access: Access, seen: int, *, port_is_free: bool) -> MailServer:
        """Another one, in place of what is there; ``seen`` is the version that whoever asks has before them, 0 of none.

        ``port_is_free``: its host may be asked at any port. Errors: ``not_found`` (also without the right), ``invalid``
        (a field), ``conflict`` (somebody else changed it since), ``closing``, ``unreadable``.
        """
        organisation = demand(scope, Right.POLICIES)
        access = checked(access, port_is_free=port_is_free)
        made = MailServer(new_id(), organisation, access, self._now(), 1)
        return await self._write(made, seen, lambda it: replace(it, access=access, since=made.since, version=seen + 1))


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
