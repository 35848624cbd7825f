#!/bin/sh
# A packet of a picture that is lost with its one retransmission stops a receiver of aiortc 1.16.0 for 512 packets, and a
# picture of one packet a frame (a small layer, a still document) is then 512 packets late for as long as the call lasts.
#
# What one would think: NACK again after a round trip, a PLI within a second, and on with the next key frame, as browsers do.
# Instead it asks once, waits at the gap until its buffer of 512 packets is full, sends its first PLI then, and hands over
# one frame for each packet that comes, so that the buffer stays full. Seen, with packet 100 and its retransmission left out:
#   last frame at packet 99, PLI at 611, frames again from 611; each came 1 packet after its own before, 510 after.
# At 30 frames/s that is a still of 17 s, and then a picture 17 s old. With several packets a frame the still is shorter, and
# it catches up (read, not run). So a relay has to have the packet when that one NACK comes.
#
# Needs python3 with venv. Counted in packets, not measured in time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiortc==1.16.0 av==18.1.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import fractions
import importlib.metadata
import struct
import sys
from typing import Any

import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection

LOST, END = 100, 760
RTCP = range(192, 224)  # second byte, RFC 5761 (section 4)


class Small(MediaStreamTrack):
    """A picture that takes one packet a frame."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.012)
        frame = av.VideoFrame.from_ndarray(numpy.full((120, 160, 3), self.made % 200, dtype="uint8"), format="rgb24")
        frame.pts, frame.time_base = self.made * 3000, fractions.Fraction(1, 90000)
        self.made += 1
        return frame


async def main() -> int:
    one, other = RTCPeerConnection(), RTCPeerConnection()
    sender = one.addTrack(Small())
    track = asyncio.get_running_loop().create_future()
    other.on("track", track.set_result)
    await one.setLocalDescription(await one.createOffer())
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription(await other.createAnswer())
    sent = again = 0
    pass_on = sender.transport._send_rtp

    async def lossy(packet: bytes) -> None:
        nonlocal sent, again
        if packet[1] not in RTCP:
            if struct.unpack_from("!I", packet, 8)[0] != sender._ssrc:
                again += 1  # RFC 4588: the retransmission
                return
            sent += 1
            if sent == LOST:
                return
        await pass_on(packet)

    sender.transport._send_rtp = lossy
    receiver = other.getTransceivers()[0].receiver
    ask, asked = receiver._send_rtcp_pli, []

    async def counted(*arguments: Any) -> None:
        asked.append(sent)
        await ask(*arguments)

    receiver._send_rtcp_pli = counted
    await one.setRemoteDescription(other.localDescription)
    shown: list[tuple[int, int]] = []

    async def take() -> None:
        seen = await track
        while True:
            frame = await seen.recv()
            shown.append((sent, frame.pts // 3000 + 1))

    taking = asyncio.create_task(take())
    while sent < END:
        await asyncio.sleep(0.05)
    still = max(range(1, len(shown)), key=lambda at: shown[at][0] - shown[at - 1][0])
    before = min(at - number for at, number in shown[20 : still - 3])
    after = min(at - number for at, number in shown[-50:])
    print(f"aiortc {importlib.metadata.version('aiortc')}, packet {LOST} of {END} and {again} retransmission(s) left out:")
    print(f"  no frame from packet {shown[still - 1][0]} to {shown[still][0]}; PLI when so many were sent: {asked}")
    print(f"  packets sent after a frame's own when it is handed over: before {before}, at the end {after}")
    taking.cancel()
    await one.close()
    await other.close()
    held = shown[still][0] - shown[still - 1][0]
    return 0 if again >= 1 and held >= 450 and min(asked) >= LOST + 450 and before <= 10 and after >= 450 else 1


sys.exit(asyncio.run(main()))
PYTHON
