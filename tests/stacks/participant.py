"""A participant whose media another program's WebRTC stack carries; signaling and key handshake are our client's.

The program reads and writes JSON, one object a line. It is told what to send (encoded frames), to connect, the answer,
and the secrets of the key handshake: its own and the others'. It says its version, its offer, its state, and of each
frame that it received whether it opened, and what was in it.
"""

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

import av
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder
from av.packet import Packet

from client import e2ee
from client.participant import Participant
from client.synthetic import Pattern, Tone, frequency, grey_level
from signaling.protocol.events import Line, MediaView, Offer

RATE = 15
SECONDS = 2
KEPT = 25


def lines(sdp: str) -> list[Line]:
    """What the m-lines of an offer are for, which all stacks make in this order."""
    microphone, camera, sound, picture, stage = re.findall(r"^a=mid:(\S+)", sdp, re.MULTILINE)
    return [
        Line(mid=microphone, use="microphone"),
        Line(mid=camera, use="camera"),
        Line(mid=sound, use="slot", slot=0),
        Line(mid=picture, use="slot", slot=0),
        Line(mid=stage, use="stage"),
    ]


async def encoded(tone: float, grey: int) -> dict[str, Any]:
    """Two seconds of sound and picture, in base64; the first picture is a key frame."""
    sound, picture = Tone(tone), Pattern(grey, rate=RATE)
    opus, vp8, audio, video = OpusEncoder(), Sealless(), [], []
    for _ in range(50 * SECONDS):
        audio += opus.encode(await sound.recv())[0]
    for index in range(RATE * SECONDS):
        vp8.encode(await picture.recv(), force_keyframe=index == 0)
        video.append(vp8.frame)
    return {
        "rate": RATE,
        "audio": [base64.b64encode(frame).decode() for frame in audio],
        "video": [base64.b64encode(frame).decode() for frame in video],
    }


class Sealless(Vp8Encoder):
    """Keeps the frame that it would packetise."""

    frame = b""

    def _packetize(self, buffer: bytes, _picture_id: int) -> list[bytes]:  # type: ignore[override]  # of this encoder
        self.frame = bytes(buffer)
        return []


class Heard:
    """What a stack received, decoded to see that it is what was sent."""

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._decoders: dict[str, av.AudioCodecContext | av.VideoCodecContext] = {
            "audio": av.CodecContext.create("libopus", "r"),
            "video": av.CodecContext.create("libvpx", "r"),
        }
        self._frames: dict[str, list[Any]] = {"audio": [], "video": []}
        self._key = False

    def take(self, kind: str, frame: bytes) -> None:
        self.opened[kind] += 1
        if kind == "video":
            self._key = self._key or not frame[0] & 1
            if not self._key:
                return
        self._frames[kind] = (self._frames[kind] + self._decoders[kind].decode(Packet(frame)))[-KEPT:]

    def frequency(self) -> float:
        frames = self._frames["audio"]
        return frequency(resampled(frames)) if len(frames) == KEPT else 0.0

    def grey_level(self) -> float | None:
        frames = self._frames["video"]
        return grey_level(frames[-1]) if frames else None


def resampled(frames: list[Any]) -> list[Any]:
    resampler = av.AudioResampler("s16", "mono", 48_000)
    return [out for frame in frames for out in resampler.resample(frame)]


class Stack:
    """The program; use as an async context manager.

    Attributes:
        version: what it says of itself. exchanged: the offers and answers, in order.
    """

    def __init__(self, command: list[str], folder: Path, media: dict[str, Any], environment: dict[str, str]) -> None:
        self.version = ""
        self.state = ""
        self.heard = Heard()
        self.exchanged: list[str] = []
        self.refused_lines: list[Any] = []
        self._command, self._folder, self._environment = command, folder, environment
        self._media = media
        self._offer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._process: asyncio.subprocess.Process
        self._reading: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 22,
        )
        self._reading = asyncio.create_task(self._read())
        self.tell({"connect": {**self._media, "version": e2ee.VERSION.decode()}})
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            assert self._process.stdin
            self._process.stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    def tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def offer(self) -> str:
        return await asyncio.wait_for(asyncio.shield(self._offer), 30)

    async def _read(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            if "offer" in message and not self._offer.done():
                self._offer.set_result(message["offer"])
            elif "opened" in message:
                self.heard.take(message["opened"], base64.b64decode(message["frame"]))
            elif "refused" in message:
                self.heard.refused[message["refused"]] += 1
            self.version = message.get("version", self.version)
            self.state = message.get("state", self.state)


class StackMedia:
    """Takes the place of our client's own media: offers what the stack offers, once."""

    connection = None

    def __init__(self, stack: Stack, request: Callable[..., Any]) -> None:
        self.answered = 0
        self._stack, self._request = stack, request
        self._fence = 0

    async def follow(self, view: MediaView | None) -> None:
        if view is None or not view.ready or view.fence == self._fence:
            return
        self._fence = view.fence
        sdp = await self._stack.offer()
        answer = await self._request("offer", Offer(fence=view.fence, sdp=sdp, lines=lines(sdp)))
        self._stack.exchanged += [sdp, answer.sdp]
        self._stack.refused_lines = answer.refused
        self._stack.tell({"answer": answer.sdp})
        self.answered += 1

    def assign(self, _seen: object) -> None:
        """There is one other person and one slot."""

    async def close(self) -> None:
        """The stack's own end is its program's."""


def lend(participant: Participant, stack: Stack) -> None:
    """Have ``participant``'s media carried by ``stack``."""
    ring = participant.ring

    def own(keep: Callable[..., None], epoch: int, index: int, secret: bytes) -> None:
        keep(epoch, index, secret)
        stack.tell({"own": {"epoch": epoch, "index": index, "secret": secret.hex()}})

    def remote(keep: Callable[..., None], who: str, epoch: int, index: int, secret: bytes) -> None:
        keep(who, epoch, index, secret)
        stack.tell({"remote": {"epoch": epoch, "index": index, "secret": secret.hex()}})

    ring.set_own = partial(own, ring.set_own)  # type: ignore[method-assign]
    ring.set_remote = partial(remote, ring.set_remote)  # type: ignore[method-assign]
    participant._media = StackMedia(stack, participant.request)  # type: ignore[assignment]
