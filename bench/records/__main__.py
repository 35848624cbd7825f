"""What stored records cost at any size, today beside 0.1.0 in the same run.

python -m bench.records                              every part, hours
python -m bench.records --only sweep,week --scale 0.01
python -m bench.records --only rotation --write      and put its table into bench/README.md
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from bench.command import write
from bench.host import machine, pressure
from bench.records import million, monday, serve, store
from bench.records.figures import Row, table
from bench.records.places import KINDS, Ground, ground, prefer_the_processor
from bench.records.store import Plan

TRY = 0.01
Part = Callable[[Ground, Plan], Awaitable[list[Row]]]

PARTS: dict[str, tuple[Part, ...]] = {
    "health": (store.status, serve.health),
    "sweep": (store.sweep,),
    "rotation": (store.rotation,),
    "start": (serve.start,),
    "idle": (store.idle,),
    "due": (serve.due,),
    "joins": (serve.joins,),
    "week": (store.week,),
    "million": (million.million,),
    "monday": (monday.monday,),
}


async def measure(name: str, plan: Plan) -> str:
    """One part's table."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with ground(Path(folder)) as place:
            rows = [row for part in PARTS[name] for row in await part(place, plan)]
    busy = f"something waited for a processor {pressure('avg300'):.0f} % of the last 5 minutes"
    size = "" if plan.scale == 1 else f"; at {plan.scale:g} of the sizes"
    took = f"{plan.rounds} rounds in {time.monotonic() - began:.0f} s{size}"
    return f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {busy}; {took}.\n\n{table(rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.records", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="some of: %(default)s")
    parser.add_argument("--scale", type=float, help=f"of the sizes; default {TRY}")
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    parser.add_argument("--on", default=",".join(KINDS), help="some of: %(default)s")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    chosen, _ = parser.parse_known_args()
    with suppress(OSError):
        prefer_the_processor()
    plan = Plan(chosen.scale or TRY, chosen.rounds, [kind for kind in KINDS if kind in chosen.on.split(",")])
    for name in chosen.only.split(","):
        text = asyncio.run(measure(name, plan))
        print(f"\n{name}\n\n{text}", flush=True)
        if chosen.write and chosen.scale:
            write(text, f"records-{name}")


if __name__ == "__main__":
    main()
