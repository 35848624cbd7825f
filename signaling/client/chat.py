"""The chat of a consult: the clients keep it, the server passes it on (docs/protocol.md, Frame)."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

MAX_CHARACTERS = 4_000
PART_BYTES = 48_000

REQUEST = b'{"type":"log-wanted"}'
"""The plaintext with which one to whom something was lost asks the others for their logs."""


@dataclass(frozen=True)
class ChatEntry:
    """``at``: milliseconds since the Unix epoch, by the sender's clock."""

    id: str
    role: str
    participant: str
    text: str
    at: int


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

    Attributes:
        entries: oldest first. incomplete: something was lost, and no log of somebody else came since.
    """

    def __init__(self) -> None:
        self.entries: list[ChatEntry] = []
        self.incomplete = False

    def keep(self, entry: ChatEntry) -> None:
        """One's own that was sent."""
        self._merge([entry])

    def parts(self) -> Iterator[bytes]:
        """The whole log for somebody who lacks some of it, as plaintexts of at most 48,000 bytes; at least one."""
        part: list[dict[str, Any]] = []
        size = 0
        for entry in map(asdict, self.entries):
            grown = len(_encode(entry)) + 1
            if part and size + grown > PART_BYTES - 64:
                yield _encode({"type": "log", "entries": part})
                part, size = [], 0
            part.append(entry)
            size += grown
        yield _encode({"type": "log", "entries": part})

    def take(self, sender: str, role: str, plaintext: bytes) -> bool:
        """What authenticated as ``sender``'s; what is no chat is dropped. Returns whether it asks for the log."""
        try:
            content = json.loads(plaintext)
            match content["type"]:
                case "text":
                    self._merge([_entry(content | {"role": role, "participant": sender})])
                case "log":
                    self._merge([_entry(entry) for entry in content["entries"]])
                    self.incomplete = False
                case "log-wanted":
                    return True
        except (ValueError, KeyError, TypeError):
            return False
        return False

    def _merge(self, entries: list[ChatEntry]) -> None:
        merged = {entry.id: entry for entry in [*entries, *self.entries]}
        self.entries = sorted(merged.values(), key=lambda entry: (entry.at, entry.id))


def _entry(fields: dict[str, Any]) -> ChatEntry:
    entry = ChatEntry(**{name: fields[name] for name in ChatEntry.__dataclass_fields__})
    texts = (entry.id, entry.role, entry.participant, entry.text)
    if not all(isinstance(text, str) for text in texts) or not isinstance(entry.at, int):
        raise TypeError("no entry")
    if len(entry.text) > MAX_CHARACTERS:
        raise ValueError("too long")
    return entry
