"""What is said between the desk and whoever waits, before they are called in."""

from typing import Any

from signaling.protocol.events import HoldMessage, Tell
from signaling.protocol.waiting_room import (
    Announce,
    AnnouncedView,
    Check,
    Decline,
    Declined,
    DeclineMessage,
    Found,
    PutBack,
    Say,
    Status,
    Write,
)


class WaitingRoom:
    """Part of a `participant.Participant`."""

    appointment: str
    announced: AnnouncedView | None = None
    """What whoever waits was last told of how it stands."""

    declined: Declined | None = None
    """What was said to who is not received now."""

    async def request(self, event: str, body: Any = None) -> Any:
        raise NotImplementedError

    async def check(self, microphone: Found, camera: Found) -> None:
        """As who waits: how the devices are."""
        await self.request("check", Check(microphone=microphone, camera=camera))

    async def tell(self, participant: str, message: HoldMessage) -> None:
        """As the practitioner, to who waits."""
        await self.request("tell", Tell(appointment=self.appointment, participant=participant, message=message))

    async def write(self, participant: str, text: str) -> None:
        """As the practitioner, to who waits, in words of one's own."""
        await self.request("write", Write(appointment=self.appointment, participant=participant, text=text))

    async def say(self, text: str) -> None:
        """As who waits, to the desk."""
        await self.request("say", Say(text=text))

    async def announce(self, status: Status, delay: int | None = None, practitioner: str | None = None) -> None:
        """As the practitioner or who works for them, to all who wait: how it stands, and minutes of delay."""
        await self.request("announce", Announce(practitioner=practitioner, status=status, delay=delay))

    async def decline(self, participant: str, message: DeclineMessage | None = None, text: str | None = None) -> None:
        """As the practitioner: do not receive somebody who waits."""
        body = Decline(appointment=self.appointment, participant=participant, message=message, text=text)
        await self.request("decline", body)

    async def put_back(self, participant: str) -> None:
        """As the practitioner: make somebody who is in wait again."""
        await self.request("put-back", PutBack(participant=participant))
