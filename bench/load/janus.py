"""Debian's Janus: rooms of two by its EchoTest plugin, groups by its VideoRoom plugin."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.load.processes import START_SECONDS, process
from tests.ports import free_port

_PLUGINS = Path("/usr/lib/x86_64-linux-gnu/janus")


class Control:
    """The WebSocket by which Janus is told what to do."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def attach(self, plugin: str) -> dict[str, Any]:
        """A session and a handle of its own, as what every message to it has."""
        session = (await self.ask({"janus": "create"}))["data"]["id"]
        attached = await self.ask({"janus": "attach", "plugin": f"janus.plugin.{plugin}", "session_id": session})
        return {"janus": "message", "session_id": session, "handle_id": attached["data"]["id"]}

    async def ask(self, request: dict[str, Any], wanted: str = "success") -> dict[str, Any]:
        """What Janus answers. RuntimeError: it refuses, or its plugin does."""
        transaction = secrets.token_hex(6)
        await self._socket.send_json(request | {"transaction": transaction})
        async with asyncio.timeout(START_SECONDS):
            while True:
                reply = await self._socket.receive_json()
                if reply.get("transaction") == transaction and reply["janus"] in (wanted, "error"):
                    said = reply.get("plugindata", {}).get("data", {})
                    if reply["janus"] == "error" or "error" in said:
                        raise RuntimeError(said.get("error") or reply["error"]["reason"])
                    return dict(reply)


class Janus:
    """The EchoTest plugin: what comes from a person is forwarded to that person.

    That is the least its forwarding can cost: no room to look up, one connection per person.
    """

    echo = True
    decodes = False

    def __init__(self, control: Control, pid: int) -> None:
        self.pid = pid
        self._control = control

    async def answer(self, room: int, person: int, offer: str) -> str:
        handle = await self._control.attach("echotest")
        body = {"body": {"audio": True, "video": True}, "jsep": {"type": "offer", "sdp": offer}}
        return str((await self._control.ask(handle | body, "event"))["jsep"]["sdp"])


@dataclass(frozen=True)
class Subscription:
    """What messages about it have, the offer, and which line has whose picture."""

    handle: dict[str, Any]
    offer: str
    mids: dict[int, str]


class VideoRoom:
    """A group: everybody publishes on one connection and gets all others on a second one."""

    def __init__(self, control: Control, pid: int) -> None:
        self.pid = pid
        self._control = control

    async def open(self, room: int, people: int) -> None:
        handle = await self._control.attach("videoroom")
        told = {"room": room, "publishers": people, "audiocodec": "opus", "videocodec": "vp8", "fir_freq": 0}
        await self._control.ask(handle | {"body": {"request": "create", **told}})

    async def publish(self, room: int, person: int, offer: str) -> str:
        """The answer to the offer of what ``person`` sends."""
        handle = await self._control.attach("videoroom")
        join = {"request": "join", "ptype": "publisher", "room": room, "id": person}
        await self._control.ask(handle | {"body": join}, "event")
        jsep = {"type": "offer", "sdp": offer}
        reply = await self._control.ask(handle | {"body": {"request": "publish"}, "jsep": jsep}, "event")
        return str(reply["jsep"]["sdp"])

    async def subscribe(self, room: int, feeds: list[int]) -> Subscription:
        """To all that these send."""
        handle = await self._control.attach("videoroom")
        streams = [{"feed": feed} for feed in feeds]
        join = {"request": "join", "ptype": "subscriber", "room": room, "streams": streams}
        reply = await self._control.ask(handle | {"body": join}, "event")
        told = reply["plugindata"]["data"]["streams"]
        mids = {stream["feed_id"]: stream["mid"] for stream in told if stream["type"] == "video"}
        return Subscription(handle, str(reply["jsep"]["sdp"]), {feed: mids[feed] for feed in feeds})

    async def start(self, subscription: Subscription, answer: str) -> None:
        jsep = {"type": "answer", "sdp": answer}
        await self._control.ask(subscription.handle | {"body": {"request": "start"}, "jsep": jsep}, "event")

    async def choose(self, subscription: Subscription, layers: dict[int, int]) -> None:
        """Which encoding of whom, lowest 0; with all its frames."""
        mids = subscription.mids
        chosen = [{"mid": mids[feed], "substream": layer, "temporal": 2} for feed, layer in layers.items()]
        await self._control.ask(subscription.handle | {"body": {"request": "configure", "streams": chosen}}, "event")


@asynccontextmanager
async def janus(address: str, event_loops: int = 0) -> AsyncIterator[Janus]:
    """Rooms of two; ``event_loops`` 0: a thread for each person, its default."""
    async with running(address, "echotest", event_loops) as (control, pid):
        yield Janus(control, pid)


@asynccontextmanager
async def video_room(address: str) -> AsyncIterator[VideoRoom]:
    """Groups, with Janus' defaults."""
    async with running(address, "videoroom") as (control, pid):
        yield VideoRoom(control, pid)


@asynccontextmanager
async def running(address: str, plugin: str, event_loops: int = 0) -> AsyncIterator[tuple[Control, int]]:
    """Janus as Debian builds it, ICE-lite, with one plugin; and its process id."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, library in (("plugins", plugin), ("transports", "websockets")):
            (folder / kind).mkdir()
            (folder / kind / f"libjanus_{library}.so").symlink_to(_PLUGINS / kind / f"libjanus_{library}.so")
        (folder / "none").mkdir()
        (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
        (folder / "janus.jcfg").write_text(_config(folder, address, event_loops))
        port = free_port()
        (folder / "janus.transport.websockets.jcfg").write_text(
            f'general: {{ json = "compact"\n ws = true\n ws_ip = "127.0.0.1"\n ws_port = {port} }}\n'
        )
        async with (
            process("janus", "--configs-folder", name) as server,
            aiohttp.ClientSession() as session,
            await _connect(session, f"ws://127.0.0.1:{port}") as socket,
        ):
            yield Control(socket), server.pid


def _config(folder: Path, address: str, event_loops: int) -> str:
    loops = f"event_loops = {event_loops}" if event_loops else ""
    return f"""
general: {{ configs_folder = "{folder}"
 plugins_folder = "{folder}/plugins"
 transports_folder = "{folder}/transports"
 events_folder = "{folder}/none"
 loggers_folder = "{folder}/none"
 debug_level = 2
 session_timeout = 0
 {loops} }}
nat: {{ ice_lite = true
 ice_enforce_list = "{address}"
 full_trickle = false }}
media: {{ ipv6 = false }}
"""


async def _connect(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return await session.ws_connect(url, protocols=["janus-protocol"])
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
