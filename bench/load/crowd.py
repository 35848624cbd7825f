"""Patients of as many appointments, each in a waiting room and with an address of its own.

``python -m bench.load.crowd`` is such a crowd in a process of its own, so that what it does with its loop is not in
what others measure. One JSON object a line on standard input: first ``origin``, ``url`` and ``planned`` (pairs of an
appointment and what stands behind the ``#`` of its link), then as often as wanted ``more``. Each ``more`` is answered
when all are there; the end of the input with how late its loop was, and how many connections were lost.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from functools import partial
from typing import Any

import aiohttp

from bench.load.clerk import ROOT, Clerk, Planned
from bench.load.visitor import Refused, Visitor
from signaling.protocol.model import API

AT_ONCE = 16
ATTEMPTS, PATIENCE = 5, 60.0
LOOK = 0.005
LINE_BYTES = 1 << 20


class Crowd:
    """``visitors`` are there, each on one of the nodes it was told."""

    def __init__(self, origin: str, planned: Sequence[Planned], entrance: str) -> None:
        self.visitors: list[Visitor] = []
        self._origin = origin
        self._planned = planned
        self._sessions: list[aiohttp.ClientSession] = []
        self._clerk = Clerk(origin, API, entrance)

    async def gather(self, count: int, urls: Sequence[str]) -> None:
        """So many more, on each of the nodes in turn."""
        many = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            planned = self._planned[number]
            own = f"127.1.{number // 250}.{number % 250 + 1}"
            session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(own, 0)))
            self._sessions.append(session)
            address = urls[number % len(urls)]
            visitor = Visitor(session, address, self._origin, planned.id, partial(self._token, planned.link))
            self.visitors.append(visitor)
            async with many:
                for _ in range(ATTEMPTS):
                    with suppress(Refused, TimeoutError):  # it was lost on the way and connects again
                        await visitor.open(PATIENCE)
                        await visitor.arrive()
                        return
                raise TimeoutError("a visitor does not come in")

        begin = len(self.visitors)
        await asyncio.gather(*(one(number) for number in range(begin, begin + count)))

    async def _token(self, link: str) -> str:
        try:
            return await self._clerk.join(link)
        except RuntimeError:  # it is busy: the visitor asks again
            raise Refused("try_again") from None

    @property
    def losses(self) -> int:
        return sum(visitor.losses for visitor in self.visitors)

    async def close(self) -> None:
        await asyncio.gather(*(visitor.close() for visitor in self.visitors))
        await asyncio.gather(*(session.close() for session in self._sessions))
        await self._clerk.close()


class Lateness:
    """How late this process's loop is, in milliseconds: what it adds to whatever it measures."""

    def __init__(self) -> None:
        self.each: list[float] = []

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            due = time.perf_counter() + LOOK
            await asyncio.sleep(LOOK)
            self.each.append((time.perf_counter() - due) * 1000)

    def p99(self) -> float:
        return percentile(self.each, 0.99)


def percentile(values: Sequence[float], part: float) -> float:
    """0 for none."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)] if values else 0.0


class Elsewhere:
    """A crowd in another process, as seen from this one."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def gather(self, count: int) -> None:
        """So many more, who count as there from now on; RuntimeError when they do not come."""
        await self._say({"more": count})
        await self._hear()

    async def end(self) -> dict[str, Any]:
        """``late`` (ms, p99) and ``losses`` since the last ``gather``."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        return await self._hear()

    async def _say(self, line: dict[str, object]) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(line).encode() + b"\n")
        await self._child.stdin.drain()

    async def _hear(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = await self._child.stdout.readline()
        if not line:
            raise RuntimeError("the crowd's process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def elsewhere(origin: str, url: str, planned: Sequence[Planned]) -> AsyncIterator[Elsewhere]:
    """A crowd in a process of its own, which ends with this."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "bench.load.crowd"]
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe, limit=LINE_BYTES)
    crowd = Elsewhere(child)
    try:
        await crowd._say({"origin": origin, "url": url, "planned": [asdict(one) for one in planned]})
        yield crowd
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.terminate()
            await child.wait()


async def _obey() -> None:
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    told = json.loads(await reader.readline())
    crowd = Crowd(told["origin"], [Planned(**one) for one in told["planned"]], told["url"])
    lateness, lost = Lateness(), 0
    watching = asyncio.create_task(lateness.watch())
    try:
        while line := await reader.readline():
            await crowd.gather(json.loads(line)["more"], [told["url"]])
            lateness.each.clear()
            lost = crowd.losses
            print(json.dumps({"there": len(crowd.visitors)}), flush=True)
        print(json.dumps({"late": lateness.p99(), "losses": crowd.losses - lost}), flush=True)
    finally:
        watching.cancel()
        await crowd.close()


if __name__ == "__main__":
    asyncio.run(_obey())
