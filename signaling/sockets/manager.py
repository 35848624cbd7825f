"""Socket.IO's messages between nodes, over the application's own Redis connection, each signed.

Whoever can publish into Redis could otherwise emit any event to any client, or call a callback on a node.

Redis knows of no database numbers where it publishes: what is said in ``/1`` is heard in ``/2``. So the channel is
named after the secret and the number, and two installations on one Redis do not hear each other.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from rooms.live import parts
from signaling.derived import derive
from signaling.protocol.events import SIGNED_OUT
from signaling.sockets.library import NAMESPACE, Manager

MAC = 32
RETRY = 0.2
RETRY_MOST = 2.0
LISTEN = 2.0
"""After so long without a message Redis is asked whether the subscription still lives, and has as long to answer."""
PUBLISHING = 16
"""Messages on their way at once: connections to Redis are not without end."""

NUMBERED = 2
"""Parts of an event that carries a number beside its body."""

log = logging.getLogger(__name__)


class Silent(RedisError):  # noqa: N818 - a state of affairs
    """Redis does not say that the subscription lives."""


class SignedManager(Manager):
    """``HMAC-SHA-256(key, body) ‖ body``, body in JSON. What is not signed with our key is dropped and counted."""

    name = "signed"

    def __init__(self, redis: Redis, secret: bytes, count: Callable[[str], None]) -> None:
        super().__init__(channel=channel(redis, secret))
        self._redis = redis
        self._key = derive(secret, "messages")
        self._count = count
        self._publishing = asyncio.Semaphore(PUBLISHING)
        self._warned = False
        self.subscribed = asyncio.Event()

    async def publish_all(self, event: str, data: dict[str, Any], rooms: Sequence[str]) -> None:
        """One event for each of these rooms, told to the other nodes in few round trips."""
        beside = {"binary": False, "namespace": NAMESPACE, "skip_sid": None, "callback": None, "host_id": self.node}
        for part in parts(rooms):
            try:
                async with self._publishing, self._redis.pipeline(transaction=False) as pipe:
                    for room in part:
                        message = {"method": "emit", "event": event, "data": [data], "room": room, **beside}
                        pipe.publish(self.channel, self._signed(message))
                    await pipe.execute()
            except RedisError:
                self._unheard()

    def _signed(self, data: dict[str, Any]) -> bytes:
        body = json.dumps(data, separators=(",", ":")).encode()
        return hmac.digest(self._key, body, "sha256") + body

    def _unheard(self) -> None:
        # Clients of this node have had it; the others fetch a snapshot when they see a later version.
        self._count("publish_failed")
        log.warning("Redis did not take a message for the other nodes")

    async def publish(self, message: dict[str, Any]) -> None:
        """Tell the other nodes."""
        signed = self._signed(message)
        try:
            async with self._publishing:
                await self._redis.publish(self.channel, signed)
        except RedisError:
            self._unheard()

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """What they tell, for ever; while Redis is away, nothing."""
        wait = RETRY
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(self.channel)
                    self.subscribed.set()
                    wait = RETRY
                    async for message in _messages(pubsub):
                        if (data := self.verified(message)) is not None:
                            yield data
            except (RedisError, OSError):
                log.warning("lost Redis; messages of other nodes do not arrive")
            except Exception:
                # Left to the library, which would try again at once and for ever.
                log.exception("messages of other nodes do not arrive")
            self.subscribed.clear()
            await asyncio.sleep(wait)
            wait = min(wait * 2, RETRY_MOST)

    def verified(self, message: bytes) -> dict[str, Any] | None:
        """The message if it is one of ours."""
        mac, body = message[:MAC], message[MAC:]
        if not hmac.compare_digest(mac, hmac.digest(self._key, body, "sha256")):
            self._count("forged")
            if not self._warned:
                self._warned = True
                log.error("somebody publishes forged messages in Redis; they are dropped and counted")
            return None
        with suppress(ValueError):
            data = json.loads(body)
            if isinstance(data, dict):
                return data
        return None

    async def take(self, message: dict[str, Any]) -> bool:
        """What is for sockets of this node and has its own way there."""
        if message["event"] == SIGNED_OUT:
            self.server.signed_out([message["room"]], message["data"][0]["code"])
            return True
        if isinstance(message.get("room"), str) and isinstance(message["data"], list) and message["data"]:
            if len(message["data"]) == NUMBERED:
                data, beside = message["data"]
                self.server.pass_on(message["room"], message["event"], data, beside["seq"])
                return True
            self.server.passing(message["room"], message["event"], message["data"][0])
        return False

    def trim(self, sid: str) -> None:
        """Forget what a client of another node was asked, answered or not."""
        if not self.is_connected(sid, NAMESPACE):
            self.forget_questions(sid)


def channel(redis: Redis, secret: bytes) -> str:
    """Of the nodes that share this secret and this database of Redis; tells nothing of either."""
    number = redis.connection_pool.connection_kwargs.get("db") or 0
    return f"sk:socket.io:{hmac.digest(derive(secret, 'channel'), b'%d' % number, 'sha256').hex()[:32]}"


async def _messages(pubsub: PubSub) -> AsyncIterator[bytes]:
    """What is published, until the subscription breaks or is silent: one that was cut without a word never would."""
    asked = False
    while True:
        message = await pubsub.get_message(timeout=LISTEN)
        if message and message["type"] == "message":
            yield message["data"]
        elif message is None and asked:
            raise Silent
        elif message is None:
            await pubsub.ping()
        asked = message is None
