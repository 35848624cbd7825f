"""What the desk and whoever waits write to each other, sealed for as long as the room's document has it.

AES-256-GCM under a key that the nodes share and Redis has not, bound to appointment, seat and who wrote. A seat and not
a page: who loads the page anew finds what was written.
"""

import base64
import binascii
from typing import Literal

from vault.errors import Tampered
from vault.keys.envelope import Place, seal, unseal

By = Literal["written", "said"]
"""By the desk; by whoever waits."""


class SealedWords:
    """``key``: 32 bytes, the same on all nodes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sealed(self, text: str, appointment: str, seat: str, by: By) -> str:
        """For the document, base64url."""
        return base64.urlsafe_b64encode(seal(self._key, text.encode(), _place(appointment, seat, by))).decode()

    def opened(self, words: str | None, appointment: str, seat: str, by: By) -> str | None:
        """The text; None where there is none, or none that nodes of this secret wrote there."""
        if words is None:
            return None
        try:
            return unseal(self._key, base64.urlsafe_b64decode(words), _place(appointment, seat, by)).decode()
        except (Tampered, binascii.Error):
            return None


def _place(appointment: str, seat: str, by: By) -> Place:
    return Place("rooms", by, appointment, seat)
