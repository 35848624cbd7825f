"""What a process holds: memory, descriptors, and the tasks of its event loop."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from bench.load.door import eventually

COUNTING = Path(__file__).parent / "counting"
_SECONDS = 20.0


@dataclass(frozen=True)
class Held:
    """By one process, or by several together."""

    resident_kib: int
    descriptors: int
    tasks: int

    def __add__(self, other: "Held") -> "Held":
        return Held(
            self.resident_kib + other.resident_kib, self.descriptors + other.descriptors, self.tasks + other.tasks
        )


def counting(folder: Path) -> dict[str, str]:
    """Variables of processes that are asked by `held`."""
    path = os.environ.get("PYTHONPATH")
    return {"BENCH_TASKS": str(folder), "PYTHONPATH": f"{COUNTING}:{path}" if path else str(COUNTING)}


async def held(pid: int, folder: Path) -> Held:
    """By a process that was started with what `counting` gives."""
    told = folder / str(pid)
    told.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)
    await eventually(lambda: _written(told), f"process {pid} says how many tasks it has", _SECONDS)
    return Held(resident_kib(pid), len(list(Path(f"/proc/{pid}/fd").iterdir())), int(told.read_text()))


async def _written(told: Path) -> bool:
    return told.exists() and bool(told.read_text())


def resident_kib(pid: int) -> int:
    """RSS."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def children(pid: int) -> list[int]:
    """Process ids, of these and theirs."""
    found = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(below for one in found for below in children(one))]


def command(pid: int) -> str:
    """Its command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
