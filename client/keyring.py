"""The keys of one participant: its own to send under, the others' to receive with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from client import e2ee

OLD_SECRET_SECONDS = 10.0
_WINDOW = 64


@dataclass
class ReplayWindow:
    """The last 64 counters of one key id."""

    highest: int = -1
    seen: int = 0

    def fresh(self, counter: int) -> bool:
        age = self.highest - counter
        return age < 0 or (age < _WINDOW and not self.seen >> age & 1)

    def mark(self, counter: int) -> None:
        """Only once the frame proved authentic: a forgery must not move the window."""
        if counter > self.highest:
            self.seen = (self.seen << min(counter - self.highest, _WINDOW) | 1) & (1 << _WINDOW) - 1
            self.highest = counter
        else:
            self.seen |= 1 << self.highest - counter


@dataclass
class _Own:
    kid: int
    key: bytes
    salt: bytes
    counter: "count[int]" = field(default_factory=count)


@dataclass
class _Remote:
    participant: str
    epoch: int
    key: bytes
    salt: bytes
    expires: float = float("inf")
    window: ReplayWindow = field(default_factory=ReplayWindow)


class KeyRing:
    """Thread-safe enough for aiortc: one thread seals under a label, the event loop does everything else.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._own: dict[int, _Own] = {}
        self._used: set[bytes] = set()
        self._remote: dict[int, _Remote] = {}

    def set_own(self, epoch: int, index: int, secret: bytes) -> None:
        """Send under this secret from now on; it may be used once, since its counters start at 0."""
        if secret in self._used:
            raise ValueError("a secret may be used once")
        self._used.add(secret)
        kids = {label: e2ee.key_id(epoch, index, label) for label in e2ee.LABELS.values()}
        self._own = {label: _Own(kid, *e2ee.frame_key(secret, kid)) for label, kid in kids.items()}

    def drop_own(self) -> None:
        """Send nothing until there is another secret."""
        self._own = {}

    def set_remote(self, participant: str, epoch: int, index: int, secret: bytes) -> None:
        """Accept frames under this secret from now on, and those of other epochs for 10 s more."""
        now = self._now()
        self._remote = {kid: remote for kid, remote in self._remote.items() if remote.expires > now}
        for remote in self._remote.values():
            if remote.epoch != epoch:
                remote.expires = min(remote.expires, now + OLD_SECRET_SECONDS)
        for label in e2ee.LABELS.values():
            kid = e2ee.key_id(epoch, index, label)
            self._remote[kid] = _Remote(participant, epoch, *e2ee.frame_key(secret, kid))

    def seal(self, label: int, frame: bytes, kind: e2ee.Kind) -> bytes | None:
        """The encrypted frame; None as long as there is no key, and then nothing may be sent."""
        own = self._own.get(label)
        return e2ee.seal(own.key, own.salt, own.kid, next(own.counter), frame, kind) if own else None

    def open(self, frame: bytes, kind: e2ee.Kind) -> tuple[str, int, bytes]:
        """Sender, label and plaintext.

        Raises:
            E2eeError: no frame, no key, seen before or not authentic.
        """
        sealed = e2ee.dissect(frame)
        remote = self._remote.get(sealed.kid)
        if remote is None or remote.expires <= self._now():
            raise e2ee.E2eeError("no key")
        if not remote.window.fresh(sealed.counter):
            raise e2ee.E2eeError("seen before")
        plaintext = e2ee.unseal(remote.key, remote.salt, sealed, kind)
        remote.window.mark(sealed.counter)
        return remote.participant, sealed.kid % 8, plaintext
