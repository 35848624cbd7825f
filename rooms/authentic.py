"""What Redis gives back is believed only with our MAC: whoever else can write there makes nothing that counts.

``HMAC-SHA-256(key, name ‖ 0 ‖ value)`` in hex, then the value. The name is that of the Redis key, so a value that was
copied to another key is as worthless as an invented one. What cannot be told is the *age* of a value: an older one of
the same key can be put back.
"""

import hashlib
import hmac
import logging
from collections import Counter

MAC = 64
KINDS = ("room", "replay-body", "refresh", "announced", "walk-ins", "export")
"""What is signed: ``sk:room:<id>`` is a room."""

logger = logging.getLogger(__name__)


class Authentic:
    """Signs values and opens them. ``key`` is at least 32 bytes, the same on all nodes."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.forged: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        """Values that were not ours, by the kind of their key, for an alarm."""

    def sign(self, name: str, value: bytes) -> bytes:
        """What to store under the Redis key ``name``."""
        return self._mac(name, value) + value

    def verified(self, name: str, stored: bytes | str | None) -> bytes | None:
        """The value; None where there is none, or none of ours, which is counted and then as good as lost."""
        if stored is None:
            return None
        raw = stored if isinstance(stored, bytes) else stored.encode()
        mac, value = raw[:MAC], raw[MAC:]
        if hmac.compare_digest(mac, self._mac(name, value)):
            return value
        kind = name.split(":")[1]
        if not self.forged[kind]:
            logger.error("a value in Redis is not ours; it counts as lost", extra={"kind": kind})
        self.forged[kind] += 1
        return None

    def _mac(self, name: str, value: bytes) -> bytes:
        return hmac.new(self._key, name.encode() + b"\0" + value, hashlib.sha256).hexdigest().encode()
