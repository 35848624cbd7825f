"""The server's name: addresses, who may issue certificates, and the chain of DNSSEC from the root."""

import time
from collections.abc import Iterable
from typing import Final

import dns.dnssec
import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.DS
import dns.rrset

from operate.doctor.finding import Finding, bad, good, unknown, warn
from operate.doctor.resolving import Answer, Resolver, Silent

ROOT_ANCHORS: Final = (
    "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    "38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
)
"""The root's keys, as IANA publishes them (DS: key tag, algorithm, digest type, digest)."""


class Bogus(Exception):  # noqa: N818 -- DNSSEC's own word
    """A signature or a link of the chain is not right; the text says where."""


class Unsigned(Exception):  # noqa: N818 -- DNSSEC's own word
    """The chain ends above the name; the text says where."""


async def addresses(resolver: Resolver, domain: str, expected: Iterable[str]) -> list[Finding]:
    """Whether the name leads here, and only here."""
    try:
        four, six = await resolver.ask(domain, "A"), await resolver.ask(domain, "AAAA")
        caa = await _nearest(resolver, domain, "CAA")
    except Silent:
        return [unknown("dns", "No name server answers.", "Look at /etc/resolv.conf, or give --nameserver.")]
    found, wanted = {*four.texts, *six.texts}, set(expected)
    findings = []
    if not found:
        findings.append(bad("dns", f"{domain} has no address.", "Add an A record with this server's public address."))
    elif wanted and not found & wanted:
        findings.append(
            bad("dns", f"{domain} leads elsewhere.", f"Point its A record to {' or '.join(sorted(wanted))}.")
        )
    elif wanted and found - wanted:
        extra = ", ".join(sorted(found - wanted))
        findings.append(warn("dns", f"{domain} also leads to {extra}.", "Remove addresses that are not this server's."))
    else:
        findings.append(good("dns", f"{domain} leads to {', '.join(sorted(found))}."))
    if caa:
        findings.append(good("dns-caa", "Only the named authorities may issue certificates."))
    else:
        meaning = "Any certificate authority may issue for the name (no CAA)."
        findings.append(warn("dns-caa", meaning, 'Add a CAA record with your authority, as 0 issue "letsencrypt.org".'))
    return findings


async def _nearest(resolver: Resolver, domain: str, kind: str) -> list[str]:
    """The records at the name or at the closest one above it that has any (RFC 8659, 3)."""
    name = dns.name.from_text(domain)
    while len(name) > 2:
        if texts := (await resolver.ask(name, kind)).texts:
            return texts
        name = name.parent()
    return []


async def dnssec(resolver: Resolver, domain: str, anchors: Iterable[str] = ROOT_ANCHORS) -> list[Finding]:
    """Every signature from the root's key down to the address, checked here and not believed from a resolver."""
    try:
        zones = await _chain(resolver, dns.name.from_text(domain), anchors)
    except Silent:
        return [unknown("dnssec", "A name server gives no signatures.", "Use a resolver that passes DNSSEC on.")]
    except Unsigned as end:
        meaning = f"Answers for {domain} can be forged: {end}."
        return [warn("dnssec", meaning, "Sign the zone, and give the DS record to your registrar.")]
    except Bogus as fault:
        meaning = f"DNSSEC is broken, and many resolvers refuse the name: {fault}."
        return [bad("dnssec", meaning, "Sign the zone again, or correct the DS record at your registrar.")]
    return [good("dnssec", f"Signed from the root down: {' '.join(zones)}.")]


async def _chain(resolver: Resolver, name: dns.name.Name, anchors: Iterable[str]) -> list[str]:
    trusted = [_ds(anchor) for anchor in anchors]
    zone, zones = dns.name.root, []
    while True:
        keys = await _keys(resolver, zone, trusted)
        zones.append(zone.to_text())
        below = await _cut(resolver, zone, name, keys)
        if below is None:
            break
        zone, trusted = below
    answered = False
    for kind in ("A", "AAAA"):
        answer = await resolver.ask(name, kind)
        if answer.records is not None:
            _validated(answer, zone, keys)
            answered = True
    if not answered:
        raise Unsigned("it has no address")
    return zones


async def _keys(resolver: Resolver, zone: dns.name.Name, trusted: list[dns.rdtypes.ANY.DS.DS]) -> dns.rrset.RRset:
    """The zone's keys, signed by one that the zone above vouches for."""
    answer = await resolver.ask(zone, "DNSKEY")
    if answer.records is None and zone == dns.name.root:
        raise Silent  # the root has keys: this name server does not pass them on
    if answer.records is None:
        raise Bogus(f"{zone} has a DS record but no keys")
    entries = [
        key for key in answer.records for ds in trusted
        if ds.key_tag == dns.dnssec.key_id(key) and dns.dnssec.make_ds(zone, key, ds.digest_type) == ds
    ]  # fmt: skip
    if not entries:
        raise Bogus(f"the DS record of {zone} is of another key")
    entry = dns.rrset.from_rdata_list(zone, answer.records.ttl, entries)
    _validated(answer, zone, entry)
    return answer.records


async def _cut(
    resolver: Resolver, zone: dns.name.Name, name: dns.name.Name, keys: dns.rrset.RRset
) -> tuple[dns.name.Name, list[dns.rdtypes.ANY.DS.DS]] | None:
    """The next zone on the way to the name, None when the name is in this one. Raises Unsigned at one without DS."""
    for depth in range(len(zone) + 1, len(name) + 1):
        child = name.split(depth)[1]
        answer = await resolver.ask(child, "DS")
        if answer.records is not None:
            _validated(answer, zone, keys)
            return child, list(answer.records)
        if (await resolver.ask(child, "SOA")).records is not None:
            raise Unsigned(f"{child} is not signed")
    return None


def _validated(answer: Answer, zone: dns.name.Name, keys: dns.rrset.RRset) -> None:
    if answer.records is None or answer.signatures is None:
        raise Bogus(f"signatures are missing in {zone}")
    if answer.records.name != answer.signatures.name:
        raise Bogus(f"signatures in {zone} are of another name")
    try:
        dns.dnssec.validate(answer.records, answer.signatures, {zone: keys})
    except dns.exception.ValidationFailure:
        expired = all(one.expiration < time.time() for one in answer.signatures)
        raise Bogus(f"a signature in {zone} is {'expired' if expired else 'wrong'}") from None


def _ds(text: str) -> dns.rdtypes.ANY.DS.DS:
    found = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DS, text)
    assert isinstance(found, dns.rdtypes.ANY.DS.DS)
    return found
