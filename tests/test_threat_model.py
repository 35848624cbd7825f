"""What docs/threat-model.md points at exists: tests, doctor's checks, alerts."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from rooms.authentic import KINDS
from vault.inventory import inventory

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "threat-model.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT))
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_row_of_who_can_do_what_names_a_test_that_is_there() -> None:
    table = TEXT.split("## Who can and cannot do what")[1].split("\n### ")[0]
    lines = re.findall(r"^\|(.*)\|$", table, re.MULTILINE)[2:]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    people = set(" ".join(row[0] for row in rows).split())
    assert {"stranger", "patient", "guest", "worker", "Redis", "database"} <= people
    for row in rows:
        named = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[-1])
        assert named, row
        assert re.search(rf"^(async )?def {named[2]}\(", (ROOT / named[1]).read_text(), re.MULTILINE), row[-1]
    claims = [row[1] for row in rows]
    assert len(claims) == len(set(claims))


def test_every_value_in_redis_stands_in_what_a_writer_gains() -> None:
    table = TEXT.split("### What a writer to Redis gains, value by value")[1].split("\n## ")[0]
    named = set(re.findall(r"`(sk:[\w:*-]+)`", table))
    missing = [
        pattern
        for pattern in inventory().names("redis")
        if not any(fnmatchcase(pattern, one) or fnmatchcase(pattern, f"{one}:*") for one in named)
    ]
    assert missing == []
    signed = {one.split(":")[1] for one in re.findall(r"^\| `(sk:[\w*:-]+)`[^|]*\| yes", table, re.MULTILINE)}
    assert set(KINDS) <= signed


def test_every_check_of_the_doctor_that_is_named_exists() -> None:
    source = "".join(path.read_text() for path in (ROOT / "operate" / "doctor").glob("*.py"))
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
