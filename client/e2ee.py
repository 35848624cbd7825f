"""End-to-end encryption as docs/protocol.md has it: handshake cryptography, frame keys, frames. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VERSION = b"spreekkamer e2ee 2"
NUMBER = 2
"""What `key-commit` offers; another one is refused."""
MAGIC = b"\x53\x4b"
LABELS = {"microphone": 0, "camera": 1, "screen": 2, "data": 3}
Kind = Literal["audio", "video", "data"]

_TAG = 16


class E2eeError(Exception):
    """What came does not authenticate, was seen before, or is no frame."""


@dataclass(frozen=True)
class Member:
    """What a participant shows of itself in a handshake.

    Attributes:
        key: the uncompressed point, 65 bytes.
        last: for each other member, in order, the transcript last completed with it, 32 bytes, or empty.
        withheld: how many handshakes this page revealed its key to in vain.
    """

    participant: str
    role: str
    key: bytes
    nonce: bytes
    last: tuple[bytes, ...] = ()
    withheld: int = 0


def _length(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _text(*values: str) -> bytes:
    return b"".join(_length(value.encode()) for value in values)


def _entry(member: Member) -> bytes:
    last = b"".join(map(_length, member.last))
    return (
        _text(member.participant, member.role)
        + b"".join(map(_length, (member.key, member.nonce, last)))
        + _text(str(member.withheld))
    )


def _hkdf(secret: bytes, size: int, info: bytes, salt: bytes = b"") -> bytes:
    return HKDF(SHA256(), size, salt, info).derive(secret)


def public_key(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def commitment(appointment: str, epoch: int, member: Member) -> bytes:
    return sha256(_length(VERSION + b" commitment") + _text(appointment, str(epoch)) + _entry(member)).digest()


def transcript(appointment: str, epoch: int, members: Iterable[Member]) -> bytes:
    """Of all members, whatever their order."""
    ordered = sorted(members, key=lambda member: member.participant.encode())
    start = _length(VERSION + b" transcript") + _text(appointment, str(epoch))
    return sha256(start + b"".join(map(_entry, ordered))).digest()


def verification_code(agreed: bytes, codes: int = 1_000_000) -> str:
    """The six digits of a transcript; ``codes``: how many there are, fewer only where a test lets somebody guess."""
    return f"{int.from_bytes(_hkdf(agreed, 8, VERSION + b' code'), 'big') % codes:06}"


def _wrapping_key(private: ec.EllipticCurvePrivateKey, peer: bytes, agreed: bytes, sender: str, to: str) -> AESGCM:
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), peer))
    return AESGCM(_hkdf(shared, 32, _length(VERSION + b" wrap") + _text(sender, to), agreed))


def wrap(
    private: ec.EllipticCurvePrivateKey, peer: bytes, agreed: bytes, sender: str, to: str, secret: bytes, iv: bytes
) -> bytes:
    """``secret`` for the member ``to``, whose public key is ``peer``; ``iv``: 12 random bytes."""
    return iv + _wrapping_key(private, peer, agreed, sender, to).encrypt(iv, secret, agreed)


def unwrap(
    private: ec.EllipticCurvePrivateKey, peer: bytes, agreed: bytes, sender: str, to: str, wrapped: bytes
) -> bytes:
    """The secret of ``sender``.

    Raises:
        E2eeError: it does not authenticate.
    """
    try:
        return _wrapping_key(private, peer, agreed, sender, to).decrypt(wrapped[:12], wrapped[12:], agreed)
    except (InvalidTag, ValueError) as error:
        raise E2eeError("wrapped secret not authentic") from error


# --- frames ----------------------------------------------------------------------------------------------------------


def key_id(epoch: int, index: int, label: int) -> int:
    return (epoch % 65_536) * 256 + index * 8 + label


def frame_key(secret: bytes, kid: int) -> tuple[bytes, bytes]:
    """Key (32 bytes) and salt (12 bytes)."""
    derived = _hkdf(secret, 44, _length(VERSION + b" key") + _length(kid.to_bytes(4, "big")))
    return derived[:32], derived[32:]


def clear_bytes(frame: bytes, kind: Kind) -> int:
    """How many bytes at the start stay readable."""
    if kind != "video" or not frame:
        return 0
    return min(len(frame), 1 if frame[0] & 1 else 10)


def _shortest(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def _nonce(salt: bytes, counter: int) -> bytes:
    return (int.from_bytes(salt, "big") ^ counter).to_bytes(12, "big")


def seal(key: bytes, salt: bytes, kid: int, counter: int, frame: bytes, kind: Kind) -> bytes:
    clear = frame[: clear_bytes(frame, kind)]
    kid_bytes, counter_bytes = _shortest(kid), _shortest(counter)
    header = kid_bytes + counter_bytes + bytes(((len(kid_bytes) - 1) * 16 + len(counter_bytes) - 1,))
    sealed = AESGCM(key).encrypt(_nonce(salt, counter), frame[len(clear) :], clear + header)
    return clear + sealed + header + MAGIC


@dataclass(frozen=True)
class Sealed:
    """A frame taken apart, not yet authentic: ``body`` is all before the header."""

    kid: int
    counter: int
    body: bytes
    header: bytes


def dissect(frame: bytes) -> Sealed:
    """Find key id and counter.

    Raises:
        E2eeError: not an encrypted frame.
    """
    if len(frame) < 3 + 2 + _TAG or not frame.endswith(MAGIC):
        raise E2eeError("no trailer")
    kid_size, counter_size = (frame[-3] >> 4) + 1, (frame[-3] & 15) + 1
    start = len(frame) - 3 - kid_size - counter_size
    kid_bytes, counter_bytes = frame[start : start + kid_size], frame[start + kid_size : -3]
    kid, counter = int.from_bytes(kid_bytes, "big"), int.from_bytes(counter_bytes, "big")
    if (
        kid_size > 4
        or counter_size > 8
        or start < _TAG
        or _shortest(kid) + _shortest(counter) != kid_bytes + counter_bytes
    ):
        raise E2eeError("malformed header")
    return Sealed(kid, counter, frame[:start], frame[start:-2])


def unseal(key: bytes, salt: bytes, sealed: Sealed, kind: Kind) -> bytes:
    """The plaintext frame.

    Raises:
        E2eeError: not authentic.
    """
    clear = sealed.body[: min(clear_bytes(sealed.body, kind), len(sealed.body) - _TAG)]
    try:
        rest = AESGCM(key).decrypt(_nonce(salt, sealed.counter), sealed.body[len(clear) :], clear + sealed.header)
    except InvalidTag as error:
        raise E2eeError("frame not authentic") from error
    return clear + rest
