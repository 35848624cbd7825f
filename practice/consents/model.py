"""What is asked of whoever comes, as it leaves storage."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from practice.accounts.model import Language
from practice.agenda.model import Purpose
from vault.records.content import Fields

ASKABLE: Final[tuple[Purpose, ...]] = ("video", "house")
"""What an account or an organisation may ask of everybody; what a child needs is asked by their age alone."""


@dataclass(frozen=True, slots=True)
class ConsentWording:
    """What somebody reads, and its version: a hash of what stands there, so no two texts have one."""

    purpose: Purpose
    language: Language
    text: str = field(repr=False)
    since: datetime

    @property
    def version(self) -> str:
        """128 bits of SHA-256 over purpose, language and text, base64url."""
        read = f"{self.purpose}\n{self.language}\n{self.text}"
        return urlsafe_b64encode(sha256(read.encode()).digest()[:16]).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class AskedConsents:
    """What its ``owner``, an account or an organisation, asks of whoever comes, and an organisation's own texts in the
    order in which they were written: the last of a language is the one that is asked, an empty one is none.

    ``unknown`` is what a newer program keeps beside these fields. ``version`` 0 is of who never decided anything.
    """

    id: str
    owner: str
    asks: tuple[Purpose, ...] = ()
    texts: tuple[ConsentWording, ...] = ()
    version: int = 0
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
