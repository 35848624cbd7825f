"""What nobody should send is refused, and holds nothing up."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from signaling.rest import endpoint
from tests.signaling.conftest import Server


async def test_a_setting_that_does_not_exist_has_no_preview(server: Server) -> None:
    await server.sign_in("alice")
    for asked in ("1y", "%20", "end,7d"):
        answer = await server.call("GET", f"/api/v1/retention?retention={asked}", who="alice")
        assert answer.code == "invalid", asked


async def test_a_body_that_never_comes_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "BODY_SECONDS", 0.1)
    held = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await held.wait()

    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        headers = {"Content-Type": "application/json", "Origin": server.origin}
        async with session.post(
            f"http://127.0.0.1:{server.port}/api/v1/sign-in", data=slow(), headers=headers
        ) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]["code"] == "invalid"
        held.set()
