"""What the application carries, by typed key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from media.control import MediaClient
    from rooms.store import Store
    from signaling.settings import SignalingSettings
    from signaling.tickets import Tickets
    from turn.credentials import TurnCredentials

SETTINGS: web.AppKey[SignalingSettings] = web.AppKey("SETTINGS")
STORE: web.AppKey[Store] = web.AppKey("STORE")
REDIS: web.AppKey[Redis] = web.AppKey("REDIS")
MEDIA: web.AppKey[MediaClient] = web.AppKey("MEDIA")
TURN: web.AppKey[TurnCredentials] = web.AppKey("TURN")
TICKETS: web.AppKey[Tickets] = web.AppKey("TICKETS")
NOW: web.AppKey[Callable[[], datetime]] = web.AppKey("NOW")
