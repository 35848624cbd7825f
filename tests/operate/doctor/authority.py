"""A small authoritative DNS server on loopback: root, top level and a practice's zone, signed from the root down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import dns.dnssec
import dns.dnssectypes
import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

SOA = "@ 60 IN SOA ns.example.org. admin.example.org. 1 60 60 60 60\n@ 60 IN NS ns.example.org.\n"
PRACTICE = """\
@ 60 IN A 203.0.113.5
consult 60 IN A 203.0.113.5
consult 60 IN CAA 0 issue "letsencrypt.org"
@ 60 IN TXT "v=spf1 mx -all"
_dmarc 60 IN TXT "v=DMARC1; p=reject"
key1._domainkey 60 IN TXT "v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA"
"""
ALGORITHM = dns.dnssectypes.Algorithm.ECDSAP256SHA256


@dataclass
class Authority:
    """The zones, and where they are served. ``anchor`` is what a validator must trust."""

    zones: dict[str, dns.zone.Zone] = field(default_factory=dict)
    anchor: str = ""
    port: int = 0
    silent: bool = False

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        zone = self._zone(question.name, question.rdtype)
        node = zone.get_node(question.name) if zone else None
        if node is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return response
        for kind, covers in ((question.rdtype, dns.rdatatype.NONE), (dns.rdatatype.RRSIG, question.rdtype)):
            found = node.get_rdataset(dns.rdataclass.IN, kind, covers)
            if found is not None:
                response.answer.append(dns.rrset.from_rdata_list(question.name, found.ttl, list(found)))
        return response

    def _zone(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.zone.Zone | None:
        """The closest zone; a DS record is in the one above."""
        while True:
            zone = self.zones.get(name.to_text())
            if zone is not None and kind != dns.rdatatype.DS:
                return zone
            if name == dns.name.root:
                return zone
            kind = dns.rdatatype.NONE if kind == dns.rdatatype.DS else kind
            name = name.parent()


class Served(asyncio.DatagramProtocol):
    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self._authority.silent:
            self._transport.sendto(self._authority.answer(dns.message.from_wire(data)).to_wire(), addr)


def build(
    practice: str = PRACTICE,
    *,
    signed: bool = True,
    expires: timedelta = timedelta(days=7),
    forged: str | None = None,
    wrong_ds: bool = False,
) -> Authority:
    """The practice's records as zone text; ``forged`` are records that are changed after signing."""
    now = datetime.now(UTC)
    authority, ds = Authority(), ""
    for origin, text in (("example.org.", practice), ("org.", ""), (".", "")):
        zone = dns.zone.from_text(f"{SOA}{text}{ds}", origin=origin, relativize=False, check_origin=False)
        authority.zones[origin] = zone
        ds = ""
        if origin != "example.org." or signed:
            private = ec.generate_private_key(ec.SECP256R1())
            key = dns.dnssec.make_dnskey(private.public_key(), ALGORITHM, flags=257)
            until = now + (expires if origin == "example.org." else timedelta(days=7))
            dns.dnssec.sign_zone(
                zone, keys=[(private, key)], dnskey_ttl=60, add_dnskey=True,
                inception=now - timedelta(days=30), expiration=until, deterministic=False,
            )  # fmt: skip
            published = key
            if wrong_ds and origin == "example.org.":
                other = ec.generate_private_key(ec.SECP256R1())
                published = dns.dnssec.make_dnskey(other.public_key(), ALGORITHM, flags=257)
            record = dns.dnssec.make_ds(dns.name.from_text(origin), published, "SHA256")
            ds = f"{origin} 60 IN DS {record.to_text()}\n"
            authority.anchor = record.to_text()
    if forged:
        name, _, address = forged.partition(" ")
        node = authority.zones["example.org."].get_node(dns.name.from_text(name))
        assert node is not None
        node.replace_rdataset(dns.rdataset.from_text("IN", "A", 60, address))
    return authority


@asynccontextmanager
async def serving(authority: Authority, port: int = 0) -> AsyncIterator[Authority]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Served(authority), local_addr=("127.0.0.1", port))
    authority.port = transport.get_extra_info("sockname")[1]
    try:
        yield authority
    finally:
        transport.close()
