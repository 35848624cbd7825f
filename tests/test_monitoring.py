"""The shipped alert rules and dashboard: every expression parses, names metrics that exist, and alerts fire."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.process_collector import ProcessCollector

from signaling.metrics import Metrics

FOLDER = Path(__file__).parents[1] / "docs" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text())
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="NOT TESTED: install the package prometheus")

CHECKS = (
    "database",
    "migrations",
    "redis",
    "workers",
    "turn",
    "key_store",
    "retention",
    "staying",
    "clock",
    "appointments",
    "disk",
    "descriptors",
    "requests",
)
UP = 'up{job="spreekkamer",instance="a"}'
REQUESTS = 'spreekkamer_http_requests_total{method="GET",route="/",status="%s"}'
FIRES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "ServerAway": ({UP: "0x60"}, {UP: "1x60"}),
    "AllServersAway": ({UP: "0x60"}, {UP: "1x60"}),
    "PartNotReady": ({'spreekkamer_ready{check="redis"}': "0x60"}, {'spreekkamer_ready{check="turn"}': "0x60"}),
    "DiskNearlyFull": ({'spreekkamer_ready{check="disk"}': "0x60"}, {'spreekkamer_ready{check="disk"}': "1x60"}),
    "FewDescriptorsLeft": (
        {'spreekkamer_ready{check="descriptors"}': "0x60"},
        {'spreekkamer_ready{check="descriptors"}': "1x60"},
    ),
    "RequestsOverdue": (
        {'spreekkamer_ready{check="requests"}': "0x60"},
        {'spreekkamer_ready{check="requests"}': "1x60"},
    ),
    "ClockBehind": ({"spreekkamer_clock_behind_seconds": "2592000x60"}, {"spreekkamer_clock_behind_seconds": "2x60"}),
    "DestructionPaused": ({'spreekkamer_ready{check="clock"}': "0x60"}, {'spreekkamer_ready{check="clock"}': "1x60"}),
    "DestructionOverdue": (
        {"spreekkamer_retention_lag_seconds": "300x60"},
        {"spreekkamer_retention_lag_seconds": "60x60"},
    ),
    "SweepStands": (
        {"spreekkamer_retention_sweep_age_seconds": "300x60"},
        {"spreekkamer_retention_sweep_age_seconds": "20x60"},
    ),
    "SweepFails": (
        {"spreekkamer_retention_sweep_failures": "0+3x60"},
        {"spreekkamer_retention_sweep_failures": "1x60"},
    ),
    "KeysWait": ({"spreekkamer_keys_waiting_seconds": "0+60x60"}, {"spreekkamer_keys_waiting_seconds": "20x60"}),
    "EpochsFail": ({"spreekkamer_keys_rotation_failures": "0+3x60"}, {"spreekkamer_keys_rotation_failures": "3x60"}),
    "KeyStoreFlat": (
        {'spreekkamer_keys_flat{job="spreekkamer"}': "1x60"},
        {'spreekkamer_keys_flat{job="spreekkamer"}': "0x60"},
    ),
    "DestructionNotGood": (
        {'spreekkamer_ready{check="retention"}': "0x60"},
        {'spreekkamer_ready{check="retention"}': "1x60", 'spreekkamer_ready{check="redis"}': "0x60"},
    ),
    "StillLeaving": ({'spreekkamer_ready{check="staying"}': "0x60"}, {'spreekkamer_ready{check="staying"}': "1x60"}),
    "AppointmentWithoutKey": ({"spreekkamer_retention_alarms": "1x60"}, {"spreekkamer_retention_alarms": "0x60"}),
    "AppointmentUnreadable": (
        {"spreekkamer_retention_unreadable": "1x60"},
        {"spreekkamer_retention_unreadable": "0x60"},
    ),
    "NewerThanThisProgram": ({"spreekkamer_retention_newer": "1x60"}, {"spreekkamer_retention_newer": "0x60"}),
    "TechnicalDataWithoutExpiry": (
        {"spreekkamer_technical_without_expiry": "0+1x60"},
        {"spreekkamer_technical_without_expiry": "3x60"},
    ),
    "MailTooLate": (
        {'spreekkamer_mail{kind="late"}': "0x20 1x40"},
        {'spreekkamer_mail{kind="late"}': "1x60", 'spreekkamer_mail{kind="later"}': "0+1x60"},
    ),
    "MailStands": (
        {'spreekkamer_mail{kind="later"}': "0+1x60", 'spreekkamer_mail{kind="sent"}': "7x60"},
        {'spreekkamer_mail{kind="later"}': "0+1x60", 'spreekkamer_mail{kind="sent"}': "0+1x60"},
    ),
    "MailboxUnread": (
        {'spreekkamer_bounces{kind="unread"}': "0+1x60", 'spreekkamer_bounces{kind="refused"}': "3x60"},
        {'spreekkamer_bounces{kind="unread"}': "0x20 1x40", 'spreekkamer_bounces{kind="refused"}': "0+1x60"},
    ),
    "RequestMailUnread": (
        {'spreekkamer_request_mail{kind="unread"}': "0+1x60", 'spreekkamer_request_mail{kind="filed"}': "3x60"},
        {'spreekkamer_request_mail{kind="unread"}': "0x20 1x40", 'spreekkamer_request_mail{kind="filed"}': "0+1x60"},
    ),
    "BreachClockRuns": (
        {'spreekkamer_breaches{kind="running"}': "1x60"},
        {'spreekkamer_breaches{kind="running"}': "0x60", 'spreekkamer_breaches{kind="late"}': "1x60"},
    ),
    "BreachClockOver": (
        {'spreekkamer_breaches{kind="late"}': "1x60"},
        {'spreekkamer_breaches{kind="late"}': "0x60", 'spreekkamer_breaches{kind="running"}': "1x60"},
    ),
    "TurnFails": ({'spreekkamer_ready{check="turn"}': "0x60"}, {'spreekkamer_ready{check="turn"}': "1x60"}),
    "TurnNotTried": (
        {'spreekkamer_check_age_seconds{check="turn"}': "400x60"},
        {'spreekkamer_check_age_seconds{check="turn"}': "60x60"},
    ),
    "NoMediaWorkers": ({"spreekkamer_media_workers": "0x60"}, {"spreekkamer_media_workers": "2x60"}),
    "MediaFull": (
        {"spreekkamer_media_workers": "2x60", "spreekkamer_media_full": "2x60"},
        {"spreekkamer_media_workers": "2x60", "spreekkamer_media_full": "1x60"},
    ),
    "MediaBusy": ({"spreekkamer_media_load": "0.75x60"}, {"spreekkamer_media_load": "0.6x60"}),
    "ServerErrors": (
        {REQUESTS % 200: "0+90x60", REQUESTS % 503: "0+10x60"},
        {REQUESTS % 200: "0+999x60", REQUESTS % 503: "0+1x60"},
    ),
    "SlowAnswers": (
        {
            'spreekkamer_http_seconds_bucket{route="/",le="1.0"}': "0+90x60",
            'spreekkamer_http_seconds_bucket{route="/",le="10.0"}': "0+100x60",
            'spreekkamer_http_seconds_bucket{route="/",le="+Inf"}': "0+100x60",
        },
        {
            'spreekkamer_http_seconds_bucket{route="/",le="1.0"}': "0+100x60",
            'spreekkamer_http_seconds_bucket{route="/",le="+Inf"}': "0+100x60",
        },
    ),
    "LoopStalls": ({"spreekkamer_loop_beat_age_seconds": "5x60"}, {"spreekkamer_loop_beat_age_seconds": "1x60"}),
    "ProxyNotUnderstood": (
        {'spreekkamer_forwarded_doubts_total{code="unreadable"}': "0+60x60"},
        {'spreekkamer_forwarded_doubts_total{code="untrusted"}': "0+60x60"},
    ),
    "Refusals": (
        {'spreekkamer_socket_refusals{code="rate_limited"}': "0+6000x60"},
        {'spreekkamer_socket_refusals{code="rate_limited"}': "0+60x60"},
    ),
    "ForgedPackets": (
        {'spreekkamer_media_refused_total{kind="stun_forged"}': "0+600x60"},
        {'spreekkamer_media_refused_total{kind="unknown_source"}': "0+6000x60"},
    ),
    "FloodOfPackets": (
        {'spreekkamer_media_refused_total{kind="unknown_source"}': "0+60000x60"},
        {'spreekkamer_media_refused_total{kind="unknown_source"}': "0+6000x60"},
    ),
    "ForgedMessages": (
        {'spreekkamer_socket_refusals{code="forged"}': "1x60"},
        {'spreekkamer_socket_refusals{code="rate_limited"}': "1x60"},
    ),
    "ForgedValues": (
        {'spreekkamer_redis_forged{kind="room"}': "0x20 5x40"},
        {'spreekkamer_redis_forged{kind="room"}': "5x60"},
    ),
    "ManyOpenFiles": (
        {"process_open_fds": "900x60", "process_max_fds": "1000x60"},
        {"process_open_fds": "100x60", "process_max_fds": "1000x60"},
    ),
}


def exported() -> set[str]:
    """Every name under which Prometheus finds something of ours."""
    metrics = Metrics()
    names = {"up"}
    for metric in metrics.registry._names_to_collectors:
        names.add(metric)
    assert isinstance(metrics.requests, Counter) and isinstance(metrics.seconds, Histogram)
    assert any(isinstance(one, ProcessCollector) for one in metrics.registry._collector_to_names)
    families = list(metrics.registry.collect())
    return names | {one.name for one in families} | {sample.name for one in families for sample in one.samples}


def expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.mark.parametrize(("where", "expression"), list(expressions()), ids=lambda value: value[:40])
def test_every_metric_that_is_named_exists(where: str, expression: str) -> None:
    named = set(re.findall(r"\b(?:spreekkamer|process)_\w+|\bup\b", expression))
    assert named, where
    assert named <= exported()


def test_every_check_that_is_named_exists() -> None:
    from unittest.mock import MagicMock

    from signaling.health import Health

    parts = {part.name for part in Health(MagicMock(), MagicMock(), MagicMock(), MagicMock())._parts}
    assert parts == set(CHECKS)
    text = " ".join(expression for _, expression in expressions())
    for found in re.findall(r'check[!=~]+"([^"]+)"', text):
        assert set(found.split("|")) <= parts


def test_every_readiness_check_that_is_not_good_alarms() -> None:
    alarming: set[str] = set()
    for rule in RULES:
        for sign, pattern in re.findall(r'spreekkamer_ready\{check(=~?|!~|!=)"([^"]+)"\} == 0', rule["expr"]):
            matching = {check for check in CHECKS if re.fullmatch(pattern, check)}
            alarming |= matching if sign in ("=", "=~") else set(CHECKS) - matching
    assert alarming == set(CHECKS)


def test_every_metric_of_ours_is_on_the_dashboard_or_alarms() -> None:
    ours = {family.name for family in Metrics().registry.collect() if family.name.startswith("spreekkamer_")}
    text = " ".join(expression for _, expression in expressions())
    assert {name for name in ours if name not in text} == set()


def test_no_label_can_hold_an_id() -> None:
    allowed = {"method", "route", "status", "code", "check", "kind"}
    for collector in Metrics().registry._collector_to_names:
        assert set(getattr(collector, "_labelnames", ())) <= allowed


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".") and rule["annotations"]["action"].endswith((".", "?"))


@needs_promtool
def test_prometheus_takes_every_expression(tmp_path: Path) -> None:
    assert PROMTOOL is not None
    subprocess.run([PROMTOOL, "check", "rules", str(FOLDER / "alerts.yml")], check=True, capture_output=True)
    panels = [expression for _, expression in expressions()]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(panels)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    subprocess.run([PROMTOOL, "check", "rules", str(file)], check=True, capture_output=True)


@needs_promtool
def test_every_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    assert PROMTOOL is not None
    assert set(FIRES) == {rule["alert"] for rule in RULES}
    tests = []
    for alert, cases in FIRES.items():
        for series, expected in zip(cases, (True, False), strict=True):
            query = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > 0 or vector(0)'
            tests.append({
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [{
                    "expr": f"({query}) > bool 0",
                    "eval_time": "30m",
                    "exp_samples": [{"labels": "{}", "value": int(expected)}],
                }],
            })  # fmt: skip
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(FOLDER / "alerts.yml")], "tests": tests}))
    done = subprocess.run([PROMTOOL, "test", "rules", str(file)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_one_that_grafana_reads() -> None:
    assert DASHBOARD["uid"] == "spreekkamer"
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in DASHBOARD["panels"])


def test_what_the_operator_adds_for_prometheus_fits_the_compose_file() -> None:
    root = FOLDER.parents[1]
    chapter = (root / "docs" / "operations.md").read_text().split("## Health and metrics")[1].split("\n## ")[0]
    added, scraped = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", chapter, re.DOTALL))
    compose = yaml.safe_load((root / "docker-compose.yml").read_text())
    servers = {name for name in compose["services"] if name.startswith("server-")}
    assert set(added["services"]) == servers | {"prometheus"}
    for name in servers:
        said = added["services"][name]["environment"]["SPREEKKAMER_SIGNALING__OPERATOR_NETWORKS"]
        (network,) = added["services"]["prometheus"]["networks"]
        assert json.loads(said) == [compose["networks"][network]["ipam"]["config"][0]["subnet"]]
        assert network in compose["services"][name]["networks"]
    (job,) = scraped["scrape_configs"]
    assert set(job["static_configs"][0]["targets"]) == {f"{name}:8080" for name in servers}
    assert {f'job="{job["job_name"]}"'} == set(re.findall(r'job="\w+"', (FOLDER / "alerts.yml").read_text()))
    mounts = {one.split(":")[1]: root / one.split(":")[0] for one in added["services"]["prometheus"]["volumes"]}
    (rules,) = scraped["rule_files"]
    assert (mounts["/etc/prometheus/rules"] / Path(rules).name).exists()
