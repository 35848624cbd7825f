"""The gate: every Socket.IO packet of every client passes here, and only registered events come out.

python-socketio lets a client send events named ``connect``, ``disconnect`` and ``*``, runs as many handlers at once as
a client asks for, and answers an acknowledgement number it never gave with an exception. So the gate replaces the
library's dispatch: **a handler runs only for an event in the registry, from an authenticated socket, in a role the
event allows, with a body its model accepts.** Everything else gets one wire error or is dropped and counted.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import socketio.exceptions
from aiohttp import web
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from signaling.protocol.capabilities import CAPABILITIES, SUPPORTED, Numbered, Welcome
from signaling.protocol.errors import ProtocolError, UserError, to_wire
from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS, SIGNED_OUT, SignedOut, SignedOutCode
from signaling.protocol.model import PROTOCOL_VERSION, Message
from signaling.replays import Missed
from signaling.settings import SignalingSettings
from signaling.sockets import endings
from signaling.sockets.acceptance import Accepted, Handler, accept, connect
from signaling.sockets.agent import UNKNOWN, agent
from signaling.sockets.endings import Ending, How
from signaling.sockets.engine import Engine, LibraryLog
from signaling.sockets.half_open import HalfOpen
from signaling.sockets.hooks import Hooks
from signaling.sockets.library import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, NAMESPACE, SocketServer
from signaling.sockets.limits import Limits
from signaling.sockets.manager import SignedManager
from signaling.sockets.repeats import Repeats
from signaling.sockets.socket import Socket
from signaling.tasks import stop
from signaling.tickets import Claims

ENTERING = frozenset({"arrive", "admit"})
AGENT = "agent"
PATH = "socket.io"

log = logging.getLogger(__name__)


class Gate(SocketServer):
    """The Socket.IO server.

    ``authenticate`` turns a token into claims or raises.
    """

    def __init__(
        self,
        settings: SignalingSettings,
        limits: Limits,
        *,
        redis: Redis,
        secret: bytes,
        authenticate: Callable[[str], Awaitable[Claims]],
        now: Callable[[], datetime],
        native: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.limits = limits
        self.authenticated: dict[str, Socket] = {}
        self._handler_of: dict[str, Handler] = {}
        self._hooks: Hooks
        self._repeats = Repeats(redis)
        self._authenticate = authenticate
        self._clock = clock
        self._now = now
        self._half_open = HalfOpen(limits.authenticate_within, partial(self.end, why=endings.TOO_LATE))
        self._asking: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        super().__init__(
            lambda: Engine(settings, limits, self._half_open, native=native, count=self.count, end=self.end),
            client_manager=SignedManager(redis, secret, self.count),
            logger=LibraryLog(self.count),
        )
        self.on("connect", self._on_connect)
        self.on("disconnect", self._on_disconnect)

    def handle(self, handlers: dict[str, Handler], hooks: Hooks) -> None:
        """Before it starts: the handler of each client event, and who else is told.

        Events of one lane are handled in order, each socket for itself.
        """
        self._handler_of, self._hooks = handlers, hooks

    def count(self, what: str) -> None:
        """Count something that was dropped or refused."""
        self.counters[what] += 1

    def spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Run in the background until the gate closes."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error and to_wire(error).code == "try_again":
            log.warning("Redis or a media worker was away; a message was not sent")
        elif error:
            log.error("a task of the gate failed", exc_info=error)

    # --- out ---------------------------------------------------------------------------------------------------------

    async def tell(self, to: str, event: str, body: Message, seq: int | None = None) -> None:
        """Send a server event to one socket, wherever it is connected, or to a Socket.IO room.

        With a number it goes to one socket, in its turn.
        """
        if not isinstance(body, SERVER_EVENTS[event][0]):
            raise TypeError(event)
        data = body.model_dump(mode="json")
        if seq is not None:
            await self._tell_numbered(to, event, data, seq)
            return
        if here := self.manager.is_connected(to, NAMESPACE):
            self.passing(to, event, data)
        await self.emit(event, data, to=to, ignore_queue=here)

    async def _tell_numbered(self, to: str, event: str, data: dict[str, Any], seq: int) -> None:
        if self.manager.is_connected(to, NAMESPACE):
            self.pass_on(to, event, data, seq)
        else:
            await self.emit(event, (data, Numbered(seq=seq).model_dump()), to=to)

    def pass_on(self, to: str, event: str, data: dict[str, Any], seq: int) -> None:
        """A numbered event is on its way to a socket of this node, if it has it."""
        socket = self.authenticated.get(to)
        if socket and socket.numbering:
            look = partial(self._hooks.missed, socket)
            self.spawn(socket.numbering.pass_on(event, data, seq, look, partial(self._send, to)))

    async def begin(self, socket: Socket, open_list: Callable[[int | None], Awaitable[Missed]]) -> None:
        """Numbered events reach this socket from now on, beginning with those that its page missed."""
        if socket.numbering:
            await socket.numbering.begin(open_list, partial(self._send, socket.sid))

    async def _send(self, to: str, event: str, data: dict[str, Any], seq: int | None) -> None:
        body = data if seq is None else (data, Numbered(seq=seq).model_dump())
        await self.emit(event, body, to=to, ignore_queue=True)

    def passing(self, to: str, event: str, data: dict[str, Any]) -> None:
        """An event is on its way to a socket of this node, from here or from another node."""
        if socket := self.authenticated.get(to):
            self._hooks.heard(socket, event, data)

    async def present(self, sid: str) -> bool:
        """Whether the page behind a socket answers."""
        self._asking[sid] += 1
        try:
            await self.call("present", {}, to=sid, timeout=self.limits.present_within)
        except socketio.exceptions.TimeoutError:
            return False
        finally:
            self._asking[sid] -= 1
            if not self._asking[sid]:
                del self._asking[sid]
                self.manager.trim(sid)
        return True

    def end(self, one: str | None, why: Ending) -> asyncio.Task[None]:
        """End a connection of this node, or a socket of any that is ``TOLD``; the task that says goodbye."""
        if why.counted:
            self.count(why.counted)
        if one is None:
            return self.spawn(asyncio.sleep(0))
        if why.how is How.TOLD:
            return self.spawn(self.disconnect(one))
        if not why.missed:
            self.authenticated.pop(self.sid_of(one) or "", None)
        if why.how is How.CUT:
            self.eio.cut(one)
            return self.spawn(asyncio.sleep(0))
        return self.spawn(self.eio.hang_up(one))

    async def sign_out(self, holders: Sequence[str], why: SignedOutCode) -> None:
        """Tell all sockets of these practitioners, families or appointments, on every node, and close them."""
        self.signed_out(holders, why)
        await self.manager.publish_all(SIGNED_OUT, SignedOut(code=why).model_dump(), holders)

    def signed_out(self, holders: Sequence[str], why: SignedOutCode) -> None:
        """The same for the sockets of this node, asked for here or elsewhere."""
        wanted = set(holders)
        for socket in list(self.authenticated.values()):
            if not wanted.isdisjoint(socket.holders):
                self.spawn(self.turn_out(socket, why))

    async def turn_out(self, socket: Socket, why: SignedOutCode) -> None:
        """Close a socket of this node, saying why; nothing that it asked for and was not begun is done."""
        socket.cut_off = True
        await self.emit(SIGNED_OUT, SignedOut(code=why).model_dump(), to=socket.sid, ignore_queue=True)
        await self.end(socket.sid, endings.SIGNED_OUT)

    def close_doors(self, reason: str | None) -> None:
        """Let nobody in any more, or (None) again. Who is in stays."""
        self.eio.closed_because = reason

    async def send_away(self, seconds: float) -> None:
        """Close all connections, one after the other within this time; clients come back elsewhere by themselves.

        Nobody is reported as lost: their return replaces what this node had of them, before anybody misses them.
        """
        everybody = list(self.authenticated)
        for sid in everybody:
            if sid in self.authenticated:
                self.end(self.eio_sid_of(sid), endings.MOVED)
            await asyncio.sleep(seconds / len(everybody))

    def cut_off(self) -> None:
        """Drop all connections now, without a goodbye; what came in and was not handled yet never will be."""
        sockets = list(self.authenticated.values())
        self.authenticated.clear()
        for eio_sid in list(self.eio.sockets):
            self.end(eio_sid, endings.CUT_OFF)
        for socket in sockets:
            socket.cut_off = True
            self.spawn(self._hooks.lost(socket))

    async def hang_up(self) -> None:
        """Close all connections, all at once: a client that does not answer costs the others nothing."""
        goodbyes = [self.end(eio_sid, endings.SHUT_DOWN) for eio_sid in list(self.eio.sockets)]
        await asyncio.gather(*goodbyes, return_exceptions=True)

    async def close(self) -> None:
        """Hang up on everybody and stop; idempotent."""
        await self.hang_up()
        listening = self.manager.listening
        await stop([*self._tasks, *([listening] if listening else [])])
        self._half_open.close()
        if self.eio.service_task_handle:
            await self.eio.shutdown()

    # --- connections -------------------------------------------------------------------------------------------------

    async def opened(self, eio_sid: str, environ: dict[str, Any]) -> None:
        """It has so many seconds to authenticate."""
        self.start()
        request: web.Request = environ["aiohttp.request"]
        # Nothing else is read of the environ; kept, it would hold the request as long as the socket lives.
        self.environ[eio_sid] = {AGENT: agent(request.headers.get("User-Agent", ""))}
        self._half_open.expect(eio_sid, self.eio.network(request))

    def closed(self, eio_sid: str) -> None:
        """Nobody has to authenticate over it any more."""
        self._half_open.settle(eio_sid)

    async def _on_connect(self, sid: str, _environ: dict[str, Any], auth: Any) -> None:
        try:
            asked = connect(auth)
            claims = await self._authenticate(asked.token)
        except Exception as error:
            wire = to_wire(_honest(error))
            self.count(wire.code)
            if wire.code == "internal":
                log.exception("a connection could not be authenticated")
            raise socketio.exceptions.ConnectionRefusedError(wire.code, wire.model_dump()) from None
        eio_sid = self.eio_sid_of(sid)
        if eio_sid is None or eio_sid not in self.environ:
            raise socketio.exceptions.ConnectionRefusedError("closed")
        self._half_open.settle(eio_sid)
        seen, named = self.environ[eio_sid].get(AGENT, UNKNOWN), asked.capabilities
        both = None if named is None else frozenset(CAPABILITIES.keys() & named)
        self.authenticated[sid] = Socket(sid, claims, self._now().timestamp(), self.limits, self._clock, seen, both)

    async def _welcome(self, eio_sid: str) -> None:
        """Say what both sides can, if the client said what it can."""
        socket = self._socket(eio_sid)
        if socket and socket.capabilities is not None:
            both = sorted(socket.capabilities)
            welcome = Welcome(version=PROTOCOL_VERSION, supported=SUPPORTED, capabilities=both)
            await self.tell(socket.sid, "welcome", welcome)

    async def _on_disconnect(self, sid: str, _reason: str) -> None:
        socket = self.authenticated.pop(sid, None)
        if socket is None:
            return
        eio_sid = self.eio_sid_of(sid)
        below = self.eio.sockets.get(eio_sid)
        if eio_sid and below and not below.closing:
            # The connection below may be used for another CONNECT, but not kept for nothing.
            self._half_open.expect(eio_sid, "")
        try:
            await self._hooks.lost(socket)
        except Exception as error:
            log.warning("a lost socket could not be noted", exc_info=error)

    async def _refuse_connect(self, eio_sid: str, error: ProtocolError) -> None:
        wire = to_wire(error)
        self.count(wire.code)
        await self.send_packet(eio_sid, self.packet(CONNECT_ERROR, {"message": wire.code, "data": wire.model_dump()}))

    # --- packets -----------------------------------------------------------------------------------------------------

    async def came(self, eio_sid: str, data: str) -> None:
        """Take only what a client may send; a packet that cannot be read ends its connection."""
        if eio_sid not in self.environ:
            return  # It closed while this packet waited.
        try:
            packet = self.read(data)
        except (ValueError, RecursionError):
            self.end(eio_sid, endings.UNREADABLE)
            return
        if packet.packet_type == CONNECT and self.sid_of(eio_sid):
            await self._refuse_connect(eio_sid, ProtocolError("bad_state"))
        elif packet.packet_type == CONNECT:
            await self.connect_client(eio_sid, packet.data)
            await self._welcome(eio_sid)
        elif packet.packet_type == DISCONNECT:
            await self.disconnect_client(eio_sid)
        elif packet.packet_type == EVENT:
            await self._event(eio_sid, packet.id, packet.data)
        elif packet.packet_type == ACK:
            await self._answer(eio_sid, packet.id)

    async def _answer(self, eio_sid: str, number: int) -> None:
        """Only to a question that was asked; what the client says with it is not used."""
        sid = self.sid_of(eio_sid)
        if sid is None or not self.manager.asked(sid, number):
            self.count("ack_refused")
            return
        await self.manager.trigger_callback(sid, number, [])

    def _socket(self, eio_sid: str) -> Socket | None:
        return self.authenticated.get(self.sid_of(eio_sid) or "")

    async def _event(self, eio_sid: str, number: int | None, data: Any) -> None:
        socket = self._socket(eio_sid)
        if socket is None:
            self.end(eio_sid, endings.UNAUTHENTICATED)
        elif not socket.take():
            await self._refuse(eio_sid, number, ProtocolError("rate_limited"))
            if socket.exhausted:
                self.end(eio_sid, endings.EXHAUSTED)
        else:
            try:
                accepted = accept(data, socket.claims.role, self._handler_of)
            except (ProtocolError, ValidationError) as error:
                await self._refuse(eio_sid, number, error)
                return
            self.spawn(self._run(socket, eio_sid, number, accepted))

    async def _run(self, socket: Socket, eio_sid: str, number: int | None, accepted: Accepted) -> None:
        event, body, once = accepted
        work = partial(self._handler_of[event], socket, body)
        try:
            async with socket.turn(CLIENT_EVENTS[event].lane or event):
                if socket.cut_off:
                    return
                reply = await (self._repeats.carry_out(socket, once, work) if once else work())
        except Exception as error:  # noqa: BLE001 - to_wire is the one place where errors become visible
            await self._refuse(eio_sid, number, error, event)
            return
        await self._acknowledge(eio_sid, number, {"ok": True, "data": reply.model_dump(mode="json")})
        if event in ENTERING:
            await self._hooks.entered(socket)

    async def _refuse(self, eio_sid: str, number: int | None, error: Exception, event: str = "none") -> None:
        wire = to_wire(_honest(error))
        self.count(wire.code)
        if wire.code == "internal":
            log.error("an event failed", exc_info=error, extra={"event": event})
        await self._acknowledge(eio_sid, number, {"ok": False, "error": wire.model_dump()})

    async def _acknowledge(self, eio_sid: str, number: int | None, reply: dict[str, Any]) -> None:
        if number is not None:
            await self.send_packet(eio_sid, self.packet(ACK, [reply], number))


def _honest(error: Exception) -> Exception:
    """A Redis that is away is nobody's fault; it passes."""
    return UserError("try_again") if isinstance(error, RedisError) else error
