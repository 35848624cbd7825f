"""Numbered events reach a socket in order, each once, whichever nodes they come from and in whatever order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from signaling.protocol.capabilities import Replay
from signaling.replays import Missed

Send = Callable[[str, dict[str, Any], int | None], Awaitable[None]]
Look = Callable[[int], Awaitable[Missed]]


class Numbering:
    """Where one socket is in the list of events of the place it has.

    Until ``begin`` nothing goes out: what comes meanwhile is in the list already.
    """

    def __init__(self, seen: int | None) -> None:
        self.sent: int | None = None
        self.seen = seen
        self._lock = asyncio.Lock()

    async def begin(self, open_list: Callable[[int | None], Awaitable[Missed]], send: Send) -> None:
        """Say where the list is and send what was missed."""
        async with self._lock:
            if self.sent is None:
                missed = await open_list(self.seen)
                first = missed.events[0][0] if missed.events else missed.seq + 1
                await self._announce(first - 1, complete=missed.complete, send=send)
                await self._send({number: (name, data) for number, name, data in missed.events}, send)
                self.sent = missed.seq

    async def pass_on(self, event: str, body: dict[str, Any], seq: int, look: Look, send: Send) -> None:
        """Send an event in its turn; ``look`` finds those before it that did not arrive here."""
        async with self._lock:
            if self.sent is None or seq <= self.sent:
                return
            there = {seq: (event, body)}
            if seq > self.sent + 1:
                missed = await look(self.sent)
                there = {number: (name, data) for number, name, data in missed.events} | there
                if not missed.complete:
                    await self._announce(min(there) - 1, complete=False, send=send)
                self.sent = max(missed.seq, seq)
            await self._send(there, send)

    async def _send(self, events: dict[int, tuple[str, dict[str, Any]]], send: Send) -> None:
        for seq, (event, body) in sorted(events.items()):
            await send(event, body, seq)
            self.sent = max(self.sent or 0, seq)

    @staticmethod
    async def _announce(seq: int, *, complete: bool, send: Send) -> None:
        await send("replay", Replay(seq=seq, complete=complete).model_dump(), None)
