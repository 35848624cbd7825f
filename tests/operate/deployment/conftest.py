"""The written steps, followed once; what runs after them is there for every test."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ours import ROOT
from tests.ports import free_ports
from tests.servers import postgres

STEPS = ROOT / "docs" / "operations.md"
NAMES = (
    *("postgres", "keystore", "valkey", "openbao", "openbao-cluster", "server-1", "server-2", "media"),
    *("caddy", "caddy-check", "caddy-http", "coturn"),
)


@dataclass(frozen=True)
class Followed:
    """What was written, what the shell said, and where everything is."""

    folder: Path
    ports: dict[str, int]
    said: str

    def acl_password(self) -> str:
        return (self.folder / "secrets" / "valkey").read_text().strip()

    def settings(self, name: str) -> dict[str, str]:
        from tests.operate.deployment.docker import Deployment

        return Deployment(self.folder / "state.json").settings(name)


def blocks() -> list[str]:
    """The shell blocks of the chapter that begins with an empty machine."""
    chapter = STEPS.read_text().split("## From an empty machine")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)


@pytest.fixture(scope="session")
def followed() -> Iterator[Followed]:
    needed = ("redis-server", "turnserver", "caddy")
    missing = [program for program in needed if shutil.which(program) is None]
    if postgres.binaries() is None or missing:
        pytest.skip(f"NOT TESTED: install {' '.join(missing) or 'postgresql'}")
    with tempfile.TemporaryDirectory(prefix="spreekkamer-deploy-") as place:
        folder = Path(place)
        folder.chmod(0o711)
        ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
        state, shim = folder / "state.json", folder / "bin" / "docker"
        state.write_text(json.dumps({"folder": place, "ports": ports, "pids": {}}))
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m tests.operate.deployment.docker "$@"\n')
        shim.chmod(0o755)
        environment = os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}", "DEPLOYMENT": str(state)}
        try:
            script = "set -eu\n" + "\n".join(blocks())
            done = subprocess.run(
                ["sh", "-c", script], cwd=folder, env=environment, text=True, timeout=400, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-6000:] + logs(folder)
            yield Followed(folder, json.loads(state.read_text())["ports"], done.stdout)
        finally:
            end(json.loads(state.read_text())["pids"])


def logs(folder: Path) -> str:
    """The end of what each part wrote."""
    return "\n".join(f"--- {file.name}\n{file.read_text()[-1500:]}" for file in (folder / "run").glob("*.log"))


def end(pids: dict[str, int]) -> None:
    """Every process that the steps started, last first; then those that did not go."""
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        for pid in reversed(pids.values()):
            with suppress(ProcessLookupError):
                os.kill(pid, wanted)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and any(alive(pid) for pid in pids.values()):
            time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
