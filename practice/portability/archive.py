"""A ZIP archive under a password, in pieces, without knowing before how long anything is.

Entries are encrypted as WinZip's AE-2 with AES-256 (*AES Encryption Information*, version 1.04): PBKDF2-HMAC-SHA-1
gives the keys, AES in counter mode with a counter that is *little-endian* and begins at 1, and HMAC-SHA-1 over the
ciphertext, of which ten bytes are kept. AE-2 has no checksum of the plaintext. Lengths stand behind each entry
(APPNOTE 4.3.9), so nothing is held but what the compressor has in hand. 7-Zip and libarchive's bsdtar open it; Debian's
unar and Info-ZIP's unzip open no AES at all, not even 7-Zip's own.
"""

import hmac
import os
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from hashlib import pbkdf2_hmac, sha1
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from vault.errors import DomainError

SALT: Final = 16
KEY: Final = 32
VERIFIER: Final = 2
TAG: Final = 10
ROUNDS: Final = 1000
"""Fixed by the format: what guessing costs is up to the password, which is ours and has 125 random bits."""

BLOCK: Final = 16
MOST: Final = 0xFFFF_FFFF
"""Bytes of an archive: more would need ZIP64, which not every reader of AE-2 reads."""

ENCRYPTED, BEHIND, UTF8 = 0x1, 0x8, 0x800
FLAGS: Final = ENCRYPTED | BEHIND | UTF8
NEEDED: Final = 51
AES: Final = 99
DEFLATED: Final = 8
EXTRA: Final = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, DEFLATED)
UNIX: Final = 3 << 8
MODE: Final = 0o100600 << 16


def keys_of(password: str, salt: bytes) -> tuple[bytes, bytes, bytes]:
    """Of one entry: for the cipher, for the MAC, and what tells a wrong password soon."""
    made = pbkdf2_hmac("sha1", password.encode(), salt, ROUNDS, 2 * KEY + VERIFIER)
    return made[:KEY], made[KEY : 2 * KEY], made[2 * KEY :]


class Counter:
    """The cipher: the same call encrypts and decrypts, in order."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 -- of the counter's own blocks
        self._next = 1
        self._left = b""

    def over(self, data: bytes) -> bytes:
        """As long as ``data``."""
        missing = len(data) - len(self._left)
        if missing > 0:
            number = -(-missing // BLOCK)
            blocks = b"".join(at.to_bytes(BLOCK, "little") for at in range(self._next, self._next + number))
            self._next += number
            self._left += self._cipher.update(blocks)
        stream, self._left = self._left[: len(data)], self._left[len(data) :]
        mixed = int.from_bytes(data, "little") ^ int.from_bytes(stream, "little")
        return mixed.to_bytes(len(data), "little")


class _Entry:
    def __init__(self, name: str, at: datetime, offset: int) -> None:
        self.name = name.encode()
        self.offset = offset
        self.plain = self.packed = 0
        self.date = (at.year - 1980) << 9 | at.month << 5 | at.day
        self.time = at.hour << 11 | at.minute << 5 | at.second // 2

    def head(self) -> bytes:
        """APPNOTE 4.3.7."""
        fields = (0x04034B50, NEEDED, FLAGS, AES, self.time, self.date, 0, 0, 0, len(self.name), len(EXTRA))
        return struct.pack("<IHHHHHIIIHH", *fields) + self.name + EXTRA

    def behind(self) -> bytes:
        """4.3.9."""
        return struct.pack("<IIII", 0x08074B50, 0, self.packed, self.plain)

    def listed(self) -> bytes:
        """4.3.12."""
        fields = (
            *(0x02014B50, UNIX | NEEDED, NEEDED, FLAGS, AES, self.time, self.date, 0, self.packed, self.plain),
            *(len(self.name), len(EXTRA), 0, 0, 0, MODE, self.offset),
        )
        return struct.pack("<IHHHHHHIIIHHHHHII", *fields) + self.name + EXTRA


class Archive:
    """One that is being written: ``begin``, ``add`` as often as there is something, ``end`` for each entry, ``close``.

    Each gives the bytes that go out now. Errors: ``too_large``.
    """

    def __init__(self, password: str) -> None:
        self._password = password
        self._entries: list[_Entry] = []
        self._length = 0

    def begin(self, name: str, at: datetime) -> bytes:
        """A file of this name, ``at`` by the clock of whoever reads it."""
        salt = os.urandom(SALT)
        key, authentic, verifier = keys_of(self._password, salt)
        self._cipher, self._mac = Counter(key), hmac.new(authentic, digestmod=sha1)
        self._packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._entry = _Entry(name, at, self._length)
        self._entry.packed = SALT + VERIFIER + TAG
        return self._out(self._entry.head() + salt + verifier)

    def add(self, data: bytes) -> bytes:
        """More of it."""
        self._entry.plain += len(data)
        return self._sealed(self._packer.compress(data))

    def end(self) -> bytes:
        """It is whole."""
        last = self._sealed(self._packer.flush())
        self._entries.append(self._entry)
        return last + self._out(self._mac.digest()[:TAG] + self._entry.behind())

    def close(self) -> bytes:
        """What lists them all (4.3.16)."""
        listed, number = b"".join(one.listed() for one in self._entries), len(self._entries)
        last = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, number, number, len(listed), self._length, 0)
        return self._out(listed + last)

    def _sealed(self, packed: bytes) -> bytes:
        sealed = self._cipher.over(packed)
        self._mac.update(sealed)
        self._entry.packed += len(sealed)
        return self._out(sealed)

    def _out(self, data: bytes) -> bytes:
        self._length += len(data)
        if self._length > MOST:
            raise DomainError("too_large")
        return data


def whole(password: str, files: dict[str, bytes], at: datetime) -> Iterator[bytes]:
    """An archive of what is in memory anyway."""
    archive = Archive(password)
    for name, data in files.items():
        yield archive.begin(name, at) + archive.add(data) + archive.end()
    yield archive.close()
