"""What is told of the sockets that the gate has."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from signaling.replays import Missed
from signaling.sockets.socket import Socket


@dataclass(frozen=True)
class Hooks:
    """What stands on the gate, and so is there only after it.

    ``lost`` is called once for each authenticated socket that closed, ``heard`` with each event that a socket is sent,
    ``entered`` when one has a place in a room, ``missed`` to look for what its page has not seen.
    """

    lost: Callable[[Socket], Awaitable[None]]
    heard: Callable[[Socket, str, dict[str, Any]], None]
    entered: Callable[[Socket], Awaitable[None]]
    missed: Callable[[Socket, int], Awaitable[Missed]]


def in_turn(*listeners: Callable[[Socket], Awaitable[None]]) -> Callable[[Socket], Awaitable[None]]:
    """One after the other, each whatever becomes of those before it."""

    async def listen(socket: Socket) -> None:
        async with AsyncExitStack() as stack:
            for one in reversed(listeners):
                stack.push_async_callback(one, socket)

    return listen
