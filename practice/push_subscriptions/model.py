"""A push subscription, as it leaves storage."""

from dataclasses import dataclass, field
from datetime import datetime

from vault.records.content import Fields


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """Of one browser of one account, its ``owner``. ``endpoint`` is its push resource (RFC 8030 section 2), an address
    at the push service; ``session`` the reference of the sign-in with which it dies, ``renewed`` when its desk was last
    open. The browser's keys are not kept: a message without content is not encrypted. ``unknown`` is what a newer
    program keeps beside these fields.
    """

    id: str
    owner: str
    endpoint: str = field(repr=False)
    session: str = field(repr=False)
    renewed: datetime
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
