"""Parsing of offers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from media.wire import WireError
from media.wire.sdp.model import Codec, Direction, Fingerprint, MediaLine, Offer

MAX_BYTES = 131_072
MAX_LINES = 8_000
MAX_MEDIA = 40
MAX_SSRCS = 64
MAX_FORMATS = 128
MAX_FEEDBACK = 16

_DIRECTIONS: dict[str, Direction] = {value: value for value in get_args(Direction)}
_OF_PAYLOADS = frozenset({"rtpmap", "fmtp", "rtcp-fb"})
_HASH_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_ICE_CHARS = re.compile(r"[A-Za-z0-9+/]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,16}")
_FORMAT = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PROTOCOL = re.compile(r"[A-Za-z0-9/]{1,32}")


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
    """Parse an offer within the limits above.

    Raises:
        WireError: too large, not SDP, m-lines outside of the one BUNDLE group, without ICE credentials,
            or without a fingerprint of SHA-256 or stronger.
    """
    session, *sections = _sections(sdp)
    if not sections:
        raise WireError("no m-lines")
    seen: dict[tuple[object, ...], list[Codec]] = {}
    media = [_media_line(section, seen) for section in sections]
    mids = [line.mid for line in media]
    if len(set(mids)) != len(mids):
        raise WireError("the same mid twice")
    if sum(len(line.ssrcs) for line in media) > MAX_SSRCS:
        raise WireError("too many SSRCs")
    bundle = _bundle(session, media)
    transport = (sections[mids.index(bundle[0])], session)
    return Offer(
        media=media,
        ice_ufrag=_ice(transport, "ice-ufrag", 4),
        ice_pwd=_ice(transport, "ice-pwd", 22),
        fingerprints=_fingerprints(transport),
        setup=_setup(transport),
        bundle=bundle,
        extmap_allow_mixed=any(section.first("extmap-allow-mixed") is not None for section in (session, *sections)),
    )


def _sections(sdp: str) -> list[_Section]:
    if len(sdp) > MAX_BYTES:
        raise WireError("description too large")
    lines = sdp.split("\n", MAX_LINES + 1)
    if len(lines) > MAX_LINES:
        raise WireError("too many lines")
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
        raise WireError("too many m-lines")
    return sections


def _media_line(section: _Section, seen: dict[tuple[object, ...], list[Codec]]) -> MediaLine:
    kind, port, protocol, *formats = section.media.split(None, MAX_FORMATS + 3) + [""] * 3
    formats = [value for value in formats if value]
    if len(formats) > MAX_FORMATS or not formats or not all(map(_FORMAT.fullmatch, formats)):
        raise WireError("m-line without usable formats")
    if not _FORMAT.fullmatch(kind) or not _PROTOCOL.fullmatch(protocol):
        raise WireError("m-line not understood")
    mid = section.first("mid") or ""
    if not _TOKEN.fullmatch(mid):
        raise WireError("m-line without a usable mid")
    line = MediaLine(
        mid=mid,
        kind=kind,
        protocol=protocol,
        direction=next((_DIRECTIONS[key] for key, _ in section.attributes if key in _DIRECTIONS), "sendrecv"),
        rejected=_number(port.partition("/")[0], 65_535) in (0, None) and section.first("bundle-only") is None,
        formats=formats,
    )
    key = (*formats, *section.payloads)
    line.payloads = seen[key] if key in seen else seen.setdefault(key, _payloads(section, formats))
    for name, value in section.attributes:
        read = _READERS.get(name)
        if read is not None:
            read(line, value)
    return line


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
    if number is None or not clock_rate or not _FORMAT.fullmatch(name):
        return None
    return Codec(number, name.lower(), clock_rate, _number(channels, 255) or 1, {}, [])


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        key, _, value = part.strip().partition("=")
        if key:
            yield key.strip().lower(), value.strip()


def _read_extmap(line: MediaLine, value: str) -> None:
    identifier, _, rest = value.partition(" ")
    number, uri = _number(identifier.partition("/")[0], 255), rest.split(None, 1)
    # 15 is reserved in the one-byte form (RFC 8285, 4.2); the first mapping of a URI is the one to use.
    if number and number != 15 and uri and len(line.extensions) < MAX_FORMATS:
        line.extensions.setdefault(uri[0], number)


def _read_ssrc(line: MediaLine, value: str) -> None:
    ssrc = _number(value.partition(" ")[0], 0xFFFF_FFFF)
    if ssrc is not None and ssrc not in line.ssrcs:
        if len(line.ssrcs) >= MAX_SSRCS:
            raise WireError("too many SSRCs")
        line.ssrcs.append(ssrc)


def _read_group(line: MediaLine, value: str) -> None:
    semantics, *ssrcs = [*value.split(None, 3), "", "", ""][:3]
    primary, repair = (_number(ssrc, 0xFFFF_FFFF) for ssrc in ssrcs)
    if semantics == "FID" and primary and repair and primary != repair and len(line.fid) < MAX_SSRCS:
        line.fid[primary] = repair


def _read_rid(line: MediaLine, value: str) -> None:
    rid, _, direction = value.partition(" ")
    if direction.startswith("send") and _TOKEN.fullmatch(rid) and rid not in line.rids and len(line.rids) < 8:
        line.rids.append(rid)


def _read_msid(line: MediaLine, value: str) -> None:
    line.msid = line.msid or value


_READERS = {
    "extmap": _read_extmap,
    "ssrc": _read_ssrc,
    "ssrc-group": _read_group,
    "rid": _read_rid,
    "msid": _read_msid,
}


def _bundle(session: _Section, media: list[MediaLine]) -> list[str]:
    """The one BUNDLE group; every m-line in use must be in it (RFC 9143), since there is one port and one key."""
    groups = [value.split() for name, value in session.attributes if name == "group"]
    groups = [mids for semantics, *mids in filter(None, groups) if semantics == "BUNDLE"]
    if len(groups) != 1:
        raise WireError("not exactly one BUNDLE group")
    used = {line.mid for line in media if not line.rejected}
    bundle = list(dict.fromkeys(mid for mid in groups[0] if mid in used))
    if not bundle or len(bundle) != len(used):
        raise WireError("an m-line outside of the BUNDLE group")
    return bundle


def _ice(sections: tuple[_Section, ...], name: str, least: int) -> str:
    for section in sections:
        value = section.first(name)
        if value is not None:
            if not least <= len(value) <= 256 or not _ICE_CHARS.fullmatch(value):
                raise WireError(f"{name} is not usable")
            return value
    raise WireError(f"no {name}")


def _fingerprints(sections: tuple[_Section, ...]) -> list[Fingerprint]:
    for section in sections:
        values = [value for name, value in section.attributes if name == "fingerprint"][:16]
        if values:
            found = [print_ for value in values if (print_ := _fingerprint(value))]
            if found:
                return found
            break
    raise WireError("no fingerprint of SHA-256 or stronger")


def _fingerprint(value: str) -> Fingerprint | None:
    algorithm, _, digest = value.partition(" ")
    size, digest = _HASH_BYTES.get(algorithm.lower()), digest.strip().upper()
    if size and re.fullmatch(rf"[0-9A-F]{{2}}(:[0-9A-F]{{2}}){{{size - 1}}}", digest):
        return Fingerprint(algorithm.lower(), digest)
    return None


def _setup(sections: tuple[_Section, ...]) -> Literal["actpass", "active"]:
    value = next((value for section in sections if (value := section.first("setup"))), None)
    if value == "actpass":
        return "actpass"
    if value == "active":
        return "active"
    raise WireError("the offerer must be able to take the active DTLS role")


def _number(text: str, most: int) -> int | None:
    """ASCII digits only: int() also takes signs, blanks, underscores and other scripts' digits."""
    if not (0 < len(text) <= 10 and text.isascii() and text.isdigit()):
        return None
    value = int(text)
    return value if value <= most else None
