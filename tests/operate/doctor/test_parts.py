"""TLS, ports, addresses, TURN, Redis, storage and the clock: real parts, each check seen good and seen failing."""

import asyncio
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from pydantic import SecretStr

from operate.deployment import acl, openbao
from operate.doctor import announced, clock, ports, redis, relaying, storage, tls
from operate.doctor.finding import Finding, as_json, good, look, text
from signaling.settings import SignalingSettings
from spreekkamer import Settings
from tests.opening import open_store
from tests.turn.server import Coturn, settings
from tests.turn.test_coturn import coturn, needs_turnserver  # noqa: F401 -- a fixture
from turn.coturn import render
from turn.settings import TurnSettings
from vault.database.migrate import downgrade, migrate
from vault.settings import VaultSettings

STRONG = "f3b1c0d9e8a7465b9c2d1e0f8a7b6c5d4e3f2a1b"
NOW = datetime.now(UTC)


def states(findings: list[Finding]) -> dict[str, str]:
    assert all(one.fix for one in findings if one.state != "ok"), findings
    return {one.check: one.state for one in findings}


# --- running checks ---------------------------------------------------------------------------------------------------


async def test_a_check_that_hangs_or_breaks_does_not_stop_the_others() -> None:
    async def hangs() -> list[Finding]:
        await asyncio.sleep(60)
        return []

    async def breaks() -> list[Finding]:
        raise ValueError("a secret")

    async def works() -> list[Finding]:
        return [good("works", "It works.")]

    found = await look({"hangs": hangs, "breaks": breaks, "works": works}, seconds=0.1)
    assert states(found) == {"hangs": "unknown", "breaks": "unknown", "works": "ok"}
    assert "a secret" not in text(found) + as_json(found)


# --- TLS --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def https(folder: Path, name: str, *, hsts: bool = True, old: bool = False) -> AsyncIterator[int]:
    signed = openbao.certificate(name, NOW)
    (folder / "pair").write_bytes(signed.pair)
    (folder / "ca").write_bytes(signed.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair")
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.options &= ~(ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED

    async def page(_: web.Request) -> web.Response:
        return web.Response(headers={"Strict-Transport-Security": "max-age=1"} if hsts else {})

    application = web.Application()
    application.router.add_get("/", page)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_good_certificate_is_good_until_its_end_is_near(tmp_path: Path) -> None:
    async with https(tmp_path, "consult.example.org") as port:
        authority = str(tmp_path / "ca")
        assert states(await tls.tls("localhost", port, NOW, authority)) == {
            "tls": "ok", "tls-versions": "ok", "tls-hsts": "ok",
        }  # fmt: skip
        late = NOW + openbao.LIFE - timedelta(days=20)
        assert states(await tls.tls("localhost", port, late, authority))["tls"] == "warn"
        later = NOW + openbao.LIFE - timedelta(days=3)
        assert states(await tls.tls("localhost", port, later, authority))["tls"] == "fail"


async def test_a_certificate_of_nobody_or_of_another_name_is_refused(tmp_path: Path) -> None:
    async with https(tmp_path, "consult.example.org") as port:
        assert states(await tls.tls("localhost", port, NOW)) == {"tls": "fail"}
        assert states(await tls.tls("127.0.0.1", port, NOW, str(tmp_path / "ca"))) == {"tls": "fail"}


@pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")
async def test_old_versions_and_a_missing_header_are_named(tmp_path: Path) -> None:
    async with https(tmp_path, "localhost", hsts=False, old=True) as port:
        found = states(await tls.tls("localhost", port, NOW, str(tmp_path / "ca")))
    assert found["tls-hsts"] == "warn"
    assert found["tls-versions"] in ("fail", "ok")  # "ok" where OpenSSL was built without them


async def test_a_port_without_tls_or_without_anybody_is_named(unused_tcp_port: int) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 no\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert states(await tls.tls("127.0.0.1", port, NOW)) == {"tls": "fail"}
    server.close()
    assert states(await tls.tls("127.0.0.1", unused_tcp_port, NOW)) == {"tls": "fail"}


# --- ports and addresses ----------------------------------------------------------------------------------------------


async def test_doors_that_should_be_open_and_those_that_should_not() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = states(await ports.ports("127.0.0.1", {port: "Ours"}, {port: "PostgreSQL"}))
    assert found == {f"port-{port}": "ok", "ports-closed": "fail"}
    server.close()
    await server.wait_closed()
    found = states(await ports.ports("127.0.0.1", {port: "Ours"}, {port: "PostgreSQL"}))
    assert found == {f"port-{port}": "fail", "ports-closed": "ok"}
    assert states(ports.from_inside()) == {"ports": "unknown"}


@needs_turnserver
async def test_turn_is_seen_over_udp_from_elsewhere(coturn: Coturn) -> None:  # noqa: F811 -- the fixture
    port = coturn.settings.port
    there = states(await ports.over_udp("127.0.0.1", port, 40_000))
    assert there == {f"port-{port}-udp": "ok", "port-40000-udp": "unknown"}


async def test_udp_that_nobody_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "SECONDS", 0.3)
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        assert states(await ports.over_udp("127.0.0.1", port, 1)) == {
            f"port-{port}-udp": "fail",
            "port-1-udp": "unknown",
        }
        assert silent.recv(64)[4:8] == b"\x21\x12\xa4\x42", "a STUN message"
    assert states(await ports.over_udp("127.0.0.1", port, 1))[f"port-{port}-udp"] == "fail"


@pytest.mark.parametrize(
    ("media", "turn", "peers", "expected"),
    [
        (["8.8.4.4"], "8.8.8.8", ["8.8.4.4"], ("ok", "ok")),
        ([], "8.8.8.8", ["8.8.4.4"], ("unknown", "ok")),
        (["10.0.0.5"], "8.8.8.8", ["10.0.0.5"], ("fail", "ok")),
        (["100.64.0.1"], None, [], ("fail", "warn")),
        (["8.8.4.4", "fe80::1"], "10.0.0.1", ["8.8.4.4"], ("fail", "fail")),
        (["8.8.4.4"], "8.8.8.8", ["8.8.8.8"], ("ok", "fail")),
    ],
)
def test_addresses_that_nobody_outside_can_reach_are_named(
    media: list[str], turn: str | None, peers: list[str], expected: tuple[str, str]
) -> None:
    found = announced.announced(media, IPv4Address(turn) if turn else None, [IPv4Address(one) for one in peers])
    assert tuple(states(found).values()) == expected


# --- TURN -------------------------------------------------------------------------------------------------------------


@needs_turnserver
async def test_turn_is_tried_end_to_end(coturn: Coturn) -> None:  # noqa: F811 -- the fixture
    ours = coturn.settings.model_copy(update={"tls_name": None})
    assert states(await relaying.relaying(ours, datetime.now(UTC))) == {"turn-udp": "ok", "turn-tcp": "ok"}
    named = await relaying.relaying(coturn.settings, datetime.now(UTC))
    assert states(named)["turn-tls"] == "fail"
    assert "certificate" in named[-1].meaning
    elsewhere = ours.model_copy(update={"relay_peers": [IPv4Address("203.0.113.5")]})
    assert set(states(await relaying.relaying(elsewhere, datetime.now(UTC))).values()) == {"fail"}


@needs_turnserver
async def test_a_wrong_secret_and_a_server_that_is_away_are_named(coturn: Coturn) -> None:  # noqa: F811 -- the fixture
    wrong = coturn.settings.model_copy(update={"tls_name": None, "secrets": [SecretStr("another secret")]})
    found = await relaying.relaying(wrong, datetime.now(UTC))
    assert set(states(found).values()) == {"fail"}
    assert "401" in found[0].meaning and "another secret" not in text(found)
    away = wrong.model_copy(update={"port": 9})
    assert states(await relaying.relaying(away, datetime.now(UTC)))["turn-tcp"] == "fail"
    assert states(await relaying.relaying(TurnSettings(), datetime.now(UTC))) == {"turn": "unknown"}


@needs_turnserver
async def test_a_turn_that_relays_to_anybody_is_named(tmp_path: Path, unused_udp_port: int) -> None:
    ours = settings(unused_udp_port, relay_peers=[IPv4Address("127.0.0.1")])
    lines = [line for line in render(ours).splitlines() if not line.startswith(("denied-", "allowed-"))]
    (tmp_path / "conf").write_text("\n".join([*lines, "allow-loopback-peers", f"pidfile={tmp_path / 'pid'}", ""]))
    process = await asyncio.create_subprocess_exec("turnserver", "-c", str(tmp_path / "conf"), cwd=tmp_path)
    try:
        for _ in range(100):
            found = await relaying.relaying(ours, datetime.now(UTC))
            if "does not answer" not in found[0].meaning:
                break
            await asyncio.sleep(0.1)
    finally:
        process.terminate()
        await process.wait()
    assert states(found)["turn-udp"] == "fail"
    assert "10.0.0.1" in found[0].meaning


# --- Redis ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def redis_with() -> Iterator[Any]:
    """A redis-server with these options, on a socket; its address."""
    if shutil.which("redis-server") is None:
        pytest.skip("NOT TESTED: install redis-server")
    started: list[tuple[subprocess.Popen[bytes], tempfile.TemporaryDirectory[str]]] = []

    def start(*options: str, user: str = "") -> str:
        folder = tempfile.TemporaryDirectory(prefix="spreekkamer-")
        place = f"{folder.name}/redis.sock"
        command = ["redis-server", "--port", "0", "--unixsocket", place, "--dir", folder.name, *options]
        started.append((subprocess.Popen(command, stdout=subprocess.DEVNULL), folder))
        deadline = time.monotonic() + 20
        while not Path(place).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        return f"unix://{user}{place}"

    yield start
    for process, folder in started:
        process.terminate()
        process.wait(10)
        folder.cleanup()


NOTHING_KEPT = ("--save", "", "--appendonly", "no")


async def test_redis_with_our_policy_is_good(redis_with: Any, tmp_path: Path) -> None:
    file = tmp_path / "acl"
    file.write_text(acl.rules(STRONG, STRONG))
    options = (*NOTHING_KEPT, "--aclfile", str(file), "--maxmemory-policy", "noeviction")
    url = await asyncio.to_thread(redis_with, *options, user=f"{acl.USER}:{STRONG}@")
    assert states(await redis.redis(url)) == {"redis": "ok", "redis-eviction": "ok", "redis-acl": "ok", "proxy": "ok"}
    found = await redis.redis(url.replace(STRONG, "wrong"))
    assert states(found) == {"redis": "fail"}
    assert STRONG not in text(found)


async def test_redis_that_keeps_forgets_or_allows_too_much_is_named(redis_with: Any) -> None:
    url = await asyncio.to_thread(redis_with, "--save", "60 1", "--maxmemory-policy", "allkeys-lru")
    assert states(await redis.redis(url)) == {
        "redis": "fail",
        "redis-eviction": "fail",
        "redis-acl": "warn",
        "proxy": "ok",
    }
    assert states(await redis.redis("unix:///nowhere/redis.sock")) == {"redis": "fail"}
    assert states(await redis.redis(None)) == {"redis": "ok"}


# --- storage ----------------------------------------------------------------------------------------------------------


async def test_database_and_key_store_are_looked_at(tmp_path: Path) -> None:
    rooms = VaultSettings(data=tmp_path / "data", trust_clock=True)
    assert states(await storage.database(rooms)) == {"database": "fail"}
    assert not rooms.data.exists()
    async with open_store(rooms):
        pass
    assert states(await storage.database(rooms)) == {"database": "ok"}
    assert states(await storage.keys(rooms, lambda: NOW)) == {"key-store": "ok"}
    await asyncio.to_thread(downgrade, rooms.database())
    assert states(await storage.database(rooms)) == {"database": "fail"}
    await asyncio.to_thread(migrate, rooms.database())
    rooms.root_key().rename(tmp_path / "elsewhere")
    found = await storage.keys(rooms, lambda: NOW)
    assert states(found) == {"key-store": "fail"}


def test_weak_secrets_are_named() -> None:
    assert states(storage.secrets(Settings())) == {"secrets": "ok"}
    weak = Settings(signaling=SignalingSettings(secret=SecretStr("changeme" * 5)))
    found = storage.secrets(weak)
    assert states(found) == {"secrets": "fail"}
    assert "changeme" not in text(found)


def test_a_full_disk_and_swap_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text("Filename Type Size Used Priority\n")
    for free, state in ((500 << 30, "ok"), (800 << 20, "warn"), (100 << 20, "fail")):
        usage = shutil._ntuple_diskusage(600 << 30, (600 << 30) - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert states(storage.disk({"data": tmp_path / "not yet", "backups": None}, swaps)) == {
            "disk-data": state, "swap": "ok",
        }  # fmt: skip
    swaps.write_text("Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n")
    assert states(storage.disk({}, swaps)) == {"swap": "warn"}
    swaps.write_text("Filename Type Size Used Priority\n/dev/zram0 partition 1 0 -2\n")
    assert states(storage.disk({}, swaps)) == {"swap": "ok"}


# --- clock ------------------------------------------------------------------------------------------------------------


class Ntp(asyncio.DatagramProtocol):
    def __init__(self, ahead: float, stratum: int = 2) -> None:
        self._ahead, self._stratum = ahead, stratum

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        now = time.time() + self._ahead + clock.SINCE_1900
        stamp = struct.pack("!II", int(now), int(now % 1 * (1 << 32)))
        self._transport.sendto(bytes([0x24, self._stratum, 0, 0]) + bytes(28) + stamp + stamp, addr)


@pytest.mark.parametrize(
    ("ahead", "stratum", "state"),
    [(0.0, 2, "ok"), (10.0, 2, "warn"), (-10.0, 2, "warn"), (3600.0, 2, "fail"), (0.0, 16, "unknown")],
)
async def test_a_clock_that_is_off_is_named(ahead: float, stratum: int, state: str) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Ntp(ahead, stratum), local_addr=("127.0.0.1", 0))
    try:
        found = await clock.clock(("127.0.0.1", transport.get_extra_info("sockname")[1]))
    finally:
        transport.close()
    assert states(found) == {"clock": state}


async def test_without_a_server_the_kernel_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for synchronised, state in ((True, "ok"), (False, "unknown")):
        monkeypatch.setattr(clock, "kernel_synchronised", lambda known=synchronised: known)
        assert states(await clock.clock(None)) == {"clock": state}
