"""What a server's memory still holds of appointments that were destroyed: names and links, counted in /proc/PID/mem."""

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from tests.opening import open_store
from tests.prove.figures import Figure, Size
from vault.settings import VaultSettings

TOKEN = "the-token-of-a-link-to-sign-in"
PASSWORD = "correct horse battery staple"
READABLE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r")
CHUNK = 16 << 20


@dataclass(frozen=True)
class Planned:
    """What a person typed, and what only the link knows."""

    appointment: str
    name: str
    secret: str


WIPING = {
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.perturb=165",
}
"""As in the compose file: freed memory is overwritten at once."""

Counts = tuple[int, int]


def prove(size: Size) -> list[Figure]:
    """Appointments that were planned, read, listed and joined; then destroyed, with some ordinary work afterwards."""
    figures = asyncio.run(measured(size, "wiping", WIPING))
    return [*figures, *(asyncio.run(measured(size, "as it comes", {})) if size.full else [])]


async def measured(size: Size, kind: str, environment: dict[str, str]) -> list[Figure]:
    rooms = VaultSettings(data=size.folder / kind, trust_clock=True)
    async with open_store(rooms) as store:
        person = await store.practitioners.add("alice@example.org", PASSWORD, "Alice", "nl")
    options = {"rooms": {"data": str(rooms.data)}, "sign_in": {"token": TOKEN, "practitioner": person.id}}
    command = [sys.executable, "-m", "tests.prove.server", json.dumps(options)]
    count, seconds = size.choose(20, 8), size.choose(60, 2)
    pipe, root = subprocess.PIPE, Path(__file__).parents[2]
    with subprocess.Popen(command, env=os.environ | environment, cwd=root, stdin=pipe, stdout=pipe) as child:
        assert child.stdin is not None and child.stdout is not None
        try:
            port = int(await asyncio.to_thread(child.stdout.readline))
            origin = f"http://localhost:{port}"
            async with aiohttp.ClientSession(
                f"http://127.0.0.1:{port}", headers={"Origin": origin}, cookie_jar=aiohttp.CookieJar(unsafe=True)
            ) as browser:
                await ask(browser, "POST", "/api/v1/sign-in/link", {"token": TOKEN})
                at_once, later = await followed(browser, child.pid, count, seconds)
        finally:
            child.stdin.close()
            child.wait(20)
    return [
        Figure(
            f"destroyed appointments of which a server's memory ({kind}) holds {what}, {when}",
            "0" if environment else "counted",
            f"{found} of {count}",
            found == 0 or not environment,
        )
        for when, counts in (("at once", at_once), (f"{seconds} s later", later))
        for what, found in zip(("the name", "the link"), counts, strict=True)
    ]


async def followed(browser: aiohttp.ClientSession, pid: int, count: int, seconds: int) -> tuple[Counts, Counts]:
    """Of how many name and link are there, just after they were destroyed and later."""
    made = [await used(browser) for _ in range(count)]
    for one in made:
        await ask(browser, "DELETE", f"/api/v1/appointments/{one.appointment}")
    at_once = await asyncio.to_thread(remaining, pid, made)
    for _ in range(seconds):
        await ask(browser, "GET", "/api/v1/me")
        await ask(browser, "GET", "/api/v1/appointments")
        await asyncio.sleep(1)
    later = await asyncio.to_thread(remaining, pid, made)
    return at_once, later


async def used(browser: aiohttp.ClientSession) -> Planned:
    """One appointment that is planned, listed, read, and whose link is opened."""
    name = f"Canary {secrets.token_hex(12)}"
    starts_at = (datetime.now(UTC) + timedelta(minutes=5)).isoformat(timespec="seconds")
    plan = {"patient": name, "starts_at": starts_at, "minutes": 30, "language": "nl", "anyway": True}
    body = await ask(browser, "POST", "/api/v1/appointments", plan)
    link = str(body["link"]).partition("#")[2]
    await ask(browser, "GET", "/api/v1/appointments")
    await ask(browser, "GET", f"/api/v1/appointments/{body['appointment']}")
    await ask(browser, "POST", "/api/v1/join", {"link": link})
    return Planned(body["appointment"], name, link.removeprefix(body["appointment"]))


async def ask(browser: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body)
    headers = {} if data is None else {"Content-Type": "application/json"}
    async with browser.request(method, path, data=data, headers=headers) as answer:
        text = await answer.text()
        assert answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None


def remaining(pid: int, made: Iterable[Planned]) -> Counts:
    """Of how many the name, and of how many the link's secret stands somewhere in the memory of a process."""
    wanted = [(one.name.encode(), one.secret.encode()) for one in made]
    found: set[bytes] = set()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            if (area := READABLE.match(line)) is None or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            start, end = int(area[1], 16), int(area[2], 16)
            for at in range(start, end, CHUNK):
                try:
                    content = os.pread(memory.fileno(), min(CHUNK, end - at) + 64, at)
                except OSError:
                    continue
                found |= {word for pair in wanted for word in pair if word not in found and word in content}
    return sum(name in found for name, _ in wanted), sum(secret in found for _, secret in wanted)
