"""Whether what arrived is a delivery status notification (RFC 3464), to which addresses it came, and what it says.

Only its frame is read, from the outside in and once: whatever is nested inside, and what came back, is looked at by
nobody.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import Final, Literal

TO: Final = ("to", "delivered-to", "x-original-to", "envelope-to")
"""Where servers say for which address of a mailbox something came."""

MOST_RECIPIENTS: Final = 20
STATUS: Final = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
BREAK: Final = re.compile(rb"\r?\n\r?\n")

Action = Literal["failed", "delayed", "other"]
"""Given up, still tried, and what says nothing of either (RFC 3464, 2.3.3)."""


@dataclass(frozen=True)
class Report:
    """``to`` are the addresses that it came to, as they stand there; ``status`` is a code of RFC 3463, or empty."""

    to: str
    action: Action
    status: str


def report(raw: bytes) -> Report | None:
    """Of the first bytes of a message; None for what is something else."""
    head, body = _parted(raw)
    if head is None or _type(head) != "multipart/report" or _parameter(head, "report-type") != "delivery-status":
        return None
    for part in _parts(body, _parameter(head, "boundary", folded=False)):
        inner, said = _parted(part)
        if inner is not None and _type(inner) == "message/delivery-status":
            to = "\n".join(str(value) for name in TO for value in head.get_all(name, ()))
            return Report(to, *_outcome(said))
    return None


def _outcome(said: bytes) -> tuple[Action, str]:
    """What became of the recipient; one who was given up counts before others."""
    found: list[tuple[Action, str]] = []
    for block in BREAK.split(said.strip())[1 : MOST_RECIPIENTS + 1]:
        fields = _headers(block)
        word = str(fields.get("action", "")).strip().lower()
        action: Action = "failed" if word == "failed" else "delayed" if word == "delayed" else "other"
        status = STATUS.search(str(fields.get("status", "")))
        found.append((action, status[0] if status else ""))
    return min(found, key=lambda one: ("failed", "delayed", "other").index(one[0]), default=("other", ""))


def _parted(raw: bytes) -> tuple[Message | None, bytes]:
    """Head and body."""
    if raw.startswith((b"\r\n", b"\n")):
        return _headers(b""), raw
    at = BREAK.search(raw)
    return (None, b"") if at is None else (_headers(raw[: at.start()]), raw[at.end() :])


def _headers(raw: bytes) -> Message:
    return BytesHeaderParser(policy=compat32).parsebytes(raw)


def _type(head: Message) -> str:
    return str(head.get("content-type", "")).partition(";")[0].strip().lower()


def _parameter(head: Message, name: str, *, folded: bool = True) -> str:
    """Of the content's type; the other forms of RFC 2231 are nobody's for these."""
    found = re.search(rf';\s*{name}\s*=\s*("([^"]*)"|[^\s;"]+)', str(head.get("content-type", "")), re.IGNORECASE)
    if found is None:
        return ""
    value = found[1] if found[2] is None else found[2]
    return value.lower() if folded else value


def _parts(body: bytes, boundary: str) -> Iterator[bytes]:
    """What stands between the lines of a multipart (RFC 2046, 5.1.1), also where the end is missing."""
    if not boundary or not boundary.isascii():
        return
    line = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?:\r?\n|$)")
    begun: int | None = None
    for found in line.finditer(body):
        if begun is not None:
            yield body[begun : found.start()]
        begun = found.end()
        if found[1]:
            return
    if begun is not None:
        yield body[begun:]
