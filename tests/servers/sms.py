"""A real HTTPS server on loopback that stands for an SMS provider, under a certificate made for it; it does as told."""

import asyncio
import json
from asyncio.trsock import TransportSocket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from practice.outgoing import Door
from practice.settings import PracticeSettings, SmsSettings
from tests.client.waiting import until
from tests.servers.certified import certified

KEY = "whsec_" + "A" * 43 + "="
TOKEN = "5f3e8c1a-0b7d-4a64-9c55-0123456789ab"
TURNS = 20
"""Of the loop, in which asyncio closes the sockets of handshakes that broke."""

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def accepts(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=202)


async def accepts_as_cm(request: web.Request) -> web.StreamResponse:
    """What CM.com documents for one message that is accepted."""
    one = (await request.json())["messages"]["msg"][0]
    said = {"to": one["to"][0]["number"], "status": "Accepted", "reference": one["reference"], "parts": 1}
    said |= {"messageDetails": None, "messageErrorCode": 0}
    return web.json_response({"details": "Created 1 message(s)", "errorCode": 0, "messages": [said]})


@dataclass
class SmsServer:
    """``answer`` is what is said to each request."""

    port: int = 0
    authority: Path | None = None
    asked: list[Asked] = field(default_factory=list)
    answer: Answering = accepts
    sockets: list[TransportSocket] = field(default_factory=list)

    def url(self, path: str = "/send") -> str:
        return f"https://localhost:{self.port}{path}"

    def settings(self, **changes: Any) -> PracticeSettings:
        """That list this server and one more."""
        said = {"hosts": ["localhost", "sms.maan.example"], "ca_file": self.authority, "sender": "Praktijk"}
        return PracticeSettings(sms=SmsSettings(**(said | changes)))

    def door(self, **changes: Any) -> Door:
        return Door.of(self.settings(**changes))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.sockets.append(request.transport.get_extra_info("socket"))
        self.asked.append(Asked(request.path_qs, dict(request.headers), await request.read()))
        return await self.answer(request)


@asynccontextmanager
async def running(folder: Path, *, name: str = "localhost") -> AsyncIterator[SmsServer]:
    """``name`` is that on the certificate."""
    made = SmsServer()
    context, made.authority = certified(folder, "sms", name)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server is not None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(runner.server, "127.0.0.1", 0, ssl=context, ssl_shutdown_timeout=0.1)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await runner.cleanup()
        await until(lambda: "a socket is open" if any(one.fileno() != -1 for one in made.sockets) else None)
        for _ in range(TURNS):
            await asyncio.sleep(0)
