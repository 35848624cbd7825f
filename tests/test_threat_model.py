"""What docs/threat-model.md points at exists: tests, doctor's checks, alerts."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "threat-model.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT))
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_check_of_the_doctor_that_is_named_exists() -> None:
    source = "".join(path.read_text() for path in (ROOT / "signaling" / "doctor").glob("*.py"))
    rows = re.findall(r"`doctor(?: --outside)?`: ([^|;]+)", TEXT)
    for check in re.findall(r"`([\w-]+)`", " ".join(rows)):
        family = (
            check.replace("disk-data", "disk-{name}")
            .replace("turn-udp", "turn-{way}")
            .replace("turn-tcp", "turn-{way}")
        )
        assert f'"{family}"' in source, check


def test_every_alert_that_is_named_exists() -> None:
    rules = yaml.safe_load((ROOT / "docs" / "monitoring" / "alerts.yml").read_text())["groups"][0]["rules"]
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", TEXT))
    assert named <= {rule["alert"] for rule in rules}
    assert named


def test_the_duties_are_marked_and_listed() -> None:
    prose, _, table = TEXT.partition("## The operator's duties, in one list")
    assert prose.count("▶") > 10
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
