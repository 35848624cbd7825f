"""The technical check on the desk, and support that sees a timeline only with a code, and not unseen."""

import argparse
from pathlib import Path

import pytest
from redis.asyncio import Redis

from operate.commands import support
from signaling.settings import SignalingSettings
from signaling.typedefs import DIAGNOSTICS
from spreekkamer import Settings
from tests.signaling.conftest import Server
from vault.errors import StartRefused
from vault.settings import VaultSettings

SAMPLE = {"candidate": "host", "transport": "udp", "event": "connected", "address": "203.0.113.7", "role": "patient"}
SAMPLE |= {"browser": "Firefox 133", "device": "phone"}


@pytest.mark.duty("S-11", "S-12")
async def test_the_practitioner_reads_how_the_connections_were_without_addresses(server: Server) -> None:
    await server.sign_in("alice")
    consult = await server.appoint(server.alice)
    path = f"/api/v1/appointments/{consult.id}/technical-check"
    assert (await server.call("GET", path, who="alice")).body["people"] == []
    await server.app[DIAGNOSTICS].record(consult.id, "page", SAMPLE, 0)
    answer = await server.call("GET", path, who="alice")
    assert answer.status == 200
    (person,) = answer.body["people"]
    assert (person["role"], person["connection"], person["network"]) == ("patient", "good", "direct")
    assert (person["browser"], person["device"]) == ("Firefox 133", "phone")
    assert "203.0.113.7" not in str(answer.body)


async def test_another_practitioner_s_consult_does_not_exist(server: Server) -> None:
    consult = await server.appoint(server.alice)
    await server.sign_in("bob")
    for method, path in (("GET", "technical-check"), ("POST", "support-code")):
        answer = await server.call(method, f"/api/v1/appointments/{consult.id}/{path}", who="bob")
        assert (answer.status, answer.code) == (404, "not_found")
        assert (await server.call(method, f"/api/v1/appointments/{consult.id}/{path}")).status == 401


async def test_codes_cannot_be_asked_for_without_end(server: Server) -> None:
    await server.sign_in("alice")
    consult = await server.appoint(server.alice)
    asked = [
        await server.call("POST", f"/api/v1/appointments/{consult.id}/support-code", who="alice") for _ in range(11)
    ]
    assert {answer.status for answer in asked[:10]} == {200}
    assert asked[10].code == "rate_limited"


@pytest.mark.duty("S-34")
async def test_support_sees_one_timeline_with_the_code_and_that_is_entered_first(
    server: Server, redis: Redis, redis_address: str, tmp_path: Path
) -> None:
    await server.sign_in("alice")
    consult = await server.appoint(server.alice)
    other = await server.appoint(server.alice)
    await server.app[DIAGNOSTICS].record(consult.id, "page", SAMPLE, 0)
    await server.app[DIAGNOSTICS].record(other.id, "page", SAMPLE | {"event": "failed"}, 0)
    code = (await server.call("POST", f"/api/v1/appointments/{consult.id}/support-code", who="alice")).body["code"]
    settings = Settings(
        rooms=VaultSettings(data=tmp_path / "data", trust_clock=True),
        signaling=SignalingSettings(redis_url=redis_address),
    )
    said = await support.look(settings, argparse.Namespace(code=f"{code[:3]} {code[3:]}", json=False))
    assert "page 1" in said
    assert "event=connected" in said
    assert "failed" not in said
    for secret in (consult.id, "Charlie", server.alice.id):
        assert secret not in said
    acts = [(entry.act, entry.actor, entry.detail) async for entry in server.store.audit.entries()]
    assert acts[-2:] == [("support-code-given", "practitioner", None), ("support-looked", "support", "1")]
    with pytest.raises(StartRefused, match="opens nothing"):
        await support.look(settings, argparse.Namespace(code="000000" if code != "000000" else "000001", json=False))


async def test_support_needs_a_shared_redis(tmp_path: Path) -> None:
    settings = Settings(rooms=VaultSettings(data=tmp_path / "data"))
    with pytest.raises(StartRefused, match="redis_url"):
        await support.look(settings, argparse.Namespace(code="123456", json=False))
