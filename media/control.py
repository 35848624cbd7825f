"""How other folders talk to media workers: the calls, the events, and the client and server of both.

A call goes into one Redis list per worker and is answered in a list of its own within 2 s; an event goes
into one list that all application nodes read from, so each event is handled once. Every message is JSON
with an HMAC-SHA-256 over its body. Call ids make a repeated call harmless.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from media.messages import ForgedError, seal, unseal
from media.refusals import LineReason, Reason

logger = logging.getLogger(__name__)

Source = Literal["microphone", "camera", "screen"]
Unusable = Literal["microphone", "camera", "screen", "hearing", "seeing"]
Use = Literal["microphone", "camera", "screen", "slot", "stage"]

STAGE = -1
"""The slot number of a shared screen."""


class ControlModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, cache_strings="keys")


def _nothing(value: object) -> bool:
    """Left out of messages, for nodes that do not know the field yet."""
    return not value


class Line(ControlModel):
    """What an m-line of the offer is for; ``slot`` only with use=slot."""

    mid: str
    use: Use
    slot: int | None = None


class SlotView(ControlModel):
    """The peer that a slot shows. ``paused``: its picture is not sent for want of bandwidth; its sound is."""

    slot: int
    peer: str
    paused: bool = Field(default=False, exclude_if=_nothing)


class SlotSize(ControlModel):
    """How high a slot's picture is shown, in device pixels; 0: not at all. ``pinned``: by whoever looks."""

    slot: int
    height: int
    pinned: bool = False


# --- calls -----------------------------------------------------------------------------------------------------------


class OpenRoom(ControlModel):
    """Idempotent. A higher fence replaces the room; a lower one is refused with ``fenced``. With the same one a room
    grows to ``capacity``: how many may be in.
    """

    call: Literal["open-room"] = "open-room"
    room: str
    fence: int
    capacity: int = 2


class OpenedRoom(ControlModel):
    reply: Literal["opened"] = "opened"


class OfferCall(ControlModel):
    """First offer of a peer, renegotiation (a screen) or ICE restart; a new DTLS fingerprint is a new transport."""

    call: Literal["offer"] = "offer"
    room: str
    fence: int
    peer: str
    sdp: str
    lines: list[Line]


class RefusedLine(ControlModel):
    """An m-line that was answered with port 0: its index in the offer, its mid if it has one, and why."""

    line: int
    mid: str | None
    reason: LineReason


class Answered(ControlModel):
    """``version`` rises with each change of who is where in the room: of two lists, the higher one counts."""

    reply: Literal["answered"] = "answered"
    sdp: str
    version: int
    slots: list[SlotView]
    refused: list[RefusedLine] = Field(default=[], exclude_if=_nothing)
    unusable: list[Unusable] = Field(default=[], exclude_if=_nothing)


class RemovePeer(ControlModel):
    """Idempotent."""

    call: Literal["remove-peer"] = "remove-peer"
    room: str
    fence: int
    peer: str


class CloseRoom(ControlModel):
    """Idempotent."""

    call: Literal["close-room"] = "close-room"
    room: str
    fence: int


class RequestKeyframe(ControlModel):
    """Ask ``peer`` for a key frame of ``source``, limited like a PLI of ``by``, who is shown it.

    None comes from nodes that do not know the field.
    """

    call: Literal["request-keyframe"] = "request-keyframe"
    room: str
    fence: int
    peer: str
    source: Source
    by: str | None = None


class SetSizes(ControlModel):
    """What this peer's page shows, at most 13. A slot that is not named stays as it was; before any: the largest."""

    call: Literal["set-sizes"] = "set-sizes"
    room: str
    fence: int
    peer: str
    sizes: list[SlotSize]


class Done(ControlModel):
    reply: Literal["done"] = "done"


class Inspect(ControlModel):
    """Counters of a worker, for metrics and tests."""

    call: Literal["inspect"] = "inspect"


class Inspected(ControlModel):
    reply: Literal["inspected"] = "inspected"
    rooms: int
    peers: int
    counters: dict[str, int]


class Refused(ControlModel):
    """``code``: sdp_invalid (and then ``reason``), no_room, no_peer, fenced, room_full, internal."""

    reply: Literal["refused"] = "refused"
    code: str
    reason: Reason | None = Field(default=None, exclude_if=_nothing)


Call = Annotated[
    OpenRoom | OfferCall | RemovePeer | CloseRoom | RequestKeyframe | SetSizes | Inspect,
    Field(discriminator="call"),
]
Reply = Annotated[OpenedRoom | Answered | Done | Inspected | Refused, Field(discriminator="reply")]


# --- events ----------------------------------------------------------------------------------------------------------


class PeerState(ControlModel):
    """``lost``: no authenticated packet for 30 s, the transport is freed."""

    event: Literal["peer-state"] = "peer-state"
    room: str
    fence: int
    peer: str
    state: Literal["connected", "reconnecting", "lost"]
    transport: Literal["udp", "tcp"] | None = None


class SlotsChanged(ControlModel):
    """The slots of ``peer`` changed: send it the new mapping. ``version`` as in ``Answered``."""

    event: Literal["slots-changed"] = "slots-changed"
    room: str
    fence: int
    peer: str
    version: int
    slots: list[SlotView]


class UnencryptedSeen(ControlModel):
    event: Literal["unencrypted-seen"] = "unencrypted-seen"
    room: str
    fence: int
    peer: str
    source: Source


class PeerSample(ControlModel):
    """Every 10 s and peer, for diagnostics. ``address`` is the peer's, for 24 hours at most (S-12)."""

    event: Literal["peer-sample"] = "peer-sample"
    room: str
    fence: int
    peer: str
    address: str
    transport: Literal["udp", "tcp"]
    rtt_ms: int | None = None
    loss_permille: int | None = None
    received_kbps: int
    sent_kbps: int


Event = Annotated[PeerState | SlotsChanged | UnencryptedSeen | PeerSample, Field(discriminator="event")]


# --- registry --------------------------------------------------------------------------------------------------------


class Heartbeat(ControlModel):
    """Written every second under ``sk:worker:<worker>`` with an expiry of 3 s.

    ``load``: of one processor, in the last seconds, 0 to 1. ``full``: it takes no new rooms. ``pump``: plain packets
    are forwarded by the pump.
    """

    worker: str
    rooms: int
    peers: int
    packets_per_second: int
    draining: bool = False
    load: float = 0.0
    full: bool = False
    pump: bool = False


# --- messages in Redis -----------------------------------------------------------------------------------------------

WORKERS = "sk:workers"
"""Set of the ids of workers; one without a heartbeat is dead."""
WORKERS_SECONDS = 60
"""Life of the set after the last heartbeat of any."""

EVENTS = "sk:media:events"
MAX_EVENTS = 4_096
CALL_SECONDS = 2.0
"""How long a call may take, and how long its message and its reply live (rounded up)."""


def heartbeat_key(worker: str) -> str:
    return f"sk:worker:{worker}"


def calls_key(worker: str) -> str:
    return f"sk:worker:{worker}:calls"


def reply_key(call: str) -> str:
    return f"sk:media:reply:{call}"


class CallMessage(ControlModel):
    id: str
    body: Call


_HEARTBEAT = TypeAdapter(Heartbeat)
CALL = TypeAdapter(CallMessage)
REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)
EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def heed_cancellation() -> None:
    """To be called in each round of a loop over Redis calls.

    ``asyncio.wait_for``, which redis-py reads with, returns a result that came in the same moment as the
    cancellation and forgets the cancellation (before Python 3.12): such a loop would never end.

    Raises:
        asyncio.CancelledError: the task was cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


# --- client ----------------------------------------------------------------------------------------------------------


class MediaUnavailable(Exception):  # noqa: N818 - a state of affairs
    """The worker did not answer within the deadline, or Redis did not."""


class MediaClient:
    """Signaling's side: which workers there are, calls to them, events from them.

    Args:
        redis: with ``decode_responses=False``. Blocking reads are used, so its socket timeout must be None or
            longer than 2 s.
        secret: the key of calls, shared with the workers, at least 32 bytes.
    """

    def __init__(self, redis: Redis, secret: bytes) -> None:
        self._redis = redis
        self._secret = secret
        self.forged = Counter(worker=0, media=0)  # heartbeats; replies and events; of nobody who has our key

    async def workers(self) -> list[Heartbeat]:
        """The workers alive now. Dead ones are forgotten.

        Raises:
            MediaUnavailable: Redis did not answer.
        """
        try:
            names = sorted(
                name.decode(errors="replace") if isinstance(name, bytes) else name
                for name in await self._redis.smembers(WORKERS)
            )
            beats = await self._redis.mget([heartbeat_key(name) for name in names]) if names else []
            if dead := [name for name, beat in zip(names, beats, strict=True) if beat is None]:
                await self._redis.srem(WORKERS, *dead)
        except (RedisError, OSError) as error:
            raise MediaUnavailable("Redis did not answer") from error
        alive = []
        for name, beat in zip(names, beats, strict=True):
            if beat is not None:
                try:
                    alive.append(unseal(self._secret, heartbeat_key(name), beat, _HEARTBEAT))
                except ForgedError:
                    self.forged["worker"] += 1
                    logger.warning("media: forged heartbeat")
        return alive

    async def call(self, worker: str, call: Call, timeout: float = CALL_SECONDS) -> Reply:  # noqa: ASYNC109 -- Redis waits as long
        """Ask ``worker``; a `Refused` is a reply too.

        Raises:
            MediaUnavailable: no authentic reply within ``timeout`` seconds. The call was taken back if it had
                not been read yet, else it may have been carried out.
        """
        identity = secrets.token_urlsafe(16)
        key = calls_key(worker)
        message = seal(self._secret, key, CallMessage(id=identity, body=call))
        try:
            async with asyncio.timeout(timeout + 0.2):
                async with self._redis.pipeline(transaction=False) as pipe:
                    pipe.rpush(key, message)
                    pipe.expire(key, 10)
                    await pipe.execute()
                answer = await self._redis.blpop([reply_key(identity)], timeout=timeout)
            if answer is None:
                await self._redis.lrem(key, 1, message)  # type: ignore[arg-type]  # bytes are right too
                raise MediaUnavailable("the worker did not answer")
            return unseal(self._secret, reply_key(identity), answer[1], REPLY)
        except (RedisError, OSError, TimeoutError) as error:
            raise MediaUnavailable("Redis did not answer") from error
        except ForgedError as error:
            self.forged["media"] += 1
            raise MediaUnavailable("the reply was forged") from error

    async def events(self) -> AsyncIterator[Event]:
        """Events of all workers, each to one of the nodes that listen; never ends, waits for Redis to come back."""
        while True:
            heed_cancellation()
            try:
                answer = await self._redis.blpop([EVENTS], timeout=1)
            except TimeoutError:
                continue
            except (RedisError, OSError):
                await asyncio.sleep(0.5)
                continue
            if answer is not None:
                try:
                    event = unseal(self._secret, EVENTS, answer[1], EVENT)
                except ForgedError:
                    self.forged["media"] += 1
                    logger.warning("media: forged event")
                    continue
                yield event
