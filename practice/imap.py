"""A mailbox of ours alone, by IMAP (RFC 9051) over TLS: what is looked at in it is deleted there."""

import asyncio
import imaplib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, Literal

from practice.outgoing import SECONDS, Door, Forbidden, Purpose
from practice.settings import ImapSettings

LARGEST: Final = 524_288
"""Bytes of one literal that a server may send."""

AT_ONCE: Final = 100

Step = Literal["forbidden", "connect", "certificate", "greeting", "sign-in", "inbox", "reading"]


class NotRead(Exception):  # noqa: N818 -- a state, not a mistake
    """The mailbox could not be read: at which step."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.step = step


class Mailbox:
    """One, by the door; ``purpose`` says what it is for."""

    def __init__(self, purpose: Purpose, settings: ImapSettings, door: Door) -> None:
        if settings.host is None:
            raise ValueError("there is no mailbox")
        self._purpose: Purpose = purpose
        self._settings = settings
        self._door = door
        self._host = settings.host

    @asynccontextmanager
    async def opened(self, seconds: float) -> AsyncIterator["Server"]:
        """The mailbox, for so long at most. Errors: NotRead."""
        server = await self._opened()
        try:
            async with asyncio.timeout(seconds):
                yield server
                await asyncio.to_thread(server.leave)
        except TimeoutError:
            raise NotRead("reading") from None
        finally:
            await server.end()

    async def look(self) -> None:
        """Whether it can be read. Errors: NotRead."""
        await (await self._opened()).end()

    async def _opened(self) -> "Server":
        settings = self._settings
        try:
            connection = await self._door.connect(self._purpose, self._host, settings.at)
        except Forbidden:
            raise NotRead("forbidden") from None
        except OSError:
            raise NotRead("connect") from None
        try:
            return await asyncio.to_thread(Server, connection, settings)
        except BaseException:
            connection.close()
            raise


class _Imap(imaplib.IMAP4):
    """On a connection that is there; what a server says is of a size that we can hold."""

    def __init__(self, connection: socket.socket) -> None:
        self._given = connection
        super().__init__()

    def _create_socket(self, timeout: float | None) -> socket.socket:  # imaplib's own subclass for TLS does so too
        return self._given

    def read(self, size: int) -> bytes:
        if size > LARGEST:
            raise self.abort("too much")
        return super().read(size)


class Server:
    """A mailbox that is open. All of it waits, so it is for a thread. Errors: NotRead.

    ``validity`` is for how long the numbers of its messages are theirs (UIDVALIDITY).
    """

    def __init__(self, connection: socket.socket, settings: ImapSettings) -> None:
        connection.settimeout(SECONDS)
        if settings.spoken == "tls":
            with _step("certificate"):
                context = ssl.create_default_context(cafile=settings.ca_file)
                connection = context.wrap_socket(connection, server_hostname=settings.host)
        self._connection = connection
        try:
            with _step("greeting"):
                self._server = _Imap(connection)
        except BaseException:
            connection.close()
            raise
        try:
            self._sign_in(settings.user or "", settings.password.get_secret_value() if settings.password else "")
        except BaseException:
            self._close()
            raise

    def _sign_in(self, user: str, password: str) -> None:
        with _step("sign-in"):
            self._server.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())  # RFC 4616
        with _step("inbox"):
            self._there = int(_demand(self._server.select("INBOX"))[-1] or b"")
            found = self._server.untagged_responses.get("UIDVALIDITY", [b""])[-1]
            self.validity = found.decode("ascii", "replace") if isinstance(found, bytes) else ""

    def first(self) -> list[str]:
        """The numbers (UID) of some of what was there when this began, the oldest first.

        A place in the mailbox that has no message is refused by some servers (RFC 9051, 9), so none is asked for.
        """
        last = min(self._there, AT_ONCE)
        if last <= 0:
            return []
        with _step("reading"):
            (found,) = _demand(self._server.uid("SEARCH", f"1:{last}"))
            numbers: list[bytes] = (found or b"").split()
            return [one.decode() for one in numbers[:AT_ONCE]]

    def fetch(self, uid: str, what: str) -> list[Any]:
        """What the server says of one message: bytes, and for each literal what stands before it, and itself."""
        with _step("reading"):
            return _demand(self._server.uid("FETCH", uid, f"({what})"))

    def delete(self, uid: str) -> None:
        """It is gone. The mailbox is ours alone, so nobody else's marks are meant."""
        with _step("reading"):
            _demand(self._server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)"))
            _demand(self._server.expunge())

    def leave(self) -> None:
        """In peace."""
        with suppress(imaplib.IMAP4.error, OSError):
            self._server.logout()

    async def end(self) -> None:
        """At once: a thread that still waits for the server is woken first. This alone is for an event loop."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with suppress(OSError):
            self._server.shutdown()  # the connection, and the file over it


def _demand(said: tuple[str, list[Any]]) -> list[Any]:
    status, data = said
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return data


@contextmanager
def _step(step: Step) -> Iterator[None]:
    """Whatever goes wrong inside is NotRead at this step. What the server said is read by nobody."""
    try:
        yield
    except ssl.SSLError:
        raise NotRead("certificate" if step in ("certificate", "greeting") else step) from None
    except (imaplib.IMAP4.error, OSError, ValueError, UnicodeError):
        raise NotRead(step) from None
