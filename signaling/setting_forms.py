"""What people write for a setting, brought into the one form that the rest of the program compares with.

Errors: ValueError, whose text goes on after the setting's name, says what to write instead and never repeats the
value, for it may hold a password.
"""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from pydantic import SecretStr

HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
REDIS_SCHEMES: Final = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss", "unix": "unix"}
REDIS_OPTIONS: Final = frozenset(
    {"db", "ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"}
)
REDIS_FORM: Final = "redis://USER:PASSWORD@HOST:6379/0"
ESCAPE: Final = "percent-encode special characters of the password (# is %23, / is %2F, ? is %3F, @ is %40, % is %25)"


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
    host, port = _host_and_port(rest)
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
    if not HOST.fullmatch(host) or _numeric(host):
        raise ValueError(
            "must be an address, as 127.0.0.1, or 0.0.0.0 or :: for every address; the port is a setting apart"
        )
    return host


def network(value: Any) -> Any:
    """``10.0.0.5/8`` is the network that it lies in; an address alone is a network of one."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(value.strip(), strict=False)
    except (ValueError, AttributeError):
        raise ValueError("must be networks, as 10.0.0.0/8 or fd00::/8") from None


def redis_address(secret: SecretStr) -> SecretStr:
    """An address of Redis that can be used as it is."""
    text = secret.get_secret_value().strip()
    scheme, there, rest = text.partition("://")
    known = REDIS_SCHEMES.get(scheme.lower())
    if not there or known is None:
        raise ValueError(f"must begin with redis://, rediss:// (with TLS) or unix://, as {REDIS_FORM}")
    if re.search(r"[\x00-\x20\x7f-\U0010ffff\\]", rest):
        raise ValueError(f"must be without spaces and accented letters: {ESCAPE}")
    if "#" in rest:
        raise ValueError(f"has a # in it, which ends an address: {ESCAPE}")
    place, _, query = rest.partition("?")
    authority, slash, path = place.partition("/")
    if "@" in path + query:
        raise ValueError(f"has a / or ? in its password: {ESCAPE}")
    login, _, where = authority.rpartition("@")
    if re.search(r"[@\[\]]", login):
        raise ValueError(f"has a special character in its password: {ESCAPE}")
    if known == "unix":
        if where or not path:
            raise ValueError("must have three slashes and a path, as unix:///run/redis/redis.sock")
    else:
        host, _ = _host_and_port(where, f"must name its host, as {REDIS_FORM}")
        if not _is_host(host):
            raise ValueError(f"must name its host, as {REDIS_FORM}")
        if path and not re.fullmatch(r"\d{1,5}", path):
            raise ValueError("must end in the number of a database, as /0")
    _redis_options(query)
    return SecretStr(f"{known}://{authority}{slash}{path}" + (f"?{query}" if query else ""))


def _redis_options(query: str) -> None:
    for option in filter(None, query.split("&")):
        name, _, value = option.partition("=")
        if name not in REDIS_OPTIONS:
            raise ValueError(f"may have no other options behind its ? than {', '.join(sorted(REDIS_OPTIONS))}")
        if name == "ssl_cert_reqs" and value not in ("none", "optional", "required"):
            raise ValueError("must have none, optional or required behind ssl_cert_reqs=")
        if name == "db" and not re.fullmatch(r"\d{1,5}", value):
            raise ValueError("must have the number of a database behind db=, as db=0")


def _host_and_port(
    text: str, empty: str = "must have a host, as https://consult.example.org"
) -> tuple[str, int | None]:
    """Of ``host``, ``host:port`` or ``[IPv6]:port``."""
    bracketed = re.fullmatch(r"(\[[^\[\]]*\])(?::(.*))?", text)
    if bracketed:
        host, port = bracketed[1], bracketed[2]
    else:
        host, colon, port = text.partition(":")
        if ":" in port:
            raise ValueError(
                "has two ports or an IPv6 address without brackets: leave one port, or write [2001:db8::1]"
            )
        port = port if colon else None
    if not host:
        raise ValueError(empty)
    if not port:
        return host, None
    if not re.fullmatch(r"\d{1,5}", port, re.ASCII) or not 1 <= int(port) <= 65_535:
        raise ValueError("must have a port from 1 to 65535 behind the colon, or none")
    return host, int(port)


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
    if not _is_host(host):
        raise ValueError("must have a host name or an address, as https://consult.example.org")
    return host


def _is_host(host: str) -> bool:
    if host.startswith("["):
        host = host[1:-1]
    try:
        ip_address(host)
    except ValueError:
        return bool(HOST.fullmatch(host.lower())) and not _numeric(host)
    return True


def _numeric(host: str) -> bool:
    """Whether a browser takes it for an IPv4 address of another spelling (URL standard, *ends in a number*)."""
    last = host.rstrip(".").rpartition(".")[2]
    return bool(re.fullmatch(r"\d+|0x[0-9a-f]*", last))
