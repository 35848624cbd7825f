"""The SMS provider of an organisation: written by who decides there, read by nobody but who sends.

**Under the organisation's key**, which opens no appointment. Whether its host is one that the operator listed is asked
at the door, each time that something is sent.
"""

import re
from base64 import b64decode
from dataclasses import replace
from typing import Final, get_args

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.https import target
from practice.organisation.records import MEMBERS, members, takes_members
from practice.organisation.rights import Right, demand
from practice.settings import HTTPS
from practice.sms_providers.model import Format, SmsProvider, Way
from practice.sms_providers.records import SMS_PROVIDERS, sms_providers
from vault.errors import DomainError, Gone, Unreadable
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore

THEIRS = SMS_PROVIDERS.living().where(sms_providers.c.owner == bindparam("organisation"))
OF_OWNER = SMS_PROVIDERS.living().where(
    or_(
        sms_providers.c.owner == bindparam("whose"),
        sms_providers.c.owner.in_(
            select(members.c.owner).where(members.c.account == bindparam("whose"), MEMBERS.is_living)
        ),
    )
)

SENDER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ]{0,10}|\+[1-9][0-9]{6,14}")
"""What networks carry as a sender: at most 11 letters and digits, or a number (3GPP TS 23.040, 9.1.2.5)."""

TOKEN: Final = re.compile(r"[\x21-\x7e]{8,200}")
MARK: Final = "whsec_"
KEY_BYTES: Final = range(24, 65)
"""Bytes of a webhook's key, which stands in base64 behind the mark (Standard Webhooks)."""


class SmsProviders(RecordStore):
    """``store.sms_providers``. Errors of all: ``locked``, ``try_again``."""

    async def of(self, scope: Scope) -> SmsProvider | None:
        """That of somebody's organisation. Errors: ``not_found`` (without the right), ``unreadable``."""
        return await self._of(demand(scope, Right.POLICIES))

    async def write(self, scope: Scope, way: Way, seen: int, *, port_is_free: bool) -> SmsProvider:
        """Another one, in place of what is there; ``seen`` is the version that whoever asks has before them, 0 of none.

        ``port_is_free``: its host may be asked at any port. Errors: ``not_found`` (also without the right), ``invalid``
        (a field), ``conflict`` (somebody else changed it since), ``closing``, ``unreadable``.
        """
        organisation = demand(scope, Right.POLICIES)
        way = checked(way, port_is_free=port_is_free)
        before = await self._of(organisation)
        if seen != (before.version if before else 0):
            raise DomainError("conflict")
        made = SmsProvider(new_id(), organisation, way, self._now(), 1)
        after = replace(before, way=way, since=made.since, version=seen + 1) if before else made
        texting = Texting(organisation)
        write = self._writer.instead if before else self._writer.first
        if not await write(SMS_PROVIDERS, after, texting.takes if before else texting.takes_first):
            raise DomainError("closing" if texting.closing else "conflict")
        return after

    async def remove(self, scope: Scope, seen: int) -> None:
        """No text messages any more: the row dies. Errors: ``not_found`` (also without the right), ``conflict``."""
        before = await self.of(scope)
        if before is None or before.version != seen:
            raise DomainError("not_found" if before is None else "conflict")
        ours = (sms_providers.c.id == before.id, sms_providers.c.version == seen, SMS_PROVIDERS.is_living)
        if not await self._database.tell(SMS_PROVIDERS.marking().where(*ours)):
            raise DomainError("conflict")
        self._sweep()

    async def of_owner(self, owner: str) -> SmsProvider | None:
        """By which this account, or organisation, sends; None for nobody, also where nobody can read what was set."""
        rows = await self._database.ask(OF_OWNER, {"whose": owner})
        try:
            return (await self._reader.one(SMS_PROVIDERS, rows[0]))[0] if rows else None
        except (Gone, Unreadable):
            return None

    async def _of(self, organisation: str) -> SmsProvider | None:
        rows = await self._database.ask(THEIRS, {"organisation": organisation})
        return (await self._reader.one(SMS_PROVIDERS, rows[0]))[0] if rows else None


class Texting:
    """An organisation that sets its provider; ``closing`` once it was found to end, inside a transaction."""

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


def checked(way: Way, *, port_is_free: bool) -> Way:
    """What somebody typed, as it is used. Errors: ``invalid``, with the field."""
    if way.format not in get_args(Format):
        raise DomainError("invalid", "format")
    try:
        where = target(way.url)
    except ValueError:
        raise DomainError("invalid", "url") from None
    if where.port != HTTPS and not port_is_free:
        raise DomainError("invalid", "url")
    sender = way.sender.strip()
    if not SENDER.fullmatch(sender):
        raise DomainError("invalid", "sender")
    if not (_key(way.secret) if way.format == "webhook" else TOKEN.fullmatch(way.secret)):
        raise DomainError("invalid", "secret")
    return replace(way, url=way.url.strip(), sender=sender)


def _key(secret: str) -> bytes | None:
    """The key of a webhook's signature; None for what is none."""
    try:
        key = b64decode(secret.removeprefix(MARK), validate=True)
    except ValueError:
        return None
    return key if secret.startswith(MARK) and len(key) in KEY_BYTES else None


def key_of(way: Way) -> bytes:
    """The key of its signature. ValueError for a way that has none."""
    key = _key(way.secret)
    if key is None:
        raise ValueError("no key of a webhook")
    return key
