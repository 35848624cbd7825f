"""While people work with a whole server, everything that any part of it wrote is searched again and again.

Its Redis is one that a server of ours would refuse: with an append-only file and snapshots, so that what ever went to
it is on disk.
"""

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from redis.exceptions import ResponseError

from client.rest import Rest
from practice.kinds import KINDS
from signaling.redis import connect
from tests.client.waiting import PATIENCE
from tests.every_kind import WORD, Whose, mark_all, readable, somebody, write_all
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE
from tests.prove import consult
from tests.prove.figures import Figure, Size, counted
from tests.prove.forms import Pages, taken_back, typed
from tests.prove.kills import databases
from tests.servers.postgres import Postgres
from tests.vault.test_at_rest import CANARIES as TYPED
from tests.vault.test_at_rest import forms
from vault.backup import data
from vault.records.scope import Scope
from vault.settings import VaultSettings

CANARIES = {
    **TYPED,
    "one of each kind": WORD,
    "wrong": "canary-wrong-password",
    "turn": "canary of what is shared with coturn",
}
CONTROL = b"something that must be found"


@dataclass
class Search:
    """Looks for all forms of all secrets; what was found, in how many bytes.

    Secrets only become more: where nothing was written since the last look, those that were looked for are left out.
    """

    secrets: dict[str, str | bytes]
    found: set[str] = field(default_factory=set)
    size: int = 0
    looks: int = 0
    known: dict[bytes, int] = field(default_factory=dict)

    def look(self, where: str, content: bytes) -> None:
        self.size += len(content)
        self.looks += 1
        same, secrets = hashlib.sha256(where.encode() + content).digest(), list(self.secrets.items())
        before = self.known.get(same, 0)
        self.known[same] = len(secrets)
        for name, secret in secrets[before:]:
            if any(form in content for form in forms(secret)):
                self.found.add(f"{name} in {where}")

    def look_through(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "secrets" not in path.parts and not path.name.startswith("epoch-"):
                try:
                    self.look(path.name, path.read_bytes())
                except FileNotFoundError:
                    continue


def prove(size: Size) -> list[Figure]:
    """On each database."""
    figures = []
    with databases(size) as found:
        for name, server in found:
            search = asyncio.run(campaign(size, name, server))
            beside = f"bytes ({search.looks:,} looks at {search.size / 1e6:,.0f} MB)"
            places = "SQLite file, WAL" if server is None else "PostgreSQL heap, TOAST, WAL, log"
            what = f"{name}: plaintext or usable keys in {places}, key store, backups, logs, Redis memory, AOF, RDB"
            figures.append(counted(what, len(search.found), search.size, beside))
            for one in sorted(search.found):
                sys.stdout.write(f"    {one}\n")
    return figures


async def campaign(size: Size, name: str, postgres: Postgres | None) -> Search:
    folder = size.folder / name
    folder.mkdir()
    since = postgres.position() if postgres else None
    url = postgres.new_database() if postgres else None
    rooms: dict[str, Any] = {"data": str(folder / "data"), "database_url": url, "sweep_interval": 1}
    settings = VaultSettings(trust_clock=True, **rooms)
    async with open_store(settings) as store:
        await store.retention.catch_up()
        person = await store.practitioners.add(CANARIES["mail"], CANARIES["password"], CANARIES["name"], "nl")
        await store.organisation.establish(OPERATOR, PRACTICE)
        await store.organisation.name_owner(Scope.operator(person.id))
        whose = await somebody(store)
    search = Search(dict(CANARIES))
    with redis_with_disk(folder) as (redis, process):
        relay = {"address": "203.0.113.7", "secrets": [CANARIES["turn"]]}
        options = {"rooms": rooms, "turn": relay, "redis": redis, "log": str(folder / "server.log")}
        options["signaling"] = {"second_factor": "offered"}  # so that what was set up can be taken back
        command = [sys.executable, "-m", "tests.prove.server", json.dumps(options)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as server:
            over = threading.Event()
            looking = threading.Thread(target=keep_looking, args=(search, folder, process, over))
            looking.start()
            try:
                assert server.stdout is not None
                port = int(await asyncio.to_thread(server.stdout.readline))
                for turn in range(size.choose(8, 1)):
                    await story(settings, port, search, turn, whose)
                    await asyncio.to_thread(data.write, settings, KINDS, folder / "backups", datetime.now(UTC))
            finally:
                over.set()
                looking.join()
                server.terminate()
                server.wait(20)
        await persist(redis)
        search.look("Redis memory", memory(process))
        assert CONTROL in memory(process)
    search.look_through(folder)
    control(folder, postgres is None)
    if postgres and since and url:
        search.look("PostgreSQL", postgres.written(since, url))
    return search


def control(folder: Path, sqlite: bool) -> None:
    """That the places hold what they must, so that not finding something there means something."""
    everything = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for kind in (".aof", ".rdb"):
        assert any(CONTROL in content for path, content in everything.items() if path.suffix == kind), kind
    assert any(b"sk:room:" in content for path, content in everything.items() if path.suffix == ".aof"), "a consult"
    backups = [content for path, content in everything.items() if path.parent.name == "backups"]
    assert backups
    assert all(b"closing" in content or b"generation" in content for content in backups)
    assert b"GET" in everything[folder / "server.log"] or everything[folder / "server.log"], "the server said something"
    if sqlite:
        assert b"appointments" in everything[folder / "data" / "database" / "rooms.sqlite"]


def keep_looking(search: Search, folder: Path, process: int, over: threading.Event) -> None:
    """At any time, not only afterwards."""
    while not over.wait(0.2):
        search.look_through(folder)
        search.look("Redis memory", memory(process))


async def story(settings: VaultSettings, port: int, search: Search, turn: int, whose: Whose) -> None:
    """A practitioner's day over REST, and the patient's link, beside one of each kind; at the end nothing is left."""
    origin, jar = f"http://localhost:{port}", aiohttp.CookieJar(unsafe=True)
    agent = {"Origin": origin, "User-Agent": consult.STRANGE}
    day = (datetime.now(UTC) + timedelta(minutes=5)).replace(microsecond=0)

    async with aiohttp.ClientSession(headers=agent, cookie_jar=jar) as session:

        async def call(method: str, path: str, body: Mapping[str, object] | None = None, status: int = 0) -> Any:
            address = f"http://127.0.0.1:{port}/api/v1/{path}"
            async with session.request(method, address, json=body) as answer:
                assert answer.status == status or (not status and answer.status < 300), (path, await answer.text())
                return await answer.json() if answer.content_type == "application/json" else None

        mail = {"mail": CANARIES["mail"]}
        await call("POST", "sign-in", {**mail, "password": CANARIES["wrong"]}, 403)
        await call("POST", "sign-in", {**mail, "password": CANARIES["password"]})
        said = await call("PUT", "sentences", {"language": "nl", "text": CANARIES["sentence"]})
        pages = Pages(session, f"http://127.0.0.1:{port}")
        search.secrets |= await typed(pages, CANARIES, turn)
        made, links = [], []
        for number in range(6):
            plan = {"patient": CANARIES["patient"], "starts_at": day.isoformat(), "minutes": 37, "language": "nl"}
            plan["anyway"] = True
            one = await call("POST", "appointments", plan)
            made.append(one["appointment"])
            links.append(one["link"].partition("#")[2])
            search.secrets[f"link {turn}-{number}"] = links[-1][22:]
            await call("POST", "join", {"link": links[-1]})
            read = await call("POST", "join/sentence", {"link": links[-1], "language": "nl"})
            assert read == {"text": CANARIES["sentence"]}
        async with open_store(settings, exclusive=False) as store:
            each = await write_all(store, whose)
            search.secrets |= {f"key {turn}-{n}": key for n, key in enumerate(await store.keys.every())}
            await mark_all(store, each)
        await call("GET", f"appointments?first={day.date()}&last={day.date()}")
        async with Rest(origin) as desk, Rest(origin) as visitor:
            await desk.sign_in(CANARIES["mail"], CANARIES["password"])
            search.secrets |= await consult.hold(desk, visitor, made[2], links[2], turn)
            await desk.sign_out()
        await taken_back(pages)
        await call("POST", f"appointments/{made[0]}/end", {})
        await call("PUT", "retention", {"retention": "7d" if turn % 2 else "30d"})
        await call("DELETE", f"appointments/{made[1]}")
        await call("DELETE", f"sentences/{said['sentence']}")
        await call("POST", "account/destroy-all", {"password": CANARIES["password"]})
        await call("POST", "sign-out")
    async with open_store(settings, exclusive=False) as store:
        for _ in range(int(PATIENCE) * 10):
            if not await readable(store, whose.owners):
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the server destroys what is marked")


@contextmanager
def redis_with_disk(folder: Path) -> Iterator[tuple[str, int]]:
    """A real Redis that writes all it is told to an append-only file and to snapshots."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise RuntimeError("install redis-server or valkey-server")
    (folder / "redis").mkdir()
    socket = folder / "redis" / "socket"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder / "redis"), "--loglevel", "warning"]
    options += ["--appendonly", "yes", "--appendfsync", "always", "--save", "1 1", "--rdbcompression", "no"]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as process:
        try:
            while not socket.exists():
                time.sleep(0.02)
            yield f"unix://{socket}", process.pid
        finally:
            process.terminate()
            process.wait(10)


async def persist(redis: str) -> None:
    """Write a snapshot now; the append-only file is written at each command."""
    client = connect(redis)
    await client.set("sk:proof", CONTROL, ex=600)
    while True:
        try:
            await client.save()
            break
        except ResponseError as error:  # a snapshot of its own is under way
            if "in progress" not in str(error):
                raise
            await asyncio.sleep(0.05)
    assert await client.dbsize() > 0
    await client.aclose()


def memory(process: int) -> bytes:
    """All that a process may write to."""
    parts = []
    with Path(f"/proc/{process}/maps").open() as maps, open(f"/proc/{process}/mem", "rb", 0) as content:  # noqa: PTH123 -- unbuffered
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if match:
                start, end = int(match[1], 16), int(match[2], 16)
                try:
                    parts.append(os.pread(content.fileno(), end - start, start))
                except OSError:
                    continue
    return b"\0".join(parts)
