"""Kills a rotation of the key store before each of its durable steps in turn, and looks what is left.

    python -m tests.vault.crashing_keys ACTION SETTINGS STRIDE

SETTINGS is JSON; ACTION is ``rotate``, ``root``, ``grow`` (from a flat key store) or ``shrink``; of STRIDE steps one is
tried. Each run goes on with what the one before left; the last finishes. Prints how many steps it took.
"""

import json
import os
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import randrange
from typing import Any

from tests.vault.killing import Killer, counted
from vault.keys import connection, files, roots, sqlite, transit
from vault.keys.backends import Backend, backend
from vault.keys.wrapped import WrappedKeys
from vault.settings import VaultSettings

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def act(keys: WrappedKeys, action: str) -> None:
    if action == "root":
        keys.replace_root()
    elif action in ("grow", "shrink"):
        assert (keys.grow if action == "grow" else keys.shrink)(), "nobody else is there"
    else:
        keys.rotate(everything=True)


def watch(killer: Killer) -> None:
    """Count before everything that changes a disk, here or at a server."""
    steps: list[tuple[Any, str]] = [
        (files, "write_new"),
        (sqlite, "truncate_wal"),
        (os, "fsync"),
        (os, "link"),
        (Path, "unlink"),
        (Path, "replace"),
        (transit.Transit, "_call"),
        (connection.PostgresConnection, "commit"),
        (roots, "flush_folder"),
    ]
    for owner, name in steps:
        counted(killer, owner, name)

    class Counted(sqlite3.Connection):
        def commit(self) -> None:
            killer.count()
            super().commit()

        def execute(self, query: str, *parameters: Any) -> Any:
            if query.startswith("PRAGMA journal_mode"):
                killer.count()
            return super().execute(query, *parameters)

    plain = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: plain(*args, **{"factory": Counted, **kwargs})


def look(place: Backend, expected: bytes, steps: int) -> int:
    """Everything opens with what is there; returns the epoch."""
    keys = place.open()
    try:
        assert keys.get("alice", "row") == (expected, True), steps
        seen = keys.inspect(NOW)
        assert seen.findings == (), (steps, seen.findings)
        return seen.epoch
    finally:
        keys.close()


def main(action: str, text: str, stride: str) -> int:
    settings = VaultSettings(**json.loads(text))
    place = backend(settings)
    keys = place.open()
    keys.add_practitioner("alice", NOW)
    expected = keys.add("alice", "row", NOW)
    assert action != "grow" or keys.shrink()
    keys.close()
    root = settings.root_key()
    first, epoch = root.read_bytes(), look(place, expected, -1)
    for fatal in range(randrange(int(stride)), 1_000, int(stride)):
        before = epoch
        child = os.fork()
        if child == 0:
            killer = Killer(fatal)
            watch(killer)
            opened = backend(settings).open()
            killer.armed = True
            act(opened, action)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        epoch = look(place, expected, fatal)
        leftovers = [path.name for path in root.parent.iterdir() if path != root]
        assert leftovers in ([], ["root.key.next"]), (fatal, leftovers)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            assert leftovers == []
            assert (epoch > before) is (action in ("rotate", "root"))
            assert (root.read_bytes() == first) is (action != "root")
            return fatal + 1
    raise AssertionError("it never finished")


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
