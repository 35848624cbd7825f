"""The aiohttp application for machines: REST, Socket.IO, health. HTML is put on top of it by ``web.routes.attach``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

from signaling import typedefs
from signaling.settings import SignalingSettings
from signaling.tickets import Tickets

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from media.control import MediaClient
    from rooms.store import Store
    from turn.credentials import TurnCredentials


def build(
    settings: SignalingSettings,
    store: Store,
    redis: Redis,
    media: MediaClient,
    turn: TurnCredentials,
    now: Callable[[], datetime],
    *,
    secret: bytes,
    redis_url: str,
) -> web.Application:
    """The application, ready to be run; it owns none of what it is given."""
    app = web.Application()
    app[typedefs.SETTINGS] = settings
    app[typedefs.STORE] = store
    app[typedefs.REDIS] = redis
    app[typedefs.MEDIA] = media
    app[typedefs.TURN] = turn
    app[typedefs.TICKETS] = Tickets(secret, now)
    app[typedefs.NOW] = now
    return app
