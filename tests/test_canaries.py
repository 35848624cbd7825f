"""A whole server, as it is started, at its most talkative: what goes in anywhere comes out in no line."""

import asyncio
import json
import os
import re
import secrets
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
from argon2 import PasswordHasher

from signaling.protocol.events import CLIENT_EVENTS
from signaling.routes import ENDPOINTS
from tests.opening import open_store
from tests.ports import free_ports
from vault.settings import VaultSettings

ROOT = Path(__file__).parents[1]
CANARY = "Zqcanary"
ADDRESS = "203.0.113.77"
PASSWORD = f"{CANARY} horse battery"
MAIL = f"{CANARY}@example.org"
MAGIC_COOKIE = 0x2112A442
SDP = "\r\n".join(
    (
        *("v=0", f"o={CANARY} 1 1 IN IP4 {ADDRESS}", f"s={CANARY}", f"c=IN IP4 {ADDRESS}"),
        *(f"a=candidate:1 1 udp 1 {ADDRESS} 9 typ host", ""),
    )
)
OF_A_WORKER = re.compile(r"[A-Z]+ [a-z.]+ message withheld")
"""Media workers write no message at all that is not theirs."""


@dataclass
class Running:
    """A server in a process of its own, and where it writes."""

    origin: str
    media_port: int
    written: Path

    def text(self) -> str:
        return self.written.read_text()


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    data, (port, media_port) = tmp_path / "data", free_ports(2)
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    async with open_store(VaultSettings(data=data, trust_clock=True)) as store:
        store.practitioners._hasher = quick
        await store.practitioners.add(MAIL, PASSWORD, f"Dr {CANARY}", "nl")
    environment = os.environ | {
        "SPREEKKAMER_ROOMS__DATA": str(data),
        "SPREEKKAMER_ROOMS__TRUST_CLOCK": "true",
        "SPREEKKAMER_SIGNALING__PORT": str(port),
        "SPREEKKAMER_SIGNALING__LOG_LEVEL": "debug",
        "SPREEKKAMER_MEDIA__PORT": str(media_port),
        "SPREEKKAMER_MEDIA__WORKERS": "1",
        "SPREEKKAMER_MEDIA__ANNOUNCE_LOOPBACK": "true",
        "SPREEKKAMER_TURN__ADDRESS": ADDRESS,
        "SPREEKKAMER_TURN__SECRETS": json.dumps([f"{CANARY} that coturn shares with us"]),
        "PYTHONASYNCIODEBUG": "1",
    }
    written = tmp_path / "written"
    with await asyncio.to_thread(written.open, "wb") as stream:
        command = [sys.executable, "spreekkamer.py", "serve"]
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=stream, stderr=stream, cwd=ROOT
        )
        try:
            origin = f"http://localhost:{port}"
            await ready(origin)
            yield Running(origin, media_port, written)
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 20)


async def ready(origin: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(300):
            with suppress(aiohttp.ClientError):
                async with session.get(f"{origin}/health/ready") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise AssertionError("the server does not get ready")


def headers(origin: str) -> dict[str, str]:
    names = ("User-Agent", "Referer", "X-Forwarded-For", "Accept-Language", "X-Request-Id", "Forwarded", CANARY)
    return dict.fromkeys(names, f"{CANARY} {ADDRESS}") | {"Origin": origin}


def bodies(model: Any) -> list[Any]:
    """Every field with a canary, in several shapes; the model's own names and one that it does not know."""
    names = list(model.model_fields) if model else []
    shapes: list[Any] = [CANARY, [CANARY], {CANARY: CANARY}, 10**30]
    return [dict.fromkeys(names, shape) for shape in shapes] + [{CANARY: ADDRESS}, CANARY, [CANARY]]


async def every_route(running: Running) -> list[str]:
    """Canaries in every field, address, query and header; returns what the server gave that nobody else may see."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers(running.origin)
    ) as session:

        async def call(method: str, path: str, body: Any) -> Any:
            async with session.request(method, running.origin + path, json=body) as response:
                return await response.json() if response.content_type == "application/json" else None

        async def everywhere() -> None:
            for endpoint in ENDPOINTS:
                if endpoint.path in ("/api/v1/sign-out", "/api/v1/account/close", "/api/v1/account/destroy-all"):
                    continue
                path = re.sub(r"\{\w+\}", CANARY, endpoint.path)
                for body in bodies(endpoint.body):
                    await call(endpoint.method, path, body)
                query = "&".join(f"{name}={CANARY}" for name in (*endpoint.query, CANARY))
                await call(endpoint.method, f"{path}?{query}", None)
            for path in (f"/{CANARY}", f"/static/{CANARY}", f"/api/{CANARY}?{CANARY}={ADDRESS}", f"/%2e%2e/{CANARY}"):
                await call("GET", path, None)

        await everywhere()
        me = await call("POST", "/api/v1/sign-in", {"mail": MAIL, "password": PASSWORD})
        assert me["display_name"] == f"Dr {CANARY}"
        await everywhere()
        moment = "2027-03-01T09:00:00+01:00"
        plan = {"starts_at": moment, "minutes": 30, "language": "nl", "anyway": True}
        for name in (CANARY, f"{CANARY}\u202e\ufeff", f"<b>{CANARY}</b>"):
            await call("POST", "/api/v1/appointments", plan | {"patient": name})
        now = datetime.now(UTC).isoformat()
        made = await call(
            "POST", "/api/v1/appointments", {"patient": CANARY, "starts_at": now, "minutes": 30, "language": "nl"}
        )
        one = f"/api/v1/appointments/{made['appointment']}"
        for method, path in (("GET", one), ("GET", f"{one}/technical-check"), ("POST", f"{one}/support-code")):
            await call(method, path, None)
        ticket = (await call("POST", "/api/v1/desk/ticket", None))["access_token"]
        link: str = made["link"].partition("#")[2]
        join = await call("POST", "/api/v1/join", {"link": link})
        entrance = await call("POST", f"{one}/join", {})
        issued = await every_participant(running, made["appointment"], join["access_token"], ticket)
        issued += [value for way in entrance["ice_servers"] for value in (way["username"], way["credential"])]
        await call("DELETE", one, None)
        await call("POST", "/api/v1/account/destroy-all", {"password": CANARY})
        await call("POST", "/api/v1/sign-out", {})
        return [link[:22], link[22:], ticket, join["access_token"], entrance["access_token"], *issued]


@asynccontextmanager
async def connected(running: Running, token: str) -> AsyncIterator[socketio.AsyncClient]:
    async with aiohttp.ClientSession() as session:
        client = socketio.AsyncClient(reconnection=False, http_session=session)
        with suppress(socketio.exceptions.ConnectionError):
            await client.connect(
                running.origin,
                headers=headers(running.origin),
                auth={"version": 1, "token": token},
                transports=["websocket"],
            )
        yield client
        with suppress(Exception):
            await client.disconnect()


async def every_participant(running: Running, appointment: str, patient: str, practitioner: str) -> list[str]:
    """Both in one consult, one called in by the other, until both have left; returns tickets and TURN credentials."""
    people = {role: CANARY + secrets.token_urlsafe(8) for role in ("patient", "practitioner")}
    arrivals = {role: {"appointment": appointment, "participant": id_} for role, id_ in people.items()}
    admit = {"appointment": appointment, "participant": people["patient"], "me": people["practitioner"]}
    async with connected(running, CANARY) as nobody:
        assert not nobody.connected
    async with connected(running, patient) as guest, connected(running, practitioner) as doctor:
        waiting = await guest.call("arrive", arrivals["patient"], timeout=30)
        entered = await doctor.call("admit", admit, timeout=30)
        called = await guest.call("snapshot", {}, timeout=30)
        assert [reply["data"]["me"]["state"] for reply in (waiting, entered, called)] == [
            *("waiting", "admitted", "admitted")
        ]
        ways = [way for reply in (entered, called) for way in reply["data"]["media"]["ice_servers"]]
        assert len(ways) == 2, "TURN for each"
        await every_event(guest, arrivals["patient"])
        await every_event(doctor, arrivals["practitioner"])
    resumes = [reply["data"]["resume"] for reply in (waiting, entered, called)]
    return [*resumes, *(value for way in ways for value in (way["username"], way["credential"]))]


async def every_event(client: socketio.AsyncClient, arrival: dict[str, str]) -> None:
    """Canaries in every event of somebody who is in, then while leaving, and when that is over."""
    lines = [{"mid": CANARY, "use": "microphone"}]
    good: list[tuple[str, Any]] = [
        ("arrive", arrival),
        ("offer", {"fence": 1, "sdp": SDP, "lines": lines}),
        ("chat", {"ciphertext": CANARY}),
        ("key-commit", {"epoch": 1, "commitment": CANARY.ljust(43, "c")}),
        ("keyframe", {"participant": CANARY}),
    ]
    bad = [(event, body) for event, about in CLIENT_EVENTS.items() for body in bodies(about.body)]
    staying = [each for each in bad if each[0] != "leave"]
    leaving = [*(each for each in bad if each[0] == "leave"), ("leave", {})]
    for event in (CANARY, "connect", "*"):  # nothing answers these
        with suppress(socketio.exceptions.SocketIOError):
            await client.emit(event, CANARY)
    for event, body in [*good, *staying, *good, *leaving, *good]:
        with suppress(socketio.exceptions.SocketIOError):
            await client.call(event, body, timeout=30)
        if not client.connected:
            break


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value.ljust(-(-len(value) // 4) * 4, b"\0")


async def every_packet(running: Running) -> None:
    """STUN with canaries for names, DTLS, RTP and noise, over UDP and TCP; raw HTTP that is none."""
    name = attribute(0x0006, f"{CANARY}:{CANARY}".encode()) + attribute(0x8022, CANARY.encode())
    stun = struct.pack("!HHI", 0x0001, len(name), MAGIC_COOKIE) + secrets.token_bytes(12) + name
    packets = [
        stun,
        stun[:30],
        stun[:24] + b"\xff" * 40,
        b"\x16\xfe\xff" + CANARY.encode() * 9,
        b"\x80" + CANARY.encode() * 9,
    ]
    packets += [b"", CANARY.encode(), CANARY.encode() * 300, *(secrets.token_bytes(64) for _ in range(200))]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", running.media_port)
    )
    for packet in packets:
        transport.sendto(packet)
    transport.close()
    port = int(running.origin.rpartition(":")[2])
    raw = [
        f"GET /{CANARY} HTTP/9.9 {CANARY}\r\n{CANARY}\r\n\r\n".encode(),
        CANARY.encode() * 5000,
        b"\x16\x03\x01" + CANARY.encode(),
    ]
    framed = [struct.pack("!H", len(packet)) + packet for packet in packets]
    for target, chunks in ((port, raw), (running.media_port, framed)):
        for chunk in chunks[:20]:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", target)
                writer.write(chunk + b"\r\n\r\n")
                writer.write_eof()
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(), 0.2)
                writer.close()


@pytest.mark.duty("S-12")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_nothing_that_went_in_comes_out_in_a_line_of_a_whole_server(running: Running) -> None:
    given = await every_route(running)
    await every_packet(running)
    async with aiohttp.ClientSession() as session, session.get(f"{running.origin}/metrics") as response:
        metrics = await response.text()
    await asyncio.sleep(0.5)
    written = await asyncio.to_thread(running.text)
    lines = written.splitlines()
    lines.remove(f"Spreekkamer answers at {running.origin}")
    assert len(lines) > 3, "it did say something"
    past = [line for line in lines if not OF_A_WORKER.fullmatch(line)]
    assert {json.loads(line)["level"] for line in past} <= {"debug", "info", "warning", "error"}, "filtered"
    secret = [CANARY, CANARY.lower(), ADDRESS, "127.0.0.1", "example.org", "horse battery", *given]
    for text in (written, metrics):
        assert [word for word in secret if word.lower() in text.lower()] == []
