"""What is inside a sealed column: JSON with its version, and what a newer program put beside the fields that we know.

**Content carries its version inside**; content without one is version 1, as the first releases wrote it. An older
version is brought up step by step when it is read, and written as the newest when its record changes. Fields of the
same version that we do not know are kept and written back. A newer version is not read at all: what we would write back
might not be what it means.
"""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from vault.errors import Newer, Tampered, Unreadable
from vault.keys.envelope import Place, pack, seal, unpack, unseal

MARK = "version"

Fields = Mapping[str, Any]
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Layout:
    """What one kind of content holds. ``fields`` are the names in its newest version; ``upgrades[n]`` makes version
    n + 2 out of version n + 1. With ``bare`` version 1 goes without its mark. ``optional`` are names that an older
    program may keep without knowing them: without one its value is None, and None is not written.
    """

    fields: frozenset[str]
    upgrades: tuple[Upgrade, ...] = ()
    bare: bool = False
    optional: frozenset[str] = frozenset()

    @property
    def version(self) -> int:
        """The newest that we know, and the one that we write."""
        return len(self.upgrades) + 1

    def steps(self, version: Any) -> tuple[Upgrade, ...]:
        """From this version to the newest. Errors: Unreadable (it is none), Newer."""
        if type(version) is not int or version < 1:
            raise Unreadable
        if version > self.version:
            raise Newer
        return self.upgrades[version - 1 :]


class Content(NamedTuple):
    """Content in its newest version, taken apart."""

    fields: Fields
    unknown: Fields


def seal_content(key: bytes, layout: Layout, fields: Fields, place: Place, unknown: Fields | None = None) -> bytes:
    """The column: all fields of the newest version, and the unknown ones that came with them."""
    if fields.keys() != layout.fields | layout.optional:
        raise ValueError("fields that are not those of this kind of content")
    fields = {name: value for name, value in fields.items() if name in layout.fields or value is not None}
    mark = {} if layout.bare and layout.version == 1 else {MARK: layout.version}
    return seal(key, pack({**(unknown or {}), **fields, **mark}), place)


def open_content(key: bytes, layout: Layout, sealed: bytes, place: Place) -> Content:
    """What ``seal_content`` took. Errors: Unreadable (not from this place, or not of our making), Newer."""
    try:
        found = unpack(unseal(key, sealed, place))
        for upgrade in layout.steps(found.pop(MARK, 1)):
            found = upgrade(found)
        fields = {name: found.pop(name) for name in layout.fields}
        fields |= {name: found.pop(name, None) for name in layout.optional}
    except Unreadable:
        raise
    except (Tampered, AttributeError, LookupError, TypeError, ValueError):
        raise Unreadable from None
    return Content(fields, found)


def stamp(value: datetime | None) -> str | None:
    """ISO 8601."""
    return None if value is None else value.isoformat()


def moment(text: str | None) -> datetime | None:
    """From ISO 8601."""
    return None if text is None else datetime.fromisoformat(text)


def known(value: Any, values: Collection[Any]) -> Any:
    """One of a fixed set; Newer when it is none of those that we know: only a program of ours can seal it."""
    if value not in values:
        raise Newer
    return value


def number(value: Any) -> int:
    """What stands in a column of numbers, where SQLite keeps any text. ValueError when it is none."""
    if type(value) is not int:
        raise ValueError("no number")
    return value


def utc_day(due: datetime | None) -> date | None:
    """The day that may stand in clear."""
    return None if due is None else due.astimezone(UTC).date()


def new_id() -> str:
    """128 random bits, 22 base64url characters."""
    return secrets.token_urlsafe(16)
