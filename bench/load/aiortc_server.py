"""aiortc used as its examples show for several people: every track through a MediaRelay, decoded and encoded again.

One JSON object per line on standard input (room, person, offer), the answer on standard output.
"""

import asyncio
import json
import sys
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaRelay

_LINE_BYTES = 1 << 20


class Rooms:
    """Everybody's tracks go to everybody else in the room as soon as both are there."""

    def __init__(self) -> None:
        self._relay = MediaRelay()
        self._connections: list[RTCPeerConnection] = []
        self._tracks: dict[tuple[int, int, str], MediaStreamTrack] = {}
        self._senders: dict[tuple[int, int, str], RTCRtpSender] = {}

    async def answer(self, room: int, person: int, offer: str) -> str:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._connections.append(connection)
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in connection.getTransceivers():
            key = (room, person, transceiver.kind)
            if transceiver.receiver.track is not None:
                self._tracks[key] = transceiver.receiver.track
            else:
                transceiver.direction = "sendonly"
                self._senders[key] = transceiver.sender
        await connection.setLocalDescription(await connection.createAnswer())
        self._join(room)
        return connection.localDescription.sdp

    def _join(self, room: int) -> None:
        for key, sender in self._senders.items():
            other = next(
                (who for who in self._tracks if who[0] == room == key[0] and who[1] != key[1] and who[2] == key[2]),
                None,
            )
            if other and sender.track is None:
                sender.replaceTrack(self._relay.subscribe(self._tracks[other]))

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self._connections))


async def main() -> None:
    rooms = Rooms()
    reader = asyncio.StreamReader(limit=_LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request: dict[str, Any] = json.loads(line)
        print(json.dumps({"answer": await rooms.answer(**request)}), flush=True)
    await rooms.close()


if __name__ == "__main__":
    asyncio.run(main())
