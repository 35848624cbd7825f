"""The one door out: whatever is asked of a server elsewhere goes through here, and is counted.

**Only hosts that the operator listed, only where mail or https is, only at addresses of the world**: what a name
resolves to is looked at before connecting, and who answered after, so that no name leads to what stands beside us. A
host that the operator says is local may be anywhere, at any port.

Redis, the database, OpenBao and our own TURN server have settings of their own and are no business of the door's; a
test names every file that connects to anything.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal, Self

from practice.settings import HTTPS, IMAP_OVER_TLS, MAIL_PORTS, PracticeSettings

Purpose = Literal["mail", "bounces", "requests", "sms", "push"]
PURPOSES: Final[tuple[Purpose, ...]] = ("mail", "bounces", "requests", "sms", "push")
Outcome = Literal["connected", "refused", "away"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("connected", "refused", "away")

SECONDS: Final = 10.0
MOST_ADDRESSES: Final = 4
PORTS: Final[dict[Purpose, frozenset[int]]] = {
    "mail": frozenset(MAIL_PORTS),
    "bounces": frozenset((IMAP_OVER_TLS,)),
    "requests": frozenset((IMAP_OVER_TLS,)),
    "sms": frozenset((HTTPS,)),
    "push": frozenset((HTTPS,)),
}

SPECIAL: Final = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
"""IANA's special-purpose registry (RFC 6890 and later), multicast, and what is reserved."""

WORLD6: Final = IPv6Network("2000::/3")
SPECIAL6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")))
TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""IPv4 as a host that has IPv6 alone sees it (RFC 6052)."""

Address = IPv4Address | IPv6Address


class Forbidden(Exception):  # noqa: N818 -- a state, not a mistake
    """We do not go there; the text says why, without the host."""


class Unanswered(OSError):  # noqa: N818 -- a state, not a mistake
    """Nothing answers there."""


@dataclass(frozen=True)
class Door:
    """``hosts`` are those of mail that the operator listed, ``bounces`` that of the mailbox to which mail comes back,
    ``requests`` that of the one that people write to, ``sms`` those of text messages, ``push`` push services, also as
    ``*.example.org`` for all below a name; ``local`` those of any that may be at special addresses.
    """

    hosts: frozenset[str]
    local: frozenset[str]
    sms: frozenset[str] = frozenset()
    push: frozenset[str] = frozenset()
    bounces: frozenset[str] = frozenset()
    requests: frozenset[str] = frozenset()
    counts: Counter[tuple[Purpose, Outcome]] = field(default_factory=Counter)
    seconds: float = SECONDS

    @classmethod
    def of(cls, settings: PracticeSettings) -> Self:
        """To what the settings name."""
        hosts = {*settings.mail_hosts, *([settings.mail.host] if settings.mail.host else [])}
        texts, push = frozenset(settings.sms.hosts), frozenset(settings.push.hosts)
        bounces = frozenset([settings.bounces.host] if settings.bounces.address and settings.bounces.host else [])
        box = settings.requests.mailbox
        requests = frozenset([box.host] if box.address and box.host else [])
        local = frozenset(one for one in {*hosts, *texts, *push, *bounces, *requests} if settings.is_local(one))
        return cls(frozenset(hosts), local, texts, push, bounces, requests)

    def listed(self, purpose: Purpose) -> frozenset[str]:
        """The hosts that the operator listed for this."""
        of: dict[Purpose, frozenset[str]] = {
            "mail": self.hosts,
            "bounces": self.bounces,
            "requests": self.requests,
            "sms": self.sms,
            "push": self.push,
        }
        return of[purpose]

    def lists(self, purpose: Purpose, host: str) -> bool:
        """Whether the operator listed a host for this."""
        listed = self.listed(purpose)
        return host in listed or any(f"*.{above}" in listed for above in _above(host))

    async def connect(self, purpose: Purpose, host: str, port: int) -> socket.socket:
        """A connection for whoever goes on with it. Errors: Forbidden, Unanswered."""
        try:
            connection = await self._connect(purpose, host, port)
        except Forbidden:
            self.counts[purpose, "refused"] += 1
            raise
        except (OSError, TimeoutError) as error:
            self.counts[purpose, "away"] += 1
            raise Unanswered("nothing answers there") from error
        self.counts[purpose, "connected"] += 1
        return connection

    async def _connect(self, purpose: Purpose, host: str, port: int) -> socket.socket:
        if not self.lists(purpose, host):
            raise Forbidden("the host is none that the operator listed")
        if port not in PORTS[purpose] and host not in self.local:
            raise Forbidden("the port is none of mail or https")
        async with asyncio.timeout(self.seconds):
            allowed = self._allowed(host, await self._addresses(host, port))
            share = self.seconds / len(allowed)
            for address in allowed[:-1]:
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(share):
                        return await self._dial(address, port, allowed)
            return await self._dial(allowed[-1], port, allowed)

    async def _addresses(self, host: str, port: int) -> list[Address]:
        """In the order in which the system prefers them (RFC 6724)."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(ip_address(str(one[4][0]).partition("%")[0]) for one in found))

    def _allowed(self, host: str, addresses: list[Address]) -> list[Address]:
        allowed = [one for one in addresses if host in self.local or not is_special(one)]
        if not allowed:
            raise Forbidden("the host is at an address of a local network; practice.local_hosts can allow that")
        return allowed[:MOST_ADDRESSES]

    async def _dial(self, address: Address, port: int, allowed: list[Address]) -> socket.socket:
        family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, (str(address), port))
            _demand(connection, allowed)
        except BaseException:
            connection.close()
            raise
        return connection


def _demand(connection: socket.socket, allowed: list[Address]) -> None:
    if ip_address(connection.getpeername()[0].partition("%")[0]) not in allowed:
        raise Forbidden("somebody else answered than was asked")


def _above(host: str) -> Iterator[str]:
    """The names that a name is below."""
    while host := host.partition(".")[2]:
        yield host


def is_special(address: Address) -> bool:
    """Whether it is none of the world's: a local network, this machine, or a disguise of either."""
    if isinstance(address, IPv4Address):
        return any(address in network for network in SPECIAL)
    if address in TRANSLATED:
        return is_special(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address not in WORLD6 or any(address in network for network in SPECIAL6)
