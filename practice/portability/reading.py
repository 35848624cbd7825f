"""Runs the program that opens an archive (``reader``), and believes little of what comes back."""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, get_args

from practice.portability.opened import NotTaken, Problem
from practice.portability.taken import Taken, Taking

PROGRAM: Final = "practice.portability.reader"
ROOT: Final = Path(__file__).parents[2]
MEMORY: Final = 1 << 30
"""Bytes that the program may take: 100,000 appointments of the longest that we write need some 600 MB."""
SECONDS: Final = 120.0
AT_ONCE: Final = 1
LONGEST: Final = 1 << 20
"""Bytes of a record: an appointment with all that may be asked before it, answered at full length, has less."""
FEW: Final = 200
"""Records that are looked at without a pause."""


class ArchiveReader:
    """One at a time."""

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._free = asyncio.Semaphore(AT_ONCE)

    async def opened(self, data: bytes, password: str, now: datetime) -> Taken:
        """What an archive has of an account, all of it good; nothing else of the server waits for it.

        Errors: NotTaken, ``large`` also where it took too much memory or time.
        """
        taking = Taking(now)
        async with self._free:
            try:
                async with asyncio.timeout(SECONDS):
                    async for some in self._lines(data, password):
                        await asyncio.to_thread(taking.add, some)
            except TimeoutError:
                raise NotTaken("large") from None
        return taking.whole()

    async def _lines(self, data: bytes, password: str) -> AsyncIterator[list[bytes]]:
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", PROGRAM, str(self._memory)),
            stdin=pipe, stdout=pipe, stderr=nowhere, env={}, cwd=ROOT, close_fds=True, limit=LONGEST,
        )  # fmt: skip
        try:
            await _given(process, json.dumps(password).encode() + b"\n" + data)
            if problem := _problem(await _line(process)):
                raise NotTaken(problem)
            some = []
            while line := await _line(process):
                some.append(line)
                if len(some) == FEW:
                    yield some
                    some = []
            if await process.wait() != 0:
                raise NotTaken("large")
            yield some
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _given(process: Process, data: bytes) -> None:
    assert process.stdin is not None
    with suppress(ConnectionError):  # it ended before it read all, and what it says of that is read
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


async def _line(process: Process) -> bytes:
    """Empty at its end. Errors: NotTaken."""
    assert process.stdout is not None
    try:
        return await process.stdout.readline()
    except ValueError:  # longer than any of ours
        raise NotTaken("content") from None


def _problem(line: bytes) -> Problem | None:
    """Why it is not taken. A program that ended without a word was ended."""
    said = json.loads(line or b'"large"')
    return next((one for one in get_args(Problem) if one == said), None)
