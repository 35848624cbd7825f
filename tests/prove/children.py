"""Work in forked children, some of which are killed."""

import asyncio
import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

Work = Callable[[], Coroutine[Any, Any, Any]]


def start(work: Work) -> int:
    """Run it in a child."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            asyncio.run(work())
            status = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)
    return child


def kill_at(child: int, ready: Path, delay: float, seconds: float = 20) -> bool:
    """``kill -9`` it, ``delay`` seconds after it made the file ``ready``; whether it was still at work."""
    deadline = time.monotonic() + seconds
    while not ready.exists():
        if time.monotonic() > deadline or os.waitpid(child, os.WNOHANG)[0]:
            raise RuntimeError("the child did not get to work")
        time.sleep(0.0005)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def ask(work: Work, answer: Path) -> Any:
    """What ``work`` returns, found out in a child of its own, as JSON."""

    async def write() -> None:
        answer.write_text(json.dumps(await work()))

    _, status = os.waitpid(start(write), 0)
    if status:
        raise RuntimeError("the child failed")
    return json.loads(answer.read_text())
