"""Relays beside each other: what interleaved rounds say of each, as medians, ranges and ratios."""

import argparse
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.load.generator import Run

DISTURBED_MS = 1.0
"""If half of the packets left later than this, something else had the processor and the figures mean little."""


@dataclass(frozen=True)
class Figures:
    """Of one relay in one round: ``size`` rooms of two, or a group of ``size`` people."""

    target: str
    size: int
    run: Run
    cpu_seconds: float
    memory_kib: int
    turn: int = 0

    @property
    def per_packet(self) -> float:
        """Microseconds of CPU time per packet that arrived."""
        return self.cpu_seconds / max(1, self.run.received) * 1e6

    @property
    def p99(self) -> float:
        """Milliseconds."""
        return self.run.latency(0.99)

    @property
    def disturbed(self) -> bool:
        late = self.run.lateness
        return not late or late[len(late) // 2] / 1e6 > DISTURBED_MS

    def line(self, title: str, unit: str) -> str:
        """For whoever watches."""
        run = self.run
        return (
            f"{title:22} {self.size:3} {unit}  {run.received / run.seconds:6.0f} packets/s  {self.per_packet:6.1f} us  "
            f"p50 {run.latency(0.5):6.2f} ms  p99 {self.p99:6.2f} ms  lost {run.lost}  "
            f"{self.memory_kib / 1024:.1f} MiB" + ("  (disturbed)" if self.disturbed else "")
        )


class Spread(NamedTuple):
    """Of several rounds."""

    median: float
    least: float
    most: float

    def cell(self, form: str, unit: str = "") -> str:
        """Markdown; the range where there is one."""
        middle = f"{self.median:{form}}{unit}"
        return middle if self.least == self.most else f"{middle} ({self.least:{form}} to {self.most:{form}})"


def spread(values: Sequence[float]) -> Spread | None:
    return Spread(statistics.median(values), min(values), max(values)) if values else None


Key = Callable[[Figures], float]


def per_packet(figures: Figures) -> float:
    return figures.per_packet


def p99(figures: Figures) -> float:
    return figures.p99


def of(results: Sequence[Figures], target: str, size: int) -> list[Figures]:
    """Rounds of one relay at one size; the disturbed ones only if there are no others."""
    chosen = [figures for figures in results if (figures.target, figures.size) == (target, size)]
    return [figures for figures in chosen if not figures.disturbed] or chosen


def middle(results: Sequence[Figures], target: str, size: int, key: Key) -> Spread | None:
    return spread([key(figures) for figures in of(results, target, size)])


def ratio(results: Sequence[Figures], target: str, beside: str, size: int, key: Key) -> Spread | None:
    """Of the two in the same round, however different the rounds are."""
    others = {figures.turn: key(figures) for figures in of(results, beside, size)}
    pairs = [(key(figures), others.get(figures.turn)) for figures in of(results, target, size)]
    return spread([value / other for value, other in pairs if other])


def sizes(results: Sequence[Figures]) -> list[int]:
    return sorted({figures.size for figures in results})


def memory_per_room(results: Sequence[Figures], target: str) -> float | None:
    """KiB that each room more takes, from the smallest to the largest number of rooms."""
    measured = sizes([figures for figures in results if figures.target == target])
    if len(measured) < 2:
        return None
    ends = [middle(results, target, size, lambda it: it.memory_kib) for size in (measured[0], measured[-1])]
    least, most = (end.median if end else 0.0 for end in ends)
    return (most - least) / (measured[-1] - measured[0])


class Reach(NamedTuple):
    """A limit for the median of a figure, which may not be there."""

    what: str
    reached: Spread | None
    limit: float
    form: str
    unit: str = ""

    def line(self) -> str:
        """Markdown."""
        met = self.reached is not None and self.reached.median <= self.limit
        cell = self.reached.cell(self.form, self.unit) if self.reached else "-"
        verdict = "-" if self.reached is None else "yes" if met else "**no**"
        return f"| {self.what} | ≤ {self.limit:g}{self.unit} | {cell} | {verdict} |"


def reached(rows: Sequence[Reach]) -> str:
    """Markdown."""
    return "\n".join(["| what | reach | reached | met |", "|---|---|---|---|", *(row.line() for row in rows)])


def installed(asked: str, known: Iterable[str]) -> list[str]:
    """Of the relays asked for, separated by commas, those that are known here and can be run; Janus may be missing."""
    names = [name for name in asked.split(",") if name in known]
    if shutil.which("janus") is None:
        names = [name for name in names if not name.startswith("janus")]
        print("janus is not installed: left out", file=sys.stderr)
    return names


def parser(name: str, doc: str | None, targets: Iterable[str]) -> argparse.ArgumentParser:
    """What benchmarks of relays beside each other are told on the command line."""
    made = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=(doc or "").split("\n")[0])
    made.add_argument("--targets", default=",".join(targets), help="some of: %(default)s")
    made.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    made.add_argument("--seconds", type=float, default=8.0, help="measured in each run; default %(default)s")
    made.add_argument("--patience", type=float, default=60.0, help="seconds to wait for a quiet host before each run")
    made.add_argument("--write", action="store_true", help="put the result into bench/README.md")
    return made
