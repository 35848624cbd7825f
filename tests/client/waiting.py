"""Waiting for what has to come, with the reason why it has not."""

import asyncio
from collections.abc import Callable


async def within(seconds: float, reason: Callable[[], str | None], interval: float = 0.02) -> None:
    """Wait until ``reason`` gives none any more.

    Raises:
        TimeoutError: with the last reason why not yet.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while why := reason():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(why)
        await asyncio.sleep(interval)
