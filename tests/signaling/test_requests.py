"""What happens around every request: other sites, bodies, headers, unknown addresses."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any

import aiohttp
import pytest

from signaling import connection, routes
from signaling.settings import SignalingSettings
from tests.signaling.conftest import PASSWORD, Server

Raw = Callable[[Server], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

CHANGING = [endpoint for endpoint in routes.ENDPOINTS if endpoint.method != "GET"]
SIGN_IN = {"mail": "alice@example.org", "password": PASSWORD}


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    """Connections that send what no HTTP client would."""
    opened = []

    async def connect(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        opened.append(writer)
        return reader, writer

    yield connect
    for writer in opened:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
async def test_another_sites_page_changes_nothing(server: Server, headers: dict[str, str]) -> None:
    for endpoint in CHANGING:
        answer = await server.call(endpoint.method, endpoint.path, {}, headers=headers)
        assert (answer.status, answer.code) == (403, "origin_refused"), endpoint.path


async def test_a_cookie_without_any_origin_is_not_enough(server: Server) -> None:
    await server.sign_in("alice")
    answer = await server.call("POST", "/api/v1/desk/ticket", {}, who="alice", headers={"Origin": ""})
    assert answer.code == "origin_refused"


async def test_a_program_without_cookies_needs_no_origin(server: Server) -> None:
    assert (await server.call("POST", "/api/v1/join", {"link": ""}, headers={"Origin": ""})).code == "link_invalid"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_every_name_of_this_machine_is_our_own_origin(server: Server, host: str) -> None:
    origin = f"http://{host}:{server.port}"
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert (await server.call("POST", "/api/v1/sign-in", SIGN_IN, headers=headers)).status == 200


@pytest.mark.parametrize("server_settings", [SignalingSettings(origin="https://consult.example.org")])
async def test_with_an_origin_configured_only_that_one_is_ours(server: Server) -> None:
    assert (await server.call("POST", "/api/v1/sign-in", SIGN_IN)).code == "origin_refused"


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", "application/json", "invalid"),
        (b"{", "application/json", "invalid"),
        (b"[]", "application/json", "invalid"),
        (b"null", "application/json", "invalid"),
        (b"{}", "application/json", "invalid"),
        (b'{"link": "x"}', "text/plain", "invalid"),
        (b'{"link": "x"}', "application/x-www-form-urlencoded", "invalid"),
        (b'{"link": 1}', "application/json", "invalid"),
        (b'{"link": "x", "role": "practitioner"}', "application/json", "invalid"),
        (b'{"link": "\xff"}', "application/json", "invalid"),
        (b"[" * 10_000, "application/json", "invalid"),
        (b'{"link": "' + b"x" * 20_000 + b'"}', "application/json", "too_large"),
    ],
)
async def test_a_wrong_body_is_one_error(server: Server, body: bytes, content_type: str, code: str) -> None:
    answer = await server.call("POST", "/api/v1/join", body, headers={"Content-Type": content_type})
    assert answer.code == code
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_endless_body_is_cut_off(server: Server, raw: Raw) -> None:
    reader, writer = await raw(server)
    writer.write(
        b"POST /api/v1/join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for _ in range(10):
        writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
    await writer.drain()
    async with asyncio.timeout(60):
        assert b" 413 " in await reader.readline()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "unknown_route"),
        ("GET", "/api/v1/../../etc/passwd", 404, "unknown_route"),
        ("GET", "/api/v1/%2e%2e/secret", 404, "unknown_route"),
        ("PATCH", "/api/v1/me", 405, "method_not_allowed"),
        ("GET", "/api/v1/join", 405, "method_not_allowed"),
    ],
)
async def test_an_unknown_address_is_an_error_in_the_same_form(
    server: Server, method: str, path: str, status: int, code: str
) -> None:
    answer = await server.call(method, path)
    assert (answer.status, answer.code) == (status, code)


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One header line after the other, until the other side has had enough."""
    for number in range(40):
        writer.write(b"X-%d: y\r\n" % number)
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.1)


@pytest.mark.parametrize("before", [b"", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_dripped_headers_are_cut_off(
    server: Server, raw: Raw, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.5)
    reader, writer = await raw(server)
    start = monotonic()
    writer.write(before + b"GET /health/live HTTP/1.1\r\n")
    if before:
        await reader.readuntil(b"}")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await drip(reader, writer)
    assert monotonic() - start > 0.3


async def test_a_connection_that_says_nothing_is_closed(
    server: Server, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.2)
    reader, _ = await raw(server)
    async with asyncio.timeout(60):
        assert await reader.read() == b""


async def test_a_slow_answer_is_not_cut_off_by_the_deadline_for_headers(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.2)
    real = server.store.appointments.by_link

    async def slow(*link: Any) -> object:
        await asyncio.sleep(0.6)
        return await real(*link)

    monkeypatch.setattr(server.store.appointments, "by_link", slow)
    assert (await server.call("POST", "/api/v1/join", {"link": "A" * 44})).code == "link_invalid"


FLOOD = b"GET /static/css/base.css HTTP/1.1\r\nHost: x\r\n\r\n" * 2000


async def deaf(server: Server) -> socket.socket:
    """A client that asks for much and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", server.port))
    return client


async def test_a_client_that_never_reads_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.3)
    client, loop = await deaf(server), asyncio.get_running_loop()
    with client, pytest.raises(ConnectionError):
        async with asyncio.timeout(60):
            while True:
                await loop.sock_sendall(client, FLOOD)


async def test_a_client_that_never_reads_is_cut_off_as_a_socket_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.3)
    client, loop = await deaf(server), asyncio.get_running_loop()
    upgrade = (
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Origin: {server.origin}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n"
    )
    with client:
        await loop.sock_sendall(client, upgrade.encode())
        before = await server.call("GET", "/health/live")
        assert before.status == 200
        ping = b"\x89\xfd" + b"\0" * 4 + b"x" * 125
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(60):
                while True:
                    await loop.sock_sendall(client, ping * 1000)


async def test_a_client_that_reads_slowly_gets_everything(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.3)
    monkeypatch.setattr(connection, "WRITE_BYTES", 64)
    client, loop = await deaf(server), asyncio.get_running_loop()
    got = b""
    with client:
        await loop.sock_sendall(client, FLOOD[: len(FLOOD) // 200] + b"GET /nowhere HTTP/1.0\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(60):
            while data := await loop.sock_recv(client, 8192):
                got += data
                await asyncio.sleep(0.02)
    assert got.count(b"HTTP/1.1 200 OK") == 10
    assert b"unknown_route" in got


async def test_a_fault_of_ours_says_internal_and_nothing_more(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: str) -> None:
        raise KeyError("the name of a patient")

    monkeypatch.setattr(server.store.appointments, "by_link", broken)
    answer = await server.call("POST", "/api/v1/join", {"link": "A" * 44})
    assert (answer.status, answer.code) == (500, "internal")
    assert "patient" not in str(answer.body)


async def test_a_client_that_went_away_is_no_failure_of_ours(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """aiohttp 3.14 says so by an exception of its own, when it has not closed the transport yet."""

    async def gone(*_: str) -> None:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(server.store.appointments, "by_link", gone)
    with contextlib.suppress(aiohttp.ClientError, AssertionError):
        await server.call("POST", "/api/v1/join", {"link": "A" * 44})
    assert "a request failed" not in caplog.text
