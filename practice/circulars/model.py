"""A subscription to the newsletter, and a circular, as they leave storage: decrypted, immutable."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from practice.accounts.model import Language
from vault.records.content import Fields

WORDING: Final = 1
"""Of the sentence that people agree to (``newsletter.consent`` of the pages): counts its changes."""

Use = Literal["newsletter", "service"]
"""What it is for. Who objects to the first gets the second all the same (S-23)."""

Topic = Literal["maintenance", "change", "security", "terms"]
"""What a service notice is about. Of a closed list: its mail says that and no more."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A consent to the newsletter of ``organisation``, of the account that is its ``owner``; there is no address in it.

    ``wording`` and ``language`` say which text was agreed to; ``given`` is when that was confirmed by mail. ``seed`` is
    that of the link by which it is confirmed and withdrawn. ``served`` is the moment of the newest letter of which this
    account had its own.
    """

    id: str
    owner: str
    organisation: str
    wording: int
    language: Language
    asked: datetime
    seed: str = field(repr=False)
    token: str = field(repr=False)
    given: datetime | None = None
    withdrawn: datetime | None = None
    served: datetime | None = None
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def stands(self) -> bool:
        """Whether letters may go."""
        return self.given is not None and self.withdrawn is None


@dataclass(frozen=True, slots=True)
class Circular:
    """What an organisation, its ``owner``, writes; ``by`` is the account that did, ``topic`` of a service notice.

    ``sent`` is when it was released, None of a draft; ``ended`` when nobody is to get it any more. ``reached`` and
    ``refused`` count accounts; ``told`` is the last of them, by id, of whom a service notice is written down.
    """

    id: str
    owner: str
    use: Use
    topic: Topic | None
    subject: str = field(repr=False)
    text: str = field(repr=False)
    language: Language
    by: str
    written: datetime
    sent: datetime | None = None
    ended: datetime | None = None
    reached: int = 0
    refused: int = 0
    told: str = ""
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
