"""The address of a Redis, as people write it: one that can be used, or a refusal that says what to write instead.

Errors: ValueError, whose text goes on after the setting's name and never repeats the value, for it holds a password.
"""

import re
from ipaddress import ip_address
from typing import Final

from pydantic import SecretStr

HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*")
REDIS_SCHEMES: Final = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss", "unix": "unix"}
REDIS_OPTIONS: Final = frozenset(
    {"db", "ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"}
)
REDIS_FORM: Final = "redis://USER:PASSWORD@HOST:6379/0"
ESCAPE: Final = "percent-encode special characters of the password (# is %23, / is %2F, ? is %3F, @ is %40, % is %25)"


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
        host, _ = host_and_port(where, f"must name its host, as {REDIS_FORM}")
        if not is_host(host):
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


def host_and_port(text: str, empty: str = "must have a host, as https://consult.example.org") -> tuple[str, int | None]:
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


def is_host(host: str) -> bool:
    """Whether it is a name or an address, this one also in brackets."""
    if host.startswith("["):
        host = host[1:-1]
    try:
        ip_address(host)
    except ValueError:
        return bool(HOST.fullmatch(host.lower())) and not ends_in_a_number(host)
    return True


def ends_in_a_number(host: str) -> bool:
    """Whether a browser takes it for an IPv4 address of another spelling (URL standard, *ends in a number*)."""
    last = host.rstrip(".").rpartition(".")[2]
    return bool(re.fullmatch(r"\d+|0x[0-9a-f]*", last))
