"""The program that opens an archive: little of the machine is its to take, and what it says is looked at."""

import io
import json
import resource
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from practice.portability import reader
from practice.portability.archive import whole
from practice.portability.opened import NotTaken
from practice.portability.reading import LONGEST, MEMORY, ArchiveReader

SECRET = "abcde-abcde-abcde-abcde-abcde"
AT = datetime(2026, 11, 30, tzinfo=UTC)
SMALL = 128 << 20
PLANNED = {
    "patient": "Charlie", "starts_at": "2026-12-24T10:00:00+01:00", "minutes": 30, "language": "nl",
    "state": "planned",
}  # fmt: skip


def archived(records: Any, beside: bytes = b"null") -> bytes:
    head = json.dumps({"format": "spreekkamer-account", "version": 2, "records": records}).encode()
    return b"".join(whole(SECRET, {"account.json": head[:-1] + b', "beside": ' + beside + b"}"}, AT))


async def test_what_takes_more_memory_than_it_may_is_too_large() -> None:
    """A few megabytes are enough to see it: what is parsed takes twenty times as much as its text."""
    many = archived({"appointments": [PLANNED]}, b"[" + b"[]," * 1_500_000 + b"[]]")
    assert len(many) < 20_000
    with pytest.raises(NotTaken, match="large"):
        await ArchiveReader(SMALL).opened(many, SECRET, AT)
    taken = await ArchiveReader(SMALL).opened(archived({"appointments": [PLANNED] * 2_000}), SECRET, AT)
    assert len(taken.appointments) == 2_000


def test_the_limits_stand_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: dict[int, tuple[int, int]] = {}
    before, written = list[dict[int, tuple[int, int]]](), io.BytesIO()

    class Input(io.BytesIO):
        def readline(self, *size: Any) -> bytes:
            before.append(dict(noted))
            return super().readline(*size)

    monkeypatch.setattr(resource, "setrlimit", noted.__setitem__)
    monkeypatch.setattr(sys, "argv", ["reader", str(MEMORY)])
    given = Input(json.dumps(SECRET).encode() + b"\n" + archived({"appointments": [PLANNED]}))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=given))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=written))
    reader.main()
    limits = {
        resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: 60, resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: 3,
    }  # fmt: skip
    assert before == [{one: (most, most) for one, most in limits.items()}]
    assert [json.loads(line) for line in written.getvalue().splitlines()] == ["", ["appointments", PLANNED]]


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ({"appointments": [PLANNED | {"beside": "x" * LONGEST}]}, "content"),
        ({"appointments": [5]}, "content"),
        ({"appointments": [PLANNED] * 300 + [PLANNED | {"minutes": 0}]}, "content"),
        ({"sentences": 5}, "content"),
        ({"sentences": [{"language": "nl", "text": "Ik kom."}] * 21}, "large"),
    ],
    ids=["longer than any", "no record", "the last one", "no list", "more than there may be"],
)
async def test_a_record_that_is_not_taken(records: Any, problem: str) -> None:
    with pytest.raises(NotTaken, match=problem):
        await ArchiveReader().opened(archived(records), SECRET, AT)
