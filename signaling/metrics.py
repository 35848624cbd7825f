"""Prometheus metrics. Labels are words of our own code; no id, no address, no path with an id in it."""

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from media.control import Inspect, Inspected, MediaUnavailable
from media.refusals import DATAGRAMS
from signaling.addresses import is_operator
from signaling.gate import SIGNALING
from signaling.typedefs import DIAGNOSTICS, HEALTH, MEDIA, METRICS, SETTINGS, STORE

if TYPE_CHECKING:
    from media.control import MediaClient
    from practice.storage import Store

DEADLINE: Final = 2.0
INSPECT_SECONDS: Final = 0.5


class Metrics:
    """The numbers of this process. Each has a registry of its own, so that two applications fit in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "spreekkamer_http_requests", "HTTP requests.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "spreekkamer_http_seconds",
            "Duration of HTTP requests.",
            ("route",),
            buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.forwarded = Counter(
            "spreekkamer_forwarded_doubts",
            "Requests whose proxy said no address (unreadable), or that came by a proxy we do not trust (untrusted).",
            ("code",),
            registry=self.registry,
        )
        for code in ("unreadable", "untrusted"):
            self.forwarded.labels(code)
        self.socket_refusals = Gauge(
            "spreekkamer_socket_refusals", "What the gate refused or dropped.", ("code",), registry=self.registry
        )
        self.forged = Gauge(
            "spreekkamer_redis_forged",
            "Values read from Redis that no server of ours had written there, by kind, since the start.",
            ("kind",),
            registry=self.registry,
        )
        self.sockets = Gauge("spreekkamer_sockets", "Authenticated Socket.IO connections.", registry=self.registry)
        self.media_workers = Gauge("spreekkamer_media_workers", "Media workers alive.", registry=self.registry)
        self.media_rooms = Gauge("spreekkamer_media_rooms", "Rooms on media workers.", registry=self.registry)
        self.media_peers = Gauge("spreekkamer_media_peers", "Peers on media workers.", registry=self.registry)
        self.media_packets = Gauge(
            "spreekkamer_media_packets_per_second", "Packets that media workers forward.", registry=self.registry
        )
        self.datagrams = Counter(
            "spreekkamer_media_refused",
            "Datagrams and packets that media workers dropped.",
            ("kind",),
            registry=self.registry,
        )
        for kind in DATAGRAMS:
            self.datagrams.labels(kind)
        self._dropped: dict[str, dict[str, int]] = {}
        self.overdue = Gauge(
            "spreekkamer_retention_overdue", "Appointments past due, not yet destroyed.", registry=self.registry
        )
        self.lag = Gauge(
            "spreekkamer_retention_lag_seconds", "How long the oldest is past due.", registry=self.registry
        )
        self.idle = Gauge(
            "spreekkamer_retention_sweep_age_seconds",
            "Since a sweep was at work, on whichever server.",
            registry=self.registry,
        )
        self.failures = Gauge(
            "spreekkamer_retention_sweep_failures",
            "Sweeps that failed since one did not.",
            registry=self.registry,
        )
        self.waiting = Gauge(
            "spreekkamer_keys_waiting",
            "Practitioners of whom something was destroyed since the epoch began.",
            registry=self.registry,
        )
        self.waiting_seconds = Gauge(
            "spreekkamer_keys_waiting_seconds",
            "How long the oldest destruction waits for the epoch that makes it final.",
            registry=self.registry,
        )
        self.unrotated = Gauge(
            "spreekkamer_keys_rotation_failures",
            "Epochs that could not begin or end, since this server's start.",
            registry=self.registry,
        )
        self.parts = Gauge(
            "spreekkamer_retention_part_failures",
            "Parts of sweeps that failed, by kind, since this server's start.",
            ("kind",),
            registry=self.registry,
        )
        self.flat = Gauge(
            "spreekkamer_keys_flat", "1 while the key store waits for its step to a tree.", registry=self.registry
        )
        self.alarms = Gauge(
            "spreekkamer_retention_alarms", "Appointments without key and without receipt.", registry=self.registry
        )
        self.compared = Gauge(
            "spreekkamer_retention_compared_ratio",
            "How much of all that is stored was compared with the key store since the start; 1 is all.",
            registry=self.registry,
        )
        self.unreadable = Gauge(
            "spreekkamer_retention_unreadable",
            "Appointments and accounts that cannot be read: damaged, not destroyed.",
            registry=self.registry,
        )
        self.newer = Gauge(
            "spreekkamer_retention_newer",
            "Appointments and accounts that a newer version of the program wrote, and this one cannot read.",
            registry=self.registry,
        )
        self.behind = Gauge(
            "spreekkamer_clock_behind_seconds",
            "How far the clock is behind the time that passed, or behind what was written.",
            registry=self.registry,
        )
        self.strays = Gauge(
            "spreekkamer_technical_without_expiry",
            "Keys in Redis that were found without a right expiry, and removed or given one, since the start.",
            registry=self.registry,
        )
        self.checks = Gauge("spreekkamer_ready", "1 if the check is good.", ("check",), registry=self.registry)
        self.ages = Gauge(
            "spreekkamer_check_age_seconds", "How old the last result is.", ("check",), registry=self.registry
        )
        self.turn = Gauge(
            "spreekkamer_turn_allocation_seconds",
            "Duration of the last TURN allocation; 0 when it failed or there is no TURN.",
            registry=self.registry,
        )
        self.beat = Gauge(
            "spreekkamer_loop_beat_age_seconds",
            "Since the event loop's last beat.",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    async def collect(self, store: "Store", media: "MediaClient") -> None:
        """Refresh what is asked for only when somebody looks; a part that does not answer keeps its last number."""
        async with asyncio.timeout(DEADLINE):
            beats = await media.workers()
        self.media_workers.set(len(beats))
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
