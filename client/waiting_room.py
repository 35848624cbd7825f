"""What is said between the desk and whoever waits, before they are called in."""

from typing import Any

from signaling.protocol.events import HoldMessage, Tell
from signaling.protocol.waiting_room import Check, Found


class WaitingRoom:
    """Part of a `participant.Participant`."""

    appointment: str

    async def request(self, event: str, body: Any = None) -> Any:
        raise NotImplementedError

    async def check(self, microphone: Found, camera: Found) -> None:
        """As who waits: how the devices are."""
        await self.request("check", Check(microphone=microphone, camera=camera))

    async def tell(self, participant: str, message: HoldMessage) -> None:
        """As the practitioner, to who waits."""
        await self.request("tell", Tell(appointment=self.appointment, participant=participant, message=message))
