"""Mail is signed in the name of the domain that it comes from (DKIM, RFC 6376), and what its DNS has to say for that.

**By RSA always, by Ed25519 beside it** (RFC 8463): there are verifiers that call the second kind invalid, and are
content with the first. A header is named once more than a letter has it, so none can be added: verifiers look at the
last, programs show the first.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

RSA_BITS: Final = 2048
SECOND: Final = "-ed25519"
"""What the selector of the second key ends in."""

STRING_BYTES: Final = 255
"""Of one string in a TXT record (RFC 1035, 3.3.14)."""

SIGNED: Final = (
    *("from", "to", "cc", "reply-to", "subject", "date", "message-id", "auto-submitted"),
    *("mime-version", "content-type", "content-transfer-encoding", "content-language"),
    *("list-unsubscribe", "list-unsubscribe-post"),
)
HEADERS: Final = tuple(name.encode() for name in (*SIGNED, *SIGNED))
CANONICAL: Final = (b"relaxed", b"relaxed")


@dataclass(frozen=True)
class Keys:
    """Private ones."""

    rsa: RSAPrivateKey = field(repr=False)
    ed25519: Ed25519PrivateKey | None = field(repr=False)


def parsed(texts: Sequence[str]) -> Keys:
    """Of PKCS #8 in DER as Base64, each. ValueError where they are not an RSA key of 2048 bits or more, and at most one
    Ed25519 key beside it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    rsa: list[RSAPrivateKey] = []
    second: list[Ed25519PrivateKey] = []
    for text in texts:
        try:
            key = load_der_private_key(base64.b64decode(text, validate=True), None)
        except (TypeError, UnsupportedAlgorithm, ValueError):
            raise ValueError("no private key") from None
        if isinstance(key, RSAPrivateKey) and key.key_size >= RSA_BITS:
            rsa.append(key)
        elif isinstance(key, Ed25519PrivateKey):
            second.append(key)
        else:
            raise ValueError("a key that nobody verifies by")
    if len(rsa) != 1 or len(second) > 1:
        raise ValueError("not one key of each kind")
    return Keys(rsa[0], second[0] if second else None)


def made() -> str:
    """New ones as `parsed` takes them, one a line."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    keys = (rsa.generate_private_key(65_537, RSA_BITS), ed25519.Ed25519PrivateKey.generate())
    ders = [key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for key in keys]
    return "\n".join(base64.b64encode(der).decode() for der in ders)


def records(selector: str, keys: Keys) -> dict[str, str]:
    """What has to stand in TXT records of the domain, by the selectors below ``_domainkey`` (RFC 6376, 3.6.1)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = keys.rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = {selector: f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"}
    if keys.ed25519 is not None:
        raw = base64.b64encode(keys.ed25519.public_key().public_bytes_raw()).decode()  # RFC 8463, 4.1: no ASN.1
        found[f"{selector}{SECOND}"] = f"v=DKIM1; k=ed25519; p={raw}"
    return found


def zone(domain: str, selector: str, keys: Keys) -> str:
    """The same as lines of a zone file (RFC 1035, 5.1)."""
    lines = []
    for name, text in records(selector, keys).items():
        parts = [text[at : at + STRING_BYTES] for at in range(0, len(text), STRING_BYTES)]
        said = " ".join(f'"{part}"' for part in parts)
        lines.append(f"{name}._domainkey.{domain}. IN TXT ( {said} )")
    return "\n".join(lines)


class Signer:
    """Of one domain."""

    def __init__(self, domain: str, selector: str, keys: Keys) -> None:
        import dkim
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        self._sign, self._domain = dkim.sign, domain.encode()
        pem = keys.rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._by = [(b"rsa-sha256", selector.encode(), pem)]
        if keys.ed25519 is not None:
            seed = base64.b64encode(keys.ed25519.private_bytes_raw())
            self._by.append((b"ed25519-sha256", f"{selector}{SECOND}".encode(), seed))

    def signed(self, letter: bytes) -> bytes:
        """The letter (RFC 5322, ASCII, CRLF) below a signature by each key. Takes 10 ms, so not on an event loop."""
        signatures = [
            self._sign(letter, selector, self._domain, key, None, CANONICAL, algorithm, HEADERS)
            for algorithm, selector, key in self._by
        ]
        return b"".join((*signatures, letter))
