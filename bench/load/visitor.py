"""A page of a consult without its media: signaling as ``web/static/client/signaling.js`` and ``consult.js`` do it.

The same patience and the same waits as there, so that what is measured here is what a browser would have.
"""

import asyncio
import json
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import aiohttp

from signaling.protocol.model import PROTOCOL_VERSION

REQUEST_SECONDS = 10.0
CONNECT_SECONDS, CONNECT_SECONDS_MOST = 2.0, 8.0
RETRY_LEAST, RETRY_MOST = 0.2, 4.0
RETURN_RETRY = 1.0
PATIENT = aiohttp.ClientWSTimeout(ws_close=None)
ASK_AGAIN, ASK_AGAIN_MOST = 2.0, 32.0
OVER = frozenset({"ended", "gone", "not_found", "link_invalid"})

WANTED, LOG, BETWEEN = "log-wanted", "log-", "_"
LOG_LINES = 4_000
"""So many of what visitors say have room in one message."""

Token = Callable[[], Awaitable[str]]


class Refused(Exception):  # noqa: N818 - the server's answer, not our failure
    """The server said no; ``code`` is from the catalogue, or ``offline``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Visitor:
    """One page load. After `arrive` it comes back by itself, as long as it is not closed.

    Attributes:
        view: the newest view of the room. back: when it was last in the room after a loss (monotonic seconds).
        said: what it wrote and was acknowledged, and when (monotonic seconds). chats: what it was sent, in order.
        learned: what it heard from the other's log, having lost something. ended, taken_over: what it was told.
        losses: sockets lost. gaps: how often it was told that what it missed is not complete.
        away: seconds of each absence from the room.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, origin: str, appointment: str, token: Token) -> None:
        self.id = secrets.token_urlsafe(16)
        self.appointment = appointment
        self.url = url
        self.view: dict[str, Any] = {}
        self.said: dict[str, float] = {}
        self.chats: list[str] = []
        self.learned: set[str] = set()
        self.ended: str | None = None
        self.taken_over = False
        self.back = 0.0
        self.losses = 0
        self.gaps = 0
        self.away: list[float] = []
        self._lost = 0.0
        self._seen: int | None = None
        self._session = session
        self._origin = origin
        self._token = token
        self._present = False
        self._closed = False
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._open = asyncio.Event()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._count = 0
        self._running: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lacking = False

    @property
    def connected(self) -> bool:
        return self._open.is_set()

    @property
    def admitted(self) -> bool:
        return bool(self.view) and self.view["me"]["state"] == "admitted"

    # --- what a page does ----------------------------------------------------------------------------------------

    async def open(self, seconds: float = 15.0) -> None:
        """Connect, and stay connected. Raises TimeoutError, and whatever ended the attempts."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        opened = asyncio.create_task(self._open.wait())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wait({opened, self._running}, return_when=asyncio.FIRST_COMPLETED)
            if self._running.done():
                self._running.result()
        finally:
            opened.cancel()

    async def arrive(self) -> None:
        body = {"appointment": self.appointment, "participant": self.id, "take_over": False, "seen": self._seen}
        self._see(await self.request("arrive", body))
        self.back = time.monotonic()
        if self._present:
            self.away.append(self.back - self._lost)
        self._present = True

    async def admit(self, other: "Visitor") -> None:
        body = {"appointment": self.appointment, "participant": other.id, "me": self.id, "take_over": False}
        self._see(await self.request("admit", body))
        self._present = True
        self.back = time.monotonic()

    async def say(self, text: str) -> None:
        """To all others. Raises as `request` does; then it was not said."""
        await self.request("chat", {"ciphertext": text})
        self.said[text] = time.monotonic()

    async def request(self, event: str, body: dict[str, Any] | None = None) -> Any:
        """The data of the acknowledgement.

        Raises:
            Refused: by the server, or ``offline`` when the connection is not there or is lost meanwhile.
            TimeoutError: no acknowledgement in time.
        """
        if self._socket is None or not self._open.is_set():
            raise Refused("offline")
        self._count += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        number = self._count
        self._answers[number] = answer
        try:
            await self._socket.send_str(f"42{number}{json.dumps([event, body or {}])}")
            async with asyncio.timeout(REQUEST_SECONDS):
                reply = await answer
        except (ConnectionError, aiohttp.ClientError):
            raise Refused("offline") from None
        finally:
            self._answers.pop(number, None)
        if not reply["ok"]:
            raise Refused(reply["error"]["code"])
        return reply["data"]

    @property
    def port(self) -> int:
        """The local port of its connection, 0 without one."""
        name = self._socket.get_extra_info("sockname") if self._socket else None
        return int(name[1]) if name else 0

    def drop(self) -> None:
        """The network is gone for a moment: no goodbye."""
        if self._socket is not None:
            self._socket._response.close()

    async def close(self) -> None:
        """Idempotent."""
        self._closed = True
        tasks = [*self._tasks, *([self._running] if self._running else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- the connection ------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        wait, patience = RETRY_LEAST, CONNECT_SECONDS
        while not self._closed:
            try:
                async with asyncio.timeout(patience):
                    socket, deadline = await self._connect()
            except (TimeoutError, aiohttp.ClientError, OSError, Refused):
                patience = min(2 * patience, CONNECT_SECONDS_MOST)
            else:
                wait, patience = RETRY_LEAST, CONNECT_SECONDS
                await self._serve(socket, deadline)
            if self._closed:
                return
            await asyncio.sleep(wait * (0.5 + random.random()))
            wait = min(2 * wait, RETRY_MOST)

    async def _connect(self) -> tuple[aiohttp.ClientWebSocketResponse, float]:
        """A socket that the server has let in, and the seconds within which a ping must come."""
        address = f"{self.url}/socket.io/?EIO=4&transport=websocket"
        socket = await self._session.ws_connect(address, headers={"Origin": self._origin}, compress=0, timeout=PATIENT)
        try:
            hello = json.loads((await socket.receive_str())[1:])
            token = self.view["resume"] if self.view else await self._token()
            auth = {"version": PROTOCOL_VERSION, "token": token, "capabilities": ["replay"]}
            await socket.send_str(f"40{json.dumps(auth)}")
            while not (frame := await socket.receive_str()).startswith("40"):
                _heed(frame)
                if frame == "2":
                    await socket.send_str("3")
        except BaseException as error:
            socket._response.close()
            if isinstance(error, TypeError):  # a close frame where text was expected
                raise Refused("offline") from None
            raise
        return socket, (hello["pingInterval"] + hello["pingTimeout"]) / 1000

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse, deadline: float) -> None:
        self._socket = socket
        self._open.set()
        if self._present:
            self._spawn(self._return())
        loop = asyncio.get_running_loop()
        due = loop.time() + deadline
        try:
            while True:
                async with asyncio.timeout_at(due):
                    message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT or message.data[:2] == "41":
                    return
                if message.data == "2":
                    due = loop.time() + deadline
                    await socket.send_str("3")
                else:
                    await self._take(socket, message.data)
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            return
        finally:
            self._open.clear()
            self._socket = None
            self.losses += 1
            self._lost = time.monotonic()
            socket._response.close()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Refused("offline"))

    async def _return(self) -> None:
        """As ``Consult.#return``: enter again, as the same participant."""
        while self._open.is_set() and not self._closed:
            try:
                await self.arrive()
            except (Refused, TimeoutError) as error:
                code = error.code if isinstance(error, Refused) else "timeout"
                if code == "offline":
                    return
                if code == "seat_taken":
                    self.taken_over = True
                    return
                if code in OVER:
                    self.ended = code
                    return
                await asyncio.sleep(RETURN_RETRY)
            else:
                return

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, frame: str) -> None:
        bracket = frame.find("[")
        if bracket < 0:
            return
        kind, number = frame[:2], frame[2:bracket]
        body = json.loads(frame[bracket:])
        if kind == "43" and (answer := self._answers.get(int(number))) and not answer.done():
            answer.set_result(body[0])
        elif kind == "42":
            if number:
                await socket.send_str(f"43{number}[{{}}]")
            if len(body) > 2:
                self._seen = body[2]["seq"]
            self._hear(body[0], body[1] if len(body) > 1 else {})

    def _hear(self, event: str, body: dict[str, Any]) -> None:
        if event == "room" and body["me"]["participant"] == self.id:
            self._see(body)
        elif event == "replay":
            self._seen = body["seq"]
            if not body["complete"]:
                self.gaps += 1
                self._spawn(self._ask())
        elif event == "chat":
            self._hear_said(body["sender"], body["ciphertext"])
        elif event == "ended":
            self.ended = body["reason"]
        elif event == "taken-over":
            self.taken_over = True

    # --- what was said: in the clear, for there is nothing to be kept from anybody --------------------------------

    def _hear_said(self, sender: str, text: str) -> None:
        if text == WANTED:
            self._spawn(self._answer(sender))
        elif text.startswith(LOG):
            self._lacking = False
            self.learned.update(text.removeprefix(LOG).split(BETWEEN))
        else:
            self.chats.append(text)

    async def _ask(self) -> None:
        """As ``Chat.ask``."""
        if self._lacking:
            return
        self._lacking, wait = True, ASK_AGAIN
        while self._lacking:
            with suppress(Refused, TimeoutError):
                await self.request("chat", {"ciphertext": WANTED})
            await asyncio.sleep(wait)
            wait = min(2 * wait, ASK_AGAIN_MOST)

    async def _answer(self, sender: str) -> None:
        said = [*self.said]
        with suppress(Refused, TimeoutError):
            for first in range(0, max(len(said), 1), LOG_LINES):
                log = LOG + BETWEEN.join(said[first : first + LOG_LINES])
                await self.request("chat", {"ciphertext": log, "to": sender})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _see(self, view: dict[str, Any]) -> None:
        if not self.view or view["version"] >= self.view["version"]:
            self.view = view


def _heed(frame: str) -> None:
    """Raises Refused when the server does not let this client in."""
    if frame.startswith("44"):
        raise Refused(json.loads(frame[2:]).get("message", ""))
