"""What passes between people in a room, and again what a page missed while it was away."""

from collections.abc import Iterable
from functools import partial

from rooms.consult_state import Consult, Participant
from signaling.protocol.model import Message
from signaling.replays import Missed, Replays
from signaling.sockets.server import Gate
from signaling.sockets.socket import Socket


class Messages:
    """Each reaches the sockets that people have now, and is kept for those whose page can catch up."""

    def __init__(self, gate: Gate, replays: Replays) -> None:
        self._gate = gate
        self._replays = replays

    async def say(self, consult: Consult, to: Iterable[Participant], event: str, message: Message) -> None:
        """Send something to people in this room; those whose page can catch up get it when they are back."""
        receivers = tuple(to)
        listed = [one.id for one in receivers if one.replay]
        numbers = await self._replays.add(consult.appointment, listed, event, message) if listed else {}
        for one in receivers:
            if one.socket:
                await self._gate.tell(one.socket, event, message, numbers.get(one.id))

    async def catch_up(self, socket: Socket) -> None:
        """Send what a page missed, when it has just come into its place."""
        binding, numbering = socket.binding, socket.numbering
        if binding and numbering:
            await self._gate.begin(socket, partial(self._replays.open, binding.appointment, binding.participant))

    async def missed(self, socket: Socket, seen: int) -> Missed:
        """What should have been sent to a socket of this node after ``seen``."""
        binding = socket.binding
        return (
            await self._replays.since(binding.appointment, binding.participant, seen)
            if binding
            else Missed(seen, False)
        )
