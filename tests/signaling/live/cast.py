"""Nodes, clients and workers for tests of the live side: real Redis, real storage, real Socket.IO clients."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import socketio
from aiohttp import web

from media.control import (
    Answered,
    Call,
    Done,
    Event,
    Heartbeat,
    MediaClient,
    OfferCall,
    OpenedRoom,
    OpenRoom,
    Refused,
    RefusedLine,
    Reply,
    SlotView,
)
from media.control_server import ControlServer
from practice.agenda.model import Appointment
from practice.storage import Storage, Store
from signaling import gate, typedefs
from signaling.redis import connect
from signaling.settings import SignalingSettings
from signaling.sockets.limits import Limits
from signaling.tasks import stop
from signaling.tickets import Claims, Tickets
from tests.opening import of
from turn.credentials import TurnCredentials
from turn.settings import TurnSettings

SECRET = b"a secret of the tests, 32 bytes or more"
ORIGIN = "https://consult.test"
TRIES = 5

SDP = "v=0\r\n"
LINES = [{"mid": "0", "use": "microphone"}, {"mid": "1", "use": "slot", "slot": 0}]


def utc_now() -> datetime:
    return datetime.now(UTC)


def page() -> str:
    """A new participant id, as a page makes it at every load."""
    return secrets.token_urlsafe(16)


def held(value: bytes | str | None) -> bytes:
    """A value that must be in Redis; its clients here decode nothing."""
    assert isinstance(value, bytes)
    return value


async def until(condition: Callable[[], Any], why: str, seconds: float = 120) -> Any:
    """Wait for a truthy value; says what did not come."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (value := condition()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {seconds} s: {why}")
        await asyncio.sleep(0.005)
    return value


@dataclass
class Notebook:
    """Diagnostics that remember what they were told."""

    entries: list[tuple[str, str, dict[str, object], int]] = field(default_factory=list)

    async def record(self, appointment: str, participant: str, sample: dict[str, object], age_ms: int) -> None:
        self.entries.append((appointment, participant, sample, age_ms))

    async def forget(self, appointment: str) -> None:
        self.entries = [entry for entry in self.entries if entry[0] != appointment]


@dataclass
class Node:
    """One application process, as far as the live side goes."""

    app: web.Application
    signaling: gate.Signaling
    notebook: Notebook
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def counters(self) -> dict[str, int]:
        return self.signaling.gate.counters


@asynccontextmanager
async def open_node(
    url: str,
    storage: Storage,
    *,
    limits: Limits | None = None,
    native: bool = False,
    name: str | None = None,
    turn: TurnSettings | None = None,
    secret: bytes = SECRET,
    people: int = 12,
) -> AsyncIterator[Node]:
    redis = connect(url)
    app = web.Application()
    settings = app[typedefs.SETTINGS] = SignalingSettings(origin=ORIGIN, max_people=people)
    app[typedefs.REDIS] = redis
    app[typedefs.MEDIA] = MediaClient(redis, secret)
    app[typedefs.TURN] = TurnCredentials(turn or TurnSettings(), utc_now)
    app[typedefs.TICKETS] = Tickets(secret, utc_now)
    app[typedefs.NOW] = utc_now
    notebook = Notebook()
    documents = gate.documents(settings, redis, utc_now, secret)
    live = gate.attach(
        app, documents, storage, secret=secret, diagnostics=notebook, limits=limits, native=native, node=name
    )
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    node = Node(app, live, notebook, runner.addresses[0][1])
    await live.gate.manager.subscribed.wait()
    try:
        yield node
    finally:
        await runner.cleanup()
        await redis.aclose()


class Worker:
    """The control side of a media worker: rooms and peers, no packets."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.rooms: dict[str, int] = {}
        self.peers: dict[str, list[str]] = {}
        self.calls: list[Call] = []
        self.silent = False
        self.draining = False
        self.load = 0.0
        self.full = False
        self._redis = connect(url)
        self.control = ControlServer(self._redis, SECRET, name, self.handle, self.beat)
        self._task: asyncio.Task[None] | None = None

    def beat(self) -> Heartbeat:
        busy = {"load": self.load, "full": self.full, "draining": self.draining}
        return Heartbeat(worker=self.name, rooms=len(self.rooms), peers=0, packets_per_second=0, **busy)

    def handle(self, call: Call) -> Reply:
        self.calls.append(call)
        match call:
            case OpenRoom(room=room, fence=fence):
                if fence < self.rooms.get(room, 0):
                    return Refused(code="fenced")
                if self.rooms.get(room) != fence:
                    self.peers[room] = []
                self.rooms[room] = fence
                return OpenedRoom()
            case OfferCall(room=room, fence=fence, peer=peer, sdp=sdp):
                if self.rooms.get(room) != fence:
                    return Refused(code="no_room")
                if "broken" in sdp:
                    return Refused(code="sdp_invalid", reason="not_sdp")
                refused = [RefusedLine(line=1, mid="1", reason="codec")] if "no video" in sdp else []
                self.peers[room] = [*(one for one in self.peers[room] if one != peer), peer]
                others = [one for one in self.peers[room] if one != peer]
                return Answered(
                    sdp=f"answer to {peer}",
                    version=1,
                    slots=[SlotView(slot=i, peer=one) for i, one in enumerate(others)],
                    refused=refused,
                    unusable=["camera"] if refused else [],
                )
        if call.call == "remove-peer":
            self.peers[call.room] = [one for one in self.peers.get(call.room, []) if one != call.peer]
        if call.call == "close-room":
            self.rooms.pop(call.room, None)
            self.peers.pop(call.room, None)
        return Done()

    def emit(self, event: Event) -> None:
        self.control.emit(event)

    async def start(self) -> None:
        await self.control.announce()
        self._task = asyncio.create_task(self.control.run())

    async def die(self) -> None:
        """Without a word: the heartbeat runs out."""
        if self._task:
            await stop([self._task])
            self._task = None
        await self._redis.aclose()


EVERYBODY: list["Person"] = []
"""All that were made in a test, to be sent home at its end."""


class Person:
    """One page: a Socket.IO client that remembers what it was sent."""

    def __init__(self, claims: Claims | str, participant: str | None = None) -> None:
        self.claims = claims
        self.id = participant or page()
        self.heard: list[tuple[str, Any]] = []
        self.numbered: list[tuple[str, Any, int]] = []
        self.capabilities: list[str] | None = None
        self.views: list[dict[str, Any]] = []
        self.silent = False
        self.socket = socketio.AsyncClient(reconnection=False, logger=False, engineio_logger=False)
        EVERYBODY.append(self)
        self.socket.on("*", self._hear)
        self.socket.on("present", self._present)

    async def _hear(self, event: str, *bodies: Any) -> None:
        self.heard.append((event, bodies[0] if bodies else None))
        if len(bodies) > 1:
            self.numbered.append((event, bodies[0], bodies[1]["seq"]))
        if event == "room":
            self.views.append(bodies[0])

    async def _present(self, _body: Any) -> dict[str, Any]:
        if self.silent:
            await asyncio.sleep(2)
        return {}

    def token(self) -> str:
        """What it connects with."""
        return self.claims if isinstance(self.claims, str) else Tickets(SECRET, utc_now).issue(self.claims)

    async def connect(self, node: Node, *, origin: str | None = ORIGIN, token: str | None = None) -> "Person":
        headers = {"Origin": origin} if origin else {}
        auth: dict[str, Any] = {"version": 1, "token": self.token() if token is None else token}
        if self.capabilities is not None:
            auth["capabilities"] = self.capabilities
        await self.socket.connect(node.url, transports=["websocket"], auth=auth, headers=headers, wait_timeout=30)
        return self

    async def ask(self, event: str, body: Any = None) -> dict[str, Any]:
        """The acknowledgement as it came."""
        reply: dict[str, Any] = await self.socket.call(event, body if body is not None else {}, timeout=30)
        return reply

    async def ask_once(self, name: str, event: str, body: Any = None) -> dict[str, Any]:
        """The acknowledgement of an event with an id beside its body."""
        reply: dict[str, Any] = await self.socket.call(event, (body or {}, {"id": name}), timeout=30)
        return reply

    async def do(self, event: str, body: Any = None) -> dict[str, Any]:
        """The data of an acknowledgement that must be a success: at once, or when a server that stood still is back."""
        for _ in range(TRIES):
            reply = await self.ask(event, body)
            if reply["ok"] or reply["error"]["code"] != "try_again":
                break
            await asyncio.sleep(float(reply["error"].get("retry_after", 1)))
        assert reply["ok"], reply
        data: dict[str, Any] = reply["data"]
        if event in ("arrive", "admit", "snapshot"):
            self.views.append(data)
        return data

    async def code(self, event: str, body: Any = None) -> str | None:
        """The error code of an acknowledgement; None for a success."""
        reply = await self.ask(event, body)
        return None if reply["ok"] else str(reply["error"]["code"])

    async def arrive(self, appointment: str, *, take_over: bool = False) -> dict[str, Any]:
        return await self.do("arrive", {"appointment": appointment, "participant": self.id, "take_over": take_over})

    async def admit(self, appointment: str, whom: "Person") -> dict[str, Any]:
        return await self.do("admit", {"appointment": appointment, "participant": whom.id, "me": self.id})

    @property
    def view(self) -> dict[str, Any]:
        """The newest view of the room."""
        return max(self.views, key=lambda view: view["version"])

    def events(self, name: str) -> list[Any]:
        return [body for event, body in self.heard if event == name]

    async def go_home(self) -> None:
        await self.socket.disconnect()
        # A connection that was refused leaves its session open.
        if self.socket.eio.http and not self.socket.eio.http.closed:
            await self.socket.eio.http.close()

    async def leave_abruptly(self) -> None:
        """The browser is gone."""
        await self.socket.eio.disconnect(abort=True)
        await self.socket.disconnect()


@dataclass
class Practice:
    """A practitioner with one appointment, and everybody's tickets."""

    store: Store
    practitioner: str
    appointment: Appointment

    def practitioner_page(self, participant: str | None = None) -> Person:
        return Person(
            Claims(
                kind="access",
                role="practitioner",
                practitioner=self.practitioner,
                seat="practitioner",
                expires=soon(),
            ),
            participant,
        )

    def patient_page(self, participant: str | None = None) -> Person:
        return Person(
            Claims(kind="access", role="patient", appointment=self.appointment.id, seat="patient", expires=soon()),
            participant,
        )

    async def talk(self, node: Node, *, at: Node | None = None, able: list[str] | None = None) -> tuple[Person, Person]:
        """Patient and practitioner, who is ``at`` another node perhaps, both in; ``able`` are their capabilities."""
        patient, doctor = self.patient_page(), self.practitioner_page()
        patient.capabilities = doctor.capabilities = able
        await patient.connect(node)
        await doctor.connect(at or node)
        await patient.arrive(self.appointment.id)
        await doctor.admit(self.appointment.id, patient)
        return patient, doctor

    async def another(self) -> "Practice":
        """Another appointment of the same practitioner."""
        return Practice(self.store, self.practitioner, await appoint(self.store, self.practitioner))


def soon() -> int:
    return int((utc_now() + timedelta(minutes=5)).timestamp())


async def appoint(store: Store, practitioner: str) -> Appointment:
    return await store.appointments.create(of(practitioner), "P.", utc_now(), 30, "nl")
