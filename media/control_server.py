"""The worker's side of `media.control`: takes calls, answers them, sends events and the heartbeat."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from media.control import (
    CALL,
    CALL_SECONDS,
    EVENTS,
    MAX_EVENTS,
    WORKERS,
    WORKERS_SECONDS,
    Call,
    CallMessage,
    Event,
    Heartbeat,
    PeerSample,
    Refused,
    Reply,
    calls_key,
    heartbeat_key,
    heed_cancellation,
    reply_key,
)
from media.messages import ForgedError, seal, unseal

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
DEAD_SECONDS = 3.0
_REMEMBERED = 256
_WAITING_EVENTS = 2_048


class ControlServer:
    """Runs until cancelled; whatever Redis does, the media goes on.

    Args:
        redis: with ``decode_responses=False``, not used by anything else.
        handle: carries out a call. An exception becomes ``Refused(code="internal")``.
        beat: the heartbeat to send now.
    """

    def __init__(
        self,
        redis: Redis,
        secret: bytes,
        worker: str,
        handle: Callable[[Call], Reply],
        beat: Callable[[], Heartbeat],
    ) -> None:
        self._redis = redis
        self._secret = secret
        self._worker = worker
        self._handle = handle
        self._beat = beat
        self._answered: OrderedDict[str, bytes] = OrderedDict()
        self._events: deque[Event] = deque()
        self._wake = asyncio.Event()

    def emit(self, event: Event) -> None:
        """Send an event, in order, as soon as Redis takes it. When too many wait, samples go first, then the oldest."""
        if len(self._events) >= _WAITING_EVENTS:
            if isinstance(event, PeerSample):
                return
            self._events.popleft()
        self._events.append(event)
        self._wake.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_heartbeats())
            group.create_task(self._take_calls())
            group.create_task(self._send_events())

    async def announce(self) -> None:
        """Write the heartbeat once."""
        key = heartbeat_key(self._worker)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(key, seal(self._secret, key, self._beat()), px=int(DEAD_SECONDS * 1000))
            pipe.sadd(WORKERS, self._worker)
            pipe.expire(WORKERS, WORKERS_SECONDS)
            await pipe.execute()

    async def withdraw(self) -> None:
        """Tell that this worker is gone."""
        try:
            async with asyncio.timeout(1):
                await self._redis.delete(heartbeat_key(self._worker), calls_key(self._worker))
                await self._redis.srem(WORKERS, self._worker)
        except (RedisError, OSError, TimeoutError):
            logger.debug("media: heartbeat not withdrawn")

    async def _send_heartbeats(self) -> None:
        while True:
            heed_cancellation()
            try:
                async with asyncio.timeout(DEAD_SECONDS):
                    await self.announce()
            except (RedisError, OSError, TimeoutError):
                logger.warning("media: heartbeat not sent")
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _take_calls(self) -> None:
        key = calls_key(self._worker)
        while True:
            heed_cancellation()
            try:
                taken = await self._redis.blpop([key], timeout=1)
                if taken is not None:
                    await self._answer(key, taken[1])
            except TimeoutError:
                continue
            except (RedisError, OSError):
                await asyncio.sleep(0.5)

    async def _answer(self, key: str, sealed: bytes | str) -> None:
        try:
            message = unseal(self._secret, key, sealed, CALL)
        except ForgedError:
            logger.warning("media: forged call")
            return
        reply = self._answered.get(message.id)
        if reply is None:
            reply = self._answered[message.id] = self._carry_out(message)
            if len(self._answered) > _REMEMBERED:
                self._answered.popitem(last=False)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.rpush(reply_key(message.id), reply)
            pipe.expire(reply_key(message.id), int(CALL_SECONDS) + 3)
            await pipe.execute()

    def _carry_out(self, message: CallMessage) -> bytes:
        try:
            reply = self._handle(message.body)
        except Exception:
            logger.exception("media: call failed")
            reply = Refused(code="internal")
        return seal(self._secret, reply_key(message.id), reply)

    async def _send_events(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._events:
                heed_cancellation()
                try:
                    async with self._redis.pipeline(transaction=False) as pipe:
                        pipe.rpush(EVENTS, seal(self._secret, EVENTS, self._events[0]))
                        pipe.ltrim(EVENTS, -MAX_EVENTS, -1)
                        pipe.expire(EVENTS, 3_600)
                        await pipe.execute()
                    self._events.popleft()
                except (RedisError, OSError):
                    await asyncio.sleep(0.5)
