"""Ciphertexts that a copy still holds: each is tried with every key that exists."""

import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Column

from vault.errors import Tampered
from vault.keys.envelope import KEY_BYTES, NONCE_BYTES, PAD_BYTES, Place, unseal
from vault.keys.places import data_place
from vault.proof.search import ID_LENGTH, Needle
from vault.records.records import Kinds

TAG_BYTES = 16
SIZES = [NONCE_BYTES + TAG_BYTES + PAD_BYTES * blocks for blocks in range(1, 5)]
NEAR = range(ID_LENGTH, 160)
OWNER = re.compile(rb"[A-Za-z0-9_-]{22}")
HEXED = re.compile(rb"\\\\?x([0-9a-f]{500,})")
Standing = Callable[[str, str], Place]


def sealed_columns(kinds: Kinds) -> tuple[tuple[Column[bytes], Column[str], Standing], ...]:
    """Every sealed column, the column that says whose it is, and where the content of (id, owner) stands."""
    return (
        *((kind.table.c.content, kind.table.c.owner, kind.place) for kind in kinds),
        *(
            (owners.table.c[name], owners.table.c.id, partial(_own, place))
            for owners in kinds.owners
            for name, place in owners.sealed.items()
        ),
    )


def _own(place: Callable[[str], Place], row_id: str, _: str) -> Place:
    return place(row_id)


@dataclass(frozen=True)
class Ciphertext:
    """Bytes that may be one, and where they must have stood to open."""

    content: bytes
    place: Place


def opens(ciphertext: Ciphertext, keys: Sequence[bytes]) -> bool:
    """Whether any key opens it."""
    for key in keys:
        try:
            unseal(key, ciphertext.content, ciphertext.place)
        except Tampered:
            continue
        return True
    return False


def in_database(path: Path, kinds: Kinds, needle: Needle) -> list[Ciphertext] | None:
    """Those in the rows of a copy of the database; None when the file is none."""
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)
        ) as connection:
            there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if kinds.owners[0].table.name not in there:
                return None
            found = []
            for column, owner, place in sealed_columns(kinds):
                table = column.table.name
                if table not in there:  # the copy is older than this kind
                    continue
                query = f"SELECT id, {owner.name}, {column.name} FROM {table}"  # noqa: S608 -- names of our own, above
                for row_id, owner_id, content in connection.execute(query):
                    if needle.is_it(row_id):
                        found.append(Ciphertext(content, place(row_id, owner_id)))
            return found
    except sqlite3.Error:
        return None


WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
"""A data key under its practitioner's, as a row of the key store has it."""


def varlena(size: int) -> bytes:
    """What PostgreSQL writes before so many bytes of a bytea that stands in its row (postgres.h, ``varattrib_4b``)."""
    short = size < 0x7F - 1
    if sys.byteorder == "little":
        return bytes([(size + 1) << 1 | 1]) if short else ((size + 4) << 2).to_bytes(4, "little")
    return bytes([0x80 | (size + 1)]) if short else (size + 4).to_bytes(4, "big")


def near(content: bytes, position: int, kinds: Kinds, *, framed: bool = False) -> Iterator[Ciphertext]:
    """All that could be the ciphertext of the id that stands here: raw as in a page, or in hex as in a dump.

    ``framed`` is what lies in a page or a journal of PostgreSQL, which says before a value how long it is.
    """
    row_id = content[position : position + ID_LENGTH].decode("ascii", "replace")
    if not OWNER.fullmatch(row_id.encode()):
        return
    after = content[position + ID_LENGTH : position + ID_LENGTH + 64]
    owners = {after[start : start + ID_LENGTH] for start in range(8) if OWNER.match(after, start)}
    starts = [position + start for start in NEAR]

    def windows(size: int) -> Iterator[bytes]:
        frame = varlena(size) if framed else b""
        for start in starts:
            if content[start - len(frame) : start] == frame:
                yield content[start : start + size]

    for wrapped in windows(WRAPPED_BYTES):
        yield from (Ciphertext(wrapped, data_place(row_id, owner.decode())) for owner in owners)
    hexed = (bytes.fromhex(match[1].decode()) for match in HEXED.finditer(content[position : position + 8192]))
    for window in chain(*map(windows, SIZES), hexed):
        for owned in kinds.owners:
            yield from (Ciphertext(window, place(row_id)) for place in owned.sealed.values())
        for owner in owners:
            yield from (Ciphertext(window, kind.place(row_id, owner.decode())) for kind in kinds)


class Trial:
    """What stands beside an id, tried with all ``keys`` that exist; ``framed`` as for ``near``.

    A row stands in many of PostgreSQL's journals. There it is tried once, for keys can be a million.
    """

    def __init__(self, kinds: Kinds, keys: Sequence[bytes], *, framed: bool = False) -> None:
        self._kinds = kinds
        self.keys = keys
        self._framed = framed
        self._tried: set[Ciphertext] = set()

    def opens_at(self, content: bytes, position: int) -> bool:
        """Whether a key opens something near the id that stands here."""
        for one in near(content, position, self._kinds, framed=self._framed):
            if one in self._tried:
                continue
            if opens(one, self.keys):
                return True
            if self._framed:
                self._tried.add(one)
        return False
