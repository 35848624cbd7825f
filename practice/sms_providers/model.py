"""An SMS provider of an organisation, as it leaves storage."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from vault.records.content import Fields

Format = Literal["webhook", "cm"]
"""Whose: our own, which ``docs/sms.md`` describes, or that of CM.com's *Business Messaging API*."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where it is and in which format it is asked; ``secret`` is the key of a webhook's signature, or a product token;
    ``sender`` is whom messages come from.
    """

    format: Format
    url: str = field(repr=False)
    secret: str = field(repr=False)
    sender: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SmsProvider:
    """Of one organisation, its ``owner``. ``unknown`` is what a newer program keeps beside these fields."""

    id: str
    owner: str
    way: Way = field(repr=False)
    since: datetime
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
