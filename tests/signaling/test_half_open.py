"""Whoever does not authenticate has few places, and one notion of where somebody is counts them everywhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from ipaddress import ip_address, ip_network
from typing import Self

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSServerHandshakeError

from signaling.addresses import network_of
from signaling.gate import SIGNALING
from signaling.settings import SignalingSettings
from signaling.sockets.half_open import HalfOpen
from tests.signaling.conftest import Opening, Server

PROXY = SignalingSettings(trusted_proxies=[ip_network("127.0.0.0/8")])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        ("2001:db8:0:1::", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_a_client_of_ipv6_is_its_64(address: str, network: str) -> None:
    assert str(network_of(ip_address(address.partition("%")[0]))) == network


@pytest.fixture
async def half_open() -> AsyncIterator[tuple[HalfOpen, list[str]]]:
    gone: list[str] = []
    one = HalfOpen(60, gone.append)
    yield one, gone
    one.close()


async def test_the_eldest_of_the_biggest_crowd_makes_room(half_open: tuple[HalfOpen, list[str]]) -> None:
    waiting, gone = half_open
    for sid, network in (("b1", "b"), ("a1", "a"), ("a2", "a"), ("a3", "a")):
        assert waiting.make_room(network, 4)
        waiting.expect(sid, network)
    assert not waiting.make_room("a", 4), "its own crowd"
    assert waiting.make_room("c", 4)
    waiting.expect("c1", "c")
    assert gone == ["a1"]
    assert not waiting.make_room("c", 4), "nobody has more than it would have"


async def test_one_network_of_ipv6_has_as_many_sockets_as_one_address(server: Server) -> None:
    patiently(server, pending_per_network=3)
    async with Strangers(server) as strangers:
        for one in range(3):
            await strangers.come(f"2001:db8:0:1::{one:x}")
        with pytest.raises(WSServerHandshakeError) as refused:
            await strangers.come("2001:db8:0:1::ffff")
        assert refused.value.status == 429
        await strangers.come("2001:db8:0:2::1")


async def test_strangers_from_everywhere_take_no_place_from_who_can_sign_in(server: Server, opening: Opening) -> None:
    patiently(server, pending=20)
    await server.sign_in("alice")
    ticket = (await server.call("POST", "/api/v1/desk/ticket", {}, who="alice")).body["access_token"]
    async with Strangers(server) as strangers:
        for one in range(20):
            await strangers.come(f"203.0.113.{one % 4}")
        assert (await opening(ticket)).connected
        assert server.app[SIGNALING].gate._half_open.of_network.total() < 20


@pytest.fixture
def server_settings() -> SignalingSettings:
    return PROXY


def patiently(server: Server, **limits: int) -> None:
    """Other limits, and so much time to authenticate that a busy machine does not matter."""
    gate = server.app[SIGNALING].gate
    gate.eio.limits = gate.limits.model_copy(update=limits)
    gate._half_open._seconds = 600


class Strangers:
    """WebSockets that say nothing."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.stack = AsyncExitStack()
        self.sockets: list[ClientWebSocketResponse] = []

    async def __aenter__(self) -> Self:
        self.session = await self.stack.enter_async_context(ClientSession())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    async def come(self, address: str) -> None:
        url = f"http://127.0.0.1:{self.server.port}/socket.io/?EIO=4&transport=websocket"
        headers = {"Origin": self.server.origin, "X-Forwarded-For": address}
        async with asyncio.timeout(60):
            opening = self.session.ws_connect(url, headers=headers)
            self.sockets.append(await self.stack.enter_async_context(opening))
