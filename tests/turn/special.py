"""Addresses that are no peers: IANA's special-purpose registries (RFC 6890 and later), and disguises of them."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPV4 = (
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/31"),
    *("192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"),
)
IPV6 = (
    *("::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64"),
    *("2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48"),
    *("2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48"),
    *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
)
ALLOWED = IPv4Address("127.0.0.1")
"""The relay of the test, which is in one of these ranges itself."""


def disguises(address: IPv4Address) -> Iterator[IPv6Address]:
    """IPv4-mapped, IPv4-compatible, IPv4-translated, NAT64 (two prefixes), 6to4, Teredo's client."""
    number = int(address)
    for prefix in ("::ffff:0:0", "::", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::"):
        yield IPv6Address(int(IPv6Address(prefix)) | number)
    yield IPv6Address(int(IPv6Address("2002::")) | number << 80)
    yield IPv6Address(int(IPv6Address("2001::")) | number ^ 0xFFFFFFFF)


def peers() -> list[str]:
    """First, middle and last address of each range; those of IPv4 plain and in every disguise."""
    plain = {network[at] for network in map(IPv4Network, IPV4) for at in edges(network)} - {ALLOWED}
    hidden = {disguise for address in plain | {ALLOWED} for disguise in disguises(address)}
    own = {network[at] for network in map(IPv6Network, IPV6) for at in edges(network)}
    return [str(address) for address in (*sorted(plain), *sorted(hidden | own))]


def edges(network: IPv4Network | IPv6Network) -> set[int]:
    return {0, network.num_addresses // 2, network.num_addresses - 1}
