"""The address that mail about one dispatch comes back to: it says which, to us alone, and nobody else can make one.

    bounces+<token>@example.org, token = base32(day, AES(dispatch), HMAC-SHA-256 of both, the first 80 bits)

``day`` is that of sending (UTC, days since the Unix epoch): servers try for five days, and then it comes back.
"""

import base64
import binascii
import hmac
import re
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

DAY: Final = 86_400
LIFE_DAYS: Final = 10
BLOCK, MARK, DATE = 16, 10, 2
LENGTH: Final = 45
"""Characters of a token: 28 bytes in base32, which survives servers that fold case."""


class Tokens:
    """For one address, under a key of 32 bytes that all nodes have."""

    def __init__(self, address: str, key: bytes) -> None:
        self._local, _, self._domain = address.rpartition("@")
        self._cipher, self._mark = (hmac.digest(key, use, "sha256") for use in (b"dispatch", b"mark"))
        self._pattern = re.compile(
            rf"{re.escape(self._local)}\+([a-z2-7]{{{LENGTH}}})@{re.escape(self._domain)}", re.IGNORECASE
        )

    def address(self, dispatch: str, now: datetime) -> str:
        """Of a dispatch, by its id: 16 bytes as base64url."""
        day = (int(now.timestamp()) // DAY).to_bytes(DATE)
        block = self._aes(day).encryptor().update(base64.urlsafe_b64decode(f"{dispatch}=="))
        token = base64.b32encode(day + block + self._marked(day + block)).decode().rstrip("=").lower()
        return f"{self._local}+{token}@{self._domain}"

    def dispatch(self, text: str, now: datetime) -> str | None:
        """That of the first address in a text that is ours and not too old; None where there is none."""
        for token in self._pattern.findall(text):
            if found := self._opened(token, int(now.timestamp()) // DAY):
                return found
        return None

    def _opened(self, token: str, today: int) -> str | None:
        try:
            raw = base64.b32decode(token.upper() + "===")
        except binascii.Error:
            return None
        said, mark = raw[:-MARK], raw[-MARK:]
        day = said[:DATE]
        if not hmac.compare_digest(self._marked(said), mark) or not 0 <= today - int.from_bytes(day) <= LIFE_DAYS:
            return None
        block = self._aes(day).decryptor().update(said[DATE:])
        return base64.urlsafe_b64encode(block).decode().rstrip("=")

    def _aes(self, day: bytes) -> Cipher[modes.CBC]:
        """One block, so that the id of a row stands in nobody's log; the day makes it another one each day."""
        return Cipher(algorithms.AES(self._cipher), modes.CBC(day.ljust(BLOCK, b"\0")))

    def _marked(self, said: bytes) -> bytes:
        return hmac.digest(self._mark, said, sha256)[:MARK]
