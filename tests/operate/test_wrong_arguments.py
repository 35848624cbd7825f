"""What a person can mistype behind ``spreekkamer``: one sentence with what to do, and a status; never a traceback."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from operate import setting_names
from spreekkamer import with_ids
from tests import in_process
from tests.in_process import Ended
from tests.ours import ROOT

PROGRAM = [sys.executable, "-m", "spreekkamer"]


@pytest.fixture(autouse=True)
def no_blocking_calls() -> None:
    """Commands read and write files before anybody waits for them."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    in_process.settings(monkeypatch, tmp_path / "data")
    (tmp_path / "file").write_text("hello\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").mkdir()
    return tmp_path


REFUSED = {
    # arguments (@ is a folder with a file, a binary, an empty folder): what the sentence has to say
    "serve --config @/nowhere": "no such file",
    "serve --config @": "is a directory",
    "serve --config @/file": "is not TOML",
    "serve --config @/binary": "UTF-8",
    "demo --port 0 --data @/file": "should be: choose another place",
    "demo --port 0 --data @/file/below": "should be: choose another place",
    "demo --port 0 --data /proc/nowhere": "choose another place",
    "media": "media.redis_url and media.secret",
    "coturn": "turn.address, turn.secrets and turn.relay_peers",
    "db status": "first start makes it",
    "db downgrade": "add --yes",
    "practitioner add alice --name A": "name@example.org",
    "practitioner add alice@example.org --name=": "correct --name",
    "practitioner add alice@example.org --name A": "8 to 1024 characters",
    "practitioner close alice@example.org": "Standard input ended",
    "practitioner close alice@example.org --yes": "no account with this address",
    "backup": "set rooms.backups",
    "restore": "set rooms.backups",
    "restore @/nowhere": "no backup here",
    "restore @/empty": "no backup here",
    "restore @/binary": "take another one",
    "restore @/file": "take another one",
    "key-snapshot take @/empty": "set rooms.snapshot_keys",
    "key-snapshot restore @/file": "set rooms.snapshot_keys",
    "prove-destroyed nothing": "no such receipt",
    "prove-destroyed x --logs @/nowhere --backups @/nowhere": "no such receipt",
    "audit show --practitioner nobody": "no account with this address",
    "audit show --appointment nothing": "no such appointment",
    "support 123456": "set signaling.redis_url",
    "setup @/file --domain example.org --address 192.0.2.1": "choose another place",
    "setup /proc/nowhere --domain example.org --address 192.0.2.1": "choose another place",
    "setup @/new --domain example --address 192.0.2.1": "--domain must be",
    "setup @/new --domain https://example.org --address 192.0.2.1": "--domain must be",
    "setup @/new --domain example.org --address here": "--address must be",
    "doctor --outside consult.example.org": "must begin with https://",
    "doctor --outside http://consult.example.org": "https://",
    "doctor --outside https://consult.example.org/practice": "leave out the path",
}

WRONG_USE = {
    "": "required: COMMAND",
    "nothing": "invalid choice",
    "serve now": "unrecognized arguments",
    "serve --confg x": "unrecognized arguments",
    "serve --config=": "must be a path",
    "demo --port eighty": "from 0 to 65535",
    "demo --port 65536": "from 0 to 65535",
    "demo --port -1": "from 0 to 65535",
    "demo --port ٣": "from 0 to 65535",
    "demo --data=": "must be a path",
    "practitioner": "required: COMMAND",
    "practitioner add": "required: mail, --name",
    "practitioner add a@b.nl --name A --language tlh": "invalid choice",
    "audit show --day yesterday": "as 2027-03-01",
    "audit show --day 2027-02-30": "as 2027-03-01",
    "audit show --act destroy": "one of signed-in",
    "doctor --nameserver nowhere": "must be an address",
    "doctor --nameserver 192.0.2.53:dns": "from 0 to 65535",
    "doctor --ntp time.example:x": "from 0 to 65535",
    "doctor --ntp a/b": "must be a host",
    "setup": "required: folder",
    "check https://consult.example.org": "required: --account",
    "check https://consult.example.org --account @/nowhere": "no such file",
    "check https://consult.example.org --account @/file": "only its owner",
    "check https://consult.example.org --account @/mine": "no TOML",
    "check https://consult.example.org --account @/mine --authority @/file": "no certificate",
    "check https://consult.example.org --account @/mine --timeout soon": "from 5 to 600",
    "prove-destroyed": "required: receipt",
}


def run(monkeypatch: pytest.MonkeyPatch, place: Path, words: str) -> Ended:
    (place / "mine").write_text("no toml")
    (place / "mine").chmod(0o600)
    return in_process.command(monkeypatch, *words.replace("@", str(place)).split(" ") if words else [])


def at(words: str) -> str:
    """``@`` stands for a folder, but not in an address."""
    return words.replace("alice@", "alice\0").replace("a@b", "a\0b")


@pytest.mark.parametrize(("words", "remedy"), REFUSED.items())
def test_a_command_that_cannot_be_done_says_why(
    monkeypatch: pytest.MonkeyPatch, place: Path, words: str, remedy: str
) -> None:
    arguments = [part.replace("@", str(place)).replace("\0", "@") for part in at(words).split(" ")]
    ended = in_process.command(monkeypatch, *arguments)
    assert ended.status == 1
    assert remedy in ended.sentence
    assert ended.sentence.endswith(".")


@pytest.mark.parametrize(("words", "remedy"), WRONG_USE.items())
def test_wrong_use_says_how(monkeypatch: pytest.MonkeyPatch, place: Path, words: str, remedy: str) -> None:
    (place / "mine").write_text("no toml")
    (place / "mine").chmod(0o600)
    arguments = [part.replace("@", str(place)).replace("\0", "@") for part in at(words).split(" ")] if words else []
    ended = in_process.command(monkeypatch, *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert remedy in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "consult.example.org"])
def test_the_demo_is_for_this_machine_and_says_so(monkeypatch: pytest.MonkeyPatch, place: Path, host: str) -> None:
    monkeypatch.setenv("SPREEKKAMER_SIGNALING__HOST", host)
    ended = in_process.command(monkeypatch, "demo", "--port", "0", "--data", str(place / "demo"))
    assert ended.status == 1
    assert "signaling.host" in ended.sentence and "127.0.0.1" in ended.sentence


@pytest.mark.parametrize(
    ("words", "setting"), [("media", "media.redis_url"), ("support 123456", "signaling.redis_url")]
)
def test_a_redis_that_is_away_is_named_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, place: Path, words: str, setting: str
) -> None:
    monkeypatch.setenv("SPREEKKAMER_MEDIA__SECRET", base64.b64encode(bytes(range(32))).decode())
    monkeypatch.setenv(setting_names.variable(setting.split(".")), "redis://127.0.0.1:1/0")
    ended = in_process.command(monkeypatch, *words.split())
    assert ended.status == 1
    assert ended.sentence == f"No Redis listens there; start it, or correct its place in {setting}."


def test_a_password_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "practitioner", "add", "alice@example.org", "--name", "A"],
        cwd=ROOT, input=b"\xff\xfe\xff not a text\n", capture_output=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == b"spreekkamer: What was given is not text in UTF-8.\n"


def test_a_fault_of_ours_is_one_sentence_with_its_place(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    from vault import inventory

    def broken() -> None:
        raise TypeError("a person's name")

    monkeypatch.setattr(inventory, "inventory", broken)
    ended = in_process.command(monkeypatch, "inventory")
    assert ended.status == 70
    assert ended.sentence == ended.sentence.replace("a person's name", "")
    assert "TypeError at tests/operate/test_wrong_arguments.py:" in ended.sentence


@pytest.mark.parametrize("words", ["inventory", "inventory --json"])
def test_who_stops_reading_the_output_is_no_fault(place: Path, words: str) -> None:
    with subprocess.Popen(
        [*PROGRAM, *words.split()], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(100) == 141


def test_an_output_that_is_full_is_said(place: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "inventory"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=100, check=False
        )
    assert done.returncode == 1
    assert done.stderr == b"spreekkamer: The output cannot be written (no space left on device).\n"


def test_a_closed_output_is_as_good_as_none(place: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m spreekkamer inventory >&-"],
        cwd=ROOT, stderr=subprocess.PIPE, timeout=100, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


BEGUN = """
import sys
sys.argv = ["spreekkamer", *sys.argv[1:]]
from operate import terminal
terminal.end_at_once_when_interrupted()
print("begun", flush=True)
import spreekkamer
spreekkamer.main()
"""
"""As the console's own script begins, with a word when Python itself is there."""


@pytest.mark.parametrize(
    "words",
    [
        "doctor --outside https://consult.invalid --nameserver 192.0.2.1",
        "practitioner close alice@example.org",
    ],
)
def test_ctrl_c_at_any_time_says_nothing(place: Path, words: str) -> None:
    """Also while modules are still being read, when the interpreter ends the program."""
    for delay in (0.0, 0.15, 0.6):
        with subprocess.Popen(
            [sys.executable, "-c", BEGUN, *words.split()],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdout is not None and process.stdout.readline() == b"begun\n"
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            status = process.wait(30)
            assert process.stderr is not None
            assert (status in (130, -signal.SIGINT), process.stderr.read()) == (True, b""), (delay, status)


def test_ctrl_c_is_not_lost_in_a_callback_of_the_interpreter(place: Path) -> None:
    """Python 3.11 ignores an exception in a finalizer, and modules that are being read have many (its import locks)."""
    interrupted_there = """
import os, signal
class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        [None for _ in range(1000)]
Finalized()
print("went on")
"""
    begun = BEGUN.replace("import spreekkamer", interrupted_there)
    done = subprocess.run([sys.executable, "-c", begun], cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"begun\n", b"")


async def test_any_address_is_of_both_families() -> None:
    from signaling import listener

    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with listener.bind("::", 0) as port:
        number = port.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            _, writer = await asyncio.open_connection(host, number)
            writer.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_somebody_else_says_what_to_write(host: str) -> None:
    from signaling import listener
    from vault.errors import StartRefused

    with pytest.raises(StartRefused, match=r"signaling\.host"):
        listener.bind(host, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system of its own")
def test_a_full_disk_is_called_full_wherever_it_becomes_so(tmp_path: Path) -> None:
    """On file systems of growing size, until a start succeeds."""
    script = """
import asyncio, os, sys, subprocess
from pathlib import Path
from vault.errors import StartRefused
from vault.settings import VaultSettings
from tests.opening import open_store

async def start(folder):
    async with open_store(VaultSettings(data=folder / "data", trust_clock=True)) as store:
        return store.locked

for size in range(16, 4_000, 24):
    place = Path(sys.argv[1]) / str(size)
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", place], check=True)
    try:
        locked = asyncio.run(start(place))
    except StartRefused as refused:
        print(refused)
    else:
        print("started", locked)
        break
"""
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", script, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    if "unshare" in done.stderr:
        pytest.skip("NOT TESTED: no mount namespaces here")
    assert done.returncode == 0, done.stderr[-2000:]
    *refused, last = done.stdout.splitlines()
    assert last == "started None"
    assert len(refused) >= 3
    assert all("is full" in line and "address" not in line for line in refused), done.stdout


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        (["--appointment", "-fokSaOEHmCdeNRmawoQUR"], ["--appointment=-fokSaOEHmCdeNRmawoQUR"]),
        (["--appointment", "AfokSaOEHmCdeNRmawoQUR"], ["--appointment", "AfokSaOEHmCdeNRmawoQUR"]),
        (["--appointment", "--json"], ["--appointment", "--json"]),
        (["-fokSaOEHmCdeNRmawoQUR"], ["-fokSaOEHmCdeNRmawoQUR"]),
    ],
)
def test_an_id_that_begins_with_a_dash_is_an_id(typed: list[str], understood: list[str]) -> None:
    assert with_ids(typed) == understood
