"""Where it is measured: both builds, both databases, all of it made for the occasion and gone afterwards."""

import asyncio
import itertools
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psycopg

from bench.load.cluster import start_redis
from tests.earlier import RELEASE_0_1_0, ROOT, environment, unpacked
from tests.servers import bao as openbaos
from tests.servers import postgres as postgresqls
from vault.keys.transit import Transit, context
from vault.settings import TransitSettings

HERE = Path(__file__).parent
Kind = Literal["SQLite", "PostgreSQL"]
KINDS: tuple[Kind, ...] = ("SQLite", "PostgreSQL")


@dataclass(frozen=True)
class Build:
    """One of the two that are compared."""

    name: str
    tree: Path


@dataclass(frozen=True)
class Group:
    """Practitioners who have so many appointments each (``fill.py``)."""

    owners: int
    each: int
    start: str
    retention: str = "30d"
    minutes: int = 30
    days: float = 0


@dataclass
class Filled:
    """A database and a key store: ``rooms`` are the settings, as JSON has them. ``appointments``: id, owner, secret."""

    kind: Kind
    rooms: dict[str, Any]
    people: list[str]
    appointments: list[list[str]]


class Refused(Exception):  # noqa: N818 -- an answer
    """What was to be measured does not work; the code, or what the process said."""


@dataclass
class Child:
    """A store in a process of its own (``inside.py``)."""

    process: asyncio.subprocess.Process

    async def heard(self) -> tuple[list[float], Any]:
        """Seconds, and what was found."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise Refused("it ended")
        said = json.loads(line)
        if "refused" in said:
            raise Refused(said["refused"])
        return said["seconds"], said["is"]

    async def ask(self, what: str, *arguments: Any) -> tuple[list[float], Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([what, *arguments]).encode() + b"\n")
        return await self.heard()


@dataclass
class Ground:
    """Both builds, and the servers that they share."""

    folder: Path
    builds: tuple[Build, ...]
    postgres: postgresqls.Postgres
    bao: openbaos.Bao
    redis_url: str
    _numbers: Any = field(default_factory=itertools.count)

    async def filled(self, kind: Kind, *groups: Group, audit: int = 0) -> Filled:
        """Filled by the older build, which makes what both can open."""
        place = self.new_folder()
        rooms: dict[str, Any] = {"data": str(place / "data")}
        if kind == "PostgreSQL":
            rooms["database_url"] = self.postgres.new_database(migrated=False)
            rooms["keystore_url"] = self.postgres.new_database(migrated=False)
            rooms["root_key_file"] = str(place / "root.key")
            rooms["transit"] = plain(self.bao.transit(place))
        told = {"rooms": rooms, "groups": [vars(group) for group in groups], "audit": audit}
        said = await run(self.builds[0], str(HERE / "fill.py"), json.dumps(told))
        return Filled(kind, rooms, **json.loads(said))

    async def copy(self, filled: Filled, build: Build) -> Filled:
        """One that this build has for itself, brought to where its own upgrade brings it."""
        place = self.new_folder()
        rooms: dict[str, Any] = {"data": str(place / "data")}
        if filled.kind == "SQLite":
            await asyncio.to_thread(shutil.copytree, filled.rooms["data"], rooms["data"])
        else:
            for name in ("database_url", "keystore_url"):
                rooms[name] = await asyncio.to_thread(self._copied, filled.rooms[name])
            rooms["root_key_file"] = filled.rooms["root_key_file"]
            rooms["transit"] = await asyncio.to_thread(self._adopted, filled, rooms["keystore_url"], place)
        copied = Filled(filled.kind, rooms, filled.people, filled.appointments)
        if build.tree == ROOT:
            await upgrade(build, copied)
        return copied

    @asynccontextmanager
    async def child(self, build: Build, filled: Filled) -> AsyncIterator[Child]:
        """That store, open; it has caught up with nothing yet."""
        command = (sys.executable, str(HERE / "inside.py"), json.dumps(filled.rooms))
        pipe = asyncio.subprocess.PIPE
        with (self.folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=build.tree, env=environment(build.tree), stdin=pipe, stdout=pipe, stderr=log
            )
        try:
            child = Child(process)
            await child.heard()
            yield child
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    def new_folder(self) -> Path:
        place = self.folder / str(next(self._numbers))
        place.mkdir()
        return place

    def _copied(self, url: str) -> str:
        name = url.partition("@/")[2].partition("?")[0]
        return self.postgres._create(name)

    def _adopted(self, filled: Filled, keystore: str, place: Path) -> dict[str, Any]:
        """A Transit key cannot be copied: the epoch's secret is sealed under another one."""
        with psycopg.connect(keystore) as connection:
            rows = connection.execute("SELECT name, value FROM meta WHERE name IN ('epoch', 'secret')").fetchall()
            told: dict[str, bytes] = dict(rows)
            number = int(told["epoch"])
            secret = Transit(TransitSettings(**filled.rooms["transit"])).decrypt(told["secret"], context(number))
            assert secret is not None
            transit, sealed = self.bao.adopt(place, number, secret)
            connection.execute("UPDATE meta SET value = %s WHERE name = 'secret'", (sealed,))
        return plain(transit)


def plain(transit: TransitSettings) -> dict[str, Any]:
    """As JSON."""
    told: dict[str, Any] = json.loads(transit.model_dump_json())
    return told


def variables(filled: Filled) -> dict[str, str]:
    """The settings as the environment has them."""
    told = {name.upper(): value for name, value in filled.rooms.items() if name != "transit"}
    told |= {f"TRANSIT__{name.upper()}": value for name, value in filled.rooms.get("transit", {}).items() if value}
    told["TRUST_CLOCK"] = "true"
    return {f"SPREEKKAMER_ROOMS__{name}": str(value) for name, value in told.items()}


async def run(build: Build, *arguments: str, told: dict[str, str] | None = None) -> str:
    """What a Python program of this build says. Errors: Refused, with the last line of its complaint."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        cwd=build.tree,
        env=environment(build.tree) | (told or {}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    if process.returncode:
        raise Refused((complaint.decode().strip().splitlines() or ["no word"])[-1])
    return said.decode()


async def upgrade(build: Build, filled: Filled) -> None:
    """Database and key store as this build makes them new."""
    await run(build, "-m", "spreekkamer", "db", "upgrade", told=variables(filled))


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    """Everything started. RuntimeError where the older build is not in this clone."""
    tree = folder / "0.1.0"
    if not await asyncio.to_thread(unpacked, RELEASE_0_1_0, tree):
        raise RuntimeError("0.1.0 is not in this clone's history; fetch all of it")
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(postgresqls.running(flushes=True))
        bao = stack.enter_context(openbaos.running())
        _, port = await start_redis(stack, folder)
        builds = (Build("0.1.0", tree), Build("today", ROOT))
        yield Ground(folder, builds, postgres, bao, f"redis://127.0.0.1:{port}")


def prefer_the_processor() -> None:
    """Before what only waits; where that is allowed."""
    os.setpriority(os.PRIO_PROCESS, 0, -10)


__all__: Sequence[str] = ("KINDS", "Build", "Child", "Filled", "Ground", "Group", "Kind", "Refused", "ground", "run")
