"""The media of one page: a connection for as long as the room says so, offered again when it has to be."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, get_args

from aiortc import MediaStreamTrack

from client.e2ee import LABELS
from client.errors import ClientError, Refusal
from client.keyring import KeyRing
from client.media import MediaConnection, Source
from signaling.protocol.events import Answer, Keyframe, Line, MediaView, Offer, Slots
from signaling.protocol.groups import Sizes, SlotSize

RETRY_SECONDS = 0.3
KEYFRAME_SECONDS = 0.5
_SOURCES: dict[int, Source] = {LABELS[source]: source for source in get_args(Source)}

Request = Callable[[str, Any], Awaitable[Any]]
Spawn = Callable[[Coroutine[Any, Any, None]], None]
Tracks = dict[Source, MediaStreamTrack]


class MediaSession:
    """Follows the room's ``media``.

    Args:
        spawn: runs work in the background, until its owner is closed.
        relayed: as in `media.MediaConnection`.

    Attributes:
        connection: the one that is current; None before the room has media.
        answered: offers that were answered so far.
        paused: participants whose picture does not come for want of bandwidth.
    """

    def __init__(self, ring: KeyRing, request: Request, spawn: Spawn, tracks: Tracks, *, relayed: bool = False) -> None:
        self.connection: MediaConnection | None = None
        self.answered = 0
        self.paused: set[str] = set()
        self._ring = ring
        self._request = request
        self._spawn = spawn
        self._tracks = tracks
        self._relayed = relayed
        self._view: MediaView | None = None
        self._fence = 0
        self._seated = 0, 0
        self._asked: dict[tuple[str, int], float] = {}
        self._sizes: dict[int, SlotSize] = {}

    async def follow(self, view: MediaView | None) -> None:
        """A higher fence is another worker, and more people have more slots: a new connection."""
        if view is None:  # put back: whoever is called in again connects anew
            await self.close()
            return
        if not view.ready:
            return
        self._view = view
        connection = self.connection
        if view.fence != self._fence or connection is None or connection.places < view.slots:
            self._fence = view.fence
            await self._renew(view)

    async def show(self, sizes: Sequence[SlotSize]) -> None:
        """Say how high slots are shown. Those that are not named stay as they were."""
        self._sizes |= {one.slot: one for one in sizes}
        await self._say_sizes(sizes)

    async def set_track(self, source: Source, track: MediaStreamTrack | None) -> None:
        """Send it, or no longer; a first screen makes a new offer."""
        if track:
            self._tracks[source] = track
        else:
            self._tracks.pop(source, None)
        if self.connection and self.connection.set_track(source, track):
            await self._offer(self.connection)

    def assign(self, seen: Answer | Slots) -> None:
        """Under one fence the highest version counts, in whatever order answer and event come."""
        if self.connection and seen.fence == self._fence and (seen.fence, seen.version) >= self._seated:
            self._seated = seen.fence, seen.version
            self.connection.assign({view.slot: view.participant for view in seen.slots})
            self.paused = {view.participant for view in seen.slots if view.paused}

    async def close(self) -> None:
        """Idempotent."""
        before, self.connection = self.connection, None
        if before:
            await before.close()

    async def _renew(self, view: MediaView) -> None:
        before = self.connection
        connection = self.connection = MediaConnection(
            self._ring,
            view.slots,
            self._want_keyframe,
            lambda: self._spawn(self._replace(connection)),
            ice_servers=view.ice_servers,
            relayed=self._relayed,
        )
        for source, track in self._tracks.items():
            connection.set_track(source, track)
        self._spawn(self._offer(connection))
        if before:
            await before.close()

    async def _replace(self, failed: MediaConnection) -> None:
        """aiortc cannot restart ICE: a connection that failed gives way to a new one."""
        if failed is self.connection and self._view:
            await asyncio.sleep(RETRY_SECONDS)
            await self._renew(self._view)

    async def _offer(self, connection: MediaConnection) -> None:
        while connection is self.connection:
            sdp, lines = await connection.offer()
            body = Offer(fence=self._fence, sdp=sdp, lines=[Line(**line) for line in lines])
            try:
                answer: Answer = await self._request("offer", body)
            except ClientError as error:
                if isinstance(error, Refusal) and error.code == "sdp_invalid":
                    raise
                # The worker is being replaced, or the socket is gone: the next view says how it goes on.
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if connection is not self.connection:
                return
            await connection.answer(answer.sdp)
            self.answered += 1
            self.assign(answer)
            if self._sizes:
                await self._say_sizes(list(self._sizes.values()))
            return

    async def _say_sizes(self, sizes: Sequence[SlotSize]) -> None:
        """A wish, which is said again after the next answer if it does not get through."""
        if self.connection:
            with suppress(ClientError):
                await self._request("sizes", Sizes(sizes=list(sizes)))

    def _want_keyframe(self, participant: str, label: int) -> None:
        now = time.monotonic()
        if now - self._asked.get((participant, label), -1.0) >= KEYFRAME_SECONDS:
            self._asked[participant, label] = now
            self._spawn(self._ask_keyframe(Keyframe(participant=participant, source=_SOURCES[label])))

    async def _ask_keyframe(self, body: Keyframe) -> None:
        with suppress(ClientError):
            await self._request("keyframe", body)
