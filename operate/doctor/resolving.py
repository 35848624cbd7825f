"""Asking the DNS, with signatures: one resolver for all checks."""

from dataclasses import dataclass, field
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
import dns.rrset

SECONDS = 4.0


class Silent(Exception):  # noqa: N818 -- a state, not a mistake
    """No server answered, or with an error."""


@dataclass(frozen=True)
class Answer:
    """The records of one name and type, and their signatures."""

    records: dns.rrset.RRset | None = None
    signatures: dns.rrset.RRset | None = None
    texts: list[str] = field(default_factory=list)


class Resolver:
    """The system's, or the one at this address and port."""

    def __init__(self, nameserver: tuple[str, int] | None = None) -> None:
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=nameserver is None)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = dns.asyncresolver.Resolver(configure=False)  # nobody to ask, so nobody answers
        if nameserver:
            self._resolver.nameservers, self._resolver.port = [nameserver[0]], nameserver[1]
        self._resolver.lifetime = SECONDS
        # Signatures, and also what an upstream would hold back because it is bogus: we say so ourselves.
        self._resolver.use_edns(0, dns.flags.DO, 1232)
        self._resolver.flags = dns.flags.RD | dns.flags.CD

    async def ask(self, name: str | dns.name.Name, kind: str) -> Answer:
        """Records that are not there give an empty answer. Raises Silent."""
        wanted = dns.name.from_text(name) if isinstance(name, str) else name
        try:
            found = await self._resolver.resolve(wanted, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return Answer()
        except (dns.exception.DNSException, OSError):
            raise Silent from None
        return _answer(found.response, wanted, dns.rdatatype.from_text(kind), found.rrset)


def _answer(
    response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType, found: dns.rrset.RRset | None
) -> Answer:
    if found is None:
        return Answer()
    signatures = next(
        (
            rrset
            for rrset in response.answer
            if rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers == kind and rrset.name == found.name
        ),
        None,
    )
    return Answer(found, signatures, [_text(record) for record in found])


def _text(record: Any) -> str:
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings).decode("utf-8", "replace")
    text: str = record.to_text()
    return text
