"""Parsing of offers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import get_args

from media.wire.sdp.errors import OfferError
from media.wire.sdp.model import Codec, Direction, MediaLine, Offer, TransportPart

MAX_BYTES = 131_072
MAX_LINES = 8_000
MAX_MEDIA = 40
MAX_SSRCS = 64
MAX_FORMATS = 128
MAX_FEEDBACK = 16
MAX_FINGERPRINTS = 16
MAX_ENCODINGS = 3
"""Of one source at once: what each costs its sender grows, and what a fourth would bring does not."""

_DIRECTIONS: dict[str, Direction] = {value: value for value in get_args(Direction)}
_OF_PAYLOADS = frozenset({"rtpmap", "fmtp", "rtcp-fb"})
_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,64}")
"""RFC 8866, section 9, within a bound."""

_RID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_PROTOCOL = re.compile(r"[!#-'*+\-./0-9A-Z^-~]{1,64}")


@dataclass(slots=True)
class _Section:
    """Attributes as written: a name may come often; ``media`` is the value of the m= line, empty for the session.

    Those about payload types are kept apart, since they are most of an offer and the same in every m-line.
    """

    media: str
    attributes: list[tuple[str, str]] = field(default_factory=list)
    payloads: list[tuple[str, str]] = field(default_factory=list)

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)


def parse_offer(sdp: str) -> Offer:
    """Parse an offer within the limits above. Lines that nobody can use are no fault: they can be answered as such.

    Raises:
        OfferError: too large, not SDP, or two lines that cannot be told apart.
    """
    session, *sections = _sections(sdp)
    if not sections:
        raise OfferError("not_sdp")
    seen: dict[tuple[object, ...], list[Codec]] = {}
    direction = _direction(session) or "sendrecv"
    media = [_media_line(section, direction, seen) for section in sections]
    for uri, number in _extensions(session).items():
        for line in media:
            line.extensions.setdefault(uri, number)
    used = [line.mid for line in media if line.mid and not line.rejected]
    if len(set(used)) != len(used):
        raise OfferError("mid_twice")
    if sum(len(line.ssrcs) for line in media) > MAX_SSRCS:
        raise OfferError("too_large")
    return Offer(
        media=media,
        groups=_groups(session, set(used)),
        transport=_transport(session),
        extmap_allow_mixed=any(section.first("extmap-allow-mixed") is not None for section in (session, *sections)),
    )


def _sections(sdp: str) -> list[_Section]:
    if len(sdp) > MAX_BYTES:
        raise OfferError("too_large")
    lines = sdp.split("\n", MAX_LINES + 1)
    if len(lines) > MAX_LINES:
        raise OfferError("too_large")
    sections = [section := _Section("")]
    for line in lines:
        if line[:2] == "a=":
            name, _, value = line[2:].partition(":")
            if name in _OF_PAYLOADS:
                section.payloads.append((name, value))
            elif name != "candidate":
                section.attributes.append((name.rstrip(), value.strip()))
        elif line[:2] == "m=":
            sections.append(section := _Section(line[2:]))
    if len(sections) - 1 > MAX_MEDIA:
        raise OfferError("too_large")
    return sections


def _media_line(section: _Section, direction: Direction, seen: dict[tuple[object, ...], list[Codec]]) -> MediaLine:
    kind, port, protocol, *formats = section.media.split(None, MAX_FORMATS + 3) + [""] * 3
    formats = [value for value in formats if value]
    if len(formats) > MAX_FORMATS:
        raise OfferError("too_large")
    if not formats or not all(map(_TOKEN.fullmatch, (kind, *formats))) or not _PROTOCOL.fullmatch(protocol):
        raise OfferError("not_sdp")
    mid = section.first("mid") or ""
    line = MediaLine(
        mid=mid if _TOKEN.fullmatch(mid) else "",
        kind=kind,
        protocol=protocol,
        direction=_direction(section) or direction,
        rejected=_number(port.partition("/")[0], 65_535) in (0, None) and section.first("bundle-only") is None,
        formats=formats,
        transport=_transport(section),
    )
    key = (*formats, *section.payloads)
    line.payloads = seen[key] if key in seen else seen.setdefault(key, _payloads(section, formats))
    for name, value in section.attributes:
        read = _READERS.get(name)
        if read is not None:
            read(line, value)
    line.extensions = _extensions(section)
    line.rids = _rids(section)
    return line


def _direction(section: _Section) -> Direction | None:
    return next((_DIRECTIONS[key] for key, _ in section.attributes if key in _DIRECTIONS), None)


def _transport(section: _Section) -> TransportPart:
    return TransportPart(
        ufrag=section.first("ice-ufrag"),
        password=section.first("ice-pwd"),
        setup=section.first("setup"),
        fingerprints=[value for name, value in section.attributes if name == "fingerprint"][:MAX_FINGERPRINTS],
        lite=section.first("ice-lite") is not None,
    )


def _payloads(section: _Section, formats: list[str]) -> list[Codec]:
    """Payload types in the m-line's order of preference; one without rtpmap is none the relay could forward."""
    offered = {number: None for value in formats if (number := _number(value, 127)) is not None}
    codecs: dict[int, Codec] = {}
    common: list[str] = []
    for name, value in section.payloads:
        if name == "rtpmap" and (codec := _rtpmap(value)) and codec.payload_type in offered:
            codecs.setdefault(codec.payload_type, codec)
    for name, value in section.payloads:
        payload_type, _, rest = value.partition(" ")
        number = _number(payload_type, 127)
        known = codecs.get(number) if number is not None else None
        if name == "fmtp" and known:
            known.fmtp.update(_parameters(rest))
        elif name == "rtcp-fb" and (known or payload_type == "*"):
            (known.feedback if known else common).append(" ".join(rest.split()))
    for codec in codecs.values():
        codec.feedback.extend(common[:MAX_FEEDBACK])
    return [codecs[number] for number in offered if number in codecs]


def _rtpmap(value: str) -> Codec | None:
    payload_type, _, encoding = value.partition(" ")
    name, rate, channels, *_ = [*encoding.strip().split("/"), "", "", ""]
    number, clock_rate = _number(payload_type, 127), _number(rate, 1_000_000)
    if number is None or not clock_rate or not _TOKEN.fullmatch(name):
        return None
    return Codec(number, name.lower(), clock_rate, _number(channels, 255) or 1, {}, [])


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        key, _, value = part.strip().partition("=")
        if key:
            yield key.strip().lower(), value.strip()


def _extensions(section: _Section) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, value in section.attributes:
        if name == "extmap" and len(found) < MAX_FORMATS:
            identifier, _, rest = value.partition(" ")
            number, uri = _number(identifier.partition("/")[0], 255), rest.split(None, 1)
            # 15 is reserved in the one-byte form (RFC 8285, 4.2); the first mapping of a URI is the one to use.
            if number and number != 15 and uri:
                found.setdefault(uri[0], number)
    return found


def _read_ssrc(line: MediaLine, value: str) -> None:
    ssrc = _number(value.partition(" ")[0], 0xFFFF_FFFF)
    if ssrc is not None and ssrc not in line.ssrcs:
        if len(line.ssrcs) >= MAX_SSRCS:
            raise OfferError("too_large")
        line.ssrcs.append(ssrc)


def _read_group(line: MediaLine, value: str) -> None:
    semantics, *ssrcs = [*value.split(None, 3), "", "", ""][:3]
    primary, repair = (_number(ssrc, 0xFFFF_FFFF) for ssrc in ssrcs)
    if semantics == "FID" and primary and repair and primary != repair and len(line.fid) < MAX_SSRCS:
        line.fid[primary] = repair


def _rids(section: _Section) -> tuple[str, ...]:
    """The encodings that ``a=simulcast`` sends and ``a=rid`` describes; of alternatives the first (RFC 8853, 5.1)."""
    described = {
        rid
        for name, value in section.attributes
        if name == "rid" and (rid := value.partition(" ")[0]) and value[len(rid) + 1 :].startswith("send")
    }
    _, _, sent = f" {section.first('simulcast') or ''} ".partition(" send ")
    listed = [names.partition(",")[0].removeprefix("~") for names in sent.strip().partition(" ")[0].split(";")]
    known = [rid for rid in dict.fromkeys(listed) if rid in described and _RID.fullmatch(rid)]
    return tuple(known[:MAX_ENCODINGS])


def _read_msid(line: MediaLine, value: str) -> None:
    line.msid = line.msid or value


_READERS = {
    "ssrc": _read_ssrc,
    "ssrc-group": _read_group,
    "msid": _read_msid,
}


def _groups(session: _Section, used: set[str]) -> list[list[str]]:
    groups = [value.split() for name, value in session.attributes if name == "group"]
    taken: set[str] = set()
    found: list[list[str]] = []
    for semantics, *mids in filter(None, groups):
        members = [mid for mid in dict.fromkeys(mids) if mid in used - taken]
        if semantics == "BUNDLE" and members:
            found.append(members)
            taken.update(members)
    return found


def _number(text: str, most: int) -> int | None:
    """ASCII digits only: int() also takes signs, blanks, underscores and other scripts' digits."""
    if not (0 < len(text) <= 10 and text.isascii() and text.isdigit()):
        return None
    value = int(text)
    return value if value <= most else None
