"""What a consult of more than two has beside one of two: who speaks, what is shown how large, and who leads it."""

from collections.abc import Sequence

from client.media_session import MediaSession
from client.waiting_room import WaitingRoom
from signaling.protocol.events import CallIn, RoomView
from signaling.protocol.groups import HandOver, Lock, Remove, SlotSize, Speak, Speaks


class Group(WaitingRoom):
    """Part of a `participant.Participant`."""

    room: RoomView | None
    _media: MediaSession

    def __init__(self) -> None:
        self._speakers: set[str] = set()

    @property
    def speaking(self) -> set[str]:
        """Who of the others said last that they speak."""
        shown = {other.participant for other in self.room.others} if self.room else set()
        return self._speakers & shown

    @property
    def paused(self) -> set[str]:
        """Whose picture is not sent to us for want of bandwidth."""
        return self._media.paused

    async def speak(self, speaking: bool) -> None:
        """In a group: that we speak, or no longer."""
        await self.request("speak", Speak(speaking=speaking))

    async def show(self, sizes: Sequence[SlotSize]) -> None:
        """How high which slots are shown; said again on each new connection."""
        await self._media.show(sizes)

    async def call_in(self, participant: str) -> None:
        """As who leads the consult, or works for its practitioner: let somebody in who waits."""
        await self.request("call-in", CallIn(appointment=self.appointment, participant=participant))

    async def remove(self, participant: str) -> None:
        """As who leads the consult: have somebody leave."""
        await self.request("remove", Remove(participant=participant))

    async def lock(self, locked: bool = True) -> None:
        """As who leads the consult: let nobody new into the waiting room."""
        await self.request("lock", Lock(locked=locked))

    async def hand_over(self, participant: str) -> None:
        """As the practitioner: have this colleague lead the consult too; oneself takes it back."""
        await self.request("hand-over", HandOver(participant=participant))

    def hear_speech(self, said: Speaks) -> None:
        """Somebody speaks, or no longer."""
        (self._speakers.add if said.speaking else self._speakers.discard)(said.participant)
