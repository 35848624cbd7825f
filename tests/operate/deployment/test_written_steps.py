"""The steps of docs/operations.md, followed to the letter on real parts, end in a consult that works."""

import json
import os
import re
import subprocess
import sys
from typing import Any, cast

import pytest
import yaml
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from operate.deployment import acl
from tests.operate.deployment.conftest import STEPS, Followed, blocks
from tests.ours import ROOT

pytestmark = pytest.mark.timeout(450)
UNUSED = {
    # prove-destroyed, support codes, a destroyed consult's samples, connections that are given back
    *("lrange", "hgetall", "zrange", "xrange", "type", "getdel", "unlink", "discard", "unwatch"),
    *("info", "select", "unsubscribe"),
    "scan",  # once a minute
    "lrem",  # a call to a worker that did not answer
}


def test_the_steps_end_with_a_consult_that_works(followed: Followed) -> None:
    assert "All is well" in followed.said
    assert "Added." in followed.said


def test_the_steps_name_every_part_of_the_compose_file(followed: Followed) -> None:
    services = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
    table = STEPS.read_text().split("## The parts")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) == services


def test_no_secret_was_printed(followed: Followed) -> None:
    for file in (followed.folder / "secrets").iterdir():
        for line in file.read_text().split():
            assert len(line) < 30 or line not in followed.said, file.name


def connected(followed: Followed, **changed: Any) -> Any:
    """As our programs connect: without telling what library they are."""
    told = {"username": acl.USER, "password": followed.acl_password(), "driver_info": None, **changed}
    return Redis(port=followed.ports["valkey"], decode_responses=True, **told)


@pytest.fixture
def operator(followed: Followed) -> Any:
    with connected(followed) as client:
        yield client


def test_redis_refused_none_of_our_commands(followed: Followed) -> None:
    logs = "".join(file.read_text(errors="replace") for file in (followed.folder / "run").glob("*.log"))
    assert "NOPERM" not in logs
    assert "no permissions" not in logs


def test_the_list_of_commands_is_no_longer_than_it_must_be(operator: Any) -> None:
    statistics = cast("dict[str, Any]", operator.info("commandstats"))
    called = {name.removeprefix("cmdstat_") for name, one in statistics.items() if one["calls"] > one["rejected_calls"]}
    assert set(acl.COMMANDS) - called <= UNUSED
    assert called - set(acl.COMMANDS) - {"auth", "hello"} == set()


@pytest.mark.parametrize(
    "command",
    [
        *("EVAL return(1) 0", "CONFIG SET save 60", "FLUSHALL", "KEYS *", "SAVE", "BGSAVE", "MONITOR"),
        *("ACL LIST", "CLIENT LIST", "SCRIPT LOAD x", "SHUTDOWN", "SLAVEOF no one", "MODULE LIST", "SLOWLOG GET"),
        *("GET another:key", "PUBLISH another x", "SET another:key 1 EX 5"),
    ],
)
def test_our_user_can_do_nothing_else(followed: Followed, command: str) -> None:
    with connected(followed) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_nobody_else_gets_in(followed: Followed) -> None:
    with connected(followed, username=None, password=None) as client, pytest.raises(AuthenticationError):
        client.ping()


def test_the_chapter_is_one_page() -> None:
    chapter = STEPS.read_text().split("## From an empty machine")[1].split("\n## ")[0]
    assert len(chapter.splitlines()) <= 60
    assert len(blocks()) >= 3


def test_the_doctor_finds_every_inner_part_well(followed: Followed) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spreekkamer", "doctor", "--json", "--nameserver", "127.0.0.1:9"],
        cwd=ROOT, env={**os.environ, **followed.settings("server-1")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    found = {one["check"]: one["state"] for one in json.loads(done.stdout)["findings"]}
    inner = ("database", "key-store", "redis", "redis-eviction", "redis-acl", "secrets", "turn-udp", "turn-tcp")
    assert {name: found[name] for name in inner} == dict.fromkeys(inner, "ok")
    assert found["tls"] == "fail"  # nobody trusts a proxy of a test
