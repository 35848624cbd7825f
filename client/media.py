"""One aiortc peer connection with the relay: it offers, the relay answers; frames are end-to-end encrypted."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from av import AudioFrame, VideoFrame

from client.e2ee import LABELS, E2eeError
from client.keyring import KeyRing
from client.sealing import open_frames, seal_frames
from client.synthetic import frequency, grey_level
from signaling.protocol.events import IceServer

STAGE = -1
Source = Literal["microphone", "camera", "screen"]
_SOURCES: dict[int, Source] = {LABELS[source]: source for source in get_args(Source)}
_KEPT = 25


def _kind(source: Source) -> Literal["audio", "video"]:
    return "audio" if source == "microphone" else "video"


@dataclass
class Sending:
    """What went out: ``sealed`` frames were encrypted, ``dropped`` ones had no key."""

    transceiver: RTCRtpTransceiver
    sealed: int = 0
    dropped: int = 0


@dataclass
class Receiving:
    """What came in on one line.

    Attributes:
        opened: frames that were authentic and from the participant the slot is for.
        refused: frames that were not; nothing of them is decoded.
        sender: the participant the last opened frame was from.
        decoded: frames that came out of the decoder; ``frames`` are the last of them.
    """

    transceiver: RTCRtpTransceiver
    slot: int
    label: int
    opened: int = 0
    refused: int = 0
    sender: str | None = None
    decoded: int = 0
    frames: deque[Any] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def frequency(self) -> float:
        """Of the last half second of sound, in Hz; 0 while there is too little."""
        sound = [frame for frame in self.frames if isinstance(frame, AudioFrame)]
        return frequency(sound) if len(sound) == _KEPT else 0.0

    def grey_level(self) -> float | None:
        """Of the last picture."""
        picture = self.frames[-1] if self.frames else None
        return grey_level(picture) if isinstance(picture, VideoFrame) else None


class MediaConnection:
    """Send-only lines for microphone and camera, ``slots`` receive-only pairs, one stage line; a screen comes later.

    Args:
        ring: seals what is sent, opens what comes.
        on_refused: called with (participant, label) when a picture of theirs could not be opened.
        on_failed: called when the connection that was up, or tried to be, is no more.
        ice_servers: as the room view has them.
        relayed: go through a TURN server, even if there is a way without.

    Attributes:
        places: how many slots it has.
    """

    def __init__(
        self,
        ring: KeyRing,
        slots: int,
        on_refused: Callable[[str, int], None] = lambda _who, _label: None,
        on_failed: Callable[[], None] = lambda: None,
        *,
        ice_servers: Sequence[IceServer] = (),
        relayed: bool = False,
    ) -> None:
        servers = [RTCIceServer(server.urls, server.username, server.credential) for server in ice_servers]
        policy = RTCIceTransportPolicy.RELAY if relayed else RTCIceTransportPolicy.ALL
        self.pc = RTCPeerConnection(RTCConfiguration(servers, policy, RTCBundlePolicy.MAX_BUNDLE))
        self.pc.on("connectionstatechange", self._state_changed)
        self.sending: dict[str, Sending] = {}
        self.receiving: list[Receiving] = []
        self.slots: dict[int, str] = {}
        self.places = slots
        self._ring = ring
        self._on_refused = on_refused
        self._on_failed = on_failed
        self._closed = False
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._add_sender("microphone")
        self._add_sender("camera")
        for slot in range(slots):
            self._add_receiver(slot, "microphone")
            self._add_receiver(slot, "camera")
        self._add_receiver(STAGE, "screen")

    def set_track(self, source: Source, track: MediaStreamTrack | None) -> bool:
        """Attach or take away; True if a new offer is needed (the first screen)."""
        is_new = source not in self.sending
        if is_new:
            self._add_sender(source)
        self.sending[source].transceiver.sender.replaceTrack(track)
        return is_new

    async def offer(self) -> tuple[str, list[dict[str, Any]]]:
        """SDP and what its lines are for, as in the protocol's ``offer``."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        uses: dict[RTCRtpTransceiver, dict[str, Any]] = {
            sending.transceiver: {"use": source} for source, sending in self.sending.items()
        }
        for place in self.receiving:
            uses[place.transceiver] = {"use": "stage"} if place.slot == STAGE else {"use": "slot", "slot": place.slot}
        lines = [{"mid": transceiver.mid} | uses[transceiver] for transceiver in self.pc.getTransceivers()]
        return self.pc.localDescription.sdp, lines

    async def answer(self, sdp: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        for place in self.receiving:
            if id(place) not in self._tasks and place.transceiver.receiver.track is not None:
                self._tasks[id(place)] = asyncio.create_task(self._decode(place))

    def assign(self, slots: dict[int, str]) -> None:
        """Whose frames count in which slot: the relay forwards, it does not attribute."""
        self.slots = slots

    def place(self, participant: str, source: Source) -> Receiving | None:
        """Where this participant's source is received now."""
        wanted = STAGE if source == "screen" else None
        for place in self.receiving:
            if (
                place.label == LABELS[source]
                and self.slots.get(place.slot) == participant
                and wanted in (None, place.slot)
            ):
                return place
        return None

    async def connected(self, within: float = 10.0) -> None:
        """Wait for the transport.

        Raises:
            TimeoutError: it is not up; the text says how far it came.
        """
        deadline = asyncio.get_running_loop().time() + within
        while self.pc.connectionState != "connected":
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"connection {self.pc.connectionState}, ICE {self.pc.iceConnectionState}")
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Idempotent."""
        self._closed = True
        await self.pc.close()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _state_changed(self) -> None:
        if self.pc.connectionState in ("failed", "closed") and not self._closed:
            self._on_failed()

    def _add_sender(self, source: Source) -> None:
        transceiver = self.pc.addTransceiver(_kind(source), direction="sendonly")
        sending = self.sending[source] = Sending(transceiver)
        label, kind = LABELS[source], _kind(source)

        def seal(frame: bytes) -> bytes | None:
            sealed = self._ring.seal(label, frame, kind)
            sending.sealed += sealed is not None
            sending.dropped += sealed is None
            return sealed

        seal_frames(transceiver.sender, seal)

    def _add_receiver(self, slot: int, source: Source) -> None:
        transceiver = self.pc.addTransceiver(_kind(source), direction="recvonly")
        place = Receiving(transceiver, slot, LABELS[source])
        self.receiving.append(place)
        open_frames(transceiver.receiver, lambda frame: self._open(place, frame))

    def _open(self, place: Receiving, frame: bytes) -> bytes | None:
        expected = self.slots.get(place.slot)
        try:
            sender, label, plaintext = self._ring.open(frame, _kind(_SOURCES[place.label]))
        except E2eeError:
            sender, label, plaintext = None, -1, b""
        if sender is None or (sender, label) != (expected, place.label):
            place.refused += 1
            if expected is not None and place.label != LABELS["microphone"]:
                self._on_refused(expected, place.label)
            return None
        place.opened += 1
        place.sender = sender
        return plaintext

    async def _decode(self, place: Receiving) -> None:
        try:
            while True:
                place.frames.append(await place.transceiver.receiver.track.recv())
                place.decoded += 1
        except MediaStreamError:
            return
