"""Media workers as child processes of this host."""

import asyncio
import base64
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from media.settings import MediaSettings

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE})
_MOST_CRASHES = 2
_FIRST_DELAY, _LONGEST_DELAY, _LIVED_WELL = 0.1, 5.0, 30.0

OnExit = Callable[[str], Awaitable[None]]


class WorkerFailed(RuntimeError):  # noqa: N818 - what the operator reads
    """A worker did not start; the text is one sentence for the operator."""


@dataclass(slots=True)
class _Child:
    process: asyncio.subprocess.Process
    worker: str
    port: int
    pump: bool


class LocalWorkers:
    """``settings.workers`` children, each replaced by a new one (with a new id) when it ends.

    After two crashes of workers with a pump no new one gets any.

    A child ends when its standard input closes, so it cannot outlive this process however that ends.

    Args:
        secret: the key of calls and nothing else.
        on_exit: awaited with the id of a worker that ended by itself, before its replacement starts.

    Use as an async context manager, or `start` and `close`.
    """

    def __init__(self, settings: MediaSettings, redis_url: str, secret: bytes, on_exit: OnExit | None = None) -> None:
        self._settings = settings
        self._redis_url = redis_url
        self._secret = secret
        self._on_exit = on_exit
        self._children: dict[int, _Child] = {}
        self._crashes = 0
        self._watchers: list[asyncio.Task[None]] = []

    @property
    def workers(self) -> list[str]:
        """Ids of the workers that run now."""
        return [child.worker for child in self._children.values()]

    @property
    def ports(self) -> dict[str, int]:
        """Worker id → its UDP and TCP port."""
        return {child.worker: child.port for child in self._children.values()}

    @property
    def pids(self) -> dict[str, int]:
        return {child.worker: child.process.pid for child in self._children.values()}

    async def start(self) -> None:
        """Start all; returns when each listens and sent its first heartbeat.

        Raises:
            WorkerFailed: one did not come up, for example because its port is taken; none is left behind.
        """
        try:
            for index in range(self._settings.workers):
                self._children[index] = await self._spawn(index)
        except BaseException:
            await self.close()
            raise
        if all(child.pump for child in self._children.values()):
            logger.info("media: workers run, packets by the pump")
        else:
            logger.info("media: workers run, packets by Python")
        self._watchers = [asyncio.create_task(self._watch(index)) for index in self._children]

    async def close(self) -> None:
        """Stop all. Idempotent."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers.clear()
        children, self._children = list(self._children.values()), {}
        await asyncio.gather(*(_stop(child.process) for child in children))

    async def drain(self, seconds: float) -> None:
        """Stop all once their rooms have moved to other workers or ended, after ``seconds`` at the latest."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers.clear()
        children = list(self._children.values())
        for child in children:
            if child.process.returncode is None:
                child.process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(child.process.wait() for child in children))
        except TimeoutError:
            logger.warning("media: rooms were left when the time to drain was over")
        await self.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _spawn(self, index: int) -> _Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "media.worker",
            cwd=_ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # What configures a server holds its secrets.
            env={name: value for name, value in os.environ.items() if not name.startswith("SPREEKKAMER_")},
        )
        config = {
            "settings": self._settings.model_dump(mode="json", exclude={"secret", "redis_url"}),
            "index": index,
            "redis_url": self._redis_url,
            "secret": base64.b64encode(self._secret).decode(),
        }
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(config).encode() + b"\n")
            await process.stdin.drain()
            async with asyncio.timeout(_START_SECONDS):
                line = await process.stdout.readline()
            ready = json.loads(line)
            return _Child(process, ready["worker"], ready["port"], ready["pump"])
        except (OSError, TimeoutError, ValueError, KeyError) as error:
            await _stop(process)
            raise WorkerFailed(f"Media worker {index + 1} did not start; its own message above says why.") from error
        except BaseException:
            await _stop(process)
            raise

    async def _watch(self, index: int) -> None:
        delay = _FIRST_DELAY
        loop = asyncio.get_running_loop()
        while True:
            child, since = self._children[index], loop.time()
            await child.process.wait()
            del self._children[index]
            logger.warning("media: worker ended")
            self._note_crash(child)
            await self._tell(child.worker)
            if loop.time() - since > _LIVED_WELL:
                delay = _FIRST_DELAY
            while index not in self._children:
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
                try:
                    self._children[index] = await self._spawn(index)
                except WorkerFailed:
                    logger.exception("media: worker not restarted")

    def _note_crash(self, child: _Child) -> None:
        """A pump that crashes costs its rooms a moment. It is not tried a third time."""
        if child.pump and -(child.process.returncode or 0) in _CRASHES:
            self._crashes += 1
            if self._crashes == _MOST_CRASHES:
                logger.error("media: the pump crashed again: from now on workers forward by themselves")
                self._settings = self._settings.model_copy(update={"pump": "python"})

    async def _tell(self, worker: str) -> None:
        if self._on_exit is not None:
            try:
                await self._on_exit(worker)
            except Exception:
                logger.exception("media: on_exit failed")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
