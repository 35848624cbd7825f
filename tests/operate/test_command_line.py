"""The console command as people and their scripts use it: as a process, from outside."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from operate.process import shared_secret
from signaling.derived import call_key, derive
from signaling.settings import SignalingSettings
from signaling.tickets import Tickets
from tests.ours import ROOT
from tests.signaling.conftest import Time

START_SECONDS = 120
STRONG = "Vq3kZr8tLw1xYb6nHc4mJd9sFg2pTe7u"


@dataclass
class Command:
    """A running ``spreekkamer``."""

    process: asyncio.subprocess.Process

    async def line(self) -> str:
        """The next line of its output."""
        assert self.process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            return (await self.process.stdout.readline()).decode()

    async def end(self, seconds: float = START_SECONDS) -> tuple[int, str, str]:
        """Exit status and what it still had to say."""
        async with asyncio.timeout(seconds):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()


Run = Callable[..., Awaitable[Command]]


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    """Start ``spreekkamer`` with arguments and environment; what still runs at the end is killed."""
    started: list[Command] = []

    async def start(*arguments: str, stdin: bytes | None = None, **environment: str) -> Command:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "spreekkamer", *arguments),
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        if stdin is not None:
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.close()
        started.append(Command(process))
        return started[-1]

    yield start
    for command in started:
        if command.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                command.process.kill()
            await command.process.communicate()


def descendants(pid: int) -> dict[int, str]:
    """Process id and command line of all children, theirs included."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if entry.name.isdigit() and int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
                found |= descendants(int(entry.name))
    return found


async def gone(pids: dict[int, str], seconds: float = 10) -> dict[int, str]:
    """Those of them that are still there after a while."""
    left = dict(pids)
    for _ in range(int(seconds / 0.1)):
        left = {pid: command for pid, command in left.items() if alive(pid)}
        if not left:
            break
        await asyncio.sleep(0.1)
    return left


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def demo(run: Run, data: Path, port: int = 0, **environment: str) -> tuple[Command, dict[str, Any]]:
    command = await run("demo", "--port", str(port), "--data", str(data), "--json", **environment)
    line = await command.line()
    assert line, await command.end()
    return command, json.loads(line)


async def post(url: str, body: dict[str, str]) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.json()


async def test_the_demo_says_where_it_is_in_one_line_and_stops_with_all_it_started(run: Run, tmp_path: Path) -> None:
    command, ready = await demo(run, tmp_path / "data")
    assert set(ready) == {"ready", "practitioner_url", "patient_url", "health_url", "post_url"}
    assert ready["ready"] is True
    origin = ready["health_url"].removesuffix("/health/ready")
    async with aiohttp.ClientSession() as session, session.get(ready["health_url"]) as response:
        health = await response.json()
    assert health["status"] == "ready"
    assert set(health["checks"]) == {
        *("database", "migrations", "redis", "workers", "turn", "key_store", "retention", "clock", "staying"),
        *("appointments", "disk", "descriptors", "requests"),
    }

    status, me = await post(f"{origin}/api/v1/sign-in/link", {"token": ready["practitioner_url"].partition("#")[2]})
    assert (status, me["display_name"]) == (200, "Dr. Noor de Vries")
    status, joined = await post(f"{origin}/api/v1/join", {"link": ready["patient_url"].partition("#")[2]})
    assert (status, joined["window"]) == (200, "open")

    children = descendants(command.process.pid)
    assert any("media.worker" in child for child in children.values())
    assert any("signaling.redis_child" in child for child in children.values())
    assert not any("secret" in child.lower() for child in children.values())
    command.process.send_signal(signal.SIGINT)
    assert await command.end() == (0, "", "")
    assert await gone(children) == {}


async def test_it_listens_on_loopback_only(run: Run, tmp_path: Path) -> None:
    command, ready = await demo(run, tmp_path / "data")
    port = urlsplit(ready["health_url"]).port
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
    command.process.terminate()
    assert (await command.end())[0] == 0


async def test_the_demo_listens_where_it_is_told_to_on_this_machine(run: Run, tmp_path: Path) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    command, ready = await demo(run, tmp_path / "data", SPREEKKAMER_SIGNALING__HOST="::1")
    port = urlsplit(ready["health_url"]).port
    async with aiohttp.ClientSession() as session, session.get(f"http://[::1]:{port}/health/live") as response:
        assert response.status == 200
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    command.process.terminate()
    assert (await command.end())[0] == 0


async def test_a_killed_demo_leaves_nothing_behind_and_comes_back_with_the_same_links(run: Run, tmp_path: Path) -> None:
    command, first = await demo(run, tmp_path / "data")
    children = descendants(command.process.pid)
    origin = first["health_url"].removesuffix("/health/ready")
    _, joined = await post(f"{origin}/api/v1/join", {"link": first["patient_url"].partition("#")[2]})
    command.process.kill()
    await command.end()
    assert await gone(children) == {}

    again, second = await demo(run, tmp_path / "data", urlsplit(origin).port or 0)
    assert second["patient_url"] == first["patient_url"]
    assert second["practitioner_url"] != first["practitioner_url"]
    old = {"token": first["practitioner_url"].partition("#")[2]}
    assert (await post(f"{origin}/api/v1/sign-in/link", old))[0] == 404
    tickets = Tickets(shared_secret(SignalingSettings(), tmp_path / "data"), Time().now)
    assert tickets.verify(joined["access_token"]).appointment == joined["appointment"]
    again.process.terminate()
    assert (await again.end())[0] == 0


async def test_the_demo_runs_without_any_redis_server(run: Run, tmp_path: Path) -> None:
    command, ready = await demo(run, tmp_path / "data", PATH="")
    async with aiohttp.ClientSession() as session, session.get(ready["health_url"]) as response:
        assert response.status == 200
    command.process.terminate()
    assert (await command.end())[0] == 0


async def test_a_second_server_on_the_same_data_folder_refuses(run: Run, tmp_path: Path) -> None:
    first, ready = await demo(run, tmp_path / "data")
    second = await run("demo", "--port", "0", "--data", str(tmp_path / "data"), "--json")
    status, out, err = await second.end(START_SECONDS)
    assert (status, out) == (1, "")
    assert is_one_sentence(err)
    async with aiohttp.ClientSession() as session, session.get(ready["health_url"]) as response:
        assert response.status == 200
    first.process.terminate()
    await first.end()


async def test_a_port_in_use_is_one_sentence(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = await run("demo", "--port", str(port), "--data", str(tmp_path / "data"))
        status, out, err = await command.end(START_SECONDS)
    assert (status, out) == (1, "")
    assert err == f"spreekkamer: Port {port} is in use; stop what uses it or choose another.\n"


def is_one_sentence(text: str) -> bool:
    return (
        text.startswith("spreekkamer: ") and text.endswith(".\n") and text.count("\n") == 1 and "Traceback" not in text
    )


async def refuses_to_start(run: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    """With one sentence."""
    settings = {"SPREEKKAMER_SIGNALING__PORT": "0", "SPREEKKAMER_ROOMS__DATA": str(tmp_path / "data")} | environment
    status, out, err = await (await run("serve", **settings)).end(START_SECONDS)
    assert (status, out) == (1, "")
    assert is_one_sentence(err), err


@pytest.mark.parametrize(
    "environment",
    [
        {"SPREEKKAMER_SIGNALING__PROT": "8080"},
        {"SPREEKKAMER_NOTHING": "1"},
        {"SPREEKKAMER_SIGNALING__PORT": "eighty"},
        {"SPREEKKAMER_SIGNALING__SECRET": "too short"},
        {"SPREEKKAMER_SIGNALING__REDIS_URL": "unix:///nowhere/redis.sock"},
        {"SPREEKKAMER_ROOMS__DATABASE_URL": "mysql://somewhere"},
    ],
    ids=str,
)
async def test_a_wrong_setting_refuses_the_start_with_one_sentence(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    await refuses_to_start(run, tmp_path, environment)


async def test_a_practitioner_who_was_added_can_sign_in(run: Run, tmp_path: Path) -> None:
    password = "a password for the test"
    settings = {
        "SPREEKKAMER_ROOMS__DATA": str(tmp_path / "data"),
        "SPREEKKAMER_ROOMS__TRUST_CLOCK": "true",
        "SPREEKKAMER_SIGNALING__PORT": "0",
        "SPREEKKAMER_MEDIA__PORT": "0",
        "SPREEKKAMER_SIGNALING__LOG_LEVEL": "debug",
    }
    add = ("practitioner", "add", "alice@example.org", "--name", "Alice")
    assert await (await run(*add, stdin=f"{password}\n".encode(), **settings)).end(START_SECONDS) == (0, "Added.\n", "")
    server = await run("serve", **settings)
    origin = (await server.line()).split()[-1]
    mail = {"mail": "alice@example.org", "password": password}
    assert (await post(f"{origin}/api/v1/sign-in", mail))[0] == 200
    twice = await run(*add, stdin=f"{password}\n".encode(), **settings)
    status, _, err = await twice.end(START_SECONDS)
    assert (status, err) == (1, "spreekkamer: There is an account with this address.\n")
    server.process.terminate()
    status, _, log = await server.end()
    assert status == 0
    assert "alice" not in log.lower()
    assert password not in log
    assert "127.0.0.1" not in log


async def test_an_operator_confirms_the_clock_beside_a_running_server(run: Run, tmp_path: Path) -> None:
    settings = {
        "SPREEKKAMER_ROOMS__DATA": str(tmp_path / "data"),
        "SPREEKKAMER_SIGNALING__PORT": "0",
        "SPREEKKAMER_MEDIA__PORT": "0",
    }
    server = await run("serve", **settings)
    await server.line()
    confirmed = await (await run("retention", "resume", **settings)).end(START_SECONDS)
    assert confirmed == (0, "The clock is confirmed; 0 appointments are due.\n", "")
    server.process.terminate()
    assert (await server.end())[0] == 0


async def test_media_workers_alone_need_to_know_their_servers(run: Run) -> None:
    servers = {"SPREEKKAMER_SIGNALING__REDIS_URL": "redis://127.0.0.1:1/0", "SPREEKKAMER_SIGNALING__SECRET": STRONG}
    for told, remedy in (
        ({}, "spreekkamer media-secret"),
        (servers, "spreekkamer media-secret"),
        ({**servers, "SPREEKKAMER_MEDIA__SECRET": STRONG}, "spreekkamer media-secret"),
    ):
        status, _, err = await (await run("media", **told)).end(START_SECONDS)
        assert status == 1
        assert is_one_sentence(err)
        assert remedy in err


async def test_the_secret_of_media_workers_is_told_and_taken(run: Run) -> None:
    servers = {"SPREEKKAMER_SIGNALING__REDIS_URL": "redis://127.0.0.1:1/0", "SPREEKKAMER_SIGNALING__SECRET": STRONG}
    status, told, _ = await (await run("media-secret", **servers)).end(START_SECONDS)
    assert (status, call_key(told.strip())) == (0, derive(STRONG.encode(), "calls"))
    del servers["SPREEKKAMER_SIGNALING__SECRET"]
    status, _, err = await (await run("media", **servers, SPREEKKAMER_MEDIA__SECRET=told.strip())).end(START_SECONDS)
    assert status == 1
    assert is_one_sentence(err) and "redis_url" in err
    status, _, err = await (await run("media-secret")).end(START_SECONDS)
    assert status == 1 and is_one_sentence(err)


async def test_ctrl_c_in_a_terminal_reaches_all_and_still_ends_well(run: Run, tmp_path: Path) -> None:
    """A terminal sends SIGINT to the whole group; children must leave the ending to their parent."""
    command, _ = await demo(run, tmp_path / "data")
    children = descendants(command.process.pid)
    os.killpg(command.process.pid, signal.SIGINT)
    assert await command.end() == (0, "", "")
    assert await gone(children) == {}


@pytest.mark.parametrize(
    "environment",
    [
        {"SPREEKKAMER_SIGNALING__HOST": "0.0.0.0"},
        {"SPREEKKAMER_SIGNALING__ORIGIN": "http://consult.example.org"},
        {"SPREEKKAMER_SIGNALING__ORIGIN": "https://consult.example.org"},
    ],
    ids=["plain http on every address", "plain http under a name", "an empty privacy page"],
)
async def test_a_server_for_others_is_not_started_half_configured(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    await refuses_to_start(run, tmp_path, environment)


async def test_it_can_speak_tls_with_a_certificate_of_its_own(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    operator = {f"SPREEKKAMER_WEB__OPERATOR__{name}": "x@example.org" for name in ("NAME", "ADDRESS", "MAIL")}
    settings = {
        **operator,
        "SPREEKKAMER_WEB__DPO__NAME": "x",
        "SPREEKKAMER_WEB__DPO__MAIL": "x@example.org",
        "SPREEKKAMER_ROOMS__DATA": str(tmp_path / "data"),
        "SPREEKKAMER_SIGNALING__PORT": str(port),
        "SPREEKKAMER_SIGNALING__ORIGIN": f"https://localhost:{port}",
        "SPREEKKAMER_MEDIA__WORKERS": "0",
    }
    server = await run("serve", "--tls-self-signed", **settings)
    assert await server.line() == f"Spreekkamer answers at https://localhost:{port}\n"
    trusted = ssl.create_default_context(cafile=str(tmp_path / "data" / "secrets" / "tls-self-signed.pem"))
    url = f"https://localhost:{port}/health/live"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=trusted) as response:
        assert response.status == 200
        assert response.headers["Strict-Transport-Security"]
    server.process.terminate()
    assert (await server.end())[0] == 0


async def test_it_prints_the_configuration_of_coturn_or_what_is_missing(run: Run) -> None:
    status, out, err = await (await run("coturn")).end(START_SECONDS)
    assert (status, out) == (1, "")
    assert is_one_sentence(err)
    weak = {"SPREEKKAMER_TURN__ADDRESS": "203.0.113.5", "SPREEKKAMER_TURN__SECRETS": '["changeme"]'}
    status, out, err = await (await run("coturn", **weak)).end(START_SECONDS)
    assert (status, out) == (1, "")
    assert is_one_sentence(err)
    settings = {
        "SPREEKKAMER_TURN__ADDRESS": "203.0.113.5",
        "SPREEKKAMER_TURN__SECRETS": '["9f2c4e71b08d5a63f9e1d7c2a4b6083e"]',
        "SPREEKKAMER_TURN__RELAY_PEERS": '["203.0.113.6"]',
    }
    status, out, err = await (await run("coturn", **settings)).end(START_SECONDS)
    assert (status, err) == (0, "")
    assert {"static-auth-secret=9f2c4e71b08d5a63f9e1d7c2a4b6083e", "allowed-peer-ip=203.0.113.6"} <= set(
        out.splitlines()
    )
