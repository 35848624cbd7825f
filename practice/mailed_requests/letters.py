"""What is read of a mail: who says to have sent it, its subject, and the beginning of its text.

Of no address, header or word in it anything is believed. HTML becomes text: what it would fetch, run or hide is gone.
"""

import binascii
import html
import quopri
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses
from typing import Final

from practice.mailboxes import MOST_MAIL, canonical, mailbox
from practice.mailed_requests.structure import Part
from practice.names import UNPRINTED, readable

HEADERS: Final = (
    *("From", "Subject", "Message-ID", "Return-Path", "Auto-Submitted", "Precedence", "X-Auto-Response-Suppress"),
    *("List-Id", "List-Post", "List-Help", "List-Owner", "List-Archive", "List-Subscribe", "List-Unsubscribe"),
)
MOST_SUBJECT: Final = 200
MOST_HTML: Final = 262_144
MOST_PLAIN: Final = 65_536
"""Bytes that are fetched of a text, as it stands in the mail."""

MOST_TEXTS: Final = 5

CHARSET: Final = re.compile(
    r"utf-?8|us-ascii|iso-?8859-\d{1,2}|(windows-|cp)12\d\d|koi8-[ru]|gb2312|gbk|gb18030|big5|shift_jis|euc-(jp|kr)"
    r"|iso-2022-jp|macroman|cp437|cp850"
)
"""Encodings of text that mail has. Some that Python knows besides do more than decoding."""

ROBOTS: Final = re.compile(
    r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply|niet-?beantwoorden|listserv|majordomo|owner-.*|.*-(request|owner|bounces?))"
)
"""Who answers nothing, or should not be answered (RFC 3834, 2)."""

HIDDEN: Final = ("script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "iframe")
BREAKS: Final = frozenset(
    ("br", "p", "div", "li", "tr", "table", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hr")
)
TAG: Final = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
DIRECTIONS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
BLANK: Final = re.compile(r"\n{3,}")
SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True)
class Head:
    """``mail`` is the one address that a mail says to be from, empty for none that mail can be sent to. ``automatic``
    is what must not be answered by a program (RFC 3834), ``reply`` what a program sent for a mail of ours.
    """

    mail: str = field(repr=False)
    subject: str = field(repr=False)
    message_id: str = field(repr=False)
    automatic: bool
    reply: bool


def head(raw: bytes, ours: Collection[str] = ()) -> Head:
    """Of the header of a mail; ``ours`` are the addresses that we send by, or read."""
    found = BytesHeaderParser(policy=compat32).parsebytes(raw)
    said = _value(found, "auto-submitted").partition(";")[0].strip().lower()
    mail = _address(found)
    own = canonical(mail) in {canonical(one) for one in ours} if mail else False
    automatic = (
        (bool(said) and said != "no")
        or _value(found, "precedence").strip().lower() in ("bulk", "list", "junk", "auto_reply")
        or any(name.startswith("list-") for name in map(str.lower, found.keys()))
        or "x-auto-response-suppress" in found
        or ("return-path" in found and "@" not in _value(found, "return-path"))
        or ROBOTS.fullmatch(mail.rpartition("@")[0].lower()) is not None
        or own
    )
    reply = said.startswith("auto-replied") or (own and said.startswith("auto-"))
    subject = beginning(clean(_decoded(found, "subject").replace("\n", " ")), MOST_SUBJECT)
    return Head(mail, subject, _value(found, "message-id").strip()[:998], automatic, reply)


def text(parts: Iterable[tuple[Part, bytes]], most: int) -> tuple[str, bool]:
    """What the texts of a mail say, of which the first bytes are here: plain ones, or the HTML where these say nothing;
    and whether there is more than ``most`` characters.
    """
    said = {"plain": list[str](), "html": list[str]()}
    for part, raw in parts:
        found = decoded(raw, part)
        said[part.kind].append(clean(without_tags(found) if part.kind == "html" else found))
    whole = "\n\n".join(filter(None, said["plain"])) or "\n\n".join(filter(None, said["html"]))
    return beginning(whole, most), len(whole) > most


def decoded(raw: bytes, part: Part) -> str:
    """The text of a part, as far as its first bytes go."""
    if part.encoding == "base64":
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        try:
            raw = binascii.a2b_base64(kept[: len(kept) // 4 * 4])
        except binascii.Error:
            raw = b""
    elif part.encoding == "quoted-printable":
        raw = quopri.decodestring(raw)
    charset = part.charset.strip().lower()
    try:
        found = raw.decode(charset if CHARSET.fullmatch(charset) else "utf-8", "replace")
    except LookupError:  # of a family that is known, and no member of it
        found = raw.decode("utf-8", "replace")
    return found.rstrip("\ufffd")


def without_tags(source: str) -> str:
    """What somebody would read of HTML. Each character is looked at once, whatever stands in it."""
    lower, said, at = source.lower(), list[str](), 0
    while (begin := source.find("<", at)) >= 0:
        said.append(source[at:begin])
        if source.startswith("<!--", begin):
            end = source.find("-->", begin)
            if end < 0:
                return html.unescape("".join(said))
            at = end + 3
            continue
        end = source.find(">", begin)
        if end < 0:
            return html.unescape("".join(said))
        at = end + 1
        tag = TAG.match(source, begin)
        name = tag[1].lower() if tag else ""
        if name in BREAKS:
            said.append("\n")
        if name in HIDDEN and source[begin + 1] != "/":
            at = lower.find(f"</{name}", at)
            if at < 0:
                return html.unescape("".join(said))
    said.append(source[at:])
    return html.unescape("".join(said))


def beginning(said: str, most: int) -> str:
    """The first characters of what is clean, clean again: of a line that was cut nothing may be left to be seen."""
    return clean(said[:most])


def clean(said: str) -> str:
    """Without what steers a terminal, or the direction in which others read; at most one empty line at a time."""
    lines = (SPACES.sub(" ", _printed(line)).strip() for line in said.splitlines())
    return BLANK.sub("\n\n", "\n".join(line if _is_seen(line) else "" for line in lines)).strip()


def _printed(line: str) -> str:
    return "".join(
        one for one in line.replace("\t", " ") if one not in DIRECTIONS and unicodedata.category(one) not in UNPRINTED
    )


def _is_seen(line: str) -> bool:
    try:
        return bool(readable(line))
    except ValueError:
        return False


def _address(found: Message) -> str:
    """Who a mail says to be from, where that is one and mail can be sent there."""
    try:
        addresses = getaddresses([str(one) for one in found.get_all("from", ())])
        address = mailbox(addresses[0][1]) if len(addresses) == 1 else ""
    except (ValueError, IndexError):
        return ""
    return address if len(address) <= MOST_MAIL else ""


def _value(found: Message, name: str) -> str:
    return str(found.get(name, ""))


def _decoded(found: Message, name: str) -> str:
    """A header in the words of RFC 2047, or as it stands where they are none."""
    raw = _value(found, name)
    try:
        pieces = decode_header(raw)
        if all(charset is None or CHARSET.fullmatch(str(charset).lower()) for _, charset in pieces):
            return str(make_header(pieces))
    except (ValueError, LookupError, binascii.Error):
        pass
    return raw
