"""Leaving a cluster without anybody noticing: what a node does between SIGTERM and its end.

Readiness says no first, so that load balancers look elsewhere; then nobody is let in, and the clients are sent away one
after the other. They come back to another node by themselves, with their resume tickets. Rooms on this host's own media
workers move meanwhile. A node without neighbours has nobody to leave anything to, and ends at once.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine

from aiohttp import web

from signaling import gate, typedefs

SENDING_AWAY = 2.0
"""Seconds in which all clients are sent away: the other nodes meet them spread over that time."""

LAST_WORDS = 0.5
"""Seconds for what is under way."""

log = logging.getLogger(__name__)


async def drain(app: web.Application, hand_over: Callable[[], Coroutine[None, None, None]]) -> None:
    """Return when nobody depends on this node any more; ``hand_over`` moves the rooms of its media workers."""
    live = app[gate.SIGNALING]
    if not live.presence.neighbours:
        return
    log.warning("this node leaves; its clients move to others")
    live.presence.leaving = app[typedefs.HEALTH].leaving = True
    async with asyncio.TaskGroup() as group:
        group.create_task(hand_over())
        await asyncio.sleep(app[typedefs.SETTINGS].drain_seconds)
        live.gate.close_doors("leaving")
        await live.gate.send_away(SENDING_AWAY)
        await asyncio.sleep(LAST_WORDS)
