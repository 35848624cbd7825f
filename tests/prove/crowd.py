"""Ten thousand appointments that are due in one second, and a practitioner who works meanwhile."""

import asyncio
import contextlib
import json
import sqlite3
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from tests.opening import of, open_store
from tests.people import PASSWORD
from tests.prove.figures import Figure, Size, at_most
from vault.settings import VaultSettings

SECONDS = 15
P95_MILLISECONDS = 100
OWNERS = 5
MINUTES = 30
TRIES = 3
LEAD = 60
"""Seconds from the start of the server to the moment at which all are due."""


def prove(size: Size) -> list[Figure]:
    """The whole server as a process with real Redis and the disk; its clock is ours."""
    lead = size.choose(LEAD, 10)
    for number in range(TRIES):
        with suppress(TooSoon):
            return asyncio.run(campaign(size, size.folder / f"crowd-{number}", lead * 2**number))
    raise RuntimeError("the moment passed before the server was up, whatever the lead")


class TooSoon(Exception):  # noqa: N818 -- a state, not a mistake
    """The moment passed before the server was up: it needs a greater lead."""


async def campaign(size: Size, data: Path, lead: int) -> list[Figure]:
    count = size.choose(10_000, 200)
    due = datetime.now(UTC).replace(microsecond=0)
    await fill(data, due, count)
    ahead = datetime.now(UTC) + timedelta(seconds=lead) - due  # so that the moment comes once the server is up
    rooms = {"data": str(data), "sweep_interval": size.choose(20, 2)}
    options = {"rooms": rooms, "off": -ahead.total_seconds()}
    command = [sys.executable, "-m", "tests.prove.server", json.dumps(options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(await asyncio.to_thread(server.stdout.readline))
            gone, latencies = await work(data, port, (due + ahead).timestamp())
        finally:
            server.terminate()
            server.wait(20)
    if not latencies:
        raise TooSoon
    p95 = sorted(latencies)[int(len(latencies) * 0.95)]
    beside = f"median {statistics.median(latencies):.0f}, slowest {max(latencies):.0f}, {len(latencies)} requests"
    return [
        at_most(f"{count:,} due in one second, all destroyed after", SECONDS, gone, "s"),
        at_most("API p95 meanwhile", P95_MILLISECONDS, p95, "ms", beside),
    ]


async def fill(data: Path, due: datetime, count: int) -> None:
    """All end at one moment and are kept until the end of the consult; another practitioner keeps hers."""
    then = due - timedelta(hours=2)
    start = due - timedelta(minutes=MINUTES) - timedelta(minutes=30)
    async with open_store(VaultSettings(data=data, trust_clock=True), now=lambda: then) as store:
        await store.retention.catch_up()
        for number in range(OWNERS):
            person = await store.practitioners.add(f"p{number}@example.org", PASSWORD, "P", "nl", "end")
            for patient in range(count // OWNERS):
                await store.appointments.create(of(person.id), f"Patient {patient}", start, MINUTES, "nl")
        person = await store.practitioners.add("alice@example.org", PASSWORD, "Alice", "nl")
        for patient in range(20):
            await store.appointments.create(of(person.id), f"Patient {patient}", due, MINUTES, "nl")
        await store.retention.sweep()


async def work(data: Path, port: int, due: float) -> tuple[float, list[float]]:
    """Seconds from the due moment until no row is left, and the milliseconds of each request meanwhile."""
    origin = f"http://localhost:{port}"
    latencies: list[float] = []
    async with aiohttp.ClientSession(headers={"Origin": origin}, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        signing = {"mail": "alice@example.org", "password": PASSWORD}
        async with session.post(f"http://127.0.0.1:{port}/api/v1/sign-in", json=signing) as answer:
            assert answer.status == 200, await answer.text()
        await asyncio.sleep(max(0, due - time.time()))
        client = asyncio.create_task(ask(session, port, latencies))
        while await asyncio.to_thread(rows, data) > 0 and time.time() < due + 300:  # noqa: ASYNC110 -- another process
            await asyncio.sleep(0.2)
        gone = time.time() - due
        client.cancel()
        await asyncio.gather(client, return_exceptions=True)
    return gone, latencies


async def ask(session: aiohttp.ClientSession, port: int, latencies: list[float]) -> None:
    """Read the agenda, plan something, read it: ten requests a second."""
    day = datetime.now(UTC).date().isoformat()
    address = f"http://127.0.0.1:{port}/api/v1/appointments"
    plan = {"patient": "New", "starts_at": f"{day}T23:00:00+00:00", "minutes": 30, "language": "nl", "anyway": True}
    while True:
        for method, url, body in (
            ("GET", f"{address}?first={day}&last={day}", None),
            ("POST", address, plan),
            ("GET", f"http://127.0.0.1:{port}/api/v1/me", None),
        ):
            began = time.perf_counter()
            async with session.request(method, url, json=body) as answer:
                await answer.read()
                assert answer.status < 300, await answer.text()
            latencies.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.1)


def rows(data: Path) -> int:
    """How many of the crowd are left."""
    path = data / "database" / "rooms.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
        query = (
            "SELECT count(*) FROM appointments WHERE owner IN"
            " (SELECT owner FROM appointments GROUP BY owner HAVING count(*) > 0 AND min(due_day) <= ?)"
        )
        today = datetime.now(UTC).date().isoformat()
        return int(connection.execute(query, (today,)).fetchone()[0])
