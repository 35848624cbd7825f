"""Processes of relays and what is beside them: started, ended, and what they use."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

START_SECONDS = 10.0


@asynccontextmanager
async def process(
    program: str, *arguments: str, pipes: bool = False, cwd: Path | None = None, env: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    found = shutil.which(program) or program
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    started = await asyncio.create_subprocess_exec(
        found,
        *arguments,
        stdin=pipe if pipes else nothing,
        stdout=pipe if pipes else nothing,
        cwd=cwd,
        env=env,
        limit=1 << 20,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.terminate()
            try:
                async with asyncio.timeout(START_SECONDS):
                    await started.wait()
            except TimeoutError:
                started.kill()
                await started.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid: int) -> int:
    """Proportional set size: what is shared counts by its share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
