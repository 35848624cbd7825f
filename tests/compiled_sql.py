"""SQL that is compiled once per process and kind of database.

Every test opens a database of its own, so has an engine of its own, which would compile each statement anew: that is a
third of what a test of a store does.
"""

from collections.abc import Iterator, MutableMapping
from typing import Any, Final

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import Compiled
from sqlalchemy.util import LRUCache

COMPILED: Final[MutableMapping[Any, Compiled]] = LRUCache(10_000)


class Shared(MutableMapping[Any, Compiled]):
    """What engines see of it: the class of a dialect stands for the dialect, the first of a key."""

    def __getitem__(self, key: Any) -> Compiled:
        return COMPILED[type(key[0]), *key[1:]]

    def __setitem__(self, key: Any, value: Compiled) -> None:
        COMPILED[type(key[0]), *key[1:]] = value

    def __delitem__(self, key: Any) -> None:
        del COMPILED[type(key[0]), *key[1:]]

    def __iter__(self) -> Iterator[Any]:
        return iter(COMPILED)

    def __len__(self) -> int:
        return len(COMPILED)


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """For every engine that is made while tests run."""
    shared = Shared()
    with pytest.MonkeyPatch.context() as patch:
        cache = property(lambda _: shared, lambda *_: None)
        patch.setattr(Engine, "_compiled_cache", cache, raising=False)
        yield
