"""What a practitioner plans often, as it leaves storage: decrypted, immutable, silent in ``repr``."""

from dataclasses import dataclass, field

from practice.accounts.model import Language
from vault.records.content import Fields


@dataclass(frozen=True, slots=True)
class Preset:
    """One of them: what it is called, how many minutes it takes, and the language of whoever comes."""

    name: str = field(repr=False)
    minutes: int
    language: Language


@dataclass(frozen=True, slots=True)
class Presets:
    """All of the account that is its ``owner``, in the order in which they were made.

    ``unknown`` is what a newer program keeps beside these fields. ``version`` 0 is of who has made none yet.
    """

    id: str
    owner: str
    presets: tuple[Preset, ...] = ()
    version: int = 0
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
