"""Signed letters as other programs judge them: Debian's opendkim, Mail::DKIM (SpamAssassin's and amavis') and mailauth.

They ask a name server of our own, at the port and by the configuration that they ask any: so they run in a network
namespace, with a resolv.conf of its own mounted there. ``python -m tests.readers.letters`` is what runs inside.
"""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.operate.doctor.authority import build, serving
from tests.ours import ROOT

FOLDER: Final = Path(__file__).parent
DNS: Final = 53
ENTER: Final = 'ip link set lo up && mount --bind "$0" /etc/resolv.conf && exec "$@"'
NEEDED: Final = ("opendkim-testmsg", "perl", "node", "unshare", "ip")


@dataclass(frozen=True)
class Judged:
    """``opendkim`` is whether that took the letter, the next two are (algorithm, result) of each signature; ``spf`` and
    ``dmarc`` are mailauth's.
    """

    opendkim: bool
    mail_dkim: list[tuple[str, str]]
    mailauth: list[tuple[str, str]]
    spf: str
    dmarc: dict[str, Any] | None


def judge(letters: Sequence[tuple[bytes, str]], zone: str) -> list[Judged]:
    """Letters with the senders of their envelopes, come from 203.0.113.5; ``zone`` is what example.org says in the DNS.

    Skips the test where a program is not installed.
    """
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or not (FOLDER / "node_modules" / "mailauth").exists():
        pytest.skip(f"sh .ci/system-packages; sh tests/readers/install ({', '.join(missing) or 'mailauth'})")
    said = {"zone": zone, "letters": [(base64.b64encode(raw).decode(), sender) for raw, sender in letters]}
    how = [] if os.geteuid() == 0 else ["--map-root-user"]
    with tempfile.TemporaryDirectory() as folder:
        resolver = Path(folder) / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\n")
        command = ["unshare", *how, "--net", "--mount", "sh", "-c", ENTER, str(resolver)]
        done = subprocess.run(
            [*command, sys.executable, "-m", "tests.readers.letters", folder],
            cwd=ROOT, input=json.dumps(said), capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [Judged(by, _pairs(one), _pairs(two), spf, dmarc) for by, one, two, spf, dmarc in json.loads(done.stdout)]


def _pairs(found: list[list[str]]) -> list[tuple[str, str]]:
    return sorted((algorithm, result) for algorithm, result in found)


async def _program(*command: str, said: bytes = b"") -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, error = await process.communicate(said)
    assert process.returncode is not None
    assert not error or command[0] == "opendkim-testmsg", error.decode()
    return process.returncode, out.decode()


async def _all(folder: Path, letters: Sequence[tuple[str, str]], zone: str) -> list[Any]:
    raws = [base64.b64decode(raw) for raw, _ in letters]
    paths = [folder / f"{number}.eml" for number in range(len(raws))]
    for path, raw in zip(paths, raws, strict=True):
        path.write_bytes(raw)
    listed = json.dumps([{"raw": raw, "sender": sender} for raw, sender in letters]).encode()
    async with serving(build(zone, signed=False), DNS):
        _, by_mailauth = await _program("node", str(FOLDER / "letters.mjs"), said=listed)
        _, by_perl = await _program("perl", str(FOLDER / "letters.pl"), *map(str, paths))
        by_opendkim = [(await _program("opendkim-testmsg", said=raw))[0] == 0 for raw in raws]
    perl = [[*zip(*[iter(line.split())] * 2, strict=True)] for line in by_perl.splitlines()]
    node = json.loads(by_mailauth)
    return [
        (by, one, two["signatures"], two["spf"], two["dmarc"])
        for by, one, two in zip(by_opendkim, perl, node, strict=True)
    ]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(asyncio.run(_all(Path(sys.argv[1]), asked["letters"], asked["zone"])), sys.stdout)
