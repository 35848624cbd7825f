"""A masked paper, as it leaves storage."""

from dataclasses import dataclass, field
from datetime import datetime

from vault.records.content import Fields


@dataclass(frozen=True, slots=True)
class IdentityPaper:
    """One that came with a ``request``; ``owner`` is the organisation that was asked. ``data`` is a JPEG of ours."""

    id: str
    owner: str
    request: str
    data: bytes = field(repr=False)
    sent: datetime
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
