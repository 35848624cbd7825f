"""One secret that all nodes share, and a key of its own for each use: who holds one of them learns no other.

HKDF-SHA-256 (RFC 5869) without salt: the secret is random. A media worker is given the key ``calls`` and nothing else.
"""

import base64
from typing import Final, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Use = Literal[
    "tickets", "calls", "messages", "redis", "pseudonyms", "channel", "devices", "challenges", "words", "push",
    "bounces",
    "link-codes",
    "exports",
]  # fmt: skip

KEY_BYTES: Final = 32
SECRET_BYTES: Final = 32
"""A shorter secret is none."""


def call_key_text(secret: str) -> str:
    """The key of calls as ``media.secret`` has it: base64."""
    return base64.b64encode(derive(secret.encode(), "calls")).decode()


def call_key(text: str) -> bytes:
    """The key of calls out of ``media.secret``. ValueError when it is something else."""
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("not a key of calls")
    return key


def derive(secret: bytes, use: Use) -> bytes:
    """The key for one use, 32 bytes. ValueError for a secret of less than 32 bytes."""
    if len(secret) < SECRET_BYTES:
        raise ValueError("the secret of the nodes is shorter than 32 bytes")
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"spreekkamer {use}".encode()).derive(secret)
