"""What a practitioner says to whoever waits, as it leaves storage."""

from dataclasses import dataclass, field

from practice.accounts.model import Language
from vault.records.content import Fields
from vault.records.records import Damaged


@dataclass(frozen=True, slots=True)
class Sentence:
    """One, opened. ``unknown`` is what a newer program keeps beside these fields."""

    id: str
    owner: str
    language: Language
    text: str = field(repr=False)
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Said:
    """All of one practitioner's: by language, and those that cannot be read."""

    sentences: list[Sentence]
    damaged: list[Damaged]
