"""Prometheus metrics. Labels are words of our own code; no id, no address, no path with an id in it."""

import asyncio
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from media.control import Inspect, Inspected, MediaUnavailable
from media.refusals import DATAGRAMS
from practice.bounces.reader import CAME
from practice.invitations.courier import FATES as KINDS
from practice.mailed_requests.reader import CAME as MAILED
from practice.notices.postman import FATES
from practice.outgoing import OUTCOMES, PURPOSES
from signaling.addresses import is_operator
from signaling.gate import SIGNALING
from signaling.typedefs import (
    BOUNCES,
    COURIER,
    DIAGNOSTICS,
    DOOR,
    HEALTH,
    MEDIA,
    METRICS,
    POSTMAN,
    REQUEST_MAIL,
    SETTINGS,
    STORE,
)

if TYPE_CHECKING:
    from media.control import MediaClient
    from practice.storage import Store

DEADLINE: Final = 2.0
INSPECT_SECONDS: Final = 0.5


class Metrics:
    """The numbers of this process. Each has a registry of its own, so that two applications fit in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("spreekkamer_http_requests", "HTTP requests.", ("method", "route", "status"))
        self.seconds = Histogram(
            "spreekkamer_http_seconds",
            "Duration of HTTP requests.",
            ("route",),
            buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.forwarded = self._counter(
            "spreekkamer_forwarded_doubts",
            "Requests whose proxy said no address (unreadable), or that came by a proxy we do not trust (untrusted).",
            ("code",),
        )
        for code in ("unreadable", "untrusted"):
            self.forwarded.labels(code)
        self.socket_refusals = self._gauge(
            "spreekkamer_socket_refusals", "What the gate refused or dropped.", ("code",)
        )
        self.forged = self._gauge(
            "spreekkamer_redis_forged",
            "Values read from Redis that no server of ours had written there, by kind, since the start.",
            ("kind",),
        )
        self.sockets = self._gauge("spreekkamer_sockets", "Authenticated Socket.IO connections.")
        self.media_workers = self._gauge("spreekkamer_media_workers", "Media workers alive.")
        self.media_pumps = self._gauge("spreekkamer_media_pumps", "Media workers whose packets the pump forwards.")
        self.media_full = self._gauge("spreekkamer_media_full", "Media workers that take no new rooms.")
        self.media_load = self._gauge("spreekkamer_media_load", "Share of a processor of the busiest media worker.")
        self.media_rooms = self._gauge("spreekkamer_media_rooms", "Rooms on media workers.")
        self.media_peers = self._gauge("spreekkamer_media_peers", "Peers on media workers.")
        self.media_packets = self._gauge("spreekkamer_media_packets_per_second", "Packets that media workers forward.")
        self.datagrams = self._counter(
            "spreekkamer_media_refused", "Datagrams and packets that media workers dropped.", ("kind",)
        )
        for kind in DATAGRAMS:
            self.datagrams.labels(kind)
        self._dropped: dict[str, dict[str, int]] = {}
        self.overdue = self._gauge("spreekkamer_retention_overdue", "Appointments past due, not yet destroyed.")
        self.lag = self._gauge("spreekkamer_retention_lag_seconds", "How long the oldest is past due.")
        self.idle = self._gauge(
            "spreekkamer_retention_sweep_age_seconds", "Since a sweep was at work, on whichever server."
        )
        self.failures = self._gauge("spreekkamer_retention_sweep_failures", "Sweeps that failed since one did not.")
        self.waiting = self._gauge(
            "spreekkamer_keys_waiting", "Practitioners of whom something was destroyed since the epoch began."
        )
        self.waiting_seconds = self._gauge(
            "spreekkamer_keys_waiting_seconds",
            "How long the oldest destruction waits for the epoch that makes it final.",
        )
        self.unrotated = self._gauge(
            "spreekkamer_keys_rotation_failures", "Epochs that could not begin or end, since this server's start."
        )
        self.parts = self._gauge(
            "spreekkamer_retention_part_failures",
            "Parts of sweeps that failed, by kind, since this server's start.",
            ("kind",),
        )
        self.flat = self._gauge("spreekkamer_keys_flat", "1 while the key store waits for its step to a tree.")
        self.alarms = self._gauge("spreekkamer_retention_alarms", "Appointments without key and without receipt.")
        self.compared = self._gauge(
            "spreekkamer_retention_compared_ratio",
            "How much of all that is stored was compared with the key store since the start; 1 is all.",
        )
        self.unreadable = self._gauge(
            "spreekkamer_retention_unreadable", "Appointments and accounts that cannot be read: damaged, not destroyed."
        )
        self.newer = self._gauge(
            "spreekkamer_retention_newer",
            "Appointments and accounts that a newer version of the program wrote, and this one cannot read.",
        )
        self.behind = self._gauge(
            "spreekkamer_clock_behind_seconds",
            "How far the clock is behind the time that passed, or behind what was written.",
        )
        self.strays = self._gauge(
            "spreekkamer_technical_without_expiry",
            "Keys in Redis that were found without a right expiry, and removed or given one, since the start.",
        )
        self.checks = self._gauge("spreekkamer_ready", "1 if the check is good.", ("check",))
        self.ages = self._gauge("spreekkamer_check_age_seconds", "How old the last result is.", ("check",))
        self.turn = self._gauge(
            "spreekkamer_turn_allocation_seconds",
            "Duration of the last TURN allocation; 0 when it failed or there is no TURN.",
        )
        self.mail = self._gauge(
            "spreekkamer_mail",
            "What became of mail since the start: sent, tried again later, refused for good, too late after a day.",
            ("kind",),
        )
        self.dispatches = self._gauge(
            "spreekkamer_dispatches",
            "What became of what patients were to be told, since the start: sent, tried again later, refused for good, "
            "too late after a day, void because of what came later.",
            ("kind",),
        )
        self.bounces = self._gauge(
            "spreekkamer_bounces",
            "Mail that came back since the start: a patient counts as not told, a mail server goes on trying, "
            "too late to say anything, what else was in the mailbox, and looks for which it did not open.",
            ("kind",),
        )
        self.mailed = self._gauge(
            "spreekkamer_request_mail",
            "Mail about people's data since the start: filed as a request, a report or an answer of a program's, and "
            "looks for which the mailbox did not open.",
            ("kind",),
        )
        self.breaches = self._gauge(
            "spreekkamer_breaches",
            "Breaches of personal data of which no authority was told, within the 72 hours and after them.",
            ("kind",),
        )
        self.outgoing = self._gauge(
            "spreekkamer_outgoing", "Connections to hosts that the operator listed, since the start.", ("kind", "code")
        )
        for purpose, outcome in product(PURPOSES, OUTCOMES):
            self.outgoing.labels(purpose, outcome)
        self.asked = self._gauge(
            "spreekkamer_requests",
            "Requests by right that wait for an answer, and too long.",
            ("kind",),
        )
        self.asked_seconds = self._gauge("spreekkamer_requests_oldest_seconds", "For how long the oldest waits.")
        for kind in ("waiting", "overdue"):
            self.asked.labels(kind)
        self.beat = self._gauge("spreekkamer_loop_beat_age_seconds", "Since the event loop's last beat.")
        ProcessCollector(registry=self.registry)

    def _gauge(self, name: str, what: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(name, what, labels, registry=self.registry)

    def _counter(self, name: str, what: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, what, labels, registry=self.registry)

    async def collect(self, store: "Store", media: "MediaClient") -> None:
        """Refresh what is asked for only when somebody looks; a part that does not answer keeps its last number."""
        async with asyncio.timeout(DEADLINE):
            beats = await media.workers()
        self.media_workers.set(len(beats))
        self.media_pumps.set(sum(beat.pump for beat in beats))
        self.media_full.set(sum(beat.full for beat in beats))
        self.media_load.set(max((beat.load for beat in beats), default=0.0))
        self.media_rooms.set(sum(beat.rooms for beat in beats))
        self.media_peers.set(sum(beat.peers for beat in beats))
        self.media_packets.set(sum(beat.packets_per_second for beat in beats))
        await asyncio.gather(*(self.count_datagrams(media, beat.worker) for beat in beats))
        for gone in self._dropped.keys() - {beat.worker for beat in beats}:
            del self._dropped[gone]
        if store.locked is None:
            async with asyncio.timeout(DEADLINE):
                status = await store.retention.status()
            self.overdue.set(status.overdue)
            self.lag.set(status.lag)
            self.idle.set(status.idle)
            self.failures.set(status.failures)
            self.waiting.set(status.waiting)
            self.waiting_seconds.set(status.waiting_seconds)
            self.unrotated.set(store.retention.rotation.failures)
            for part, count in store.retention.failures.items():
                self.parts.labels(part).set(count)
            self.flat.set(store.keys.flat)
            self.alarms.set(status.alarms)
            self.compared.set(status.compared)
            self.unreadable.set(status.unreadable)
            self.newer.set(status.newer)
        await self.count_requests(store)

    async def count_requests(self, store: "Store") -> None:
        """How many and how old, and nothing of what or who (S-03)."""
        async with asyncio.timeout(DEADLINE):
            backlog = await store.requests.backlog()
        self.asked.labels("waiting").set(backlog.waiting)
        self.asked.labels("overdue").set(backlog.overdue)
        self.asked_seconds.set(backlog.oldest)
        async with asyncio.timeout(DEADLINE):
            clocks = await store.breaches.clocks()
        self.breaches.labels("running").set(clocks.running)
        self.breaches.labels("late").set(clocks.late)

    async def count_datagrams(self, media: "MediaClient", worker: str) -> None:
        """Add what a worker dropped since somebody looked; one that does not answer is asked again next time."""
        try:
            reply = await media.call(worker, Inspect(), INSPECT_SECONDS)
        except MediaUnavailable:
            return
        if isinstance(reply, Inspected):
            before = self._dropped.setdefault(worker, {})
            for kind in DATAGRAMS:
                now = reply.counters.get(kind, 0)
                self.datagrams.labels(kind).inc(max(0, now - before.get(kind, 0)))
                before[kind] = now


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text format; 404 for everybody but loopback and ``operator_networks``."""
    app = request.app
    if not is_operator(request, app[SETTINGS]):
        raise web.HTTPNotFound
    numbers, live = app[METRICS], app[SIGNALING]
    numbers.sockets.set(live.sockets)
    for code, count in live.gate.counters.items():
        numbers.socket_refusals.labels(code).set(count)
    for kind, count in {**live.authentic.forged, **app[MEDIA].forged}.items():
        numbers.forged.labels(kind).set(count)
    for (purpose, outcome), count in app[DOOR].counts.items():
        numbers.outgoing.labels(purpose, outcome).set(count)
    postman = app[POSTMAN]
    for fate in FATES if postman else ():
        numbers.mail.labels(fate).set(postman.fates[fate] if postman else 0)
    courier = app[COURIER]
    for kind in KINDS if courier else ():
        numbers.dispatches.labels(kind).set(courier.fates[kind] if courier else 0)
    reader = app[BOUNCES]
    for came in CAME if reader else ():
        numbers.bounces.labels(came).set(reader.came[came] if reader else 0)
    mailed = app[REQUEST_MAIL]
    for kind_of_mail in MAILED if mailed else ():
        numbers.mailed.labels(kind_of_mail).set(mailed.came[kind_of_mail] if mailed else 0)
    numbers.strays.set(app[DIAGNOSTICS].strays)
    report = await app[HEALTH].ready()
    for name, check in report.checks.items():
        numbers.checks.labels(name).set(check.ok)
        numbers.ages.labels(name).set(check.age_seconds)
    numbers.turn.set(app[HEALTH].turn.seconds or 0)
    numbers.behind.set(0 if app[STORE].locked else app[STORE].retention.behind)
    numbers.beat.set(app[HEALTH].live().beat_age_seconds)
    if report.checks["redis"].ok and report.checks["database"].ok:
        await numbers.collect(app[STORE], app[MEDIA])
    body = await asyncio.to_thread(generate_latest, numbers.registry)  # reads /proc
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
