"""What the store alone takes: both builds open a copy of the same rows each, and are asked in turns."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.records.figures import Row
from bench.records.places import KINDS, Filled, Ground, Group, Kind, Refused

OF_ONE = 100
"""Appointments of one practitioner, where their number does not matter."""


@dataclass(frozen=True)
class Plan:
    """``scale`` makes everything smaller; what is below 1 has no reach. ``rounds`` of each figure."""

    scale: float
    rounds: int
    kinds: Sequence[Kind] = KINDS

    def size(self, full: int, least: int = 10) -> int:
        return max(least, round(full * self.scale))

    def reach(self, limit: float) -> float | None:
        return limit if self.scale == 1 else None


def far(days: float = 300) -> str:
    """A moment that many days from now, on the hour."""
    return (datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=days)).isoformat()


async def in_turns(
    ground: Ground, filled: Filled, rounds: int, row: Row, what: str, arguments: Callable[[Filled], Sequence[Any]]
) -> None:
    """One call warms up and is not counted. After a refusal a build is asked no more."""
    async with AsyncExitStack() as stack:
        children = []
        for build in ground.builds:
            copied = await ground.copy(filled, build)
            children.append((await stack.enter_async_context(ground.child(build, copied)), copied))
        for turn in range(rounds + 1):
            for (child, copied), side in zip(children, row.sides(), strict=True):
                if side.refused:
                    continue
                try:
                    seconds, _ = await child.ask(what, *arguments(copied))
                except Refused as error:
                    side.take(error)
                    continue
                if turn:
                    side.values += seconds
    print(row.line(), flush=True)  # a part may be cut off before its table


def first(filled: Filled) -> list[str]:
    return filled.people[:1]


def nobody(_filled: Filled) -> list[str]:
    return []


async def sweep(ground: Ground, plan: Plan) -> list[Row]:
    """A sweep that finds one new appointment, beside many living ones."""
    rows = []
    for full in (200_000, 400_000):
        size = plan.size(full)
        for kind in plan.kinds:
            filled = await ground.filled(kind, Group(max(1, size // OF_ONE), OF_ONE, far()))
            row = Row(f"sweep after one new appointment, {size:,} living keys", kind, "ms", plan.reach(150))
            await in_turns(ground, filled, plan.rounds, row, "sweep_after_one", first)
            rows.append(row)
    return rows


async def rotation(ground: Ground, plan: Plan) -> list[Row]:
    """A new epoch after one destruction."""
    rows = []
    for full in (100, 1_000, 10_000, 100_000):
        size = plan.size(full)
        for kind in plan.kinds:
            filled = await ground.filled(kind, Group(1, 20, far()), Group(size - 1, 1, far()))
            reach = plan.reach(60) if full == 100_000 else None
            row = Row(f"rotation after one destruction, {size:,} practitioners", kind, "ms", reach)
            await in_turns(ground, filled, plan.rounds, row, "rotate_after_one", first)
            rows.append(row)
    return rows


async def idle(ground: Ground, plan: Plan) -> list[Row]:
    """A sweep that finds nothing."""
    rows, size = [], plan.size(100_000)
    for kind in plan.kinds:
        filled = await ground.filled(kind, Group(max(1, size // OF_ONE), OF_ONE, far()))
        reach = plan.reach(5) if kind == "SQLite" else None
        row = Row(f"idle sweep, {size:,} living, none due", kind, "ms", reach)
        await in_turns(ground, filled, plan.rounds, row, "idle", nobody)
        rows.append(row)
    return rows


async def week(ground: Ground, plan: Plan) -> list[Row]:
    """The list of one week, of a practitioner who has planned a year ahead."""
    rows, size = [], plan.size(2_000)
    for kind in plan.kinds:
        filled = await ground.filled(kind, Group(1, size, far(7), days=365))
        row = Row(f"a week's list, {size:,} living appointments", kind, "ms", plan.reach(20))
        await in_turns(ground, filled, plan.rounds, row, "week", first)
        rows.append(row)
    return rows


async def status(ground: Ground, plan: Plan) -> list[Row]:
    """What readiness and metrics ask of the store, before any server is around it."""
    rows, size = [], plan.size(10_000)
    for kind in plan.kinds:
        filled = await ground.filled(kind, due_today(size))
        row = Row(f"what readiness asks of the store, {size:,} due today", kind, "ms", plan.reach(20))
        await in_turns(ground, filled, plan.rounds, row, "status", nobody)
        rows.append(row)
    return rows


def due_today(size: int) -> Group:
    """Due at the end of this day (UTC), and not yet."""
    last = datetime.now(UTC).replace(hour=23, minute=59, second=50, microsecond=0)
    return Group(max(1, size // OF_ONE), min(size, OF_ONE), (last - timedelta(minutes=60)).isoformat(), "end")
