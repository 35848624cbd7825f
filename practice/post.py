"""What a sandbox would have sent, in memory alone: who tries the product reads there what a patient would.

The letters are the real ones, made and handed over as to a mail server; only the last step is another.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from secrets import token_urlsafe
from typing import Final

from practice.mail_servers.model import MailServer
from practice.notices.smtp import Begin, Mailer, Mailers
from practice.outgoing import Door
from practice.settings import MailSettings, SmsSettings
from practice.sms_providers.numbers import mobile
from practice.sms_providers.sending import Begin as BeginText
from practice.sms_providers.sending import Text, Texter
from vault.clock import Now

MOST: Final = 200
SENDER: Final = "praktijk@demo.example"


@dataclass(frozen=True)
class Posted:
    """One message. A letter has a ``subject``, and perhaps a page and a calendar entry beside its text; ``pictures``
    are those of the page, by the names that it has for them.
    """

    number: int
    at: datetime
    sender: str = field(repr=False)
    to: str = field(repr=False)
    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    page: str = field(default="", repr=False)
    calendar: str = field(default="", repr=False)
    pictures: dict[str, bytes] = field(default_factory=dict, repr=False)


class Letterbox:
    """The newest ``MOST`` messages; gone with the process. Whoever has the ``token`` reads them."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self.token: Final = token_urlsafe(32)
        self._sent: deque[Posted] = deque(maxlen=MOST)
        self._number = 0

    @property
    def path(self) -> str:
        """Where they are read."""
        return f"/post/{self.token}"

    @property
    def sent(self) -> list[Posted]:
        """The newest first."""
        return list(reversed(self._sent))

    def get(self, number: int) -> Posted | None:
        """That with this number, if it is one of the newest."""
        return next((one for one in self._sent if one.number == number), None)

    def keep_letter(self, sender: str, to: str, letter: bytes) -> None:
        """One of RFC 5322."""
        message = message_from_bytes(letter, policy=policy.default)
        parts = {one.get_content_type(): one for one in reversed([*message.walk()]) if not one.is_multipart()}

        def content(kind: str) -> str:
            return str(parts[kind].get_content()).replace("\r\n", "\n") if kind in parts else ""

        pictures = {
            str(one["Content-ID"]).strip("<>"): one.get_content()
            for one in parts.values()
            if isinstance(one, EmailMessage) and one.get_content_maintype() == "image"
        }
        self._keep(
            sender,
            to,
            content("text/plain"),
            subject=str(message["Subject"]),
            page=content("text/html"),
            calendar=content("text/calendar"),
            pictures=pictures,
        )

    def keep_text(self, sender: str, text: Text) -> None:
        """One for a telephone."""
        self._keep(sender, text.to, text.body)

    def _keep(
        self,
        sender: str,
        to: str,
        text: str,
        *,
        subject: str = "",
        page: str = "",
        calendar: str = "",
        pictures: dict[str, bytes] | None = None,
    ) -> None:
        self._number += 1
        self._sent.append(Posted(self._number, self._now(), sender, to, text, subject, page, calendar, pictures or {}))


class KeptMailer(Mailer):
    """As a mail server that takes everything."""

    def __init__(self, settings: MailSettings, door: Door, post: Letterbox) -> None:
        super().__init__(settings, door)
        self._post = post

    async def send(self, recipient: str, letter: bytes, begin: Begin = nullcontext, returns: str | None = None) -> None:
        """It is kept, inside ``begin``, which may raise; nothing comes back."""
        async with begin():
            await asyncio.to_thread(self._post.keep_letter, self.sender, recipient, letter)


class KeptMailers(Mailers):
    """Every letter is kept, from the address that it would have come from."""

    def __init__(self, door: Door, of_owner: Callable[[str], Awaitable[MailServer | None]], post: Letterbox) -> None:
        super().__init__(MailSettings(host="localhost", security="none", sender=SENDER), door, of_owner)
        self._post = post

    async def of(self, owner: str) -> Mailer:
        """For mail to this account, or of this organisation. Errors: DomainError."""
        found = await self._of_owner(owner)
        settings = self._settings if found is None else found.access.settings(None)
        return KeptMailer(settings, self._door, self._post)


class KeptTexter(Texter):
    """As a provider that takes every message to a mobile number of the listed countries."""

    def __init__(self, settings: SmsSettings, now: Now, post: Letterbox) -> None:
        super().__init__(settings, Door(frozenset(), frozenset()), _nobodys, now)
        self._post = post

    async def can(self, owner: str) -> bool:
        """Of every account."""
        return True

    async def send(self, owner: str, text: Text, begin: BeginText = nullcontext) -> bool:
        """It is kept. Errors: Untextable, those of ``begin``."""
        number = mobile(text.to, self.settings.countries)
        async with begin():
            self._post.keep_text(self.settings.sender or "Spreekkamer", Text(number, text.body, text.reference))
        return True


async def _nobodys(owner: str) -> None:
    return None
