"""The aiohttp application for machines: REST, Socket.IO, health. HTML is put on top of it by ``web.routes.attach``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web
from redis.exceptions import RedisError

from practice.bounces.tokens import Tokens
from practice.invitations.digits import Digits
from practice.outgoing import Door
from practice.pictures.intake import Intake
from practice.post import KeptMailers, KeptTexter, Letterbox
from practice.push_subscriptions.sending import Pusher
from practice.settings import PracticeSettings, PushSettings
from practice.sms_providers.sending import Texter
from rooms.diagnostics import Diagnostics
from rooms.expiry import lifetimes
from signaling import demanded, gate, health, leaving, mailing, middlewares, routes, typedefs
from signaling.addresses import public_origin
from signaling.challenges import Challenges
from signaling.couriers import courier, letterhead, reader
from signaling.derived import derive
from signaling.devices import Devices
from signaling.dissolving import Dissolving
from signaling.exports import EXPORTS, Exports
from signaling.forgotten import Forgotten
from signaling.forwarded import Doubts
from signaling.health import Health
from signaling.limiter import Limiter
from signaling.link_codes import LINK_CODES_OF, LinkCodes
from signaling.mailed_requests import reader as request_reader
from signaling.metrics import Metrics
from signaling.passwords import Passwords
from signaling.registering import Registering, let_lapse
from signaling.requesting import Requesting
from signaling.service_notices import ServiceNotices
from signaling.settings import SignalingSettings
from signaling.tasks import stop
from signaling.tickets import Tickets
from signaling.turnstile import Turnstile
from signaling.typedefs import SignInLink
from signaling.yearly import Yearly
from turn.watch import TurnWatch
from vault.errors import DomainError, StartRefused
from vault.faults import reason

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from media.control import MediaClient
    from practice.storage import Storage, Store
    from rooms.live import LiveConsults
    from turn.credentials import TurnCredentials

logger = logging.getLogger(__name__)

MAX_BODY: Final = 65_536
SWEEPER_RESTART_SECONDS: Final = 5.0
TIDY_SECONDS: Final = 30.0


def build(
    settings: SignalingSettings,
    storage: Storage,
    live: LiveConsults,
    redis: Redis,
    media: MediaClient,
    turn: TurnCredentials,
    now: Callable[[], datetime],
    *,
    secret: bytes,
    practice: PracticeSettings | None = None,
    sign_in_link: SignInLink | None = None,
    kept: Letterbox | None = None,
    native: bool = False,
) -> web.Application:
    """The application, ready to be run; it owns none of what it is given.

    ``storage`` was opened with ``live.are_live``, which is ``gate.documents``; here it gets what destroys. ``practice``
    says how mail is sent, if it is; with ``kept`` nothing is sent, and it gets all of it.
    ``secret`` is shared by all nodes; ``settings.port`` is the port that is really listened on; ``native`` admits
    Socket.IO clients that send no Origin. What the live side can be asked is in ``app[gate.SIGNALING]``.
    """
    app = web.Application(
        middlewares=[middlewares.counted, middlewares.errors_to_wire, middlewares.same_site],
        client_max_size=MAX_BODY,
    )
    app[typedefs.MEDIA] = media
    app[typedefs.TURN] = turn
    app[typedefs.SIGN_IN_LINK] = sign_in_link
    _stateless(app, settings, redis, now, secret)
    practice = practice or PracticeSettings()
    app[typedefs.DOOR] = door = Door.of(practice)
    app[typedefs.PUSHER] = _pusher(practice.push, door, settings, secret, now) if kept is None else None
    diagnostics = app[typedefs.DIAGNOSTICS]
    signaling = gate.attach(app, live, storage, secret=secret, diagnostics=diagnostics, native=native)
    store = storage.destroying(
        on_destroy=signaling.destroyed, on_close=signaling.sign_out, on_handed=signaling.handed_over
    )
    _stored(app, store, practice, door, kept, secret)
    app.cleanup_ctx.extend((health.heartbeat, retention, technical_data, files, members, post, ended))
    routes.attach(app)
    return app


def _stateless(
    app: web.Application, settings: SignalingSettings, redis: Redis, now: Callable[[], datetime], secret: bytes
) -> None:
    """What needs nothing that is stored."""
    app[typedefs.SETTINGS] = settings
    app[typedefs.REDIS] = redis
    app[typedefs.TICKETS] = Tickets(secret, now)
    app[typedefs.NOW] = now
    app[typedefs.ZONE] = lambda: UTC  # until the pages say which is the practice's
    app[typedefs.LIMITER] = Limiter(redis, secret, now)
    app[LINK_CODES_OF] = LinkCodes(redis, secret, app[typedefs.LIMITER])
    app[EXPORTS] = Exports(redis, secret, app[typedefs.LIMITER], now)
    app[typedefs.PASSWORDS] = Passwords(app[typedefs.LIMITER], Turnstile())
    app[typedefs.CHALLENGES] = Challenges(secret, redis, now)
    app[typedefs.DEVICES] = Devices(settings, secret)
    app[typedefs.DOUBTS] = Doubts(redis)
    app[typedefs.METRICS] = Metrics()
    app[typedefs.DIAGNOSTICS] = Diagnostics(
        redis,
        now,
        lifetimes(timedelta(seconds=settings.resume_seconds), timedelta(seconds=settings.refresh_seconds)),
    )


def _pusher(
    settings: PushSettings, door: Door, ours: SignalingSettings, secret: bytes, now: Callable[[], datetime]
) -> Pusher | None:
    return Pusher(settings, door, derive(secret, "push"), public_origin(ours), now) if settings.hosts else None


def _stored(
    app: web.Application, store: Store, practice: PracticeSettings, door: Door, post: Letterbox | None, secret: bytes
) -> None:
    """What stands on what is stored; ``practice`` says how mail is sent, where it is not kept as ``post``."""
    app[typedefs.STORE] = store
    app[typedefs.HEALTH] = Health(store, app[typedefs.REDIS], app[typedefs.MEDIA], TurnWatch(app[typedefs.TURN]))
    app[typedefs.DISSOLVING] = Dissolving(store, app[typedefs.NOW])
    app[typedefs.FORGOTTEN] = Forgotten(store, app[typedefs.LIMITER])
    app[typedefs.REGISTERING] = Registering(store, app[typedefs.LIMITER])
    app[typedefs.REQUESTING] = requesting = Requesting(store, app[typedefs.LIMITER], app[typedefs.NOW])
    store.registrations.ways = practice.ways
    app[typedefs.INTAKE] = Intake(practice.uploads)
    texter = Texter(practice.sms, door, store.sms_providers.of_owner, app[typedefs.NOW])
    by = mailing.mailers(store, practice, door)
    app[typedefs.POST] = post
    if post is not None:
        by = KeptMailers(door, store.mail_servers.of_owner, post)
        texter = KeptTexter(practice.sms, app[typedefs.NOW], post)
        store.outbox.has_provider = texter.can
    app[typedefs.TEXTER] = texter

    def zone() -> tzinfo:
        return app[typedefs.ZONE]()

    store.statistics.zone = zone
    origin = public_origin(app[typedefs.SETTINGS])
    app[typedefs.POSTMAN] = postman = mailing.postman(store, by, origin, zone)
    if postman is not None:
        postman.on_sent = requesting.sent
    app[typedefs.SERVICE_NOTICES] = ServiceNotices(store)
    app[typedefs.PRESS] = mailing.press(store, by, origin, zone)
    bounces, told = practice.bounces, app[gate.SIGNALING].told
    tokens = Tokens(bounces.address, derive(secret, "bounces")) if bounces.address else None
    app[typedefs.DIGITS] = Digits(by, texter, partial(letterhead, store))
    app[typedefs.COURIER] = courier(store, by, origin, zone, told, texter, tokens)
    app[typedefs.BOUNCES] = reader(store, bounces, door, tokens, told) if tokens else None
    app[typedefs.REQUEST_MAIL] = request_reader(store, practice, door, app[typedefs.LIMITER]) if post is None else None


async def retention(app: web.Application) -> AsyncIterator[None]:
    """Destroy what is overdue before the first request is answered, then sweep for as long as the server runs."""
    store = app[typedefs.STORE]
    try:
        await store.retention.catch_up()
    except DomainError as error:
        raise StartRefused(reason(error, "The database or the key store")) from error
    sweeper = asyncio.create_task(_sweep(store))
    yield
    await stop([sweeper])


async def technical_data(app: web.Application) -> AsyncIterator[None]:
    """Twice a minute, nothing may be found in Redis that would outlive its expiry (S-33), nor old audit entries."""
    tidier = asyncio.create_task(_tidy(app))
    yield
    await stop([tidier])


async def files(app: web.Application) -> AsyncIterator[None]:
    """Every two seconds: what is open must also be on disk."""
    watching = asyncio.create_task(app[typedefs.STORE].watch())
    yield
    await stop([watching])


async def members(app: web.Application) -> AsyncIterator[None]:
    """After an upgrade there may be many accounts that are no members of the organisation yet."""
    enrolling = asyncio.create_task(_enrol(app[typedefs.STORE]))
    yield
    await stop([enrolling])


async def _enrol(store: Store) -> None:
    try:
        await store.organisation.enrol()
    except DomainError:
        logger.warning("not all accounts are members of the organisation yet; the next start goes on")


async def post(app: web.Application) -> AsyncIterator[None]:
    """Send what is written down, if there is a mail server, read what comes back, look after who forgot a password or
    wants to register, and end what ends.
    """
    postman, asides = app[typedefs.POSTMAN], (app[typedefs.FORGOTTEN], app[typedefs.REGISTERING])
    readers = (app[typedefs.BOUNCES], app[typedefs.REQUEST_MAIL])
    senders = (
        postman,
        app[typedefs.COURIER],
        app[typedefs.PRESS],
        app[typedefs.SERVICE_NOTICES],
        Yearly(app[typedefs.STORE]),
    )
    parts = (*senders, *readers, *asides, app[typedefs.DISSOLVING], app[typedefs.REQUESTING])
    duties = [asyncio.create_task(one.run()) for one in parts if one]
    yield
    await stop(duties)
    for aside in asides:
        await aside.look()


async def ended(app: web.Application) -> AsyncIterator[None]:
    """What a command ended in storage ends for sockets, tickets and apps."""
    looking = asyncio.create_task(leaving.look_after(app[typedefs.STORE], app[gate.SIGNALING]))
    yield
    await stop([looking])


async def _tidy(app: web.Application) -> None:
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        with suppress(DomainError):
            await app[typedefs.DIAGNOSTICS].tidy()
        with suppress(DomainError):
            await app[typedefs.STORE].audit.tidy()
        with suppress(DomainError):
            await app[typedefs.STORE].resets.purge()
        with suppress(DomainError):
            await app[typedefs.STORE].mail_changes.purge()
        with suppress(DomainError):
            await app[typedefs.STORE].invitations.bury()
        with suppress(DomainError):
            await app[typedefs.STORE].registrations.purge()
        with suppress(DomainError):
            await let_lapse(app[typedefs.STORE])
        with suppress(DomainError):
            await app[typedefs.STORE].sights.bury()
        with suppress(DomainError):
            await demanded.tell(app[typedefs.STORE])
        with suppress(DomainError):
            await app[typedefs.STORE].identity_papers.bury()
        with suppress(DomainError):
            await app[typedefs.STORE].bookings.bury()
        with suppress(DomainError):
            await app[typedefs.STORE].push_subscriptions.bury()
        with suppress(DomainError):
            await app[typedefs.STORE].subscriptions.bury()
        with suppress(DomainError):
            await app[typedefs.STORE].circulars.bury()
        with suppress(DomainError):
            await app[typedefs.STORE].contacts.bury()
        with suppress(DomainError):
            await app[typedefs.STORE].statistics.purge()
        with suppress(RedisError):
            await app[typedefs.DOUBTS].tell()


async def _sweep(store: Store) -> None:
    while True:
        try:
            await store.retention.run()
        except Exception:
            logger.exception("the sweeper stopped; it starts again")
        await asyncio.sleep(SWEEPER_RESTART_SECONDS)
