"""Who is at the other end, as far as it matters for limits, and which pages may speak to us."""

import hmac
import logging
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv6Address, IPv6Network, ip_network
from urllib.parse import urlsplit

from aiohttp import web

from signaling import forwarded
from signaling.forwarded import Address
from signaling.settings import Network, SignalingSettings
from signaling.typedefs import DOUBTS, METRICS, SETTINGS
from vault.errors import StartRefused

logger = logging.getLogger(__name__)

HTTP_PORT = 80
CLIENT_PREFIX = 64
SITE_PREFIX = 48
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def origins(settings: SignalingSettings) -> frozenset[str]:
    """The exact values of ``Origin`` that our own pages have. Without a configured origin: loopback only."""
    if settings.origin:
        return frozenset({settings.origin})
    port = "" if settings.port == HTTP_PORT else f":{settings.port}"
    return frozenset(f"http://{host}{port}" for host in ("localhost", "127.0.0.1", "[::1]"))


def public_origin(settings: SignalingSettings) -> str:
    """The origin that links begin with."""
    return settings.origin or f"http://localhost:{settings.port}"


def refuse_plain_http(settings: SignalingSettings) -> None:
    """``StartRefused`` where people would speak to us over plain http: browsers give such a page no camera."""
    origin = urlsplit(public_origin(settings))
    local = origin.hostname in LOOPBACK and settings.host in LOOPBACK
    if origin.scheme != "https" and not local:
        raise StartRefused(
            "Plain http is for this machine only: signaling.origin must be the https:// address of your reverse proxy, "
            "or of this server with --tls-self-signed."
        )


def client_address(request: web.Request, proxies: Sequence[Network]) -> Address | None:
    """The address of the client: the nearest one that is not a trusted proxy's (S-12); None over a Unix socket.

    Where a proxy says something that is no address, the address of that proxy.
    """
    return _client(request, proxies)[0]


def _client(request: web.Request, proxies: Sequence[Network]) -> tuple[Address | None, bool]:
    """And whether every proxy said it in a way that we understand; if not, it is counted and logged."""
    peer = forwarded.node(request.remote or "")
    if peer is None or not any(peer in network for network in proxies):
        if peer is not None and any(name in request.headers for name in forwarded.HEADERS):
            _doubt(request, "untrusted")
        return peer, True
    address = peer
    for said in reversed(forwarded.hops(request)):
        if said is None:
            _doubt(request, "unreadable")
            return address, False
        address = said
        if not any(address in network for network in proxies):
            break
    return address, True


def _doubt(request: web.Request, why: str) -> None:
    request.app[METRICS].forwarded.labels(why).inc()
    request.app[DOUBTS].add(why)
    if why == "unreadable":
        logger.warning("a proxy does not say whom it speaks for; its clients share one limit", extra={"cause": why})


def is_operator(request: web.Request, settings: SignalingSettings) -> bool:
    """Whether the request comes from loopback or a listed network; what a proxy passes on is never from loopback."""
    address, understood = _client(request, settings.trusted_proxies)
    if address is None or not understood:
        return False
    if address.is_loopback and not any(name in request.headers for name in forwarded.HEADERS):
        return True
    return any(address in network for network in settings.operator_networks)


def network_of(address: Address | None) -> Network | None:
    """Where somebody is, wherever that is counted: an IPv4 address, and the /64 that an IPv6 client has to itself."""
    if address is None:
        return None
    return ip_network((address, CLIENT_PREFIX if isinstance(address, IPv6Address) else address.max_prefixlen), False)


def site_of(network: Network | None) -> Network | None:
    """The same, of IPv6 the /48: a customer may have all of that, and so 65,536 networks to come from (RFC 6177)."""
    return network.supernet(new_prefix=SITE_PREFIX) if isinstance(network, IPv6Network) else network


def client_network(request: web.Request) -> Network | None:
    """Where a request comes from."""
    return network_of(client_address(request, request.app[SETTINGS].trusted_proxies))


def pseudonym(secret: bytes, day: datetime | None, what: str, value: object) -> str:
    """A name for ``value`` in a limiter's key that only this server can make, another one each day, if one is given
    (S-12).
    """
    text = f"{what}|{day:%Y-%m-%d}|{value}" if day else f"{what}|{value}"
    return hmac.digest(secret, text.encode(), "sha256").hex()[:32]
