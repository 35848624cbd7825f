"""The Socket.IO side of the application: ``attach`` puts all of it on an aiohttp application.

live = gate.documents(settings, redis, now, secret)
open_storage(..., in_progress=live.are_live)
signaling = gate.attach(app, live, storage, secret=..., diagnostics=...)    # app carries what signaling.typedefs names
storage.destroying(on_destroy=signaling.destroyed, on_close=signaling.sign_out, on_handed=signaling.handed_over)
LocalWorkers(..., on_exit=signaling.worker_exited)
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from practice.agenda.model import Appointment, Attendance
from practice.push_subscriptions.store import PushSubscriptions
from practice.storage import Storage
from rooms.announced import Announcements
from rooms.authentic import Authentic
from rooms.consult_events import Tally
from rooms.consult_state import Consult
from rooms.live import LiveConsults, parts
from rooms.walk_ins import Most, WalkIns
from rooms.words import SealedWords
from signaling import typedefs
from signaling.admission import Admission, patient_of, signed_out_key
from signaling.announcing import Announcing
from signaling.consults import Consults
from signaling.consults.messages import Messages
from signaling.consults.runner import Port, Runner
from signaling.consults.seats import Entering, Seats
from signaling.consults.showing import Beside, Showing
from signaling.consults.workers import Workers
from signaling.counting import counted, noted
from signaling.derived import derive
from signaling.greeting import Greeting
from signaling.handlers import handlers
from signaling.limiter import Limiter
from signaling.link_codes import link_code_key
from signaling.placement import Placement, Recorder
from signaling.presence import Presence
from signaling.pushing import Pushing
from signaling.refresh import Refresh
from signaling.replays import Replays
from signaling.scopes import of_practitioner
from signaling.session_use import SessionUse
from signaling.settings import SignalingSettings
from signaling.sockets.acceptance import Authority
from signaling.sockets.hooks import Hooks, in_turn
from signaling.sockets.limits import Limits
from signaling.sockets.server import PATH, Gate
from signaling.tasks import stop
from signaling.tickets import Claims
from signaling.traces import touched
from signaling.walking_in import WalkingIn, is_over
from signaling.window import JoinWindow
from vault.errors import DomainError

log = logging.getLogger(__name__)

ATTENDED: Final[Mapping[Tally, Attendance]] = {"consults": "held", "absent": "missed"}
"""What becomes of an appointment by what happens in its consult."""


@dataclass(frozen=True)
class Desks:
    """Who sees whose waiting room, and what all who wait in it are told."""

    greeting: Greeting
    announcing: Announcing
    walking_in: WalkingIn


@dataclass(frozen=True)
class Signaling:
    """What the rest of the application may ask of the live side."""

    gate: Gate
    consults: Consults
    placement: Placement
    presence: Presence
    admission: Admission
    diagnostics: Recorder
    refresh: Refresh
    authentic: Authentic
    use: SessionUse
    desks: Desks
    redis: Redis
    told_browsers: PushSubscriptions

    async def worker_exited(self, worker: str) -> None:
        """A media worker of this host ended."""
        await self.placement.worker_exited(worker)

    async def destroyed(self, appointments: Sequence[str]) -> dict[str, BaseException]:
        """Appointments are being destroyed: nothing of them stays in Redis, whoever is in one or came for it is told,
        and the sockets of its link close. Returns those of which traces are left, and why. Errors: ``try_again``.
        """
        faults: dict[str, BaseException] = {}
        for part in parts(await touched(self.redis, appointments)):
            done = await asyncio.gather(*map(self._clear, part), return_exceptions=True)
            faults |= {one: fault for one, fault in zip(part, done, strict=True) if fault is not None}
        await self.gate.sign_out(appointments, "token_invalid")
        return faults

    async def handed_over(self, appointments: Sequence[str], giver: str, taker: str) -> None:
        """Appointments are another practitioner's: who waits comes again by the same link, to the other, and both desks
        show what is theirs now.
        """
        for part in parts(await touched(self.redis, appointments)):
            await asyncio.gather(*(self.consults.seats.close(one, "left") for one in part))
            for one in part:
                await self.consults.beside.walk_ins.lose(giver, one)
        for practitioner in (giver, taker):
            await self.consults.showing.tell_desks(practitioner)

    async def sight_given(self, practitioner: str) -> None:
        """Others have sight of an agenda: its practitioner's open desks say so at once, on every node; those that
        cannot be told ask when they are there again.
        """
        try:
            await self.consults.showing.tell_of_sight(practitioner)
        except RedisError:
            log.warning("a desk could not be told of a sight of its agenda")

    async def told(self, practitioner: str) -> None:
        """What somebody has planned is more, less or another, or what became of what patients were to be told.

        Every desk of theirs, on every node, reads it anew.
        """
        try:
            await self.consults.showing.tell_desks(practitioner)
        except (DomainError, RedisError):
            # It is done: pages see it when they next ask.
            log.warning("no desk could be told that something else is planned")

    async def corrected(self, appointment: Appointment) -> None:
        """Who waits for it, who is in it and every desk of its practitioner read what is planned anew."""
        try:
            await self.consults.seats.replan(appointment)
            await self.consults.showing.tell_desks(appointment.owner)
        except (DomainError, RedisError):
            # It is written: an error would say that it is not. Pages see it when they next ask.
            log.warning("nobody could be told that an appointment was corrected")

    async def invited(self, appointment: Appointment) -> None:
        """A guest more takes part: in the consult that runs there is a place for them, and every desk reads it anew."""
        try:
            await self.consults.seats.grow(appointment)
            await self.consults.showing.tell_desks(appointment.owner)
        except (DomainError, RedisError):
            # It is written: the guest who comes makes room for themselves.
            log.warning("nobody could be told that a guest more takes part")

    async def uninvited(self, appointment: Appointment, guest: str) -> None:
        """A guest's link leads nowhere any more: whoever came by it is out, and who is there sees that."""
        try:
            await self.consults.seats.vacate(appointment.id, guest)
            await self.consults.showing.tell_desks(appointment.owner)
        except (DomainError, RedisError):
            # It is written; who is in may stay, whom the practitioner sees and can put out.
            log.warning("a guest who is uninvited could not be told so")

    async def _clear(self, appointment: str) -> None:
        await self.consults.seats.close(appointment, "cancelled")
        await self.diagnostics.forget(appointment)
        await self.refresh.forget(appointment)
        await self.redis.delete(link_code_key(appointment), signed_out_key(patient_of(appointment)))

    async def sign_out(self, practitioner: str, session: str | None = None) -> None:
        """A practitioner signed out in this session: their sockets close, on every node, and their tickets are void.
        Its browser is told nothing more; without a session none of theirs is.
        """
        scope, told = of_practitioner(practitioner), self.told_browsers
        await (told.end_of(scope, [session]) if session else told.keep_only(scope, None))
        await self.admission.sign_out(practitioner, session)
        await self.gate.sign_out([practitioner], "token_invalid")

    async def sign_out_session(self, practitioner: str, session: str) -> None:
        """Somebody ended this session elsewhere: its sockets close, within a second on other nodes."""
        await self.told_browsers.end_of(of_practitioner(practitioner), [session])
        await self.admission.sign_out_session(session)
        await self.presence.close_outdated()

    async def sign_out_others(self, practitioner: str, kept: str, others: Sequence[str]) -> None:
        """The same for all others and for all apps of a practitioner, but for the session that is kept."""
        await self.told_browsers.keep_only(of_practitioner(practitioner), kept)
        await self.admission.sign_out_others(practitioner, kept, others)
        await self.presence.close_outdated()

    async def revoke(self, claims: Claims) -> None:
        """An app signed out: nothing that came from its sign-in is good any more."""
        if claims.practitioner and claims.family:
            await self.told_browsers.end_of(of_practitioner(claims.practitioner), [claims.family])
        await self.refresh.end(claims)
        await self.gate.sign_out([str(claims.family)], "token_invalid")

    async def in_progress(self, appointment: str) -> bool:
        """Whether somebody is in this consult; who only waits holds nothing open."""
        return await self.consults.live.is_live(appointment)

    @property
    def sockets(self) -> int:
        """Authenticated sockets of this process."""
        return len(self.gate.authenticated)


SIGNALING: web.AppKey[Signaling] = web.AppKey("SIGNALING", Signaling)


def documents(settings: SignalingSettings, redis: Redis, now: Callable[[], datetime], secret: bytes) -> LiveConsults:
    """The live consults of all nodes that share ``secret`` and this Redis."""
    return LiveConsults(redis, now, timedelta(seconds=settings.resume_seconds), Authentic(derive(secret, "redis")))


def attach(
    app: web.Application,
    live: LiveConsults,
    storage: Storage,
    *,
    secret: bytes,
    diagnostics: Recorder,
    limits: Limits | None = None,
    native: bool = False,
    node: str | None = None,
) -> Signaling:
    """Serve ``/socket.io/`` on ``app``, which carries SETTINGS REDIS MEDIA TURN TICKETS NOW.

    ``native`` admits clients that send no Origin (no browser); ``node`` names this process, by default at random.
    Starts with the application and ends with it.
    """
    settings, redis, now = app[typedefs.SETTINGS], app[typedefs.REDIS], app[typedefs.NOW]
    life, authentic = live.life, live.authentic
    refresh = Refresh(app[typedefs.TICKETS], redis, now, life, authentic)
    longest = max(life, timedelta(seconds=settings.access_seconds))
    admission = Admission(app[typedefs.TICKETS], refresh, storage.sessions, redis, now, longest)
    gate = _gate(app, admission, limits or Limits(), secret, native)

    def place(appointment: str) -> None:  # each of the two needs the other
        placement.request(appointment)

    def full() -> bool:
        return placement.full

    replays, beside = Replays(redis, now, life, authentic), _beside(redis, now, live, secret)
    named = node or secrets.token_urlsafe(16)
    consults = _consults(app, gate, live, storage, replays, place, full, named, beside)
    placement = Placement(consults, app[typedefs.MEDIA], redis, diagnostics)
    use = SessionUse(gate, storage.sessions, now)
    desks = _desks(app, consults, storage)
    doing = handlers(consults, placement, diagnostics, Limiter(redis, secret, now), desks.greeting)
    gate.handle(Authority(storage.organisation.standings).guarding(doing), _hooks(consults, use, desks))
    presence = Presence(consults, placement, admission, app[typedefs.MEDIA], redis)
    signaling = Signaling(
        *(gate, consults, placement, presence, admission, diagnostics, refresh, authentic, use, desks, redis),
        storage.push_subscriptions,
    )
    _serve(app, signaling)
    return signaling


def _gate(app: web.Application, admission: Admission, limits: Limits, secret: bytes, native: bool) -> Gate:
    return Gate(
        app[typedefs.SETTINGS],
        limits,
        redis=app[typedefs.REDIS],
        secret=secret,
        authenticate=admission.authenticate,
        now=app[typedefs.NOW],
        native=native,
    )


def _beside(redis: Redis, now: Callable[[], datetime], live: LiveConsults, secret: bytes) -> Beside:
    return Beside(
        SealedWords(derive(secret, "words")),
        Announcements(redis, live.authentic, live.life),
        WalkIns(redis, now, live.life, live.authentic),
    )


def _serve(app: web.Application, signaling: Signaling) -> None:
    signaling.gate.attach(app, socketio_path=PATH)
    app[SIGNALING] = signaling
    app.on_shutdown.append(_hang_up)
    app.cleanup_ctx.append(_live)


def _zone(app: web.Application) -> tzinfo:
    """The practice's, as it is now; without pages nobody has said which."""
    return app.get(typedefs.ZONE, lambda: UTC)()


def _desks(app: web.Application, consults: Consults, storage: Storage) -> Desks:
    settings, now, beside = app[typedefs.SETTINGS], app[typedefs.NOW], consults.beside
    most = Most(settings.queue_people, settings.queue_network)
    return Desks(
        Greeting(consults, storage.assistants, storage.audit),
        Announcing(consults.gate, consults.live, beside.announcements, beside.walk_ins, storage.appointments, now),
        WalkingIn(consults, storage, most, now, partial(_zone, app)),
    )


def _hooks(consults: Consults, use: SessionUse, desks: Desks) -> Hooks:
    seats, messages = consults.seats, consults.messages
    entered = in_turn(messages.catch_up, desks.walking_in.entered, desks.announcing.entered)
    return Hooks(in_turn(use.lost, seats.lost), seats.heard, entered, messages.missed)


def _consults(
    app: web.Application,
    gate: Gate,
    live: LiveConsults,
    storage: Storage,
    replays: Replays,
    place: Callable[[str], None],
    full: Callable[[], bool],
    node: str,
    beside: Beside,
) -> Consults:
    """``place`` has a room placed on a media worker; ``full`` says whether none takes a new one."""
    settings, now = app[typedefs.SETTINGS], app[typedefs.NOW]
    showing = Showing(gate, live, app[typedefs.TICKETS], app[typedefs.TURN], beside)
    workers = Workers(app[typedefs.MEDIA], gate.spawn)

    def count(consult: Consult, what: Tally) -> None:
        gate.spawn(counted(storage, consult, what))
        if what in ATTENDED:
            gate.spawn(noted(storage, showing, consult, ATTENDED[what]))

    port = Port(
        show=showing.show,
        show_desk=showing.show_desk,
        tell=gate.tell,
        end=gate.end,
        place=place,
        tidy=workers.tidy,
        forget_messages=replays.end,
        count=count,
        arrived=_arrived(app, gate, live, storage),
        over=partial(_over, app, gate, beside.walk_ins),
    )
    runner = Runner(live, port)
    seats = Seats(
        gate=gate,
        live=live,
        runner=runner,
        showing=showing,
        entering=Entering(live, storage, JoinWindow.of(settings), now, settings.max_people),
        store=storage,
        now=now,
        node=node,
        full=full,
    )
    return Consults(node, gate, live, runner, seats, showing, Messages(gate, replays), workers, beside)


def _arrived(app: web.Application, gate: Gate, live: LiveConsults, storage: Storage) -> Callable[[str], None]:
    """Tells devices of a practitioner that somebody waits."""
    pushing = Pushing(app.get(typedefs.PUSHER), storage.push_subscriptions, storage.organisation.standings, live)

    def arrived(owner: str) -> None:
        gate.spawn(pushing.arrived(owner))

    return arrived


def _over(app: web.Application, gate: Gate, walk_ins: WalkIns, consult: Consult) -> None:
    gate.spawn(is_over(walk_ins, consult, _zone(app)))


async def _live(app: web.Application) -> AsyncIterator[None]:
    signaling = app[SIGNALING]
    signaling.gate.start()
    try:
        await signaling.presence.beat()
    except RedisError:
        log.warning("Redis is not there yet")
    presence = signaling.presence
    desks = signaling.desks.greeting.run(), signaling.desks.announcing.run(), signaling.desks.walking_in.run()
    duties = (presence.watch(), presence.run(), signaling.placement.listen(), signaling.use.run(), *desks)
    tasks = [asyncio.create_task(duty) for duty in duties]
    yield
    await stop(tasks)
    await signaling.gate.close()
    await signaling.presence.resign()


async def _hang_up(app: web.Application) -> None:
    """Before the server waits for its connections to end, which clients would not do by themselves."""
    await app[SIGNALING].gate.hang_up()
