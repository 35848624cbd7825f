"""What never becomes a request, or breaks off as one, is answered in our words and with our headers."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from signaling import logs
from signaling.protocol.errors import CATALOGUE
from signaling.typedefs import METRICS
from tests.signaling.conftest import Server
from web.headers import ALWAYS

CANARY = "canary-of-a-bearer-token"
BEARER = f"Authorization: Bearer {CANARY}\r\n".encode()
JSON = b"Content-Type: application/json\r\n"
JOIN = b"POST /api/v1/join HTTP/1.1\r\nHost: x\r\n" + BEARER + JSON
UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n"
    + BEARER
    + b"Upgrade: websocket\r\nOrigin: http://localhost:PORT\r\n"
)

REFUSED = {
    "no request line": (400, b"canary-of-a-bearer-token\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another version": (400, b"GET /canary-of-a-bearer-token HTTP/9.9\r\n\r\n"),
    "a method of its own": (400, b"canary-of-a-bearer-token / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "CONNECT": (404, b"CONNECT canary-of-a-bearer-token:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "an address that is none": (400, b"GET http://[::1:canary-of-a-bearer-token/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "bytes in the address": (400, b"GET /\xff\xfecanary-of-a-bearer-token HTTP/9.9\r\n\r\n"),
    "a long address": (431, b"GET /" + b"canary-of-a-bearer-token" * 1000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a long header": (431, JOIN + b"X: " + b"canary-of-a-bearer-token" * 1000 + b"\r\n\r\n"),
    "a long header name": (431, JOIN + b"canary-of-a-bearer-token" * 1000 + b": x\r\n\r\n"),
    "many headers": (431, JOIN + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\n"),
    "no colon": (400, JOIN + b"canary-of-a-bearer-token\r\n\r\n"),
    "a header with a zero byte": (400, JOIN + b"X: canary-of-a-bearer-token\x00\r\n\r\n"),
    "a folded header": (400, JOIN + b"X: a\r\n canary-of-a-bearer-token\r\n\r\n"),
    "a space before the colon": (400, JOIN + b"X : canary-of-a-bearer-token\r\n\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n" + BEARER + b"\r\n"),
    "two hosts": (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: canary-of-a-bearer-token\r\n\r\n"),
    "two lengths": (400, JOIN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "a negative length": (400, JOIN + b"Content-Length: -2\r\n\r\n{}"),
    "a length in words": (400, JOIN + b"Content-Length: canary-of-a-bearer-token\r\n\r\n{}"),
    "length and chunks": (400, JOIN + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
    "an unknown transfer encoding": (400, JOIN + b"Transfer-Encoding: canary-of-a-bearer-token\r\n\r\n{}"),
    "a bad chunk": (400, JOIN + b"Transfer-Encoding: chunked\r\n\r\ncanary-of-a-bearer-token\r\n\r\n"),
    "a bad chunk after a good one": (
        400,
        JOIN + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\ncanary-of-a-bearer-token\r\n\r\n",
    ),
    "a body that is not gzip": (
        400,
        JOIN + b"Content-Encoding: gzip\r\nContent-Length: 24\r\n\r\ncanary-of-a-bearer-token",
    ),
    "Expect": (417, JOIN + b"Expect: canary-of-a-bearer-token\r\nContent-Length: 2\r\n\r\n{}"),
    "a large body": (413, JOIN + b"Content-Length: 96000\r\n\r\n" + b"canary-of-a-bearer-token" * 4000),
    "a charset that is none": (
        400,
        JOIN.replace(b"json", b"json; charset=canary-of-a-bearer-token") + b"Content-Length: 2\r\n\r\n{}",
    ),
    "an address without end": (404, b"GET /static/canary-of-a-bearer-token%ff%00%2f.. HTTP/1.1\r\nHost: x\r\n\r\n"),
    "an unknown file": (404, b"GET /static/canary-of-a-bearer-token HTTP/1.1\r\nHost: x\r\n" + BEARER + b"\r\n"),
    "an unknown address": (404, b"GET /canary-of-a-bearer-token HTTP/1.1\r\nHost: x\r\n" + BEARER + b"\r\n"),
    "OPTIONS *": (404, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"),
    "OPTIONS": (405, b"OPTIONS /api/v1/join HTTP/1.1\r\nHost: x\r\n\r\n"),
    "TRACE": (405, b"TRACE /api/v1/me HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n" + BEARER + b"\r\n"),
    "a socket without a key": (400, UPGRADE + b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"),
    "a socket of another version": (
        400,
        UPGRADE + b"Connection: Upgrade\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: canary-of-a-bearer-token"
        b"\r\n\r\n",
    ),
    "a socket with a bad key": (
        400,
        UPGRADE + b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: canary-of-a-bearer-token"
        b"\r\n\r\n",
    ),
    "a socket that polls": (400, b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:PORT\r\n\r\n"),
    "a host that is none": (
        404,
        b"GET /.well-known/nothing HTTP/1.1\r\nHost: [canary-of-a-bearer-token\r\nAccept: text/plain\r\n\r\n",
    ),
}  # fmt: skip

WITH_BAD_HOST = {
    "brackets": b"[::1",
    "a port of words": b"x:canary-of-a-bearer-token",
    "a port too high": b"x:99999999",
    "spaces": b"x canary-of-a-bearer-token",
    "empty": b"",
    "bytes": b"\xff\xfe",
    "an address": b"http://canary-of-a-bearer-token/",
}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What a server writes, as it is set up to write it."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


async def exchange(server: Server, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name and body of the first answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(request.replace(b"PORT", str(server.port).encode()))
        async with asyncio.timeout(20):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await reader.readexactly(int(headers["content-length"]))
    finally:
        writer.close()
    return int(head[0].split(" ")[1]), headers, body


def assert_ours(kind: str, headers: dict[str, str], body: bytes) -> None:
    """An error of the registry, the security headers, and nothing of the libraries below or of the input."""
    said = json.loads(body)["error"]
    assert said["code"] in CATALOGUE, kind
    assert said["code"] != "internal", kind
    assert headers["content-type"].startswith("application/json")
    for name, value in ALWAYS.items():
        assert headers[name.lower()] == value, (kind, name)
    everything = (str(headers) + body.decode()).lower()
    for word in ("aiohttp", "python", CANARY, "traceback"):
        assert word not in everything, kind


async def test_refused_requests_are_answered_in_our_words(server: Server, logged: io.StringIO) -> None:
    for kind, (expected, request) in REFUSED.items():
        status, headers, body = await exchange(server, request)
        assert status == expected, kind
        assert_ours(kind, headers, body)
        assert "traceback" not in logged.getvalue(), kind
        assert CANARY not in logged.getvalue(), kind


async def test_a_host_that_is_none_breaks_nothing(server: Server, logged: io.StringIO) -> None:
    for path in (b"/", b"/api/v1/me", b"/.well-known/security.txt", b"/health/live", b"/metrics"):
        for kind, host in WITH_BAD_HOST.items():
            status, headers, body = await exchange(server, b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path, host))
            assert status < 500, (path, kind)
            assert headers["server"] == "spreekkamer"
            assert CANARY not in body.decode(), (path, kind)
            assert "traceback" not in logged.getvalue(), (path, kind)


async def test_a_crowd_of_refused_requests_is_one_line_a_second(server: Server, logged: io.StringIO) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    for _ in range(60):
        await exchange(server, REFUSED["no colon"][1])
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert {line["message"] for line in lines} == {"a request was refused before it was one"}
    assert 1 <= len(lines) <= loop.time() - start + 1
    numbers = generate_latest(server.app[METRICS].registry).decode()
    assert 'spreekkamer_http_requests_total{method="other",route="unknown",status="400"} 60.0' in numbers


async def test_who_hangs_up_in_the_middle_of_a_body_is_no_fault_of_ours(server: Server, logged: io.StringIO) -> None:
    for body in (b"Content-Length: 20\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(JOIN + body)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
    await server.call("GET", "/health/live")
    assert "traceback" not in logged.getvalue()
