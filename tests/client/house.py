"""A running demo, as a server that clients know nothing of."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from client.rest import Rest
from tests.ours import ROOT


@dataclass
class House:
    """Its origin, how its practitioner signs in, and where it keeps its Redis."""

    url: str
    token: str
    scratch: Path

    @property
    def redis_url(self) -> str:
        return f"unix://{next(self.scratch.glob('*/redis.sock'))}"

    async def appointment(self, rest: Rest) -> tuple[str, str]:
        """A new one that starts now: its id and what stands behind the ``#`` of its link."""
        starts_at = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
        view = await rest.new_appointment("Somebody", starts_at)
        return view.appointment, view.link.split("#")[1]


@contextmanager
def open_house(data: Path) -> Iterator[House]:
    command = [sys.executable, "-m", "spreekkamer", "demo", "--port", "0", "--data", str(data), "--json"]
    scratch = tempfile.TemporaryDirectory()  # a short path: that of a Unix socket has 107 bytes
    env = os.environ | {"PYTHONUNBUFFERED": "1", "TMPDIR": scratch.name}
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=env)
    try:
        assert server.stdout
        ready: dict[str, Any] = json.loads(server.stdout.readline())
        url, token = ready["health_url"].split("/health")[0], ready["practitioner_url"].split("#")[1]
        yield House(url, token, Path(scratch.name))
    finally:
        server.send_signal(signal.SIGTERM)  # a shell has its background jobs ignore the other
        server.wait(20)
        if server.stdout:
            server.stdout.close()
        scratch.cleanup()
