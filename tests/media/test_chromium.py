"""Real Chromiums through a real worker: over UDP, over TCP alone, through losses, with an ICE restart and a screen."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page
from redis.asyncio import Redis

from bench.load.lane import Conditions
from bench.load.way import Way
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
        yield Relay(client, worker, browser, f"http://127.0.0.1:{port}/")
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
    async with Way(Conditions(loss=0.05), seed=1) as way:

        def lossy_udp(sdp: str) -> str:
            return way.through(sdp, ("udp",))

        alice, bob = await relay.page("alice", lossy_udp), await relay.page("bob")
        lossy, clean = await asyncio.gather(flowing(alice, 100), flowing(bob, 100))
        assert lossy["repaired"] > 0
        assert lossy["freezes"] <= 3
        assert clean["lost"] <= 2, "what the publisher lost was fetched before it was missed"
