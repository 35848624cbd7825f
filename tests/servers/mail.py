"""A real mail server on loopback (aiosmtpd), with STARTTLS under a certificate made for it, that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr

from practice.settings import MailSettings, PracticeSettings, Security
from tests.servers.certified import certified

USER, PASSWORD = "spreekkamer", "a password of the mail server"
SENDER = "praktijk@example.org"
Told = Callable[[str], str | None]


@dataclass(frozen=True)
class Mail:
    """One that was taken. ``secure`` is how: by TLS, and signed in."""

    sender: str
    recipient: str
    raw: bytes = field(repr=False)
    encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def text(self) -> str:
        return str(self.message.get_content())


@dataclass
class MailServer:
    """``on_recipient`` and ``on_content`` may answer something else than yes, for an address; ``cut`` ends connections
    after taking the letter but before saying so.
    """

    port: int = 0
    authority: Path | None = None
    taken: list[Mail] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    on_recipient: Told = lambda _: None
    on_content: Told = lambda _: None
    cut: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def settings(self, security: Security = "starttls", **changes: Any) -> PracticeSettings:
        """That name this server."""
        said = {
            "host": "localhost", "port": self.port, "sender": SENDER, "security": security,
            "ca_file": None if security == "none" else self.authority,
        }  # fmt: skip
        if security != "none":
            said |= {"user": USER, "password": SecretStr(PASSWORD)}
        return PracticeSettings(mail=MailSettings(**(said | changes)))

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        envelope.rcpt_tos.append(address)
        return self.on_recipient(address) or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        address = envelope.rcpt_tos[0]
        assert len(envelope.rcpt_tos) == 1, "one mail for one recipient"
        said = self.on_content(address)
        if said is not None:
            return said
        user = session.auth_data.login.decode() if session.auth_data else None
        assert isinstance(envelope.content, bytes)
        self.taken.append(Mail(envelope.mail_from or "", address, envelope.content, session.ssl is not None, user))
        self.arrived.set()
        if self.cut:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return "250 OK"


def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, said: Any) -> AuthResult:
    assert isinstance(said, LoginPassword)
    right = (said.login, said.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, auth_data=said if right else None, handled=False)


@asynccontextmanager
async def running(
    folder: Path,
    *,
    name: str = "localhost",
    tls: Literal["starttls", "tls", "none"] = "starttls",
    auth: bool = True,
    made: MailServer | None = None,
) -> AsyncIterator[MailServer]:
    """``name`` is that on the certificate; ``made`` does otherwise than others."""
    made = made or MailServer()
    context = None
    if tls != "none":
        context, made.authority = certified(folder, "mail", name)

    def protocol() -> SMTP:
        return SMTP(
            made,
            hostname="mail.example.org",
            ident="SMTP",
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=check if auth else None,
            auth_required=auth and tls == "starttls",
            auth_require_tls=tls == "starttls",
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls == "tls" else None)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
