"""What somebody tells of themselves, as it leaves storage: decrypted, immutable, silent in ``repr``."""

from dataclasses import dataclass, field
from datetime import date

from vault.records.content import Fields


@dataclass(frozen=True, slots=True)
class Told:
    """All that may be told (S-06 to S-09, S-13). What is empty or None was not.

    ``country`` is ISO 3166-1 alpha-2, ``phone`` as ITU-T E.164 has it; ``note`` is free text in lines.
    """

    gender: str = field(default="", repr=False)
    born: date | None = field(default=None, repr=False)
    street: str = field(default="", repr=False)
    postal_code: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    country: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    note: str = field(default="", repr=False)

    @property
    def any(self) -> bool:
        """Whether there is something."""
        return self != Told()


@dataclass(frozen=True, slots=True)
class Particulars:
    """Of the account that is its ``owner``. ``unknown`` is what a newer program keeps beside these fields.

    ``version`` 0 is of who told nothing.
    """

    id: str
    owner: str
    told: Told = field(repr=False)
    version: int = 0
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
