"""A real turnserver with our configuration: what it gives, and all that it refuses."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aioice import stun
from pydantic import SecretStr

from operate.tls import self_signed
from tests.ports import LOOPBACK, free_port, free_ports
from tests.turn import server, special
from tests.turn.server import OLD_SECRET, SECRET, Coturn, Sink, allocate, issue, now, settings
from turn.coturn import NotConfigured, render
from turn.credentials import Credential, TurnCredentials
from turn.settings import TurnSettings

needs_turnserver = pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn's turnserver")


@pytest.fixture
async def coturn(tmp_path: Path) -> AsyncIterator[Coturn]:
    await asyncio.to_thread(self_signed, tmp_path, f"https://{LOOPBACK}", now())
    pem = str(tmp_path / "secrets" / "tls-self-signed.pem")
    port, tls_port = free_ports(2)
    ours = settings(port, tls_name="localhost", tls_port=tls_port, certificate=pem, private_key=pem)
    async with server.running(ours, tmp_path) as running:
        yield running


@needs_turnserver
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_our_credential_opens_an_allocation_that_reaches_the_relay(coturn: Coturn, transport: str) -> None:
    loop = asyncio.get_running_loop()
    relay, sink = await loop.create_datagram_endpoint(Sink, local_addr=(LOOPBACK, 0))
    client, protocol = await allocate(coturn.settings, issue(coturn.settings), transport)
    try:
        client.sendto(b"hello relay", relay.get_extra_info("sockname"))
        async with asyncio.timeout(60):
            data, source = await sink.received.get()
        assert data == b"hello relay"
        assert 50_000 <= source[1] <= 50_100
        assert sink.transport is not None
        sink.transport.sendto(b"hello client", source)
        async with asyncio.timeout(60):
            assert (await protocol.received.get())[0] == b"hello client"
    finally:
        client.close()
        relay.close()
        await asyncio.sleep(0.05)


@needs_turnserver
async def test_no_peer_but_the_relay_can_be_reached(coturn: Coturn) -> None:
    """Every special-purpose range, in every disguise, and somebody else's server."""
    peers = special.peers()
    assert len(peers) > 500
    assert await server.reached(coturn.settings, [*peers, "8.8.8.8", "2a00:1450::1"]) == []
    assert await server.reached(coturn.settings, [LOOPBACK]) == [LOOPBACK, LOOPBACK]


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
async def test_secrets_are_rotated_without_a_gap(tmp_path: Path) -> None:
    """In three steps: coturn takes both, servers sign with the new one, coturn drops the old one."""
    old, both = [SecretStr(OLD_SECRET)], [SecretStr(SECRET), SecretStr(OLD_SECRET)]
    ours = settings(free_port(), secrets=old)
    issued = issue(ours)
    renewed = issue(ours.model_copy(update={"secrets": both}))
    ours = ours.model_copy(update={"secrets": both})
    async with server.running(ours, tmp_path):
        for credential in (issued, renewed):
            client, _ = await allocate(ours, credential)
            client.close()
            await asyncio.sleep(0.05)
    ours = ours.model_copy(update={"secrets": both[:1], "port": free_port()})
    async with server.running(ours, tmp_path):
        client, _ = await allocate(ours, renewed)
        client.close()
        with pytest.raises(stun.TransactionFailed):
            await allocate(ours, issued)
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
