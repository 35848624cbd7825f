"""What reverse proxies say of whom they speak for: ``X-Forwarded-For``, and ``Forwarded`` (RFC 7239)."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from aiohttp import web
from redis.asyncio import Redis

Address = IPv4Address | IPv6Address

HEADERS: Final = ("X-Forwarded-For", "Forwarded")
DOUBT: Final = "sk:proxy-doubt"
"""There for an hour after a request whose proxy we did not understand or do not trust, for ``doctor``; says which."""

DOUBT_SECONDS: Final = 3600
PORT: Final = r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
BRACKETED: Final = re.compile(rf"\[([^\]]*)\]{PORT}")
WITH_PORT: Final = re.compile(rf"([0-9.]+){PORT}")
PAIR: Final = re.compile(r'[ \t]*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^\s";,]*)[ \t]*(?:([;,])|\Z)')
EMPTY: Final = re.compile(r"[ \t]*[;,]|[ \t]+\Z")


def node(text: str) -> Address | None:
    """An address as proxies write it: with a port, brackets, quotes, a zone; None for any other word (6.3)."""
    text = unquoted(text.strip())
    if found := BRACKETED.fullmatch(text) or WITH_PORT.fullmatch(text):
        text = found[1]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return plain(address)


def plain(address: Address) -> Address:
    """An IPv4 address in IPv6 clothes as itself."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def hops(request: web.Request) -> Sequence[Address | None]:
    """Who each proxy spoke for, the nearest one last; None for a word that is no address.

    Where both headers are there and differ, one of them was not written by the proxy: nothing is believed.
    """
    simple = [node(part) for line in request.headers.getall(HEADERS[0], []) for part in line.split(",") if part.strip()]
    standard = [each for line in request.headers.getall(HEADERS[1], []) for each in elements(line)]
    if simple and standard and simple[-1] != standard[-1]:
        return [None]
    return simple or standard


def elements(line: str) -> list[Address | None]:
    """The ``for`` of each element of ``Forwarded``; one None for a line that is not of its grammar."""
    found: list[Address | None] = []
    current: str | None = None
    at = 0
    while at < len(line):
        separator = EMPTY.match(line, at)
        pair = None if separator else PAIR.match(line, at)
        if separator is None and pair is None:
            return [None]
        if pair is not None:
            current = pair[2] if pair[1].lower() == "for" else current or ""
        step = separator or pair
        assert step is not None
        at = step.end()
        if current is not None and step[0].rstrip().endswith(","):
            found.append(node(current))
            current = None
    return found if current is None else [*found, node(current)]


def unquoted(text: str) -> str:
    """What a quoted-string says (RFC 9110, 5.6.4); any other text as it is."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


class Doubts:
    """What this node did not understand of proxies, told to the others by way of Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._new: str | None = None

    def add(self, why: str) -> None:
        """``unreadable`` outweighs ``untrusted``, which any client can bring about."""
        if self._new != "unreadable":
            self._new = why

    async def tell(self) -> None:
        """What came since the last time, if anything."""
        if self._new:
            why, self._new = self._new, None
            await self._redis.set(DOUBT, why, ex=DOUBT_SECONDS)
