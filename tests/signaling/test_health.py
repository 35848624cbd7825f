"""Health names each part that does not work; metrics are for the operator only."""

import asyncio
import re
from pathlib import Path

import pytest

from media.control import MediaClient
from media.control_server import ControlServer
from signaling import health
from signaling.gate import SIGNALING
from signaling.settings import SignalingSettings
from signaling.typedefs import HEALTH, REDIS
from tests.signaling.conftest import SECRET, Server
from vault.reserve import Reserve

FOLDER = Path(__file__).parents[2] / "docs" / "monitoring"
MONITORING = "".join((FOLDER / name).read_text() for name in ("alerts.yml", "grafana.json"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once, and give a busy machine a minute for each look."""
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(health, "CHECK_SECONDS", 60.0)


async def test_a_turning_loop_is_alive(server: Server) -> None:
    answer = await server.call("GET", "/health/live")
    assert (answer.status, answer.body["status"]) == (200, "alive")


async def test_a_loop_that_stood_still_is_not(server: Server) -> None:
    server.app[HEALTH]._beat -= 5
    answer = await server.call("GET", "/health/live")
    assert (answer.status, answer.body["status"]) == (503, "stalled")


async def test_without_a_media_worker_it_is_not_ready_and_says_why(server: Server) -> None:
    answer = await server.call("GET", "/health/ready")
    assert (answer.status, answer.body["status"]) == (503, "not-ready")
    bad = {name: check["advice"] for name, check in answer.body["checks"].items() if not check["ok"]}
    assert set(bad) == {"workers"}
    assert "spreekkamer media" in bad["workers"]


async def announce(server: Server) -> None:
    """A media worker's heartbeat."""
    from media.control import Done, Heartbeat

    beat = Heartbeat(worker="w", rooms=3, peers=5, packets_per_second=700)
    await ControlServer(server.app[REDIS], SECRET, "w", lambda _: Done(), lambda: beat).announce()


async def test_with_all_parts_it_is_ready(server: Server) -> None:
    await announce(server)
    answer = await server.call("GET", "/health/ready")
    assert (answer.status, answer.body["status"]) == (200, "ready")
    assert all(check["ok"] and check["advice"] is None for check in answer.body["checks"].values())


@pytest.mark.parametrize("part", ["database", "redis"])
async def test_a_part_that_does_not_answer_is_named(server: Server, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await announce(server)

    async def silent() -> None:
        raise TimeoutError

    target = type(server.store) if part == "database" else type(server.app[REDIS])
    monkeypatch.setattr(target, "ping", lambda _: silent())
    checks = (await server.call("GET", "/health/ready")).body["checks"]
    assert [name for name, check in checks.items() if not check["ok"]] == [part]


async def test_many_who_ask_cost_one_look(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 10.0)
    looks = 0
    real = MediaClient.workers

    async def counted(self: MediaClient) -> object:
        nonlocal looks
        looks += 1
        return await real(self)

    monkeypatch.setattr(MediaClient, "workers", counted)
    for _ in range(20):
        await server.call("GET", "/health/ready")
    assert looks <= 2


async def test_metrics_are_numbers_without_ids(server: Server) -> None:
    await announce(server)
    appointment = await server.appoint(server.alice)
    await server.sign_in("alice")
    await server.call("GET", f"/api/v1/appointments/{appointment.id}", who="alice")
    await server.call("GET", "/api/v1/nowhere/at/all")
    server.app[SIGNALING].gate.count("rate_limited")
    text = (await server.call("GET", "/metrics")).body
    assert (
        'spreekkamer_http_requests_total{method="GET",route="/api/v1/appointments/{appointment}",status="200"} 1.0'
        in text
    )
    assert 'route="unknown",status="404"' in text
    assert "spreekkamer_media_rooms 3.0" in text
    assert 'spreekkamer_ready{check="workers"} 1.0' in text
    assert 'spreekkamer_socket_refusals{code="rate_limited"} 1.0' in text
    assert "spreekkamer_sockets 0.0" in text
    assert appointment.id not in text
    assert server.alice.id not in text
    labels = set(re.findall(r'(\w+)="', text))
    assert labels <= {"method", "route", "status", "le", "code", "check", "kind"}


async def test_every_metric_that_alerts_and_dashboard_name_is_served(server: Server) -> None:
    await announce(server)
    server.app[SIGNALING].gate.count("rate_limited")
    await server.call("GET", "/metrics")  # itself counted, the next time
    text = (await server.call("GET", "/metrics")).body
    served = set(re.findall(r"^([a-z_]+)(?=[{ ])", text, re.MULTILINE))
    named = set(re.findall(r"\b(?:spreekkamer|process)_\w+", MONITORING))
    assert named
    of_mail = {"spreekkamer_mail", "spreekkamer_dispatches", "spreekkamer_bounces", "spreekkamer_request_mail"}
    assert named - served == of_mail, "which are of servers that send mail, and read it"
    checks = set(re.findall(r'^spreekkamer_ready\{check="(\w+)"\}', text, re.MULTILINE))
    assert checks == set((await server.app[HEALTH].ready()).checks)


@pytest.mark.parametrize(
    "server_settings",
    [SignalingSettings(), SignalingSettings(trusted_proxies=["127.0.0.0/8"])],
    ids=["no proxy", "behind a proxy"],
)
async def test_metrics_are_not_there_for_others(server: Server) -> None:
    for forwarded in ("203.0.113.7", "127.0.0.1, 203.0.113.7", "127.0.0.1", "nonsense"):
        answer = await server.call("GET", "/metrics", headers={"X-Forwarded-For": forwarded})
        assert (answer.status, answer.code) == (404, "unknown_route"), forwarded


@pytest.mark.parametrize(
    "server_settings",
    [SignalingSettings(trusted_proxies=["127.0.0.0/8"], operator_networks=["10.1.0.0/16"])],
)
async def test_listed_networks_may_read_metrics(server: Server) -> None:
    assert (await server.call("GET", "/metrics", headers={"X-Forwarded-For": "10.1.2.3"})).status == 200
    assert (await server.call("GET", "/metrics", headers={"X-Forwarded-For": "10.1.2.3, 10.2.0.1"})).status == 404


async def test_turn_that_fails_is_said_and_takes_no_server_away(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await announce(server)
    watch = server.app[HEALTH].turn
    assert (watch.trouble, watch.age) == (None, 0.0)
    watch.trouble = "TURN does not answer."
    answer = await server.call("GET", "/health/ready")
    assert (answer.status, answer.body["status"]) == (200, "ready")
    assert answer.body["checks"]["turn"] == {
        "ok": False, "age_seconds": 0.0, "advice": "TURN does not answer.", "needed": False,
    }  # fmt: skip
    assert 'spreekkamer_ready{check="turn"} 0.0' in (await server.call("GET", "/metrics")).body


@pytest.mark.parametrize(("revision", "wrong"), [("9999", []), ("0001", ["migrations"]), ("0027", ["migrations"])])
async def test_a_schema_taken_back_under_a_running_server_is_named_and_a_newer_one_takes_no_server_away(
    server: Server, revision: str, wrong: list[str]
) -> None:
    await announce(server)
    async with server.store.database.write() as connection:
        await connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    answer = await server.call("GET", "/health/ready")
    assert [name for name, check in answer.body["checks"].items() if not check["ok"]] == wrong
    assert answer.status == (503 if wrong else 200)
    assert not wrong or "step back" in answer.body["checks"]["migrations"]["advice"]


async def test_destruction_that_is_late_or_stands_still_is_not_ready_and_said(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await announce(server)
    for name, said in (("LAG_SECONDS", "overdue"), ("STILL_SECONDS", "No sweep")):
        with monkeypatch.context() as moment:
            moment.setattr(health, name, -1.0)
            checks = (await server.call("GET", "/health/ready")).body["checks"]
        assert [part for part, check in checks.items() if not check["ok"]] == ["retention"]
        assert said in checks["retention"]["advice"]


async def test_a_full_redis_is_not_ready_and_said(server: Server) -> None:
    redis = server.app[REDIS]
    await announce(server)
    if not (await redis.info("server")).get("redis_version"):
        pytest.skip("NOT TESTED: install redis-server")
    await redis.config_set("maxmemory", "1")
    try:
        checks = (await server.app[HEALTH].ready()).checks
        assert "full" in (checks["redis"].advice or "")
    finally:
        await redis.config_set("maxmemory", "0")


async def test_a_full_disk_is_not_ready_and_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    await announce(server)
    monkeypatch.setattr(Reserve, "_low", lambda *_: True)
    async with asyncio.timeout(60):
        while (state := await server.app[HEALTH].ready()).status == "ready":
            await asyncio.to_thread(server.store.reserve.look)
    assert state.status == "not-ready"
    assert "nearly full" in (state.checks["disk"].advice or "")
