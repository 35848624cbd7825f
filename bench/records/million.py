"""A million appointments on PostgreSQL: what grows with them, and what does not."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from bench.records.figures import Row
from bench.records.places import Build, Filled, Ground, Group, Refused, variables
from bench.records.store import Plan, far
from tests.earlier import environment

CREATED = 2_000
BACKUP_SECONDS = 300.0
LONGEST = 1200
"""Seconds after which a command is ended."""


async def million(ground: Ground, plan: Plan) -> list[Row]:
    """One round of each."""
    size, people = plan.size(1_000_000, 1_000), plan.size(20_000, 20)
    filled = await ground.filled("PostgreSQL", Group(people, size // people, far()), audit=size)
    rows = Rows(f"{size:,} appointments of {people:,} practitioners", plan)
    for number, build in enumerate(ground.builds):
        copied = await ground.copy(filled, build)
        try:
            await in_the_store(ground, rows, number, build, copied, plan.size(CREATED, 20))
            await by_command(ground, rows, number, build, copied)
        except Refused as error:
            rows.row("all of it").sides()[number].take(error)
    return rows.all


class Rows:
    """By what they say."""

    def __init__(self, of: str, plan: Plan) -> None:
        self.all: list[Row] = []
        self._of, self._plan = of, plan

    def row(self, what: str, unit: str = "s", reach: float | None = None) -> Row:
        """The one that says this."""
        for row in self.all:
            if row.what == what:
                return row
        limit = None if reach is None else self._plan.reach(reach)
        self.all.append(Row(what, "PostgreSQL" if self.all else f"PostgreSQL, {self._of}", unit, limit))
        return self.all[-1]

    def take(self, number: int, value: float, what: str, unit: str = "s", reach: float | None = None) -> None:
        self.row(what, unit, reach).sides()[number].values.append(value)


async def in_the_store(ground: Ground, rows: Rows, number: int, build: Build, filled: Filled, count: int) -> None:
    """What a server does all day, and the memory that it takes."""
    async with ground.child(build, filled) as child:
        _, before = await child.ask("resident")
        (seconds,), _ = await child.ask("ready")
        rows.take(number, seconds, "what a start looks at before its port opens")
        each, _ = await child.ask("create", filled.people[:1000], count)
        rows.take(number, count / sum(each), f"creation, {count:,} more, one after the other", "a second")
        (seconds,), _ = await child.ask("idle")
        rows.take(number, seconds, "the sweep after these")
        (seconds,), _ = await child.ask("rotate_after_one", filled.people[0])
        rows.take(number, seconds, "rotation after one destruction", "ms")
        _, after = await child.ask("resident")
        rows.take(number, before / 1024, "memory of the store, just opened", "MiB")
        rows.take(number, after / 1024, "memory of the store, after all of this", "MiB")
        appointment, owner, _ = filled.appointments[0]
        _, receipt = await child.ask("destroy", owner, appointment)
        await child.ask("idle")
    filled.appointments[0].append(receipt)


async def by_command(ground: Ground, rows: Rows, number: int, build: Build, filled: Filled) -> None:
    """What operators type, with the most memory that it took."""
    folder, receipt = ground.new_folder(), filled.appointments[0].pop()
    empty = Filled(filled.kind, dict(filled.rooms), [], [])
    empty.rooms["database_url"] = ground.postgres.new_database(migrated=False)
    commands: tuple[tuple[str, Filled, tuple[str, ...], float | None], ...] = (
        ("`backup`", filled, ("backup", str(folder)), BACKUP_SECONDS),
        ("`restore` of it", empty, ("restore", str(folder)), None),
        ("`prove-destroyed`", filled, ("prove-destroyed", "--", receipt), None),
        ("`audit verify`", filled, ("audit", "verify"), None),
    )
    for what, where, command, reach in commands:
        try:
            seconds, most = await asyncio.to_thread(timed, build, where, command, folder / "said")
        except Refused as error:
            rows.row(what).sides()[number].take(error)
            continue
        rows.take(number, seconds, what, "s", reach)
        rows.take(number, most / 1024, f"{what}: most memory", "MiB")


def timed(build: Build, filled: Filled, command: tuple[str, ...], said: Path) -> tuple[float, int]:
    """Seconds of a command, and the most KiB that it had. Blocks. Errors: Refused, with what it said last."""
    told = environment(build.tree) | variables(filled)
    began = time.monotonic()
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "spreekkamer", *command], cwd=build.tree, env=told, stdout=out, stderr=out
        )
        ending = threading.Timer(LONGEST, process.terminate)
        ending.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            ending.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == -signal.SIGTERM:
        raise Refused(f"not within {LONGEST // 60} minutes")
    if process.returncode not in (0, 1):  # 1: a proof that could not look everywhere
        raise Refused((said.read_text().strip().splitlines() or ["no word"])[-1])
    return time.monotonic() - began, usage.ru_maxrss
