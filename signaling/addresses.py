"""Who is at the other end, as far as it matters for limits, and which pages may speak to us."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import web

from rooms.errors import StartRefused
from signaling.settings import Network, SignalingSettings

HTTP_PORT = 80
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


def client_address(request: web.Request, proxies: Sequence[Network]) -> IPv4Address | IPv6Address | None:
    """The address of the client: the last one in X-Forwarded-For that is not a trusted proxy's (S-12).

    None over a Unix socket, or where a proxy says something that is no address.
    """
    forwarded = [part.strip() for line in request.headers.getall("X-Forwarded-For", []) for part in line.split(",")]
    candidate = request.remote
    while True:
        try:
            address = ip_address(candidate or "")
        except ValueError:
            return None
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if not forwarded or not any(address in network for network in proxies):
            return address
        candidate = forwarded.pop()


def is_operator(request: web.Request, settings: SignalingSettings) -> bool:
    """Whether the request comes from loopback or a listed network; what a proxy passes on is never from loopback."""
    address = client_address(request, settings.trusted_proxies)
    if address is None:
        return False
    if "X-Forwarded-For" not in request.headers and address.is_loopback:
        return True
    return any(address in network for network in settings.operator_networks)


def pseudonym(secret: bytes, day: datetime, what: str, value: object) -> str:
    """A name for ``value`` in a limiter's key that only this server can make, another one each day (S-12).

    An IPv6 client has a whole /64, so that is what counts.
    """
    if isinstance(value, IPv6Address):
        value = ip_network((value, 64), strict=False)
    text = f"{what}|{day:%Y-%m-%d}|{value}"
    return hmac.digest(secret, text.encode(), "sha256").hex()[:32]
