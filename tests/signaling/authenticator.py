"""An authenticator in software: ES256, attestation ``none``, whatever flags and counter a test wants (WebAuthn 6)."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One with one credential."""

    origin: str
    party: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    id: bytes = field(default_factory=lambda: token_bytes(16))
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    def client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def data(self, more: bytes = b"", flags: int = 0) -> bytes:
        head = sha256(self.party.encode()).digest() + bytes([self.flags | flags])
        return head + self.count.to_bytes(4, "big") + more

    def made(self, challenge: str) -> dict[str, str]:
        """What ``create`` gives."""
        numbers = self.key.public_key().public_numbers()
        x, y = (one.to_bytes(32, "big") for one in (numbers.x, numbers.y))
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        attestation = {"fmt": "none", "attStmt": {}, "authData": self.data(attested, ATTESTED)}
        return {
            "credential": text(self.id),
            "client_data": text(self.client_data("webauthn.create", challenge)),
            "attestation": text(cbor2.dumps(attestation)),
        }

    def used(self, challenge: str, user_handle: str) -> dict[str, str]:
        """What ``get`` gives; the counter goes on if it is one."""
        self.count += bool(self.count)
        client_data, data = self.client_data("webauthn.get", challenge), self.data()
        signed = self.key.sign(data + sha256(client_data).digest(), ECDSA(SHA256()))
        return {
            "id": text(self.id),
            "client_data": text(client_data),
            "authenticator_data": text(data),
            "signature": text(signed),
            "user_handle": user_handle,
        }
