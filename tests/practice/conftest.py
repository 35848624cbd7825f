"""Stores on both databases, with a clock that the test moves."""

from tests.stores import (
    elsewhere,
    keys,
    keystore_settings,
    nodes,
    quick_hashing,
    real_hashing,
    settings,
    single,
    sqlite_settings,
    sqlite_store,
    store,
    time,
)

__all__ = [
    "elsewhere",
    "keys",
    "keystore_settings",
    "nodes",
    "quick_hashing",
    "real_hashing",
    "settings",
    "single",
    "sqlite_settings",
    "sqlite_store",
    "store",
    "time",
]
