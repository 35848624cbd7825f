"""Who is in a room and who is shown to whom."""

from __future__ import annotations

from media.control import STAGE
from media.forwarding.peer import Peer


class Room:
    """Peers in the order they came.

    A peer keeps the slot it has in another's view for as long as it stays; one that comes gets the lowest free slot.
    The stage shows the newest screen that is not one's own.
    """

    def __init__(self, name: str, fence: int, capacity: int, now: float) -> None:
        self.name = name
        self.fence = fence
        self.capacity = capacity
        self.peers: dict[str, Peer] = {}
        self.used = now
        self.version = 0
        """Rises with each change of who is where: an answer and an event may overtake each other on their way."""
        self._screens: list[str] = []

    @property
    def grouped(self) -> bool:
        """Whether there may be more than two in it: who is shown to whom in which size is then chosen for each."""
        return self.capacity > 2

    @property
    def full(self) -> bool:
        return len(self.peers) >= self.capacity

    def seat(self, now: float) -> list[Peer]:
        """Give everybody who is here a place in everybody else's view. Returns the peers whose view changed."""
        self.used = now
        sharing = [name for name, peer in self.peers.items() if "screen" in peer.publications]
        self._screens = [name for name in self._screens if name in sharing] + [
            n for n in sharing if n not in self._screens
        ]
        changed = [peer for peer in self.peers.values() if self._seat(peer, now)]
        self.version += bool(changed)
        return changed

    def _seat(self, viewer: Peer, now: float) -> bool:
        viewing = viewer.viewing
        numbers = sorted({slot.number for slot in viewing.slots.values()} - {STAGE})
        others = [name for name, peer in self.peers.items() if peer is not viewer]
        seats = {number: name for number, name in viewing.seats.items() if number in numbers and name in others}
        for name in others:
            free = [number for number in numbers if number not in seats]
            if free and name not in seats.values():
                seats[free[0]] = name
        screens = [name for name in self._screens if name != viewer.name]
        if screens and any(slot.number == STAGE for slot in viewing.slots.values()):
            seats[STAGE] = screens[-1]
        changed = seats != viewing.seats
        viewing.seats = seats
        for slot in viewing.slots.values():
            shown = self.peers.get(seats.get(slot.number, ""))
            slot.show(shown.publications.get(slot.use) if shown else None, now)
        return changed
