"""Debian's Chromium with a camera and a microphone that are made up."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, async_playwright

PROGRAM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
    "--no-first-run",
]
LOOPBACK = [] if "WITHOUT_LOOPBACK" in os.environ else ["--allow-loopback-in-peer-connection"]

RECORD_PEER_CONNECTIONS = """
(() => {
  const Native = window.RTCPeerConnection;
  window.peerConnections = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...args) { super(...args); window.peerConnections.push(this); }
  };
})();
"""


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """A running Chromium; ``flags`` beside the usual ones."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=[*FLAGS, *LOOPBACK, *flags])
        yield browser
        await browser.close()


@asynccontextmanager
async def profile(folder: Path, *, bus: str) -> AsyncIterator[BrowserContext]:
    """One that keeps what it has in ``folder``: a window that is private opens no other for a worker.

    ``bus`` is the address of the desktop that shows its notifications.
    """
    environment: dict[str, str | float | bool] = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus}
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder, executable_path=PROGRAM, args=FLAGS, env=environment, locale="nl-NL"
        )
        yield context
        await context.close()
