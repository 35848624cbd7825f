"""The shipped Caddyfile in a real Caddy: what it passes on, what it hides, and where it goes when a server is away."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.client.waiting import PATIENCE
from tests.ports import free_ports

CADDYFILE = Path(__file__).parents[1] / "Caddyfile"
pytestmark = pytest.mark.skipif(shutil.which("caddy") is None, reason="NOT TESTED: install the package caddy")


@dataclass
class Backend:
    """Stands where a server stands: says who it is and what it was told."""

    name: str
    ready: bool = True
    port: int = 0
    seen: list[dict[str, str]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_get("/health/ready", self._readiness)
        application.router.add_get("/socket.io/", self._socket)
        application.router.add_get("/{path:.*}", self._page)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield
        finally:
            await runner.cleanup()

    async def _readiness(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def _page(self, request: web.Request) -> web.Response:
        self.seen.append(dict(request.headers))
        return web.Response(text=self.name)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        async for message in opened:
            await opened.send_str(f"{self.name} {message.data}")
        return opened


@dataclass
class Proxy:
    """Caddy with our file, and the servers behind it."""

    url: str
    servers: tuple[Backend, Backend]

    async def get(self, path: str = "/", **headers: str) -> tuple[int, str, dict[str, str]]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path, headers=headers) as response:
            return response.status, await response.text(), dict(response.headers)

    async def answered_by(self, *names: str, seconds: float = PATIENCE) -> None:
        """Wait until exactly these answer."""
        async with asyncio.timeout(seconds):
            while True:
                answers = [await self.get() for _ in range(6)]
                if {(status, text) for status, text, _ in answers} == {(200, name) for name in names}:
                    return
                await asyncio.sleep(0.1)


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    one, two, port, check = free_ports(4)
    servers = Backend("one", port=one), Backend("two", port=two)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DOMAIN": f"http://127.0.0.1:{port}",
        "CHECK": str(check),
        "SERVERS": " ".join(f"127.0.0.1:{server.port}" for server in servers),
    }
    async with AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server.running())
        caddy = await asyncio.create_subprocess_exec(
            *("caddy", "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"),
            env=environment, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert caddy.stderr is not None
        said = asyncio.ensure_future(caddy.stderr.read())
        try:
            opened = Proxy(f"http://127.0.0.1:{port}", servers)
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        if (await opened.get())[0] == 200:
                            break
                    except aiohttp.ClientError:
                        assert caddy.returncode is None, await said
                    await asyncio.sleep(0.1)
            yield opened
        finally:
            caddy.terminate()
            await caddy.wait()
            await said


async def test_both_servers_are_used_and_one_that_is_not_ready_is_left_out(proxy: Proxy) -> None:
    await proxy.answered_by("one", "two")
    proxy.servers[0].ready = False
    await proxy.answered_by("two")
    proxy.servers[0].ready = True
    await proxy.answered_by("one", "two")


async def test_when_no_server_is_ready_one_that_answers_says_so_itself(proxy: Proxy) -> None:
    for server in proxy.servers:
        server.ready = False
    await asyncio.sleep(2.5)
    status, text, _ = await proxy.get()
    assert (status, text) in ((200, "one"), (503, "one"))


async def test_metrics_are_not_for_the_world(proxy: Proxy) -> None:
    for path in ("/metrics", "/metrics/"):
        assert (await proxy.get(path))[0] == 404


async def test_a_client_cannot_claim_another_address(proxy: Proxy) -> None:
    _, _, headers = await proxy.get("/c", **{"X-Forwarded-For": "203.0.113.9"})
    last = [server.seen[-1] for server in proxy.servers if server.seen and "203.0.113.9" in str(server.seen[-1])]
    assert last == []
    assert all(seen["X-Forwarded-For"] == "127.0.0.1" for server in proxy.servers for seen in server.seen)
    assert headers["Strict-Transport-Security"]
    assert "Server" not in headers


async def test_a_web_socket_goes_through(proxy: Proxy) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(proxy.url + "/socket.io/") as opened:
        await opened.send_str("hello")
        assert (await opened.receive_str(timeout=60)).endswith("hello")


def test_no_log_is_configured_that_could_keep_an_address() -> None:
    lines = [line.split("#")[0].strip() for line in CADDYFILE.read_text().splitlines()]
    assert not [line for line in lines if line.startswith("log")]
    assert "admin off" in lines
