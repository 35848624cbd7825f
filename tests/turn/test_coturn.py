"""A real turnserver with our configuration: what it gives, and all that it refuses (security cases M12, M13, 50-52)."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import cast

import pytest
from aioice import stun, turn
from pydantic import SecretStr

from signaling.tls import self_signed
from turn.coturn import NotConfigured, render
from turn.credentials import Credential, TurnCredentials
from turn.settings import TurnSettings

needs_turnserver = pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn's turnserver")

SECRET, OLD_SECRET = "first-secret-of-the-test", "second-secret-of-the-test"
LOOPBACK = "127.0.0.1"

ELSEWHERE = [
    *("0.0.0.0", "127.0.0.2", "10.0.0.5", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.1", "192.0.2.1"),
    *(
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "8.8.8.8",
    ),
    *("::1", "::ffff:127.0.0.1", "::ffff:10.0.0.5", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "fc00::1", "fd00::1"),
    *("fe80::1", "2001:db8::1", "ff02::1", "2002:7f00:1::"),
]


def now() -> datetime:
    return datetime.now(UTC)


def settings(port: int, **changes: object) -> TurnSettings:
    return TurnSettings(
        address=IPv4Address(LOOPBACK),
        port=port,
        secrets=[SecretStr(SECRET), SecretStr(OLD_SECRET)],
        relay_peers=[IPv4Address(LOOPBACK)],
        min_port=50_000,
        max_port=50_100,
    ).model_copy(update=changes)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Coturn:
    settings: TurnSettings
    output: list[str]


@pytest.fixture
async def coturn(tmp_path: Path) -> AsyncIterator[Coturn]:
    """turnserver on loopback; the one line that we add lets it speak to loopback at all."""
    await asyncio.to_thread(self_signed, tmp_path, f"https://{LOOPBACK}", now())
    pem = str(tmp_path / "secrets" / "tls-self-signed.pem")
    ours = settings(free_port(), tls_name="localhost", tls_port=free_port(), certificate=pem, private_key=pem)
    file = tmp_path / "turnserver.conf"
    file.write_text(render(ours) + f"allow-loopback-peers\npidfile={tmp_path / 'pid'}\n")
    process = await asyncio.create_subprocess_exec(
        *("turnserver", "-c", str(file)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path
    )
    assert process.stdout is not None
    try:
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, ours.port)
                writer.close()
                await writer.wait_closed()
                break
            except OSError:
                assert process.returncode is None, await process.stdout.read()
                await asyncio.sleep(0.05)
        running = Coturn(ours, [])
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        running.output += (await process.stdout.read()).decode().splitlines()
        await process.wait()


class Sink(asyncio.DatagramProtocol):
    """Remembers what arrives."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.put_nowait((data, addr))


async def allocate(server: TurnSettings, credential: Credential, transport: str = "udp"):  # type: ignore[no-untyped-def]
    over_tls = transport == "tls"
    return await turn.create_turn_endpoint(
        Sink,
        server_addr=(str(server.address), server.tls_port if over_tls else server.port),
        username=credential.username,
        password=credential.password,
        transport="tcp" if over_tls else transport,
        ssl=trusting(server) if over_tls else None,
    )


def trusting(server: TurnSettings) -> ssl.SSLContext:
    """Believes the server's own certificate and no other."""
    return ssl.create_default_context(cafile=server.certificate)


def issue(server: TurnSettings, at: datetime | None = None, holder: str | None = None) -> Credential:
    credential = TurnCredentials(server, lambda: at or now()).issue(holder)
    assert credential is not None
    return credential


@needs_turnserver
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_our_credential_opens_an_allocation_that_reaches_the_relay(coturn: Coturn, transport: str) -> None:
    loop = asyncio.get_running_loop()
    relay, sink = await loop.create_datagram_endpoint(Sink, local_addr=(LOOPBACK, 0))
    client, protocol = await allocate(coturn.settings, issue(coturn.settings), transport)
    try:
        client.sendto(b"hello relay", relay.get_extra_info("sockname"))
        async with asyncio.timeout(5):
            data, source = await sink.received.get()
        assert data == b"hello relay"
        assert 50_000 <= source[1] <= 50_100
        assert sink.transport is not None
        sink.transport.sendto(b"hello client", source)
        async with asyncio.timeout(5):
            assert (await protocol.received.get())[0] == b"hello client"
    finally:
        client.close()
        relay.close()
        await asyncio.sleep(0.05)


@needs_turnserver
async def test_no_peer_but_the_relay_can_be_reached(coturn: Coturn) -> None:
    client, _ = await allocate(coturn.settings, issue(coturn.settings))
    inner = client._TurnTransport__inner_protocol
    try:
        reached = []
        for number, address in enumerate(ELSEWHERE):
            for attempt in (permission(address), channel(0x4000 + number, address)):
                code = await answer(inner, attempt)
                if code not in (400, 403, 443):
                    reached.append((address, attempt.message_method.name, code))
        assert reached == []
    finally:
        client.close()
        await asyncio.sleep(0.05)


async def answer(inner, request: stun.Message) -> int:  # type: ignore[no-untyped-def]
    """The error code of the answer, 200 if there is none."""
    try:
        await inner.request_with_retry(request)
    except stun.TransactionFailed as failure:
        code: int = failure.response.attributes["ERROR-CODE"][0]
        return code
    return 200


def permission(address: str) -> stun.Message:
    request = stun.Message(message_method=stun.Method.CREATE_PERMISSION, message_class=stun.Class.REQUEST)
    request.attributes["XOR-PEER-ADDRESS"] = (address, 4000)
    return request


def channel(number: int, address: str) -> stun.Message:
    request = stun.Message(message_method=stun.Method.CHANNEL_BIND, message_class=stun.Class.REQUEST)
    request.attributes["CHANNEL-NUMBER"] = number
    request.attributes["XOR-PEER-ADDRESS"] = (address, 4000)
    return request


@needs_turnserver
@pytest.mark.parametrize("fault", ["expired", "forged", "foreign secret"])
async def test_a_bad_credential_opens_nothing(coturn: Coturn, fault: str) -> None:
    credential = issue(coturn.settings)
    if fault == "expired":
        credential = issue(coturn.settings, now() - timedelta(seconds=coturn.settings.lifetime + 60))
    elif fault == "forged":
        late = f"{credential.expires + 99_999}:{credential.username.partition(':')[2]}"
        credential = Credential(credential.urls, late, credential.password, credential.expires)
    else:
        credential = issue(coturn.settings.model_copy(update={"secrets": [SecretStr("a secret of somebody else")]}))
    with pytest.raises(stun.TransactionFailed) as refused:
        await allocate(coturn.settings, credential)
    assert refused.value.response.attributes["ERROR-CODE"][0] == 401


@needs_turnserver
async def test_the_second_secret_is_still_good_while_the_first_is_new(coturn: Coturn) -> None:
    before = coturn.settings.model_copy(update={"secrets": [SecretStr(OLD_SECRET)]})
    client, _ = await allocate(coturn.settings, issue(before))
    client.close()
    await asyncio.sleep(0.05)


@needs_turnserver
async def test_one_holder_has_a_quota_however_many_credentials_it_gets(coturn: Coturn) -> None:
    opened = []
    try:
        with pytest.raises(stun.TransactionFailed) as refused:
            for second in range(10):
                credential = issue(coturn.settings, now() + timedelta(seconds=second), holder="one seat")
                opened.append((await allocate(coturn.settings, credential))[0])
        assert refused.value.response.attributes["ERROR-CODE"][0] == 486
        assert len(opened) == coturn.settings.user_quota
        opened.append((await allocate(coturn.settings, issue(coturn.settings, holder="another seat")))[0])
    finally:
        for client in opened:
            client.close()
        await asyncio.sleep(0.05)


def test_without_an_address_there_is_no_turn() -> None:
    assert TurnCredentials(TurnSettings(), now).issue() is None


def test_a_credential_names_nobody_and_says_when_it_ends() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    first, second = issue(settings(3478), at), issue(settings(3478), at)
    assert first.expires == int(at.timestamp()) + 3600
    assert first.username.startswith(f"{first.expires}:")
    assert first.username != second.username
    assert "seat" not in issue(settings(3478), at, holder="seat").username


def test_tls_comes_last_and_only_with_a_name() -> None:
    plain = issue(settings(3478)).urls
    assert plain == ("turn:127.0.0.1:3478?transport=udp", "turn:127.0.0.1:3478?transport=tcp")
    assert issue(settings(3478, tls_name="turn.example.org")).urls[-1] == "turns:turn.example.org:5349?transport=tcp"


@pytest.mark.parametrize(
    "missing", [{"address": None}, {"secrets": []}, {"relay_peers": []}, {"tls_name": "turn.example.org"}]
)
def test_an_incomplete_configuration_is_not_written(missing: dict[str, object]) -> None:
    with pytest.raises(NotConfigured):
        render(settings(3478, **missing))


def test_every_peer_is_denied_before_ours_are_allowed() -> None:
    lines = render(settings(3478)).splitlines()
    assert "denied-peer-ip=0.0.0.0-255.255.255.255" in lines
    assert [line for line in lines if line.startswith("allowed-peer-ip")] == ["allowed-peer-ip=127.0.0.1"]
    assert {"no-tcp-relay", "no-cli", "use-auth-secret", "no-multicast-peers"} <= set(lines)
    assert not any(line.startswith(("mobility", "allow-loopback-peers", "relay-ip=::")) for line in lines)
