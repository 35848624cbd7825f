"""What is inside the sealed column of an SMS provider, and its table."""

from datetime import datetime
from typing import Any, get_args

from practice.sms_providers.model import Format, SmsProvider, Way
from vault.errors import Unreadable
from vault.records.content import Layout, known, number
from vault.records.records import Sealed, kept_once, kept_table

sms_providers = kept_table("sms_providers", "format, url, secret, sender, since when")
kept_once("ix_sms_providers_one", sms_providers.c.owner)
"""An organisation sends by one at a time."""

WAY = ("format", "url", "secret", "sender")
SMS_PROVIDER = Sealed("sms_providers", Layout(frozenset((*WAY, "since"))))


def seal_sms_provider(key: bytes, one: SmsProvider) -> dict[str, Any]:
    """The row of a provider."""
    content = {name: getattr(one.way, name) for name in WAY} | {"since": one.since.isoformat()}
    return SMS_PROVIDER.row(key, one, content)


def open_sms_provider(key: bytes, row: Any) -> SmsProvider:
    """The provider in a row. Errors: Unreadable, Newer."""
    content, unknown = SMS_PROVIDER.open(key, row)
    known(content["format"], get_args(Format))
    said = {name: content[name] for name in WAY}
    if not all(isinstance(one, str) for one in said.values()):
        raise Unreadable
    try:
        since, way = datetime.fromisoformat(content["since"]), Way(**said)
        return SmsProvider(row.id, row.owner, way, since, number(row.version), unknown)
    except (TypeError, ValueError):
        raise Unreadable from None


SMS_PROVIDERS = SMS_PROVIDER.kind(sms_providers, open_sms_provider, seal_sms_provider)
