"""A picture as it leaves storage: decrypted, immutable, silent in ``repr``."""

import hashlib
from dataclasses import dataclass, field
from typing import Final, Literal

from vault.records.content import Fields

Use = Literal["logo", "photograph"]

TYPES: Final[dict[Use, str]] = {"logo": "image/png", "photograph": "image/jpeg"}
"""Each is kept in one format."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The logo of the organisation that is its ``owner``, or the photograph of the account that is.

    ``shown`` says whether who waits sees a photograph. ``unknown`` is what a newer program keeps beside these fields;
    ``version`` 0 is of who has none.
    """

    id: str
    owner: str
    use: Use
    data: bytes = field(default=b"", repr=False)
    shown: bool = False
    version: int = 0
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def there(self) -> bool:
        """Whether there is one."""
        return bool(self.data)

    @property
    def name(self) -> str:
        """What its address ends in: nobody guesses the id, and another picture has another version."""
        return f"{self.id}-{self.version}"

    @property
    def mark(self) -> str:
        """32 hexadecimal digits that say what is in it."""
        return hashlib.sha256(self.data).hexdigest()[:32]
