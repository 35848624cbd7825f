"""The chat of a consult: the clients keep it, the server passes it on (docs/protocol.md, Frame)."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

MAX_CHARACTERS = 4_000
PART_BYTES = 48_000

REQUEST = b'{"type":"log-wanted"}'
"""The plaintext with which one to whom something was lost asks the others for their logs."""


@dataclass(frozen=True)
class ChatEntry:
    """``at``: milliseconds since the Unix epoch. ``mine``: written by this page. ``copy``: as another's log has it."""

    id: str
    role: str
    participant: str
    text: str
    at: int
    mine: bool = field(default=False, compare=False)
    copy: bool = field(default=False, compare=False)


_WIRE = ("id", "role", "participant", "text", "at")


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def compose(entry: ChatEntry) -> bytes:
    """One's own as a plaintext for the others.

    Raises:
        ValueError: too long.
    """
    if len(entry.text) > MAX_CHARACTERS:
        raise ValueError("a message has at most 4,000 characters")
    return _encode({"type": "text", "id": entry.id, "text": entry.text, "at": entry.at})


class ChatLog:
    """What was said.

    Args:
        role: our own.
        now: milliseconds since the Unix epoch.

    Attributes:
        entries: those up to the last of our own as they came, those after it oldest first.
        incomplete: something was lost, and no log of somebody else came since.
    """

    def __init__(self, role: str, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self.entries: list[ChatEntry] = []
        self.incomplete = False
        self._role = role
        self._now = now
        self._joining = True
        self._expected: set[str] = set()
        self._told: set[str] = set()
        self._chronicler: str | None = None

    def keep(self, entry: ChatEntry) -> None:
        """One's own that was sent."""
        self._add([replace(entry, mine=True)])

    def joined(self, holders: Iterable[str]) -> None:
        """A handshake is complete: those who were in our first one send their logs, once."""
        if self._joining:
            self._joining, self._expected = False, set(holders) - self._told

    def parts(self) -> Iterator[bytes]:
        """The whole log for somebody who lacks some of it, as plaintexts of at most 48,000 bytes; at least one."""
        part: list[dict[str, Any]] = []
        size = 0
        for entry in self.entries:
            written = {name: value for name, value in asdict(entry).items() if name in _WIRE}
            grown = len(_encode(written)) + 1
            if part and size + grown > PART_BYTES - 64:
                yield _encode({"type": "log", "entries": part, "more": True})
                part, size = [], 0
            part.append(written)
            size += grown
        yield _encode({"type": "log", "entries": part})

    def take(self, sender: str, role: str, plaintext: bytes) -> bool:
        """What authenticated as ``sender``'s; what is no chat is dropped. Returns whether it asks for the log."""
        try:
            content = json.loads(plaintext)
            match content["type"]:
                case "text":
                    entry = _entry(content | {"role": role, "participant": sender})
                    self._add([replace(entry, at=self._plausible(entry.at))])
                case "log":
                    self._take_log(sender, [_entry(entry) for entry in content["entries"]], content.get("more"))
                case "log-wanted":
                    return True
        except (ValueError, KeyError, TypeError):
            return False
        return False

    def _take_log(self, sender: str, entries: list[ChatEntry], more: object) -> None:
        """It counts only where one is missing, and never against what this page knows itself."""
        missing = self.incomplete or sender in self._expected or (self._joining and sender not in self._told)
        if not missing:
            return
        known = self._own() > 0 or self._chronicler not in {None, sender}
        taken = [entry for entry in entries if entry.role != self._role or not known]
        if any(entry.role == self._role for entry in taken):
            self._chronicler = sender
        if more is not True:
            self._expected.discard(sender)
            self._told.add(sender)
            self._chronicler = "" if self._chronicler == sender else self._chronicler
            self.incomplete = False
        self._add([replace(entry, at=self._plausible(entry.at), copy=True) for entry in taken])

    def _own(self) -> int:
        """How many entries there are up to the last that was written on this page, that one included."""
        return max((number for number, entry in enumerate(self.entries, 1) if entry.mine), default=0)

    def _plausible(self, at: int) -> int:
        """No clock of another puts words before what was written here, nor into the future."""
        own = self._own()
        return min(max(at, self.entries[own - 1].at if own else 0), self._now())

    def _add(self, entries: list[ChatEntry]) -> None:
        known = {entry.id for entry in self.entries}
        fresh = {entry.id: entry for entry in reversed(entries) if entry.id not in known}
        own = self._own()
        after = sorted([*self.entries[own:], *fresh.values()], key=lambda entry: (entry.at, entry.id))
        self.entries = [*self.entries[:own], *after]


def _entry(fields: dict[str, Any]) -> ChatEntry:
    entry = ChatEntry(**{name: fields[name] for name in _WIRE})
    texts = (entry.id, entry.role, entry.participant, entry.text)
    if not all(isinstance(text, str) for text in texts) or not isinstance(entry.at, int):
        raise TypeError("no entry")
    if len(entry.text) > MAX_CHARACTERS:
        raise ValueError("too long")
    return entry
