"""What a proof says: counted, held against what was to be reached."""

import os
import platform
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    what: str
    reach: str
    reached: str
    met: bool

    def row(self) -> str:
        """Markdown."""
        return f"| {self.what} | {self.reach} | {self.reached} | {'yes' if self.met else '**no**'} |"


@dataclass(frozen=True)
class Size:
    """How much of a proof is run. ``folder`` is on the disk, ``memory`` where flushing costs nothing."""

    full: bool
    folder: Path
    memory: Path
    random: random.Random

    def choose(self, full: int, short: int) -> int:
        """A count for the long or the short form."""
        return full if self.full else short


Proof = Callable[[Size], list[Figure]]


def counted(what: str, found: int, tries: int, unit: str) -> Figure:
    """Something that must never happen."""
    return Figure(what, "0", f"{found} in {tries:,} {unit}", found == 0 and tries > 0)


def at_most(what: str, limit: float, measured: float, unit: str, beside: str = "") -> Figure:
    """Something that must be quick."""
    reached = f"{measured:.1f} {unit}{f' ({beside})' if beside else ''}"
    return Figure(what, f"≤ {limit:g} {unit}", reached, measured <= limit)


def machine() -> str:
    """Where this runs."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}, Python {platform.python_version()}"
