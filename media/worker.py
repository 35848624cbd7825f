"""A media worker: ``python -m media.worker``, configured by one line of JSON on standard input.

It prints one line of JSON when it is ready and ends when its standard input closes.
"""

import asyncio
import base64
import contextlib
import errno
import gc
import json
import logging
import os
import secrets
import signal
import sys
import time
from typing import Any

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from media import logs
from media.control import Heartbeat
from media.control_server import DEAD_SECONDS, ControlServer
from media.forwarding.router import TICK, Router
from media.load import Load
from media.net.addresses import announced_addresses
from media.net.tcp import TcpPort
from media.net.udp import UdpPort
from media.pump.choice import pumped_port
from media.session.dtls import Certificate, UntestedVersionError, check_versions
from media.settings import MediaSettings
from media.wire.sdp import Candidate

logger = logging.getLogger(__name__)

_ADDRESS_SECONDS = 10.0
_IDLE_TICK = 0.25
_LAST_ROOMS = 0.5
_NICENESS = -10
_ANY_PORT_TRIES = 50
_AWAY = "Redis does not answer: the media worker cannot be reached without it."
_REFUSED = (
    "Redis refuses the user of media workers, its password or a command: `spreekkamer setup` writes media.redis_url "
    "and an ACL file that fit."
)


class WorkerConfig(BaseModel):
    """The line on standard input. ``secret`` in base64."""

    model_config = ConfigDict(extra="forbid", cache_strings="keys")

    settings: MediaSettings
    index: int = 0
    redis_url: str
    secret: str


class Worker:
    """Sockets, router and control of one process."""

    def __init__(self, config: WorkerConfig) -> None:
        self.name = secrets.token_urlsafe(16)
        self._settings = settings = config.settings
        self._router = Router(Certificate(), self._candidates, self._emit, max_rooms=settings.max_rooms)
        self._udp = UdpPort(
            list(settings.listen),
            settings.port_of(config.index),
            self._router.receive_batch,
            self._flush,
            wake_interval=settings.wake_interval,
        )
        self._pumped = pumped_port(settings, self._udp.sockets, self._flush)
        if self._pumped is not None:
            self._router.use(self._pumped.lender)
        self._tcp = TcpPort(self._router.receive_framed, self._router.connection_lost, self._flush)
        self._redis = Redis.from_url(
            config.redis_url,
            decode_responses=False,
            max_connections=8,
            # A connection that was cut without a word would else be waited on for ever.
            socket_timeout=DEAD_SECONDS,
            socket_connect_timeout=DEAD_SECONDS,
            # Else it looks its own version up on the disk for every connection.
            driver_info=None,
        )
        self._control = ControlServer(
            self._redis, base64.b64decode(config.secret), self.name, self._router.handle, self._heartbeat
        )
        self._addresses: tuple[float, list[str]] = (float("-inf"), [])
        self._draining = False
        self._load = Load(settings.full_load)
        self._alive_at = time.monotonic()
        self._counted = (self._alive_at, 0)

    # --- what the parts ask for --------------------------------------------------------------------------------------

    def _emit(self, event: Any) -> None:
        self._control.emit(event)

    def _candidates(self) -> list[Candidate]:
        now = time.monotonic()
        if now - self._addresses[0] > _ADDRESS_SECONDS:
            settings = self._settings
            told = announced_addresses(settings.announced, settings.listen, loopback=settings.announce_loopback)
            self._addresses = (now, told)
        addresses = self._addresses[1]
        udp = [Candidate("udp", address, self._udp.port) for address in addresses]
        tcp = [Candidate("tcp", address, self._udp.port) for address in addresses] if self._settings.tcp else []
        return udp + tcp

    def _heartbeat(self) -> Heartbeat:
        inspected = self._router.inspect()
        now, received = time.monotonic(), inspected.counters["received"]
        before, counted = self._counted
        self._counted = (now, received)
        self._load.look()
        return Heartbeat(
            worker=self.name,
            rooms=inspected.rooms,
            peers=inspected.peers,
            packets_per_second=round((received - counted) / max(0.1, now - before)),
            draining=self._draining,
            pump=self._pumped is not None,
            load=round(self._load.share, 3),
            full=self._load.full or inspected.rooms >= self._settings.max_rooms,
        )

    def _flush(self) -> None:
        self._udp.flush()
        for connection in self._tcp.connections:
            if connection.outbox.count:
                connection.outbox.flush()

    # --- life --------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until standard input closes; after SIGTERM until no room is left, taking no new ones."""
        loop = asyncio.get_running_loop()
        stop, drain = asyncio.Event(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, drain.set)
        # Ctrl-C goes to the whole process group; the parent decides when its workers end.
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        os.set_blocking(sys.stdin.fileno(), False)
        loop.add_reader(sys.stdin.fileno(), _ended, stop)
        try:
            if self._settings.tcp:
                addresses = [bound.address for bound in self._udp.sockets]
                await self._tcp.listen(addresses, self._udp.port)
            await self._control.announce()
            if self._pumped is not None:
                self._pumped.start(self._router.receive_handed)
            else:
                self._udp.start()
            gc.collect()
            gc.freeze()
            ready = {"worker": self.name, "port": self._udp.port, "pump": self._pumped is not None}
            print(json.dumps(ready), flush=True)  # noqa: T201 -- the parent reads it
            async with asyncio.TaskGroup() as group:
                duties = (self._control.run(), self._tick(), self._drain(drain, stop))
                tasks = [group.create_task(duty) for duty in duties]
                await stop.wait()
                for task in tasks:
                    task.cancel()
        finally:
            loop.remove_reader(sys.stdin.fileno())
            await self._router.close()
            self._flush()
            await self._tcp.close()
            if self._pumped is not None:
                self._pumped.close()
            self._udp.close()
            await self._control.withdraw()
            await self._redis.aclose()

    async def _drain(self, asked: asyncio.Event, stop: asyncio.Event) -> None:
        await asked.wait()
        self._draining = True
        with contextlib.suppress(RedisError, OSError):
            await self._control.announce()
        # Rooms that were on their way here when it became known come first.
        await asyncio.sleep(_LAST_ROOMS)
        while self._router.inspect().rooms:  # noqa: ASYNC110 - the packet path tells nobody when a room closes
            await asyncio.sleep(_IDLE_TICK)
        stop.set()

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._fence()
            self._router.tick()
            self._flush()
            now = loop.time()
            due = max(due + (TICK if self._router.busy else _IDLE_TICK), now)
            await asyncio.sleep(due - now)

    def _fence(self) -> None:
        """A worker that stood still for longer than its heartbeat lives was replaced meanwhile: its rooms are stale."""
        now = time.monotonic()
        if now - self._alive_at > DEAD_SECONDS:
            logger.warning("media: was frozen, closing all rooms")
            self._router.close_rooms()
        self._alive_at = now


def _ended(stop: asyncio.Event) -> None:
    try:
        data = os.read(sys.stdin.fileno(), 4096)
    except BlockingIOError:
        return
    if not data:
        stop.set()


def _ask_for_priority() -> None:
    """Sound does not wait for a busy host. Without the right to ask for it (a container) it goes on as it is."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)


def _refused(error: RedisError) -> bool:
    """Whether Redis is there and does not let us in; the library wraps the first refusal of a connection."""
    return any(isinstance(one, AuthenticationError | NoPermissionError) for one in (error, error.__cause__))


def main() -> int:
    """Exit code 0 when told to end, 1 with a sentence on standard error when it cannot run."""
    logs.configure()
    line = sys.stdin.buffer.readline()
    try:
        check_versions()
        worker_config = WorkerConfig.model_validate_json(line)
        _ask_for_priority()
        asyncio.run(_serve(worker_config))
    except UntestedVersionError as error:
        print(error, file=sys.stderr)  # noqa: T201 -- for the operator
        return 1
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        print("The media port is in use or may not be opened: set another media.port.", file=sys.stderr)  # noqa: T201 -- for the operator
        return 1
    except RedisError as error:
        print(_REFUSED if _refused(error) else _AWAY, file=sys.stderr)  # noqa: T201 -- for the operator
        return 1
    return 0


async def _serve(config: WorkerConfig) -> None:
    """Of free ports (0) there are more: one that is free for UDP may be taken for TCP or in the other family."""
    tries = 1 if config.settings.port else _ANY_PORT_TRIES
    while True:
        tries -= 1
        try:
            return await Worker(config).run()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not tries:
                raise


if __name__ == "__main__":
    sys.exit(main())
