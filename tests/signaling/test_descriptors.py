"""More connections than this process may have: a line a second, and it serves again when they end."""

import asyncio
import contextlib
import io
import json
import logging
import resource
from pathlib import Path

from signaling.typedefs import HEALTH
from tests.signaling.conftest import Server
from tests.signaling.test_refused_requests import logged  # noqa: F401 -- a fixture


async def test_running_out_of_descriptors_is_a_line_a_second(server: Server, logged: io.StringIO) -> None:  # noqa: F811 -- it is used
    used = sum(1 for _ in Path("/proc/self/fd").iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    loop = asyncio.get_running_loop()
    clients = []
    start = loop.time()
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 40, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                clients.append(await asyncio.open_connection("127.0.0.1", server.port))
        await asyncio.sleep(1.2)
        await server.app[HEALTH]._run(next(part for part in server.app[HEALTH]._parts if part.name == "descriptors"))
        advice, _ = server.app[HEALTH]._results["descriptors"]
        assert advice is not None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for _, writer in clients:
            writer.close()
    assert (await server.call("GET", "/health/live")).status == 200
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    places = [(line["logger"], line.get("place"), line.get("error")) for line in lines]
    seconds = loop.time() - start
    assert places, "it was said"
    assert all(places.count(place) <= seconds + 1 for place in set(places))
    logging.getLogger(__name__).debug("%d lines in %.1f s", len(lines), seconds)
