"""What people write for a setting, brought into the one form that the rest of the program compares with.

Errors: ValueError, whose text goes on after the setting's name, says what to write instead and never repeats the
value, for it may hold a password.
"""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from media.redis_address import HOST, ends_in_a_number, host_and_port, is_host

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
MAPPED: Final = 96
"""Bits before an IPv4 address in IPv6 clothes (RFC 4291, 2.5.5.2)."""


def origin(text: str) -> str:
    """As browsers send it (RFC 6454, 6.2; URL standard): lower case, Punycode, no default port, no slash at the end."""
    scheme, there, rest = text.strip().partition("://")
    scheme = scheme.lower()
    if not there or scheme not in DEFAULT_PORTS:
        raise ValueError("must begin with https://, as https://consult.example.org")
    rest = rest.rstrip("/")
    if "@" in rest:
        raise ValueError("must be without a user or a password, as https://consult.example.org")
    if re.search(r"[/?#\\\s]", rest):
        raise ValueError("must end after the host or its port, as https://consult.example.org: leave out the path")
    host, port = host_and_port(rest)
    host = _browser_host(host)
    return f"{scheme}://{host}" if port in (None, DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{port}"


def listening_host(text: str) -> str:
    """An address or a name to listen on; brackets around IPv6 are left out."""
    host = text.strip().lower()
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return str(ip_address(bare))
    except ValueError:
        pass
    if not HOST.fullmatch(host) or ends_in_a_number(host):
        raise ValueError(
            "must be an address, as 127.0.0.1, or 0.0.0.0 or :: for every address; the port is a setting apart"
        )
    return host


def network(value: Any) -> Any:
    """``10.0.0.5/8`` is the network that it lies in; an address alone is a network of one.

    Clients' addresses are compared with it as themselves, so IPv4 in IPv6 clothes is IPv4.
    """
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        found = ip_network(re.sub(r"^\[([^]]+)\]", r"\1", value.strip()), strict=False)
    except (ValueError, AttributeError):
        raise ValueError("must be networks, as 10.0.0.0/8 or fd00::/8") from None
    inner = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    return ip_network((inner, found.prefixlen - MAPPED)) if inner and found.prefixlen >= MAPPED else found


def _browser_host(text: str) -> str:
    host = text.rstrip(".").lower()
    if host.startswith("["):
        try:
            return f"[{IPv6Address(host[1:-1])}]"
        except ValueError:
            raise ValueError("must have an IPv6 address within its brackets, as https://[2001:db8::1]") from None
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            raise ValueError("must have a host name that can exist, as https://consult.example.org") from None
    if not is_host(host):
        raise ValueError("must have a host name or an address, as https://consult.example.org")
    return host
