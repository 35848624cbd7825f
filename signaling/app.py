"""The aiohttp application for machines: REST, Socket.IO, health. HTML is put on top of it by ``web.routes.attach``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aiohttp import web

from signaling import health, middlewares, routes, typedefs
from signaling.health import Health
from signaling.limiter import Limiter
from signaling.metrics import Metrics
from signaling.settings import SignalingSettings
from signaling.tickets import Tickets
from signaling.typedefs import SignInLink

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from media.control import MediaClient
    from rooms.store import Store
    from turn.credentials import TurnCredentials

MAX_BODY: Final = 65_536


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
    sign_in_link: SignInLink | None = None,
) -> web.Application:
    """The application, ready to be run; it owns none of what it is given.

    ``secret`` is shared by all nodes; ``redis_url`` is where Socket.IO's manager listens, ``settings.port`` the port
    that really is listened on.
    """
    app = web.Application(
        middlewares=[middlewares.counted, middlewares.errors_to_wire, middlewares.same_site],
        client_max_size=MAX_BODY,
    )
    app[typedefs.SETTINGS] = settings
    app[typedefs.STORE] = store
    app[typedefs.REDIS] = redis
    app[typedefs.MEDIA] = media
    app[typedefs.TURN] = turn
    app[typedefs.TICKETS] = Tickets(secret, now)
    app[typedefs.NOW] = now
    app[typedefs.LIMITER] = Limiter(redis, secret, now)
    app[typedefs.METRICS] = Metrics()
    app[typedefs.HEALTH] = Health(store, redis, media)
    app[typedefs.SIGN_IN_LINK] = sign_in_link
    app.cleanup_ctx.append(health.heartbeat)
    routes.attach(app)
    return app
