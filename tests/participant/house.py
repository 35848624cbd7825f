"""A running demo, as a server that clients know nothing of."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from signaling.client.rest import Rest

ROOT = Path(__file__).parents[2]


@dataclass
class House:
    """Its origin and how its practitioner signs in."""

    url: str
    token: str

    async def appointment(self, rest: Rest) -> tuple[str, str]:
        """A new one that starts now: its id and what stands behind the ``#`` of its link."""
        starts_at = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
        view = await rest.new_appointment("Somebody", starts_at)
        return view.appointment, view.link.split("#")[1]


@contextmanager
def open_house(data: Path) -> Iterator[House]:
    command = [sys.executable, "-m", "spreekkamer", "demo", "--port", "0", "--data", str(data), "--json"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        assert server.stdout
        ready: dict[str, Any] = json.loads(server.stdout.readline())
        yield House(ready["health_url"].split("/health")[0], ready["practitioner_url"].split("#")[1])
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        if server.stdout:
            server.stdout.close()
