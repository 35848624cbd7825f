"""When appointments begin that were opened before, so that a list of a week need not open those of other weeks.

Of an appointment nothing but its id, version and start is remembered, and no longer than it lives here.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, NamedTuple

MOST: Final = 200_000
"""So many starts are remembered at most; whose list was asked for longest ago is forgotten first."""


class KnownStart(NamedTuple):
    """When a version of an appointment begins."""

    version: int
    starts_at: datetime


class Starts:
    """Of each owner, those that its last list found."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._of: OrderedDict[str, dict[str, KnownStart]] = OrderedDict()
        self._owners: dict[str, str] = {}

    def any_outside(self, owner: str, inside: Callable[[datetime], bool]) -> bool:
        """Whether of any of theirs is known that it does not begin ``inside``: else each has to be opened."""
        return any(not inside(known.starts_at) for known in self._of.get(owner, {}).values())

    def outside(
        self, owner: str, listed: Iterable[tuple[str, int]], inside: Callable[[datetime], bool]
    ) -> dict[str, KnownStart]:
        """Those of the listed (id, version) of which is known that they do not begin ``inside``."""
        before = self._of.get(owner, {})
        found = ((row_id, version, before.get(row_id)) for row_id, version in listed)
        return {
            row_id: known
            for row_id, version, known in found
            if known and known.version == version and not inside(known.starts_at)
        }

    def keep(self, owner: str, known: dict[str, KnownStart]) -> None:
        """In place of what was known of this owner."""
        self._drop(owner)
        self._of[owner] = known
        self._owners.update(dict.fromkeys(known, owner))
        while len(self._owners) > self._most:
            self._drop(next(iter(self._of)))

    def forget(self, ids: Iterable[str]) -> None:
        """They are destroyed."""
        for one in ids:
            owner = self._owners.pop(one, None)
            if owner is not None:
                known = self._of[owner]
                del known[one]
                if not known:
                    del self._of[owner]

    def _drop(self, owner: str) -> None:
        for one in self._of.pop(owner, {}):
            self._owners.pop(one, None)
