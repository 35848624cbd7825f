"""`spreekkamer check URL` against a whole server, and against one that lacks something."""

import asyncio
import json
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from client.errors import Refusal
from client.probe import MARK, Probe, whole
from client.rest import Rest
from operate.tls import self_signed
from spreekkamer import parser
from tests.ours import ROOT

PARSER = parser()
"""Made outside of any event loop: it imports every command."""

MAIL, PASSWORD = "monitor@example.org", "a password for the check"
CONSULT = ["offer", "transport", "keys", "picture to practitioner", "sound to practitioner"]
ALL = ["name", "connect", "health", "sign-in", "plan", "join", "socket", "wait", "admit", *CONSULT]
ALL += ["picture to patient", "sound to patient", "chat", "leave", "destroy"]


def spreekkamer(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "spreekkamer", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        **options,
    )


@dataclass
class Server:
    """With an account for monitoring."""

    url: str
    account: Path
    process: subprocess.Popen[str]

    def workers(self) -> list[int]:
        """Process ids of its media workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if "media.worker" in Path(f"/proc/{pid}/cmdline").read_text()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("check")
    settings = {
        "SPREEKKAMER_ROOMS__DATA": str(folder / "data"),
        "SPREEKKAMER_ROOMS__TRUST_CLOCK": "true",
        "SPREEKKAMER_SIGNALING__PORT": "0",
        "SPREEKKAMER_MEDIA__PORT": "0",
        "SPREEKKAMER_MEDIA__WORKERS": "1",
        "SPREEKKAMER_MEDIA__ANNOUNCE_LOOPBACK": "true",
        "PYTHONUNBUFFERED": "1",
    }
    environment = os.environ | settings
    adding = spreekkamer("practitioner", "add", MAIL, "--name", "Monitoring", env=environment)
    assert adding.communicate(f"{PASSWORD}\n", 120)[0] == "Added.\n"
    process = spreekkamer("serve", env=environment)
    assert process.stdout
    try:
        url = process.stdout.readline().split()[-1]
        yield Server(url, write(folder / "account.toml", f'mail = "{MAIL}"\npassword = "{PASSWORD}"\n'), process)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def write(file: Path, text: str, mode: int = 0o600) -> Path:
    file.write_text(text)
    file.chmod(mode)
    return file


Check = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def check(server: Server, capsys: pytest.CaptureFixture[str]) -> Iterator[Check]:
    """Exit status, output and errors of a check in this process."""

    async def run(*options: str, url: str = server.url, account: Path = server.account) -> tuple[int, str, str]:
        status: Any = 0
        try:
            arguments = PARSER.parse_args(["check", url, "--account", str(account), *options])
            await arguments.run(arguments)
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    yield run
    logging.disable(logging.NOTSET)


async def planned(server: Server) -> list[str]:
    async with Rest(server.url) as desk:
        await desk.sign_in(MAIL, PASSWORD)
        return [one.patient for one in await desk.appointments()]


async def test_a_consult_goes_through_everything_and_leaves_nothing_behind(server: Server, check: Check) -> None:
    process = spreekkamer("check", server.url, "--account", str(server.account), "--json")
    out, err = await asyncio.to_thread(process.communicate, timeout=50)
    report = json.loads(out)
    assert (process.returncode, err) == (0, ""), report
    assert [step["name"] for step in report["steps"]] == ALL
    assert report["ok"]
    assert report["failed"] is None
    assert all(step["milliseconds"] >= 0 for step in report["steps"])
    assert await planned(server) == []


async def test_what_an_earlier_check_left_when_it_was_killed_is_destroyed(server: Server, check: Check) -> None:
    async with Rest(server.url) as desk:
        await desk.sign_in(MAIL, PASSWORD)
        today = (await desk.new_appointment(MARK, _minutes_ago(15), 5)).appointment
        assert (await check())[0] == 0
        assert today not in [one.appointment for one in await desk.appointments()]


def _minutes_ago(minutes: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(timespec="seconds")


async def test_a_worker_that_hangs_is_named(server: Server, check: Check) -> None:
    [worker] = server.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        # The server notices after three seconds; whoever comes before gets no answer to the offer.
        status, out, _ = await check("--json", "--timeout", "10")
    finally:
        os.kill(worker, signal.SIGCONT)
    report = json.loads(out)
    assert status == 1
    assert (report["failed"], report["hint"] is None) in (("health", False), ("admit", False), ("offer", False))
    for _ in range(100):
        status, out, _ = await check("--json")
        if status == 0:
            break
        await asyncio.sleep(0.5)
    assert status == 0, out
    assert await planned(server) == []


async def test_a_wrong_password_is_the_sign_in_that_fails(server: Server, check: Check, tmp_path: Path) -> None:
    account = write(tmp_path / "account.toml", f'mail = "{MAIL}"\npassword = "not this one"\n')
    status, out, _ = await check(account=account)
    assert status == 1
    assert "FAIL sign-in" in out
    assert out.splitlines()[-1] == "Failed at `sign-in`: the server answers sign_in_refused"
    assert "not this one" not in out


async def test_a_server_that_is_away_is_the_connection_that_fails(check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as port:
        away = f"http://127.0.0.1:{port.getsockname()[1]}"
    status, out, _ = await check("--json", url=away)
    assert (status, json.loads(out)["failed"]) == (1, "connect")
    status, out, _ = await check("--json", url="http://nobody.invalid")
    assert (status, json.loads(out)["failed"]) == (1, "name")


@pytest.fixture
def own_tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's, with a certificate that no authority signed."""
    return self_signed(tmp_path, "https://localhost", datetime.now(UTC))


async def test_a_certificate_counts_if_its_authority_is_trusted(
    check: Check, tmp_path: Path, own_tls: ssl.SSLContext
) -> None:
    def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0, ssl=own_tls) as server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        authority = str(tmp_path / "secrets" / "tls-self-signed.pem")
        _, strange, _ = await check("--json", url=url)
        _, known, _ = await check("--json", "--authority", authority, url=url)
    assert json.loads(strange)["failed"] == "tls"
    assert "certificate verify failed" in json.loads(strange)["why"]
    report = json.loads(known)
    assert report["failed"] == "health"
    assert report["steps"][1]["detail"] == "TLSv1.3, certificate for 365 more days"


async def test_a_server_that_says_nothing_ends_in_time(check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        status, out, _ = await check("--json", "--timeout", "5", url=url)
    report = json.loads(out)
    assert (status, report["failed"]) == (1, "health")
    assert sum(step["milliseconds"] for step in report["steps"]) < 7_000


async def test_wrong_use_tries_nothing(check: Check, tmp_path: Path) -> None:
    right = f'mail = "{MAIL}"\npassword = "{PASSWORD}"\n'
    loose = write(tmp_path / "loose.toml", right, 0o640)
    for account in (loose, tmp_path / "none.toml", write(tmp_path / "half.toml", f'mail = "{MAIL}"\n')):
        status, out, err = await check(account=account)
        assert (status, out) == (2, "")
        assert err.startswith("spreekkamer check: ")
        assert PASSWORD not in err
    assert (await check(url="consult.example"))[0] == 2
    assert (await check("--timeout", "0"))[0] == 2


def test_an_address_is_an_origin_and_nothing_more() -> None:
    assert whole("https://consult.example/").hostname == "consult.example"
    for wrong in ("consult.example", "ftp://consult.example", "https://me@consult.example", "https://c.example/desk"):
        with pytest.raises(ValueError, match="has to look like"):
            whole(wrong)


async def test_the_appointment_is_destroyed_also_when_the_consult_fails(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise Refusal("try_again")

    monkeypatch.setattr("client.participant.Participant.admit", refuse)
    from client.probe import Account

    probe = Probe(server.url, Account(MAIL, PASSWORD), seconds=20)
    assert not await probe.run()
    assert [(step.name, step.why) for step in probe.steps if step.why] == [("admit", "the server answers try_again")]
    assert probe.steps[-1].name == "destroy"
    assert await planned(server) == []
