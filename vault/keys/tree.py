"""The tree of keys: what every practitioner's key hangs under, and how that is renewed.

    epoch key ─ wraps ─ group keys ─ each wraps ─ about √n practitioners' keys ─ each wraps ─ its data keys

Whoever lost something gets a new key, and so do its group and the epoch; each is put around what hangs directly under
it. All else stays as it is, and is out of reach of what an old copy holds: a way down from an ended epoch to what was
destroyed leads through three keys that are no more. **A group that somebody is moved out of gets a new key too**, or
its old one, living on, would open the old copy's wrapping of the one who left.

In a flat key store (version 1) practitioners hang directly under the epoch key.
"""

import base64
import logging
import secrets
from collections.abc import Iterable, Sequence
from math import isqrt
from typing import NamedTuple

from vault.errors import DomainError, Tampered
from vault.keys import schema
from vault.keys.connection import Connection
from vault.keys.envelope import Random, new_key, seal, unseal
from vault.keys.many import Each, change_each
from vault.keys.places import data_place, group_place, practitioner_place

logger = logging.getLogger(__name__)

LEAST = 16
"""A group has room for so many however few practitioners there are."""

HUNG = "LEFT JOIN members m ON m.practitioner = p.id LEFT JOIN group_keys g ON g.id = m.parent"
"""Beside ``practitioner_keys p``: the group of each, if it is in one."""

SELECT = "SELECT p.id, p.wrapped, g.id, g.wrapped FROM practitioner_keys p"

OF_GROUP = """
SELECT p.id, p.wrapped FROM members m JOIN practitioner_keys p ON p.id = m.practitioner WHERE m.parent = ?
ORDER BY p.id
"""
HIT = """
SELECT DISTINCT parent FROM members WHERE practitioner IN (SELECT id FROM practitioner_keys WHERE stale = 1)
"""

GONE = """
DELETE FROM practitioner_keys WHERE stale = 1
AND NOT EXISTS (SELECT 1 FROM data_keys WHERE owner = practitioner_keys.id)
"""

PRACTITIONERS = Each(
    "UPDATE practitioner_keys SET wrapped = ? WHERE id = ?",
    "UPDATE practitioner_keys t SET wrapped = v.wrapped"
    " FROM unnest(?::bytea[], ?::text[]) AS v (wrapped, id) WHERE t.id = v.id",
)
DATA = Each(
    "UPDATE data_keys SET wrapped = ? WHERE id = ?",
    "UPDATE data_keys t SET wrapped = v.wrapped"
    " FROM unnest(?::bytea[], ?::text[]) AS v (wrapped, id) WHERE t.id = v.id",
)
GROUPS = Each(
    "UPDATE group_keys SET wrapped = ?, size = ? WHERE id = ?",
    "UPDATE group_keys t SET wrapped = v.wrapped, size = v.size"
    " FROM unnest(?::bytea[], ?::bigint[], ?::text[]) AS v (wrapped, size, id) WHERE t.id = v.id",
)
JOIN = Each(
    "INSERT INTO members (parent, practitioner) VALUES (?, ?)",
    "INSERT INTO members (parent, practitioner) SELECT * FROM unnest(?::text[], ?::text[])",
)
MOVE = Each(
    "UPDATE members SET parent = ? WHERE practitioner = ?",
    "UPDATE members t SET parent = v.parent"
    " FROM unnest(?::text[], ?::text[]) AS v (parent, id) WHERE t.practitioner = v.id",
)


class Hung(NamedTuple):
    """A practitioner's wrapped key, and the group that it hangs under: None for the epoch itself."""

    id: str
    wrapped: bytes
    group: str | None
    group_key: bytes | None


class Branch(NamedTuple):
    """A group."""

    id: str
    key: bytes
    size: int


def opened(epoch: bytes, hung: Hung) -> bytes:
    """The practitioner's key. Tampered where it, or its group's, is damaged."""
    parent = epoch
    if hung.group is not None:
        parent = unseal(epoch, hung.group_key or b"", group_place(hung.group))
    return unseal(parent, hung.wrapped, practitioner_place(hung.id))


def room(people: int) -> int:
    """How many a group has room for: as many as there are groups then, which makes both together fewest."""
    return max(LEAST, isqrt(people))


def gathered(sizes: dict[str, int], hit: set[str]) -> list[str]:
    """Groups to be made one because there are more than twice as many as there need be; the smallest, and not of those
    that are ``hit``. Together they are no more than a group has room for, so that it costs no more than renewing one.
    """
    people = sum(sizes.values())
    enough = 2 * (people // room(people) + 1)
    together: list[str] = []
    size = 0
    for group in sorted(sizes.keys() - hit, key=lambda one: (sizes[one], one)):
        size += sizes[group]
        if len(sizes) - max(0, len(together) - 1) <= enough or size > room(people):
            break
        together.append(group)
    return together if len(together) > 1 else []


class Tree:
    """Inside the caller's transaction."""

    def __init__(self, connection: Connection, random: Random = secrets.token_bytes) -> None:
        self._db = connection
        self._random = random

    def hung(self, row_id: str) -> Hung:
        """What a practitioner's key hangs under. Errors: ``not_found`` when there is no such key (any more)."""
        row = self._db.execute(f"{SELECT} {HUNG} WHERE p.id = ?", (row_id,)).fetchone()
        if row is None:
            raise DomainError("not_found")
        return Hung(*row)

    def everybody(self) -> list[Hung]:
        """All practitioners."""
        return [Hung(*row) for row in self._db.execute(f"{SELECT} {HUNG} ORDER BY p.id").fetchall()]

    def add(self, epoch: bytes, row_id: str) -> None:
        """A new practitioner's key, in a group that has room."""
        branch = None if schema.version(self._db) == schema.FLAT else self._branch(epoch)
        parent = branch.key if branch else epoch
        wrapped = seal(parent, new_key(self._random), practitioner_place(row_id), self._random)
        self._db.execute("INSERT INTO practitioner_keys VALUES (?, ?, 0)", (row_id, wrapped))
        if branch:
            change_each(self._db, JOIN, [(branch.id, row_id)])
            self._db.execute("UPDATE group_keys SET size = size + 1 WHERE id = ?", (branch.id,))

    def new_branch(self, epoch: bytes, size: int = 0) -> Branch:
        """A new group."""
        branch = Branch(base64.urlsafe_b64encode(self._random(9)).decode(), new_key(self._random), size)
        self._db.execute("INSERT INTO group_keys VALUES (?, ?, ?)", (branch.id, self._wrapped(epoch, branch), size))
        return branch

    def renew(self, old: bytes, new: bytes) -> None:
        """From one epoch to the next. What is damaged opens nothing before or after, and keeps nobody else back.

        No key is kept of practitioners of whom the last thing was destroyed.
        """
        stale = {
            row_id for (row_id,) in self._db.execute("SELECT id FROM practitioner_keys WHERE stale = 1").fetchall()
        }
        hit = {group for (group,) in self._db.execute(HIT).fetchall()}
        self._db.execute(GONE)
        if schema.version(self._db) == schema.FLAT:
            people = self._db.execute("SELECT id, wrapped FROM practitioner_keys").fetchall()
            change_each(self._db, PRACTITIONERS, self._rewrapped(old, new, people, stale))
        else:
            self._renew_branches(old, new, stale, hit)
        self._db.execute("UPDATE practitioner_keys SET stale = 0 WHERE stale = 1")

    def _renew_branches(self, old: bytes, new: bytes, stale: set[str], hit: set[str]) -> None:
        branches = {branch.id: branch for branch in self.branches(old)}
        sizes = {branch.id: branch.size for branch in branches.values()}
        hit &= branches.keys()
        space = room(sum(sizes.values()))
        anew: list[Branch] = []
        for groups in [*([group] for group in sorted(hit)), gathered(sizes, hit)]:
            anew += self._regroup([branches.pop(group) for group in groups], new, stale, space)
        whole = [(self._wrapped(new, branch), branch.size, branch.id) for branch in (*branches.values(), *anew)]
        change_each(self._db, GROUPS, whole)

    def _regroup(self, sources: Sequence[Branch], epoch: bytes, stale: set[str], space: int) -> list[Branch]:
        """These groups' members in new ones: as many as they need, under the ids there are as far as these go."""
        rows: list[tuple[bytes, str]] = []
        moves: list[tuple[str, str]] = []
        renewed: list[Branch] = []
        people = [
            (source, row_id, wrapped)
            for source in sources
            for row_id, wrapped in self._db.execute(OF_GROUP, (source.id,)).fetchall()
        ]
        part = len(people) if len(people) <= 2 * space else space
        for start in range(0, len(people), max(1, part)):
            chosen = people[start : start + part]
            place = len(renewed)
            group = sources[place].id if place < len(sources) else self.new_branch(epoch).id
            branch = Branch(group, new_key(self._random), len(chosen))
            for source, row_id, wrapped in chosen:
                rows += self._rewrapped(source.key, branch.key, [(row_id, wrapped)], stale)
                if source.id != group:
                    moves.append((group, row_id))
            renewed.append(branch)
        change_each(self._db, PRACTITIONERS, rows)
        change_each(self._db, MOVE, moves)
        empty = [(source.id,) for source in sources[len(renewed) :]]
        self._db.executemany("DELETE FROM group_keys WHERE id = ?", empty)
        return renewed

    def _rewrapped(
        self, old: bytes, new: bytes, people: Iterable[tuple[str, bytes]], stale: set[str]
    ) -> list[tuple[bytes, str]]:
        """(wrapped anew, id) of those that open."""
        rows = []
        for row_id, wrapped in people:
            place = practitioner_place(row_id)
            try:
                key = unseal(old, wrapped, place)
            except Tampered:
                logger.exception("a practitioner's wrapped key does not open")
                continue
            if row_id in stale:
                key = self._replaced(row_id, key)
            rows.append((seal(new, key, place, self._random), row_id))
        return rows

    def _replaced(self, owner: str, old: bytes) -> bytes:
        """A new practitioner key around the living data keys."""
        new = new_key(self._random)
        rows = []
        for row_id, wrapped in self._db.execute("SELECT id, wrapped FROM data_keys WHERE owner = ?", (owner,)):
            place = data_place(row_id, owner)
            try:
                rows.append((seal(new, unseal(old, wrapped, place), place, self._random), row_id))
            except Tampered:
                logger.exception("a wrapped key does not open")
        change_each(self._db, DATA, rows)
        return new

    def branches(self, epoch: bytes) -> list[Branch]:
        """The groups that open, the smallest first."""
        found = []
        query = "SELECT id, wrapped, size FROM group_keys ORDER BY size, id"
        for group, wrapped, size in self._db.execute(query).fetchall():
            try:
                found.append(Branch(group, unseal(epoch, wrapped, group_place(group)), size))
            except Tampered:
                logger.exception("a group's wrapped key does not open")
        return found

    def _branch(self, epoch: bytes) -> Branch:
        """A group with room for one more."""
        query = "SELECT id, wrapped, size FROM group_keys ORDER BY size, id"
        rows = self._db.execute(query).fetchall()
        space = room(1 + sum(size for _, _, size in rows))
        for group, wrapped, size in rows:
            if size >= space:
                break
            try:
                return Branch(group, unseal(epoch, wrapped, group_place(group)), size)
            except Tampered:
                logger.exception("a group's wrapped key does not open")
        return self.new_branch(epoch)

    def _wrapped(self, epoch: bytes, branch: Branch) -> bytes:
        return seal(epoch, branch.key, group_place(branch.id), self._random)
