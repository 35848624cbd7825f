"""Ending background tasks for certain."""

import asyncio
from collections.abc import Iterable

PATIENCE = 0.25


async def stop(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel tasks until they have ended; what they raise is not of interest any more.

    Once is not enough: before Python 3.12 ``asyncio.wait_for`` swallows a cancellation that comes in the moment its
    result does, and the Redis client sends every command inside one.
    """
    everyone = set(tasks)
    pending = everyone
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=PATIENCE)
    await asyncio.gather(*everyone, return_exceptions=True)
