"""Stands between the kit and a server, and alters what the server says: a second implementation with a mistake."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

Alter = Callable[[str], list[str]]
"""What is sent to the client in place of an answer's text or a frame."""


@asynccontextmanager
async def altered(url: str, answer: Alter, frame: Alter) -> AsyncIterator[str]:
    """The origin of a proxy before ``url``."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            kept = {name: request.headers[name] for name in ("Cookie", "Content-Type") if name in request.headers}
            headers = kept | {"Origin": url}
            if request.path == "/socket.io/":
                return await pipe(request, headers)
            body = await request.read()
            async with session.request(request.method, url + request.path_qs, data=body, headers=headers) as upstream:
                text = "".join(answer(await upstream.text()))
                response = web.Response(status=upstream.status, text=text, content_type=upstream.content_type)
                for cookie in upstream.headers.getall("Set-Cookie", []):
                    response.headers.add("Set-Cookie", cookie)
                return response

        async def pipe(request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
            client = web.WebSocketResponse()
            async with session.ws_connect(url + request.path_qs, headers=headers) as upstream:
                await client.prepare(request)

                async def upwards() -> None:
                    async for message in client:
                        await upstream.send_str(message.data)
                    await upstream.close()

                task = asyncio.create_task(upwards())
                try:
                    async for message in upstream:
                        for text in frame(message.data):
                            await client.send_str(text)
                    await client.close()
                finally:
                    task.cancel()
            return client

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
