"""The SMS provider of an organisation: written by who decides there, read by nobody but who sends.

**Under the organisation's key**, which opens no appointment. Whether its host is one that the operator listed is asked
at the door, each time that something is sent.
"""

import re
from base64 import b64decode
from dataclasses import replace
from typing import Final, get_args

from practice.https import target
from practice.organisation.one_each import OneEach
from practice.organisation.rights import Right, demand
from practice.settings import HTTPS
from practice.sms_providers.model import Format, SmsProvider, Way
from practice.sms_providers.records import SMS_PROVIDERS
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means

SENDER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ]{0,10}|\+[1-9][0-9]{6,14}")
"""What networks carry as a sender: at most 11 letters and digits, or a number (3GPP TS 23.040, 9.1.2.5)."""

TOKEN: Final = re.compile(r"[\x21-\x7e]{8,200}")
MARK: Final = "whsec_"
KEY_BYTES: Final = range(24, 65)
"""Bytes of a webhook's key, which stands in base64 behind the mark (Standard Webhooks)."""


class SmsProviders(OneEach[SmsProvider]):
    """``store.sms_providers``; of ``of_owner`` one sends. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means) -> None:
        super().__init__(means, SMS_PROVIDERS)

    async def stands(self, owner: str) -> bool:
        """Whether this account, or organisation, has one. Errors: DomainError."""
        return await self.of_owner(owner) is not None

    async def write(self, scope: Scope, way: Way, seen: int, *, port_is_free: bool) -> SmsProvider:
        """Another one, in place of what is there; ``seen`` is the version that whoever asks has before them, 0 of none.

        ``port_is_free``: its host may be asked at any port. Errors: ``not_found`` (also without the right), ``invalid``
        (a field), ``conflict`` (somebody else changed it since), ``closing``, ``unreadable``.
        """
        organisation = demand(scope, Right.POLICIES)
        way = checked(way, port_is_free=port_is_free)
        made = SmsProvider(new_id(), organisation, way, self._now(), 1)
        return await self._write(made, seen, lambda it: replace(it, way=way, since=made.since, version=seen + 1))


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
