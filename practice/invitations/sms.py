"""Patients are told by text message: by the SMS provider of their practice."""

import asyncio
from dataclasses import replace
from hashlib import sha256
from typing import Final

from practice.invitations.model import Way
from practice.invitations.port import Begin, NotTold, Parcel
from practice.invitations.wording import wording
from practice.sms_providers.alphabet import parts, plain
from practice.sms_providers.numbers import Untextable
from practice.sms_providers.sending import NotTexted, Text, Texter

MOST_PARTS: Final = 2


class BySms:
    """``Carrier`` by an SMS provider."""

    way: Final[Way] = "sms"

    def __init__(self, texter: Texter) -> None:
        self._texter = texter

    async def send(self, parcel: Parcel, begin: Begin) -> None:
        """One message to one telephone. Errors: Void, NotTold, DomainError."""
        body = await asyncio.to_thread(message, parcel)  # zones and languages are files
        # The same at each try: a provider that knows it sends nothing twice. It is made of the row's id.
        reference = sha256(f"dispatch {parcel.dispatch.id}".encode()).hexdigest()[:32]
        try:
            for owner in filter(None, (parcel.appointment.owner, parcel.dispatch.organisation)):
                if await self._texter.send(owner, Text(parcel.to, body, reference), begin):
                    return
        except Untextable as refused:
            raise NotTold(refused.reason, final=True) from None
        except NotTexted as fault:
            raise NotTold(fault.step, fault.code, final=fault.final) from None
        raise NotTold("provider", final=False, alone=True)


def message(parcel: Parcel) -> str:
    """In two parts at most, where the link leaves room: a practice's name that is too long, or in another script, is
    cut off, for a part is paid and the link has to come whole.
    """
    name = " ".join(parcel.profile.name.split())
    while True:
        text = plain(wording(replace(parcel, profile=replace(parcel.profile, name=name))).sms)
        if parts(text) <= MOST_PARTS or not name:
            return text
        name = name[: len(name) * 3 // 4].rstrip()
