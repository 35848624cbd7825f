"""A calendar feed, as it leaves storage."""

from dataclasses import dataclass, field
from datetime import datetime

from vault.records.content import Fields


@dataclass(frozen=True, slots=True)
class Feed:
    """Of one account, its ``owner``. ``token`` is the hash of what its address holds, as hex. ``unknown`` is what a
    newer program keeps beside these fields.
    """

    id: str
    owner: str
    token: str = field(repr=False)
    since: datetime
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
