"""Waiting for what has to come, with the reason why it has not."""

import asyncio
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 120.0
"""Seconds for what comes sooner wherever a machine has time: no test fails because it had none."""


async def until(reason: Callable[[], str | None]) -> None:
    """Wait until ``reason`` gives none any more, with patience. Raises: as of ``within``."""
    await within(PATIENCE, reason)


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
