"""Patients are told by mail: by the mail server of their practice, else by the operator's."""

import asyncio
from typing import Final

from practice.invitations.letter import letter
from practice.invitations.model import Way
from practice.invitations.port import Begin, Parcel
from practice.notices.smtp import Mailers


class ByMail:
    """``Carrier`` by SMTP."""

    way: Final[Way] = "mail"

    def __init__(self, mailers: Mailers) -> None:
        self._mailers = mailers

    async def send(self, parcel: Parcel, begin: Begin) -> None:
        """One letter for one recipient. Errors: Void, NotSent, DomainError."""
        mailer = await self._mailers.of(parcel.appointment.owner)
        made = await asyncio.to_thread(letter, parcel, mailer.sender)  # zones and languages are files
        await mailer.send(parcel.to, made, begin)
