#!/bin/sh
# One lost packet of sound costs a receiver of aiortc 1.16.0 five frames, and all that follows stays 0.2 s later for good.
#
# What one would think: a gap of 20 ms, as in browsers, whose buffers shrink again. Instead the buffer stops at the gap until
# 16 packets are there, throws away the lost packet with the four whole ones before it, and from then on hands over one
# frame for each packet that comes: it is never less than full again. Seen on loopback with the 100th packet left out:
#   each frame came 4 packets after its own before, 14 after; frames 96 to 100 never came.
# As nothing is handed over without a further packet, a talker who pauses (DTX, a muted sender that stops, the end of a
# recording) leaves his last frames in the buffer: 14 of 200 here, 0.28 s of speech, played when he speaks again.
#
# Needs python3 with venv. Lags are counted in packets, not measured in time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiortc==1.16.0 av==18.1.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import fractions
import importlib.metadata
import sys

import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection

LOST, PAUSE = 100, 200
BEFORE, AFTER = range(40, 95), range(130, 180)
RTCP = range(192, 224)  # second byte, RFC 5761 (section 4)


class Tone(MediaStreamTrack):
    """Frames of 20 ms, then a pause without any."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    async def recv(self) -> av.AudioFrame:
        if self.made == PAUSE:
            await asyncio.Event().wait()
        await asyncio.sleep(0.02)
        frame = av.AudioFrame.from_ndarray(numpy.full((1, 960), 900, dtype="int16"), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, self.made * 960, fractions.Fraction(1, 48000)
        self.made += 1
        return frame


async def main() -> int:
    one, other = RTCPeerConnection(), RTCPeerConnection()
    sender = one.addTrack(Tone())
    track = asyncio.get_running_loop().create_future()
    other.on("track", track.set_result)
    await one.setLocalDescription(await one.createOffer())
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription(await other.createAnswer())
    sent, pass_on = 0, sender.transport._send_rtp

    async def lossy(packet: bytes) -> None:
        nonlocal sent
        if packet[1] not in RTCP:
            sent += 1
            if sent == LOST:
                return
        await pass_on(packet)

    sender.transport._send_rtp = lossy
    await one.setRemoteDescription(other.localDescription)
    lag: dict[int, int] = {}

    async def take() -> None:
        heard = await track
        while True:
            frame = await heard.recv()
            number = frame.pts // 960 + 1
            lag[number] = sent - number

    taking = asyncio.create_task(take())
    while sent < PAUSE:
        await asyncio.sleep(0.05)
    await asyncio.sleep(2)
    before = min(lag[number] for number in BEFORE if number in lag)
    after = min(lag[number] for number in AFTER if number in lag)
    missing = sorted(set(range(1, max(lag))) - set(lag))
    print(f"aiortc {importlib.metadata.version('aiortc')}, packet {LOST} of {PAUSE} left out:")
    print(f"  a frame is handed over when so many later packets were sent: before {before}, after {after}")
    print(f"  frames that never came: {missing}; still in the buffer 2 s into the pause: {PAUSE - max(lag)}")
    taking.cancel()
    await one.close()
    await other.close()
    return 0 if before <= 6 and after >= 12 and len(missing) >= 4 and max(lag) <= PAUSE - 12 else 1


sys.exit(asyncio.run(main()))
PYTHON
