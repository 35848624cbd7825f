"""Handing one letter for one recipient to a mail server (RFC 5321), signed if it is the operator's, and why that did
not go.

TLS is demanded before anything is said, except to this machine: a server that offers none is not spoken to. What the
server says in words is read by nobody: there may be an address in it.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import Final, Literal

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPServerDisconnected

from practice.dkim import Signer
from practice.mail_servers.model import MailServer
from practice.outgoing import SECONDS, Door, Forbidden
from practice.settings import MailSettings

Step = Literal[
    "forbidden", "connect", "greeting", "starttls", "certificate", "sign-in", "sender", "recipient", "content"
]

Begin = Callable[[], AbstractAsyncContextManager[None]]

WHOLE_SECONDS: Final = 60.0
PERMANENT: Final = range(500, 600)


class NotSent(Exception):  # noqa: N818 -- a state, not a mistake
    """At which step it ended, and with which reply code if there was one. ``final``: no other try would go better."""

    def __init__(self, step: Step, code: int | None = None) -> None:
        super().__init__(step)
        self.step = step
        self.code = code

    @property
    def final(self) -> bool:
        """Whether the server will never take this letter or this address. What else is refused, the operator mends."""
        return self.step in ("recipient", "content") and self.code in PERMANENT


class Mailer:
    """A mail server, by the door."""

    def __init__(self, settings: MailSettings, door: Door) -> None:
        if settings.host is None or settings.sender is None:
            raise ValueError("there is no mail server")
        self._settings = settings
        self._door = door
        self.host, self.sender = settings.host, settings.sender
        self._tls: ssl.SSLContext | None = None
        selector = settings.dkim_selector
        self._signer = Signer(settings.domain, selector, settings.keys()) if selector else None

    async def send(self, recipient: str, letter: bytes, begin: Begin = nullcontext, returns: str | None = None) -> None:
        """It is the server's now, signed by the keys of its settings; what cannot be delivered comes back to
        ``returns``, or to who sends. The command by which the letter begins is written inside ``begin``, which may
        raise: then nothing went. Errors: NotSent.
        """
        if self._signer is not None:
            letter = await asyncio.to_thread(self._signer.signed, letter)
        try:
            async with asyncio.timeout(WHOLE_SECONDS), self.session() as server:
                with _step("sender"):
                    await server.mail(returns or self.sender)
                with _step("recipient"):
                    await server.rcpt(recipient)
                with _step("content"):
                    await _hand_over(server, letter, begin)
        except TimeoutError:
            raise NotSent("content") from None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SMTP]:
        """A connection on which mail may be sent: encrypted, and signed in. Errors: NotSent."""
        server = await self._greeted()
        try:
            if self._settings.spoken == "starttls":
                await self._encrypt(server)
            if self._settings.user is not None and self._settings.password is not None:
                with _step("sign-in"):
                    await server.login(self._settings.user, self._settings.password.get_secret_value())
            yield server
            with suppress(SMTPException, OSError):
                await server.quit()
        finally:
            server.close()

    async def _greeted(self) -> SMTP:
        settings = self._settings
        try:
            connection = await self._door.connect("mail", self.host, settings.at)
        except Forbidden:
            raise NotSent("forbidden") from None
        except OSError:
            raise NotSent("connect") from None
        server = SMTP(
            hostname=self.host,
            sock=connection,
            use_tls=settings.spoken == "tls",
            start_tls=False,
            tls_context=None if settings.spoken == "none" else await self._context(),
            local_hostname=self.sender.rpartition("@")[2],  # not what this machine is called inside
            timeout=SECONDS,
        )
        try:
            await server.connect()
        except (SMTPException, OSError) as error:
            connection.close()
            raise NotSent(_of_tls(error) or "greeting", getattr(error, "code", None)) from None
        return server

    async def _encrypt(self, server: SMTP) -> None:
        try:
            await server.starttls()  # which fails where none is offered
        except (SMTPException, OSError) as error:
            raise NotSent(_of_tls(error) or "starttls", getattr(error, "code", None)) from None

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context, cafile=self._settings.ca_file)
        return self._tls


class Mailers:
    """By which mail server each mail goes: that of whose organisation has one, else the operator's. Certificates are
    judged by the operator's authority in both cases.
    """

    def __init__(
        self, settings: MailSettings, door: Door, of_owner: Callable[[str], Awaitable[MailServer | None]]
    ) -> None:
        self._settings = settings
        self._door = door
        self._of_owner = of_owner
        self.operators = Mailer(settings, door)

    async def of(self, owner: str) -> Mailer:
        """For mail to this account, or of this organisation. Errors: DomainError."""
        found = await self._of_owner(owner)
        return self.operators if found is None else Mailer(found.access.settings(self._settings.ca_file), self._door)


async def _hand_over(server: SMTP, letter: bytes, begin: Begin) -> None:
    """DATA is on its way when ``begin`` ends, and not waited for inside."""
    handing: asyncio.Task[object] | None = None
    try:
        async with begin():
            handing = asyncio.create_task(server.data(letter))
            await asyncio.sleep(0)  # its first step, which writes the command
        await handing
    finally:
        if handing is not None:
            handing.cancel()


@contextmanager
def _step(step: Step) -> Iterator[None]:
    """Whatever goes wrong inside is NotSent at this step."""
    try:
        yield
    except SMTPServerDisconnected:
        raise NotSent(step) from None
    except SMTPResponseException as error:
        raise NotSent(step, error.code) from None
    except (SMTPException, OSError, ValueError):
        raise NotSent(step) from None


def _of_tls(error: BaseException | None) -> Step | None:
    """Whether a certificate was the reason."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return "certificate"
        error = error.__cause__
    return None
