"""``python -m tests.operate.deployment.doors open PORT …`` answers at them over TCP and UDP until it is ended;
``… knock UID tcp|udp ADDRESS PORT=SECONDS …`` prints those that answer to this account in time, as JSON.
"""

import asyncio
import contextlib
import json
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import cast


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data, addr)


async def answer(ports: list[int]) -> None:
    loop = asyncio.get_running_loop()
    for port in ports:
        await asyncio.start_server(lambda _reader, writer: writer.close(), "0.0.0.0", port)
        await loop.create_datagram_endpoint(Echo, ("0.0.0.0", port))
    print("open", flush=True)
    await asyncio.Event().wait()


def knock(kind: str, address: str, port: int, seconds: float) -> bool:
    with socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as door:
        door.settimeout(seconds)
        with contextlib.suppress(OSError):
            door.connect((address, port))
            if kind == "udp":
                door.send(b"anybody?")
                door.recv(16)
            return True
    return False


def knock_at_all(kind: str, address: str, patience: dict[int, float]) -> list[int]:
    with ThreadPoolExecutor(len(patience)) as many:
        found = many.map(lambda port: knock(kind, address, port, patience[port]), patience)
        return [port for port, there in zip(patience, found, strict=True) if there]


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "open":
        asyncio.run(answer([int(one) for one in rest]))
    account, kind, address, *wanted = rest
    os.setuid(int(account))
    patience = {int(port): float(seconds) for port, seconds in (one.split("=") for one in wanted)}
    print(json.dumps(knock_at_all(kind, address, patience)))
