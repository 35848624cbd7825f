"""A turnserver with the configuration that we ship, and what a client can ask of it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, cast

from aioice import stun, turn
from pydantic import SecretStr

from tests.ports import LOOPBACK
from turn.coturn import render
from turn.credentials import Credential, TurnCredentials
from turn.settings import TurnSettings

SECRET, OLD_SECRET = "first-secret-of-the-test", "second-secret-of-the-test"
READY_SECONDS = 30.0
REFUSED = frozenset({400, 403, 443})
"""Bad request, forbidden, peer address family mismatch."""


def now() -> datetime:
    return datetime.now(UTC)


def settings(port: int, **changes: object) -> TurnSettings:
    return TurnSettings(
        address=IPv4Address(LOOPBACK),
        port=port,
        secrets=[SecretStr(SECRET), SecretStr(OLD_SECRET)],
        relay_peers=[IPv4Address(LOOPBACK)],
        min_port=50_000,
        max_port=50_100,
    ).model_copy(update=changes)


@dataclass
class Coturn:
    """``output`` is what it said, once it has ended."""

    settings: TurnSettings
    output: list[str] = field(default_factory=list)


@asynccontextmanager
async def running(ours: TurnSettings, folder: Path) -> AsyncIterator[Coturn]:
    """turnserver on loopback; the one line that we add lets it speak to loopback at all."""
    file = folder / "turnserver.conf"
    file.write_text(render(ours) + f"allow-loopback-peers\npidfile={folder / 'pid'}\n")
    process = await asyncio.create_subprocess_exec(
        *("turnserver", "-c", str(file)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder
    )
    assert process.stdout is not None
    coturn = Coturn(ours)
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await listens(ours.port):
                assert process.returncode is None, await process.stdout.read()
                await asyncio.sleep(0.05)
        yield coturn
    finally:
        if process.returncode is None:
            process.terminate()
        coturn.output += (await process.stdout.read()).decode().splitlines()
        await process.wait()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


class Sink(asyncio.DatagramProtocol):
    """Remembers what arrives."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.put_nowait((data, addr))


async def allocate(server: TurnSettings, credential: Credential, transport: str = "udp") -> tuple[Any, Any]:
    """A transport that sends by way of the server, and its protocol, a `Sink`."""
    over_tls = transport == "tls"
    return cast(
        "tuple[Any, Any]",
        await turn.create_turn_endpoint(
            Sink,
            server_addr=(str(server.address), server.tls_port if over_tls else server.port),
            username=credential.username,
            password=credential.password,
            transport="tcp" if over_tls else transport,
            ssl=trusting(server) if over_tls else None,
        ),
    )


def trusting(server: TurnSettings) -> ssl.SSLContext:
    """Believes the server's own certificate and no other."""
    return ssl.create_default_context(cafile=server.certificate)


def issue(server: TurnSettings, at: datetime | None = None, holder: str | None = None) -> Credential:
    credential = TurnCredentials(server, lambda: at or now()).issue(holder)
    assert credential is not None
    return credential


async def answer(inner: Any, request: stun.Message) -> int:
    """The error code of the answer, 200 if there is none."""
    try:
        await inner.request_with_retry(request)
    except stun.TransactionFailed as failure:
        code: int = failure.response.attributes["ERROR-CODE"][0]
        return code
    return 200


def permission(address: str) -> stun.Message:
    request = stun.Message(message_method=stun.Method.CREATE_PERMISSION, message_class=stun.Class.REQUEST)
    request.attributes["XOR-PEER-ADDRESS"] = (address, 4000)
    return request


def channel(number: int, address: str) -> stun.Message:
    request = stun.Message(message_method=stun.Method.CHANNEL_BIND, message_class=stun.Class.REQUEST)
    request.attributes["CHANNEL-NUMBER"] = number
    request.attributes["XOR-PEER-ADDRESS"] = (address, 4000)
    return request


async def reached(server: TurnSettings, peers: list[str]) -> list[str]:
    """Those of the peers for which one allocation gets a permission or a channel."""
    client, _ = await allocate(server, issue(server))
    inner = client._TurnTransport__inner_protocol
    try:
        return [
            peer
            for number, peer in enumerate(peers)
            for attempt in (permission(peer), channel(0x4000 + number, peer))
            if await answer(inner, attempt) not in REFUSED
        ]
    finally:
        client.close()
        await asyncio.sleep(0.05)
