"""An archive of ours, read within bounds: nothing is decompressed that is not authentic, and nothing without end.

Only what ``archive`` writes is read: AE-2 with AES-256, deflated, each entry listed. All that another program could do
differently is refused in one word.
"""

import hmac
import struct
import zlib
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Final, Literal

from practice.portability.archive import AES, DEFLATED, SALT, TAG, VERIFIER, Counter, keys_of

Problem = Literal["foreign", "cut", "newer", "large", "password", "content"]
"""Made by another program; not whole; by a newer version of ours; more than is taken; not its password; what it holds
is none of ours.
"""

MOST: Final = 16 << 20
"""Bytes of an archive."""
MOST_PLAIN: Final = 96 << 20
"""Bytes of the file in it that is read: 100,000 appointments are some 50 MB."""
MOST_ENTRIES: Final = 64

END: Final = struct.Struct("<IHHHHIIH")
LISTED: Final = struct.Struct("<IHHHHHHIIIHHHHHII")
HEAD: Final = struct.Struct("<IHHHHHIIIHH")
EXTRA: Final = struct.Struct("<HHH2sBH")


class NotTaken(Exception):  # noqa: N818 -- a state, not a mistake
    """It is not taken, and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the directory."""

    offset: int
    packed: int
    plain: int
    extra: bytes = field(repr=False)
    method: int


def entry(data: bytes, name: str, password: str) -> bytes:
    """What stands in the entry of this name. Errors: NotTaken."""
    if len(data) > MOST:
        raise NotTaken("large")
    found = directory(data).get(name.encode())
    if found is None:
        raise NotTaken("foreign")
    try:
        _, _, version, vendor, strength, method = EXTRA.unpack(found.extra)
    except (struct.error, ValueError):
        raise NotTaken("foreign") from None
    if (found.method, version, vendor, strength, method) != (AES, 2, b"AE", 3, DEFLATED):
        raise NotTaken("foreign")
    if found.plain > MOST_PLAIN:
        raise NotTaken("large")
    return inflated(deciphered(body(data, found), password), found.plain)


def directory(data: bytes) -> dict[bytes, Listed]:
    """What it says that is in it. Errors: NotTaken."""
    if not data.startswith(b"PK\x03\x04"):
        raise NotTaken("foreign")
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or len(data) - at != END.size:
        raise NotTaken("cut")
    _, _, _, number, total, length, begin, _ = END.unpack_from(data, at)
    if number != total or number > MOST_ENTRIES or begin + length != at:
        raise NotTaken("foreign")
    found, here = {}, begin
    for _ in range(number):
        if here + LISTED.size > at:
            raise NotTaken("cut")
        one = LISTED.unpack_from(data, here)
        size, extra, comment = one[10], one[11], one[12]
        names = here + LISTED.size
        found[data[names : names + size]] = Listed(
            offset=one[16],
            packed=one[8],
            plain=one[9],
            extra=data[names + size : names + size + extra],
            method=one[4],
        )
        here = names + size + extra + comment
    return found


def body(data: bytes, one: Listed) -> bytes:
    """Its bytes as they stand there. Errors: NotTaken."""
    if one.offset + HEAD.size > len(data):
        raise NotTaken("cut")
    head = HEAD.unpack_from(data, one.offset)
    begin = one.offset + HEAD.size + head[9] + head[10]
    if head[0] != 0x04034B50 or one.packed < SALT + VERIFIER + TAG or begin + one.packed > len(data):
        raise NotTaken("cut")
    return data[begin : begin + one.packed]


def deciphered(sealed: bytes, password: str) -> bytes:
    """Still compressed, and authentic. Errors: NotTaken."""
    salt, verifier, tag = sealed[:SALT], sealed[SALT : SALT + VERIFIER], sealed[-TAG:]
    key, authentic, expected = keys_of(password, salt)
    if not hmac.compare_digest(verifier, expected):
        raise NotTaken("password")
    inner = sealed[SALT + VERIFIER : -TAG]
    if not hmac.compare_digest(hmac.digest(authentic, inner, sha1)[:TAG], tag):
        raise NotTaken("cut")
    return Counter(key).over(inner)


def inflated(packed: bytes, length: int) -> bytes:
    """As long as it says, and not a byte more. Errors: NotTaken."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = unpacker.decompress(packed, length + 1)
    except zlib.error:
        raise NotTaken("cut") from None
    if len(plain) > length:
        raise NotTaken("large")
    if len(plain) < length or not unpacker.eof:
        raise NotTaken("cut")
    return plain
