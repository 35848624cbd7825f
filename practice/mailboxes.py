"""Addresses as mail servers take them: the domain in the form that is in the DNS (IDNA 2008), nothing beside; and as
they are compared, where both spellings of a domain of another script are one (RFC 5890, 2.3.2.1).
"""

import re
import unicodedata
from ipaddress import ip_address
from typing import Final

LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""A dot-string of RFC 5321, 4.1.2. Quoted ones and other scripts are not sent to: few servers take them."""

LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
NAME: Final = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*")
MAX_LOCAL: Final = 64
MOST_MAIL: Final = 254
"""Characters of a whole address (RFC 5321, 4.5.3.1.3, without its brackets)."""


def host_name(text: str) -> str:
    """A host as it is resolved: an address, or a name in lower case and ASCII. ValueError for what is neither."""
    host = text.strip().rstrip(".").lower()
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return str(ip_address(bare))
    except ValueError:
        pass
    if not host.isascii():
        import idna

        host = idna.encode(host, uts46=True).decode()  # an IDNAError is a ValueError
    last = host.rpartition(".")[2]
    if not NAME.fullmatch(host) or last.isdecimal():
        raise ValueError("no host name")
    return host


def mailbox(text: str) -> str:
    """An address as it stands in an envelope. ValueError for what mail cannot be sent to."""
    local, at, domain = text.strip().rpartition("@")
    if not at or len(local) > MAX_LOCAL or not LOCAL.fullmatch(local) or "." not in domain.strip("."):
        raise ValueError("no address that mail can be sent to")
    host = host_name(domain)
    if ":" in host or host.rpartition(".")[2].isdecimal():
        raise ValueError("an address of a machine, not of a domain")
    return f"{local}@{host}"


def canonical(mail: str) -> str:
    """The form in which addresses are compared."""
    local, at, domain = unicodedata.normalize("NFKC", mail).strip().rpartition("@")
    return f"{local.casefold()}{at}{in_dns(domain)}" if at else domain.casefold()


def spellings(mail: str) -> tuple[str, ...]:
    """The canonical form, and those under which a release of before kept what is the same address."""
    known = canonical(mail)
    local, at, domain = known.rpartition("@")
    typed = (mail, f"{local}{at}{in_script(domain)}")
    before = (unicodedata.normalize("NFKC", one).strip().casefold() for one in typed)
    return tuple(dict.fromkeys((known, *before)))


def in_dns(domain: str) -> str:
    """A domain as the DNS has it, or as it was typed where it is none."""
    bare = domain.removesuffix(".").lower()
    if bare.isascii():
        return bare
    import idna

    try:
        return idna.encode(bare, uts46=True).decode()
    except idna.IDNAError:
        return bare.casefold()


def in_script(domain: str) -> str:
    """The same in the script that it is read in."""
    if "xn--" not in domain:
        return domain
    import idna

    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
