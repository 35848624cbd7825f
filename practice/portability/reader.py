"""Opens one archive: a program of its own, which handles what strangers made.

    python -m practice.portability.reader MEMORY < password-as-JSON newline archive > lines

The first line is ``""``, or why it is not taken; each that follows is one record, ``["appointments", {…}]``. It may
open no file and write none, and is ended when it takes more than ``MEMORY`` bytes or too much time: what a small
archive inflates to, and what that is parsed into, is known only when it was done.
"""

import json
import resource
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from practice.portability.format import ACCOUNT, FORMAT, VERSION
from practice.portability.opened import NotTaken, entry

SECONDS: Final = 60
OPEN: Final = 3
"""Standard input, output and errors."""

KINDS: Final[Mapping[str, int]] = {"appointments": 100_000, "sentences": 20, "presets": 1}
"""What is taken back, and how many records of one archive."""


def confine(memory: int) -> None:
    """Whatever happens to it from here on, it can do little."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN),
    ):
        resource.setrlimit(what, (most, most))


def records(text: bytes) -> dict[str, list[Any]]:
    """By kind, none of them looked at yet. Errors: NotTaken."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise NotTaken("content") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise NotTaken("foreign")
    if not isinstance(version := found.get("version"), int) or version < VERSION:
        raise NotTaken("foreign")
    if version > VERSION:
        raise NotTaken("newer")
    if not isinstance(by_kind := found.get("records"), dict):
        raise NotTaken("content")
    known = {kind: by_kind.get(kind, []) for kind in KINDS}
    if not all(isinstance(each, list) for each in known.values()):
        raise NotTaken("content")
    if any(len(each) > KINDS[kind] for kind, each in known.items()):
        raise NotTaken("large")
    return known


def lines(archive: bytes, password: str) -> Iterator[bytes]:
    """What it says of it."""
    try:
        found = records(entry(archive, ACCOUNT, password))
    except NotTaken as refused:
        yield _line(refused.problem)
        return
    yield _line("")
    for kind, each in found.items():
        for one in each:
            yield _line([kind, one])


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def main() -> None:
    """One archive."""
    confine(int(sys.argv[1]))
    password = json.loads(sys.stdin.buffer.readline())
    for line in lines(sys.stdin.buffer.read(), password):
        sys.stdout.buffer.write(line)


if __name__ == "__main__":
    main()
