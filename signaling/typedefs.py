"""What the application carries, by typed key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from media.control import MediaClient
    from practice.bounces.reader import BounceReader
    from practice.circulars.press import Press
    from practice.invitations.courier import Courier
    from practice.invitations.digits import Digits
    from practice.mailed_requests.reader import RequestReader
    from practice.notices.postman import Postman
    from practice.outgoing import Door
    from practice.pictures.intake import Intake
    from practice.post import Letterbox
    from practice.push_subscriptions.sending import Pusher
    from practice.sms_providers.sending import Texter
    from practice.storage import Store
    from rooms.diagnostics import Diagnostics
    from signaling.challenges import Challenges
    from signaling.devices import Devices
    from signaling.dissolving import Dissolving
    from signaling.forgotten import Forgotten
    from signaling.forwarded import Doubts
    from signaling.health import Health
    from signaling.limiter import Limiter
    from signaling.metrics import Metrics
    from signaling.passwords import Passwords
    from signaling.registering import Registering
    from signaling.requesting import Requesting
    from signaling.service_notices import ServiceNotices
    from signaling.settings import SignalingSettings
    from signaling.tickets import Tickets
    from turn.credentials import TurnCredentials


@dataclass(frozen=True)
class SignInLink:
    """The demo's: whoever has the token is this practitioner, until the process ends."""

    token: str
    practitioner: str


SETTINGS: web.AppKey[SignalingSettings] = web.AppKey("SETTINGS")
STORE: web.AppKey[Store] = web.AppKey("STORE")
REDIS: web.AppKey[Redis] = web.AppKey("REDIS")
MEDIA: web.AppKey[MediaClient] = web.AppKey("MEDIA")
TURN: web.AppKey[TurnCredentials] = web.AppKey("TURN")
TICKETS: web.AppKey[Tickets] = web.AppKey("TICKETS")
NOW: web.AppKey[Callable[[], datetime]] = web.AppKey("NOW")
ZONE: web.AppKey[Callable[[], tzinfo]] = web.AppKey("ZONE")
LIMITER: web.AppKey[Limiter] = web.AppKey("LIMITER")
PASSWORDS: web.AppKey[Passwords] = web.AppKey("PASSWORDS")
CHALLENGES: web.AppKey[Challenges] = web.AppKey("CHALLENGES")
DEVICES: web.AppKey[Devices] = web.AppKey("DEVICES")
DOUBTS: web.AppKey[Doubts] = web.AppKey("DOUBTS")
METRICS: web.AppKey[Metrics] = web.AppKey("METRICS")
DIAGNOSTICS: web.AppKey[Diagnostics] = web.AppKey("DIAGNOSTICS")
HEALTH: web.AppKey[Health] = web.AppKey("HEALTH")
DISSOLVING: web.AppKey[Dissolving] = web.AppKey("DISSOLVING")
FORGOTTEN: web.AppKey[Forgotten] = web.AppKey("FORGOTTEN")
REGISTERING: web.AppKey[Registering] = web.AppKey("REGISTERING")
REQUESTING: web.AppKey[Requesting] = web.AppKey("REQUESTING")
DOOR: web.AppKey[Door] = web.AppKey("DOOR")
INTAKE: web.AppKey[Intake] = web.AppKey("INTAKE")
PUSHER: web.AppKey[Pusher | None] = web.AppKey("PUSHER")
TEXTER: web.AppKey[Texter] = web.AppKey("TEXTER")
POSTMAN: web.AppKey[Postman | None] = web.AppKey("POSTMAN")
DIGITS: web.AppKey[Digits] = web.AppKey("DIGITS")
SERVICE_NOTICES: web.AppKey[ServiceNotices] = web.AppKey("SERVICE_NOTICES")
PRESS: web.AppKey[Press | None] = web.AppKey("PRESS")
COURIER: web.AppKey[Courier | None] = web.AppKey("COURIER")
BOUNCES: web.AppKey[BounceReader | None] = web.AppKey("BOUNCES")
REQUEST_MAIL: web.AppKey[RequestReader | None] = web.AppKey("REQUEST_MAIL")
POST: web.AppKey[Letterbox | None] = web.AppKey("POST")
SIGN_IN_LINK: web.AppKey[SignInLink | None] = web.AppKey("SIGN_IN_LINK")
