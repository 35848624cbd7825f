"""What a mail consists of, as its server says it (RFC 9051, 7.5.2: BODYSTRUCTURE), without a byte of what is in it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

Value = bytes | None | list["Value"]
"""A string or an atom, NIL, and what stands in parentheses."""

MOST_TOKENS: Final = 20_000
DEEPEST: Final = 64
"""Parts within parts. What people send has four."""

TOKEN: Final = re.compile(
    rb'\s*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<literal>\{\d+\+?\})'
    rb"|(?P<atom>[^\s()\"{\[]+(?:\[[^\]]*\](?:<\d+>)?)?))",
    re.DOTALL,
)
ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)

Kind = Literal["plain", "html"]


class Part(NamedTuple):
    """A text in a mail: where, and how it is written down."""

    section: str
    kind: Kind
    charset: str
    encoding: str


@dataclass(frozen=True)
class Shape:
    """The texts of a mail in their order, how many other things are in it, and whether it is a report (RFC 6522)."""

    texts: tuple[Part, ...]
    attachments: int
    report: bool = False


def answers(parts: Sequence[Any]) -> Iterator[Mapping[str, Value]]:
    """What ``imaplib`` gives of a FETCH: for each message what was asked, by its name in upper case, without the
    place from which it was cut (``BODY[1]``). Errors: ValueError.
    """
    said: list[tuple[bytes, bytes | None]] = []
    for one in parts:
        if isinstance(one, tuple):
            said.append((bytes(one[0]), bytes(one[1])))
        elif isinstance(one, bytes):
            said.append((one, None))
            found = _read(said)
            said = []
            if len(found) == 2 and isinstance(found[1], list):
                names, values = found[1][::2], found[1][1::2]
                yield {_word(name).upper().partition("<")[0]: value for name, value in zip(names, values, strict=False)}


def shape(said: Value) -> Shape:
    """Of a BODYSTRUCTURE. Errors: ValueError."""
    texts: list[Part] = []
    attachments = _walk(said, "", texts, 0)
    is_report = _is_multipart(said) and _subtype(said) == "report"
    return Shape(tuple(texts), attachments, is_report)


def _walk(said: Value, section: str, texts: list[Part], depth: int) -> int:
    """Put the texts of a part into ``texts``: how many others are in it."""
    if depth > DEEPEST or not isinstance(said, list) or not said:
        raise ValueError("no part of a mail")
    if _is_multipart(said):
        inside = [one for one in said if isinstance(one, list)][: _children(said)]
        above = f"{section}." if section else ""
        return sum(_walk(one, f"{above}{number}", texts, depth + 1) for number, one in enumerate(inside, 1))
    kind, subtype = _word(said[0]).lower(), _word(said[1] if len(said) > 1 else None).lower()
    if kind == "text" and subtype in ("plain", "html") and not _is_file(said):
        parameters = _pairs(said[2] if len(said) > 2 else None)
        encoding = _word(said[5] if len(said) > 5 else None).lower()
        texts.append(
            Part(section or "1", "plain" if subtype == "plain" else "html", parameters.get("charset", ""), encoding)
        )
        return 0
    return 1


def _is_multipart(said: Value) -> bool:
    return isinstance(said, list) and bool(said) and isinstance(said[0], list)


def _children(said: Value) -> int:
    """How many parts stand before the subtype of a multipart."""
    assert isinstance(said, list)
    return next((at for at, one in enumerate(said) if not isinstance(one, list)), len(said))


def _subtype(said: Value) -> str:
    assert isinstance(said, list)
    at = _children(said)
    return _word(said[at]).lower() if at < len(said) else ""


def _is_file(said: list[Value]) -> bool:
    """Whether a text has a name, or says to be an attachment (RFC 2183): then it is none that is read."""
    disposition = said[9] if len(said) > 9 else None
    named = _pairs(said[2] if len(said) > 2 else None)
    if isinstance(disposition, list) and disposition:
        named = named | _pairs(disposition[1] if len(disposition) > 1 else None)
        if _word(disposition[0]).lower() == "attachment":
            return True
    return any(name.partition("*")[0] in ("name", "filename") for name in named)


def _pairs(said: Value) -> dict[str, str]:
    """A list of parameters."""
    if not isinstance(said, list):
        return {}
    return {_word(name).lower(): _word(value) for name, value in zip(said[::2], said[1::2], strict=False)}


def _word(said: Value) -> str:
    return said.decode("ascii", "replace") if isinstance(said, bytes) else ""


def _read(said: Sequence[tuple[bytes, bytes | None]]) -> list[Value]:
    """The values of one line, whose literals stand apart. Errors: ValueError."""
    found: list[Value] = []
    above: list[list[Value]] = []
    count = 0
    for text, literal in said:
        at = 0
        while at < len(text) and (token := TOKEN.match(text, at)):
            at, count = token.end(), count + 1
            if count > MOST_TOKENS or len(above) > DEEPEST:
                raise ValueError("more than a mail has")
            if token["open"]:
                above.append(found)
                found = []
            elif token["close"]:
                if not above:
                    raise ValueError("closed without being opened")
                found, inner = above.pop(), found
                found.append(inner)
            elif token["literal"]:
                found.append(literal)
            elif token["atom"]:
                found.append(None if token["atom"].upper() == b"NIL" else token["atom"])
            else:
                found.append(ESCAPED.sub(rb"\1", token["quoted"]))
        if text[at:].strip():
            raise ValueError("no IMAP")
    if above:
        raise ValueError("cut off")
    return found
