"""The host's firewall: what the compose file publishes is open, everything else is not (S-54).

Containers' ports do not pass the host's input chain: an engine leads them past it, so a firewall that knows nothing of
containers leaves them open. Here what is forwarded from outside is held to the same list.
"""

from ipaddress import IPv4Address
from typing import Final

from practice.settings import HTTPS, IMAP_OVER_TLS, MAIL_PORTS

TCP: Final = (80, 443, 40_000)
UDP: Final = (443, 40_000)
"""What containers publish."""

TURN: Final = 3478
MEDIA: Final = 40_000
SSH: Final = 22
DNS: Final = 53
POST: Final = "br-post"
"""The bridge by which servers reach what the one door out leads to; its name is in the compose file."""
COTURN: Final = 10_001
"""coturn's account on the host, whose network it uses."""


def rules(address: IPv4Address) -> str:
    """The text of ``firewall.nft``, a table of its own that can be loaded again and again."""
    published = f"""        meta l4proto tcp ct original proto-dst {{ {_listed(TCP)} }} accept
        meta l4proto udp ct original proto-dst {{ {_listed(UDP)} }} accept"""
    return f"""#!/usr/sbin/nft -f
# Opens what Spreekkamer publishes and nothing else. Load it with `nft -f firewall.nft`, and at every start.
# Yours: how you reach this machine yourself, and from where.

define ssh = {{ {SSH} }}
define administrators = {{ 0.0.0.0/0 }}
define administrators6 = {{ ::/0 }}
define containers = {{ "docker0", "br-*" }}

table inet spreekkamer
delete table inet spreekkamer

table inet spreekkamer {{
    # To this machine itself. coturn's relay ports are not open: only media workers answer there, when spoken to.
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iifname "lo" accept
        icmp type echo-request limit rate 20/second accept
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-router-solicit }} accept
        icmpv6 type echo-request limit rate 20/second accept
        udp sport 67 udp dport 68 accept
        udp sport 547 udp dport 546 accept
        ip saddr $administrators tcp dport $ssh accept
        ip6 saddr $administrators6 tcp dport $ssh accept
        tcp dport {{ {_listed((*TCP, TURN))} }} accept
        udp dport {{ {_listed((*UDP, TURN))} }} accept
    }}

    # Through this machine: from containers outwards, and from outside to what they publish. Mail and
    # https alone leave by {POST}.
    chain forward {{
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iifname "{POST}" jump post
        iifname $containers accept
        ct status dnat jump published
    }}

    chain published {{
{published}
    }}

    chain post {{
        tcp dport {{ {_listed((*MAIL_PORTS, IMAP_OVER_TLS, HTTPS, DNS))} }} accept
        udp dport {DNS} accept
        drop
    }}

    # coturn answers its clients and sends to the media workers, nowhere else, whatever becomes of it.
    chain output {{
        type filter hook output priority filter; policy accept;
        meta skuid != {COTURN} accept
        ct state established,related accept
        meta l4proto udp ct original ip daddr {address} ct original proto-dst {MEDIA} accept
        meta l4proto {{ tcp, udp }} ct original ip daddr {address} ct original proto-dst {TURN} accept
        oifname "lo" ip daddr 127.0.0.0/8 accept
        reject
    }}
}}
"""


def _listed(ports: tuple[int, ...]) -> str:
    return ", ".join(map(str, sorted(ports)))
