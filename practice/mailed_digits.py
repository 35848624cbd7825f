"""Six digits that somebody reads in a mail or a text message and types: what the message stores is a seed of them."""

from hashlib import sha256
from typing import Final

COUNT: Final = 6


def digits(token: str) -> str:
    """Of a token that only this server can make of a seed; as good as random."""
    return str(int.from_bytes(sha256(f"digits {token}".encode()).digest(), "big") % 10**COUNT).zfill(COUNT)
