"""A POST over https to a host elsewhere, by the door: one answer, within bounds, and never a second address.

**No redirect is followed, no proxy asked, no cookie kept**; a certificate that is not trusted ends it before anything
is said. The standard library's own client reads the answer, in a thread.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from socket import SHUT_RDWR
from typing import Final, TypeVar
from urllib.parse import SplitResult, urlsplit

from practice.mailboxes import host_name
from practice.outgoing import Door, Purpose
from practice.settings import HTTPS

MOST_BYTES: Final = 1_048_576
MOST_URL: Final = 1000
SECONDS: Final = re.compile(r"[0-9]{1,6}")
"""RFC 9110 10.2.3 has a date too, which is taken for none."""

Result = TypeVar("Result")


class Untrusted(OSError):  # noqa: N818 -- a state, not a mistake
    """The certificate is of nobody that we trust, or of another name."""


class Garbled(OSError):  # noqa: N818 -- a state, not a mistake
    """What came is no answer of HTTP, too long, too late, or cut off: whether it was done, nobody knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: the status, at most ``MOST_BYTES``, and the seconds of a ``Retry-After``."""

    status: int
    body: bytes = field(repr=False)
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: ``host`` as the operator lists it, ``path`` with its query."""

    host: str
    port: int
    path: str = field(repr=False)


def target(url: str) -> Target:
    """Of an address as somebody typed it. ValueError for what is none of https."""
    parts: SplitResult = urlsplit(url.strip())
    plain = len(url) <= MOST_URL and url.isascii() and url.isprintable() and not parts.fragment
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or not plain or " " in url.strip():
        raise ValueError("no address of https")
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return Target(host_name(parts.hostname), parts.port or HTTPS, path)


class Posting:
    """A connection over TLS on which one thing is asked."""

    def __init__(self, client: HTTPSConnection, seconds: float) -> None:
        self._client = client
        self._seconds = seconds

    async def ask(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send a POST, whole. Errors: Garbled."""
        sent = {**headers, "Connection": "close", "Accept": "application/json"}
        await self._within(lambda: self._client.request("POST", path, body, sent))

    async def answer(self) -> Answer:
        """What came of it. Errors: Garbled."""
        return await self._within(self._read)

    def _read(self) -> Answer:
        with self._client.getresponse() as answer:
            said = answer.read(MOST_BYTES + 1)
            if len(said) > MOST_BYTES:
                raise ValueError("too long")
            after = answer.headers.get("Retry-After", "")
            return Answer(answer.status, said, int(after) if SECONDS.fullmatch(after) else None)

    async def _within(self, work: Callable[[], Result]) -> Result:
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.to_thread(work)
        except (OSError, HTTPException, ValueError, TimeoutError):
            raise Garbled from None


class Asking:
    """``ca_file`` is the authority of certificates; without one the system's."""

    def __init__(self, door: Door, ca_file: Path | None) -> None:
        self._door = door
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def line(self, purpose: Purpose, host: str, port: int = HTTPS) -> AsyncIterator[Posting]:
        """Connected to whom it says, and nothing asked yet. Errors: Forbidden, Unanswered (both of the door),
        Untrusted, Garbled.
        """
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context, cafile=self._ca_file)
        connection, tls, seconds = await self._door.connect(purpose, host, port), self._tls, self._door.seconds
        connection.settimeout(seconds)
        client = HTTPSConnection(host, port, timeout=seconds, context=tls)
        held = connection
        try:
            try:
                async with asyncio.timeout(seconds):
                    held = await asyncio.to_thread(tls.wrap_socket, connection, server_hostname=host)
            except ssl.SSLCertVerificationError:
                raise Untrusted from None
            except (OSError, ValueError, TimeoutError):
                raise Garbled from None
            client.sock = held
            yield Posting(client, seconds)
        finally:
            with suppress(OSError):
                held.shutdown(SHUT_RDWR)  # ends also what a thread still waits for
            held.close()
            client.close()
