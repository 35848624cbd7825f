"""Real Chromiums through a real worker: over UDP, over TCP alone, through losses, with an ICE restart and a screen."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page
from redis.asyncio import Redis

from media.control import Answered, Line, MediaClient, OfferCall, OpenRoom
from media.processes import LocalWorkers
from media.settings import MediaSettings
from tests.chromium import chromium
from tests.media.servers import start_redis

pytestmark = [pytest.mark.browser, pytest.mark.serial]

SCRIPT = Path(__file__).with_name("page.js")

Edit = Callable[[str], str]


@dataclass
class Relay:
    """A worker and what it takes to open pages that use it."""

    client: MediaClient
    worker: str
    port: int
    browser: Browser
    url: str

    async def page(self, name: str, edit: Edit = lambda sdp: sdp) -> Page:
        """A page that joins as ``name``; ``edit`` is applied to each answer."""

        async def offer(sdp: str, lines: list[dict[str, Any]]) -> str:
            call = OfferCall(room="room", fence=1, peer=name, sdp=sdp, lines=[Line(**line) for line in lines])
            reply = await self.client.call(self.worker, call)
            assert isinstance(reply, Answered), reply
            return edit(reply.sdp)

        page = await self.browser.new_page()
        await page.expose_function("offerToRelay", offer)
        await page.goto(self.url)
        await page.add_script_tag(path=SCRIPT)
        await page.evaluate("join()")
        return page


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    server = await start_redis(tmp_path / "redis.sock")
    url, secret = f"unix://{tmp_path / 'redis.sock'}", os.urandom(32)
    redis = Redis.from_url(url, driver_info=None)
    application = web.Application()
    application.router.add_get("/", _page)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with (
        LocalWorkers(MediaSettings(workers=1, port=0, listen=["127.0.0.1"]), url, secret) as workers,
        chromium() as browser,
    ):
        client, worker = MediaClient(redis, secret), workers.workers[0]
        await client.call(worker, OpenRoom(room="room", fence=1))
        yield Relay(client, worker, workers.ports[worker], browser, f"http://127.0.0.1:{port}/")
    await runner.cleanup()
    await redis.aclose()
    server.terminate()
    await server.wait()


async def _page(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><link rel=icon href=data:,><body>", content_type="text/html")


async def until(check: Callable[[], Awaitable[bool]], what: Callable[[], Awaitable[Any]], within: float = 20) -> None:
    deadline = asyncio.get_running_loop().time() + within
    while not await check():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(await what())
        await asyncio.sleep(0.1)


async def flowing(page: Page, frames: int = 20) -> dict[str, Any]:
    """Wait until so many more frames were shown and something was heard."""
    before = await page.evaluate("look()")

    async def more() -> bool:
        now = await page.evaluate("look()")
        return bool(now["slot"] >= before["slot"] + frames and now["energy"] > before["energy"])

    await until(more, lambda: page.evaluate("look()"))
    return dict(await page.evaluate("look()"))


class LossyWay:
    """A UDP proxy to ``port`` that loses this share of media packets, each way."""

    def __init__(self, port: int, share: float) -> None:
        self.port = 0
        self._target = ("127.0.0.1", port)
        self._share = share
        self._dice = random.Random(1)
        self._inside: dict[Any, asyncio.DatagramTransport] = {}
        self._outside: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        way = self

        class Outside(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, address: Any) -> None:
                tasks.append(asyncio.ensure_future(way._up(data, address)))

        tasks: list[asyncio.Future[None]] = []
        loop = asyncio.get_running_loop()
        self._outside, _ = await loop.create_datagram_endpoint(Outside, local_addr=("127.0.0.1", 0))
        self.port = self._outside.get_extra_info("sockname")[1]
        return self

    async def _up(self, data: bytes, address: Any) -> None:
        way = self
        if address not in self._inside:

            class Inside(asyncio.DatagramProtocol):
                def datagram_received(self, data: bytes, _: Any) -> None:
                    if way._outside is not None and not way._lost(data):
                        way._outside.sendto(data, address)

            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(Inside, remote_addr=self._target)
            self._inside[address] = transport
        if not self._lost(data):
            self._inside[address].sendto(data)

    def _lost(self, data: bytes) -> bool:
        return data[0] > 127 and self._dice.random() < self._share

    async def __aexit__(self, *_: object) -> None:
        for transport in [self._outside, *self._inside.values()]:
            if transport is not None:
                transport.close()

    def through(self, sdp: str) -> str:
        """The answer, with this as the only way."""
        kept = [line for line in sdp.split("\r\n") if "candidate:" not in line or " udp " in line]
        return "\r\n".join(kept).replace(f" {self._target[1]} typ host", f" {self.port} typ host")


async def test_an_ice_restart_keeps_the_keys_and_loses_nothing_and_a_screen_takes_the_stage(relay: Relay) -> None:
    alice, bob = await relay.page("alice"), await relay.page("bob")
    await asyncio.gather(flowing(alice), flowing(bob))
    await alice.evaluate("share()")

    async def on_stage() -> bool:
        return bool((await bob.evaluate("look()"))["stage"] > 5)

    await until(on_stage, lambda: bob.evaluate("look()"))
    before = await alice.evaluate("look()")
    await alice.evaluate("restart()")
    after, other = await asyncio.gather(flowing(alice, 40), flowing(bob, 40))
    assert after["certificate"] == before["certificate"]
    assert after["dtls"].startswith("connected")
    assert after["transport"] == other["transport"] == "udp"
    assert (after["lost"], other["lost"]) == (0, 0)


async def test_over_tcp_alone(relay: Relay) -> None:
    def tcp_only(sdp: str) -> str:
        return "\r\n".join(line for line in sdp.split("\r\n") if "candidate:" not in line or " tcp " in line)

    alice, bob = await relay.page("alice", tcp_only), await relay.page("bob")
    tcp, udp = await asyncio.gather(flowing(alice, 40), flowing(bob, 40))
    assert (tcp["transport"], udp["transport"]) == ("tcp", "udp")
    assert (tcp["lost"], udp["lost"]) == (0, 0)


async def test_losses_are_repaired(relay: Relay) -> None:
    async with LossyWay(relay.port, 0.05) as way:
        alice, bob = await relay.page("alice", way.through), await relay.page("bob")
        lossy, clean = await asyncio.gather(flowing(alice, 100), flowing(bob, 100))
        assert lossy["repaired"] > 0
        assert lossy["freezes"] <= 3
        assert clean["lost"] <= 2, "what the publisher lost was fetched before it was missed"
