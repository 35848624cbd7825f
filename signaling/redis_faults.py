"""Why a Redis cannot be used, as one sentence for the operator; never with its address, which may hold a password."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from redis import exceptions

WHERE = "signaling.redis_url"


def why(error: BaseException, where: str = WHERE) -> str:
    """Of whatever a first call raised; ``where`` is the setting that has the address."""
    chain = list(_chain(error))
    for one in chain:
        if found := _of_line(one):
            return found.replace(WHERE, where)
    for one in chain:
        if found := _of_answer(one):
            return found.replace(WHERE, where)
    return f"Redis does not answer; see that it runs, and correct {where}."


def _of_line(error: BaseException) -> str | None:
    match error:
        case ssl.SSLCertVerificationError():
            return f"Redis has a certificate that is not trusted; add ?ssl_ca_certs=FILE to {WHERE}."
        case ssl.SSLError():
            return f"Redis does not speak TLS at this port; write redis:// in {WHERE}, or its TLS port."
        case socket.gaierror():
            return f"The host of Redis is not known; correct its name in {WHERE}."
        case ConnectionRefusedError():
            return f"No Redis listens there; start it, or correct its place in {WHERE}."
        case FileNotFoundError():
            return f"A socket or a certificate that {WHERE} names is not there; start Redis or correct the path."
        case PermissionError():
            return f"This account may not open the socket or a file that {WHERE} names; give it the right to."
    return None


def _of_answer(error: BaseException) -> str | None:
    text = str(error).lower()
    if isinstance(error, exceptions.NoPermissionError):
        return (
            "Redis allows its user too little; `spreekkamer setup` writes an ACL that is enough (secrets/valkey.acl)."
        )
    if isinstance(error, exceptions.AuthenticationError) or "without any password" in text:
        return f"Redis refuses the user or the password; correct them in {WHERE}."
    if isinstance(error, exceptions.BusyLoadingError):
        return "Redis is still reading its data; try again in a moment."
    if "db index" in text or "select is not allowed" in text:
        return f"Redis has no database of this number; write another one at the end of {WHERE}, as /0."
    if isinstance(error, exceptions.InvalidResponse) or "protocol error" in text:
        return f"What answers there is no Redis; correct host and port in {WHERE}."
    if "connection closed by server" in text or "connection reset" in text:
        return f"Redis hangs up at once; if it wants TLS, write rediss:// in {WHERE}."
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return f"Redis does not answer in time; look at the firewall, and at host, port and rediss:// (TLS) in {WHERE}."
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__
