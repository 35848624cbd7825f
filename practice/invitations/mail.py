"""Patients are told by mail: by the mail server of their practice, else by the operator's."""

import asyncio
from collections.abc import Callable
from typing import Final

from practice.invitations.letter import letter
from practice.invitations.model import Way
from practice.invitations.port import Begin, NotTold, Parcel
from practice.notices.postman import OF_THE_RECIPIENT
from practice.notices.smtp import Mailers, NotSent

Returns = Callable[[str], str]
"""Where mail about a dispatch, by its id, comes back to."""


class ByMail:
    """``Carrier`` by SMTP. ``returns`` is for mail of the operator's server: another's comes back to whose it is."""

    way: Final[Way] = "mail"

    def __init__(self, mailers: Mailers, returns: Returns | None = None) -> None:
        self._mailers = mailers
        self._returns = returns

    async def send(self, parcel: Parcel, begin: Begin) -> None:
        """One letter for one recipient. Errors: Void, NotTold, DomainError."""
        mailer = await self._mailers.of(parcel.appointment.owner)
        made = await asyncio.to_thread(letter, parcel, mailer.sender)  # zones and languages are files
        try:
            ours = self._returns if mailer is self._mailers.operators else None
            await mailer.send(parcel.to, made, begin, ours and ours(parcel.dispatch.id))
        except NotSent as fault:
            alone = fault.step in OF_THE_RECIPIENT
            raise NotTold(fault.step, fault.code, final=fault.final, alone=alone) from None
