"""Tries TURN for real: allocate, get data through to a peer and back, and be refused every peer but our own."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from secrets import token_bytes
from time import monotonic
from typing import Any, Final, Literal, cast

from aioice import stun, turn

from turn.credentials import Credential

Transport = Literal["udp", "tcp", "tls"]
SECONDS: Final = 4.0
FORBIDDEN: Final = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1", "8.8.8.8", "::ffff:127.0.0.1")
REFUSALS: Final = (400, 403, 443)


class Unreachable(Exception):  # noqa: N818 -- what the operator reads
    """No allocation; the text says why, without a credential in it."""


@dataclass(frozen=True)
class Tried:
    """``reached``: addresses that should have been refused; ``echoed``: None where no peer of ours is on this host."""

    seconds: float
    reached: tuple[str, ...]
    echoed: bool | None


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self, *, echo: bool = False) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue(8)
        self._echo = echo
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._echo and self._transport:
            self._transport.sendto(data, addr)
        with suppress(asyncio.QueueFull):
            self.received.put_nowait(data)


async def allocate(server: tuple[str, int], credential: Credential, transport: Transport, name: str | None) -> float:
    """Seconds that an allocation took; it is given back at once. Raises Unreachable."""
    started = monotonic()
    client, _ = await _open(server, credential, transport, name)
    taken = monotonic() - started
    await _close(client)
    return taken


async def probe(
    server: tuple[str, int],
    credential: Credential,
    transport: Transport,
    peers: list[IPv4Address],
    name: str | None = None,
) -> Tried:
    """Allocate over this transport and try what may and what may not be done. ``name`` is TLS's. Raises Unreachable."""
    started = monotonic()
    client, inbox = await _open(server, credential, transport, name)
    seconds = monotonic() - started
    try:
        inner = cast("Any", client)._TurnTransport__inner_protocol
        reached = [address for address in FORBIDDEN if address not in map(str, peers)]
        reached = [address for address in reached if await _permitted(inner, address)]
        return Tried(seconds, tuple(reached), await _echo(client, inbox, peers))
    finally:
        await _close(client)


async def _open(
    server: tuple[str, int], credential: Credential, transport: Transport, name: str | None
) -> tuple[asyncio.DatagramTransport, _Inbox]:
    context = ssl.create_default_context() if transport == "tls" else None
    try:
        async with asyncio.timeout(SECONDS):
            client, inbox = await turn.create_turn_endpoint(
                _Inbox,
                server_addr=(name or server[0], server[1]) if context else server,
                username=credential.username,
                password=credential.password,
                transport="tcp" if transport == "tls" else transport,
                ssl=context or False,
            )
            return cast("asyncio.DatagramTransport", client), inbox
    except stun.TransactionFailed as failure:
        code = failure.response.attributes.get("ERROR-CODE", (0, ""))[0]
        raise Unreachable(f"refuses the allocation with {code}") from None
    except ssl.SSLError:
        raise Unreachable("has no certificate for its name that this host trusts") from None
    except (OSError, TimeoutError, stun.TransactionTimeout):
        raise Unreachable("does not answer") from None


async def _permitted(inner: Any, address: str) -> bool:
    request = stun.Message(message_method=stun.Method.CREATE_PERMISSION, message_class=stun.Class.REQUEST)
    request.attributes["XOR-PEER-ADDRESS"] = (address, 9)
    try:
        async with asyncio.timeout(SECONDS):
            await inner.request_with_retry(request)
    except stun.TransactionFailed as failure:
        return failure.response.attributes.get("ERROR-CODE", (0, ""))[0] not in REFUSALS
    except (TimeoutError, stun.TransactionTimeout):
        return False
    return True


async def _echo(client: asyncio.DatagramTransport, inbox: _Inbox, peers: list[IPv4Address]) -> bool | None:
    """Whether data goes to a peer and back, if one of the peers' addresses is this host's."""
    loop = asyncio.get_running_loop()
    for peer in peers:
        try:
            far, _ = await loop.create_datagram_endpoint(lambda: _Inbox(echo=True), local_addr=(str(peer), 0))
        except OSError:
            continue
        try:
            sent = token_bytes(16)
            client.sendto(sent, far.get_extra_info("sockname"))
            async with asyncio.timeout(SECONDS):
                while await inbox.received.get() != sent:
                    pass
            return True
        except TimeoutError:
            return False
        finally:
            far.close()
    return None


async def _close(client: asyncio.DatagramTransport) -> None:
    client.close()
    await asyncio.sleep(0.05)  # the refresh that gives the allocation back
