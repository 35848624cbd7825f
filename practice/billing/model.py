"""A bank account, as it leaves storage: decrypted, immutable, silent in ``repr``."""

from dataclasses import dataclass, field

from practice.billing.iban import masked
from vault.records.content import Fields


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Of the account that is its ``owner``; ``iban`` as ``practice.billing.iban`` gives it, empty with version 0.

    ``unknown`` is what a newer program keeps beside these fields.
    """

    id: str
    owner: str
    iban: str = field(default="", repr=False)
    version: int = 0
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def masked(self) -> str:
        """Its country and last four characters."""
        return masked(self.iban)
