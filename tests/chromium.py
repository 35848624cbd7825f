"""Debian's Chromium with a camera and a microphone that are made up."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

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
