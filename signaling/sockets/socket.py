"""One authenticated client connection and what it may still ask."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from signaling.protocol.capabilities import REPLAY
from signaling.protocol.model import Message
from signaling.sockets.agent import UNKNOWN, Agent
from signaling.sockets.limits import Limits
from signaling.sockets.numbering import Numbering
from signaling.tickets import Claims, place_of


class TokenBucket:
    """``rate`` tokens a second, at most ``burst`` saved up. ``clock`` gives monotonic seconds."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled = clock()

    def take(self) -> bool:
        """Take one token; False when there is none."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(frozen=True, slots=True)
class Binding:
    """The place a socket has in a room, as this process last saw it: enough to rebuild a document that Redis lost.

    ``seen`` is when the document last said so, in milliseconds since the Unix epoch.
    """

    appointment: str
    participant: str
    lineage: str | None
    seen: int

    def confirmed(self, lineage: str | None, seen: int) -> "Binding":
        """The same place, as the document says now."""
        return Binding(self.appointment, self.participant, lineage, seen)


class Socket:
    """A connection that authenticated. Its claims never change; ``binding`` does, as it enters and leaves rooms.

    ``greets`` are others whose desks it is shown. ``owner`` is for whom it came by a link, ``announced`` what it was
    last told of that one. ``opened`` is in seconds since the Unix epoch; ``capabilities`` are those that client and
    server both have, None if the client named none.
    """

    def __init__(
        self,
        sid: str,
        claims: Claims,
        opened: float,
        limits: Limits,
        clock: Callable[[], float],
        agent: Agent = UNKNOWN,
        capabilities: frozenset[str] | None = None,
    ) -> None:
        self.sid = sid
        self.claims = claims
        self.agent = agent
        self.capabilities = capabilities
        self.opened = opened
        self.binding: Binding | None = None
        self.seen: int | None = None
        self.numbering: Numbering | None = None
        self.greets: set[str] = set()
        self.owner: str | None = None
        self.announced: Message | None = None
        self.cut_off = False
        self.strikes = 0
        self._limits = limits
        self._bucket = TokenBucket(limits.events_per_second, limits.events_burst, clock)
        self._handlers = asyncio.Semaphore(limits.handlers)
        self._lanes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def holders(self) -> frozenset[str | None]:
        """The practitioner and the family whose sign-out ends it; the appointment whose destruction does, and the
        place in it whose link may become another.
        """
        claims = self.claims
        place = place_of(claims.appointment, claims.seat) if claims.appointment else None
        return frozenset({claims.practitioner or claims.appointment, claims.family, place})

    @property
    def waits_for(self) -> str | None:
        """The practitioner, until they let whoever came by a link in."""
        return self.owner if self.binding and self.binding.lineage is None else None

    @property
    def replays(self) -> bool:
        """Whether this page can be sent again what it missed."""
        return REPLAY in (self.capabilities or ())

    def place(self) -> None:
        """It has a place in a room, maybe another one than before; ``seen`` is the last number its page knows of it."""
        if self.replays:
            self.numbering = Numbering(self.seen)

    def take(self) -> bool:
        """Whether one more event may come in now."""
        if self._bucket.take():
            self.strikes = 0
            return True
        self.strikes += 1
        return False

    @property
    def exhausted(self) -> bool:
        """So many refusals in a row that there is nobody behind it who listens."""
        return self.strikes >= self._limits.strikes

    @asynccontextmanager
    async def turn(self, lane: str) -> AsyncIterator[None]:
        """Wait for one of the handlers; events of one lane are handled in the order in which they came."""
        async with self._lanes[lane], self._handlers:
            yield
