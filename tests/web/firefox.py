"""Drives the installed Firefox over WebDriver BiDi, which needs no driver beside it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.autoplay.default": 0,
    "media.gmp-manager.url": "",
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.peerconnection.ice.loopback": True,
    "network.captive-portal-service.enabled": False,
    "remote.active-protocols": 1,
}
START_SECONDS = 40


class Firefox:
    """One tab of one headless Firefox."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._tab = ""

    async def begin(self) -> None:
        await self._command("session.new", capabilities={})
        self._tab = (await self._command("browsingContext.create", type="tab"))["context"]

    async def goto(self, url: str) -> None:
        await self._command("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The value that an async JavaScript expression resolves to."""
        wrapped = f"(async () => JSON.stringify(await ({expression})))()"
        result = await self._command(
            "script.evaluate", expression=wrapped, target={"context": self._tab}, awaitPromise=True
        )
        if result["type"] != "success":
            raise AssertionError(result["exceptionDetails"]["text"])
        text = result["result"].get("value")
        return None if text is None else json.loads(text)

    async def before_every_page(self, script: str) -> None:
        """Run ``script`` in each document before its own scripts."""
        await self._command("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    async def keep_cookie(self, name: str, value: str, host: str) -> None:
        cookie = {"name": name, "value": {"type": "string", "value": value}, "domain": host, "path": "/"}
        await self._command("storage.setCookie", cookie=cookie)

    async def press(self, x: float, y: float) -> None:
        """As a person's finger or mouse does it, at this place of the viewport, in CSS pixels."""
        actions = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            *({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")),
        ]
        await self._perform({"type": "pointer", "id": "mouse", "actions": actions})

    async def type(self, text: str) -> None:
        """One key after another; a line break is the enter key."""
        keys = [key.replace("\n", "\ue007") for key in text]
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        await self._perform({"type": "key", "id": "keyboard", "actions": actions})

    async def _perform(self, *sources: dict[str, Any]) -> None:
        await self._command("input.performActions", context=self._tab, actions=list(sources))

    async def _command(self, method: str, **params: object) -> Any:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=50)
            if answer.get("id") != self._number:
                continue
            if answer["type"] == "error":
                raise AssertionError(answer["message"])
            return answer["result"]


@asynccontextmanager
async def firefox(program: str, profile: Path) -> AsyncIterator[Firefox]:
    """A Firefox with fake devices and a profile of its own, ended at exit."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    process = await asyncio.create_subprocess_exec(
        program,
        *("--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )
    try:
        port = await _port(profile / "WebDriverBiDiServer.json")
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{port}/session", max_msg_size=0) as socket,
        ):
            browser = Firefox(socket)
            await browser.begin()
            yield browser
    finally:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _port(announcement: Path) -> int:
    """Where it listens, which it writes into its profile."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return int(json.loads(announcement.read_text())["ws_port"])
            except (OSError, ValueError, KeyError):
                await asyncio.sleep(0.1)
