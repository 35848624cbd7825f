"""REST calls that the OpenAPI document describes, and such that it forbids, against a live server.

schemathesis makes both from the document: no answer may be a server error, each has a status, a type, headers and a
body that the document names, wrong input is refused and right input is not. It also counts where registry, OpenAPI,
AsyncAPI and docs/protocol.md say different things.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from signaling.protocol.model import API
from signaling.routes import ENDPOINTS
from tests.opening import of, open_store
from tests.prove.figures import Figure, Size, counted
from tests.signaling.descriptions import differences
from vault.settings import VaultSettings

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).with_suffix(".toml")
PASSWORD = "correct horse battery staple"
SIGN_OUT = f"{API}/sign-out"
"""Ends what all other calls stand on, so it has a run of its own."""


@dataclass(frozen=True)
class World:
    """Where the server is, whose calls these are, and by path the fields of a body that open something."""

    port: int
    bearer: str
    secrets: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Run:
    """``unreached``: operations that only ever answered 404."""

    cases: int
    failures: int
    unreached: int


def prove(size: Size) -> list[Figure]:
    """Every operation, with a practitioner's token; signing out by itself."""
    data = size.folder / "data"
    practitioner, link = asyncio.run(fill(data))
    sign_in = {"token": "t" * 43, "practitioner": practitioner}
    secrets = {f"{API}/{path}": {"link": link} for path in ("join", "join/sentence", "join/photograph")}
    secrets[f"{API}/sign-in/link"] = {"token": sign_in["token"]}
    command = [
        sys.executable,
        "-m",
        "tests.prove.server",
        json.dumps({"rooms": {"data": str(data)}, "signaling": {"access_seconds": 3600}, "sign_in": sign_in}),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            world = World(port, token(f"http://127.0.0.1:{port}"), secrets)
            phases, most = ("examples,coverage,fuzzing,stateful", "60") if size.full else ("fuzzing", "1")
            runs = [run(size, world, "--exclude-path", SIGN_OUT, "--phases", phases, "-n", most)]
            if size.full:
                runs.append(run(size, world, "--include-path", SIGN_OUT, "-n", most))
        finally:
            server.stdin.close()
            server.wait(10)
    found = differences()
    sys.stdout.writelines(f"{one}\n" for one in found)
    figures = [
        counted(
            "answers that OpenAPI does not describe", sum(r.failures for r in runs), sum(r.cases for r in runs), "calls"
        ),
        counted("differences of registry, OpenAPI, AsyncAPI and docs", len(found), 4, "descriptions"),
    ]
    if size.full:  # One call of each tells nothing about it.
        missed = sum(r.unreached for r in runs)
        figures.insert(1, counted("operations that only ever answer 404", missed, len(ENDPOINTS), "operations"))
    return figures


async def fill(data: Path) -> tuple[str, str]:
    """A practitioner with some appointments: the id, and what stands behind the ``#`` of a patient's link."""
    async with open_store(VaultSettings(data=data, trust_clock=True)) as store:
        person = await store.practitioners.add("alice@example.org", PASSWORD, "Alice", "nl")
        for _ in range(3):
            last = await store.appointments.create(of(person.id), "Patient", datetime.now(UTC), 30, "nl")
        return person.id, last.id + last.secret


def run(size: Size, world: World, *options: str) -> Run:
    """One run of schemathesis. What it finds goes to standard output, with the command that repeats it."""
    origin = f"http://127.0.0.1:{world.port}"
    sent = (f"Authorization: Bearer {world.bearer}", f"Origin: http://localhost:{world.port}")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run"]
    command += [f"{origin}/api/openapi.json", *(part for header in sent for part in ("-H", header))]
    command += ["--seed", str(size.random.randrange(1 << 32)), "--continue-on-failure", "--no-shrink", *options]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.prove.schemathesis_hooks", "PROVE_SECRETS": json.dumps(world.secrets)}
    env = os.environ | hooks | {"NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=size.folder, env=env, capture_output=True, text=True, check=False)
    cases = re.search(r"([\d,]+) generated", done.stdout)
    failures = re.search(r"found ([\d,]+) unique", done.stdout)
    unreached = re.search(r"Missing test data: (\d+)", done.stdout)
    if done.returncode:
        sys.stdout.write(done.stdout + done.stderr)
    return Run(
        cases=int(cases[1].replace(",", "")) if cases else 0,
        failures=int(failures[1].replace(",", "")) if failures else bool(done.returncode),
        unreached=int(unreached[1]) if unreached else 0,
    )


def token(origin: str) -> str:
    """An app's access token."""
    body = json.dumps({"mail": "alice@example.org", "password": PASSWORD}).encode()
    asked = urllib.request.Request(f"{origin}{API}/tokens", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        return str(json.load(answer)["access_token"])
