"""The addresses of this host that clients can be told."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr


def host_addresses() -> list[str]:
    """Addresses of all interfaces, IPv4 first, without loopback, link-local and deprecated site-local ones."""
    found: list[IPv4Address | IPv6Address] = []
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            text = address.ip if isinstance(address.ip, str) else address.ip[0]
            found.append(ip_address(text))
    usable = [a for a in found if not (a.is_loopback or a.is_link_local or a.is_multicast or a.is_unspecified)]
    return [str(address) for address in sorted(dict.fromkeys(usable), key=lambda address: address.version)]


def announced_addresses(configured: Iterable[str], listening: Iterable[str], *, loopback: bool) -> list[str]:
    """What clients are told: the configured addresses, else those of this host that ``listening`` covers.

    An address that is listened on by itself (not 0.0.0.0 or ::) is announced as it is.
    """
    if configured := list(configured):
        return configured
    bound = [ip_address(address) for address in listening]
    told = [str(address) for address in bound if not address.is_unspecified]
    families = {address.version for address in bound if address.is_unspecified}
    if loopback and 4 in families:
        told.append("127.0.0.1")
    told += [address for address in host_addresses() if ip_address(address).version in families] if families else []
    return list(dict.fromkeys(told))
