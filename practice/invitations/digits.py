"""The digits that open a patient's link, sent at once: nothing is written down of them."""

import asyncio
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from practice.agenda.model import Appointment
from practice.invitations.courier import Letterhead
from practice.invitations.letter import POLICY
from practice.invitations.model import Way
from practice.invitations.port import NotTold
from practice.invitations.store import address_of
from practice.invitations.wording import TEXTS
from practice.notices.smtp import Mailers, NotSent
from practice.sms_providers.alphabet import plain
from practice.sms_providers.numbers import Untextable
from practice.sms_providers.sending import NotTexted, Text, Texter
from vault.clock import utc_now
from vault.records.content import new_id

WORD: Final = "code"


class Digits:
    """By the mail server or SMS provider of the practice; ``by`` is None where no mail goes."""

    def __init__(self, by: Mailers | None, texter: Texter, letterhead: Letterhead) -> None:
        self._by = by
        self._texter = texter
        self._letterhead = letterhead

    async def send(self, one: Appointment, way: Way, digits: str) -> None:
        """To the patient of an appointment, in their language. Errors: NotTold, DomainError."""
        to, (profile, _) = address_of(one, way), await self._letterhead(one.owner)
        if to is None:
            raise NotTold("recipient", final=True)
        texts, name = TEXTS[WORD][one.language], " ".join(profile.name.split())
        said = {"digits": digits, "practice": name or TEXTS["words"][one.language]["somebody"]}
        try:
            if way == "sms":
                await self._text(one.owner, to, plain(texts["sms"].format(**said)))
            else:
                await self._mail(
                    one, to, texts["subject"], f"{texts['lead']}\n\n{texts['after']}\n".format(**said), name
                )
        except (NotSent, NotTexted) as fault:
            raise NotTold(fault.step, fault.code, final=fault.final) from None
        except Untextable as refused:
            raise NotTold(refused.reason, final=True) from None

    async def _text(self, owner: str, to: str, body: str) -> None:
        reference = sha256(f"digits {new_id()}".encode()).hexdigest()[:32]
        if not await self._texter.send(owner, Text(to, body, reference)):
            raise NotTold("provider", final=False, alone=True)

    async def _mail(self, one: Appointment, to: str, subject: str, text: str, name: str) -> None:
        if self._by is None:
            raise NotTold("provider", final=False, alone=True)
        mailer = await self._by.of(one.owner)
        message = EmailMessage(POLICY)
        message["From"] = Address(name, addr_spec=mailer.sender)
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(utc_now())
        message["Message-ID"] = f"<{new_id()}@{mailer.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation answers, please
        message["Content-Language"] = one.language
        message.set_content(text, cte="quoted-printable")
        await mailer.send(to, await asyncio.to_thread(message.as_bytes))
