"""One client's connection: its path, its keys, whether it is alive."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

from media.net.arena import SLOT, Arena
from media.net.outbox import Outbox
from media.refusals import CheckRefusal
from media.session import dtls
from media.session.bandwidth import Downlink
from media.session.dtls import Certificate, DtlsSession, forget_source, length_p
from media.session.ice import IceAgent, Path
from media.session.liveness import Liveness
from media.wire import WireError, stun
from media.wire.sdp import Fingerprint

_MAX_RTCP = 1_200
_REMEMBERED_CHECKS = 64

State = Literal["new", "connected", "reconnecting", "lost"]

Way = tuple[Outbox, memoryview, Any, list[Any], Callable[[Any, int], None], Any, Any]
"""An outbox, its view, buffer and pointers, what queues in it; the destination and libsrtp's session for it."""


def _ignore(_: State) -> None:
    """Nobody is told."""


def _nothing() -> None:
    """Nobody is told."""


class Transport:
    """ICE, DTLS and SRTP of one client.

    Attributes:
        outbox, destination: where to send; only valid while ``ready``.
        way: the same with all that is needed for each packet (`Way`), likewise.
        srtp_in, srtp_out: libsrtp sessions, None before the handshake and after the end.
        ready: packets may be sent.
        life: when it showed life, and for how long it may be silent.
        rtt: last round trip measured, in seconds.
        downlink: what the client can take.
        on_state: told of every change of ``state``.
        on_moved: told before it is decided where to send.
        failed: packets that libsrtp refused to protect.
    """

    def __init__(
        self,
        now: float,
        ufrag: str,
        certificate: Certificate,
        fingerprints: list[Fingerprint],
    ) -> None:
        self.agent = IceAgent(now, ufrag)
        self.fingerprints = fingerprints
        self.outbox: Outbox
        self.destination: Any = None
        self.way: Way
        self.srtp_in: Any = None
        self.srtp_out: Any = None
        self.ready = False
        self.life = Liveness(now)
        self.rtt = 0.1
        self.downlink = Downlink()
        self.failed = 0
        self.state: State = "new"
        self.on_state: Callable[[State], None] = _ignore
        self.on_moved: Callable[[], None] = _nothing
        self._checks: OrderedDict[bytes, Any] = OrderedDict()
        self._closed = False
        self._dtls = DtlsSession(certificate, fingerprints, self._send, self.secure, self._ended)

    @property
    def path(self) -> Path | None:
        return self.agent.selected

    # --- in ----------------------------------------------------------------------------------------------------------

    def check(self, data: bytes, ufrag: str, path: Path, now: float) -> CheckRefusal | None:
        """A binding request for ``ufrag`` on ``path``. Answers and selects if it is authentic, else says why not."""
        password = self.agent.password(ufrag)
        if password is None or self._closed:
            return "stun_unknown"
        if not self.agent.admit_check(now):
            return "stun_limited"
        try:
            request = stun.parse_request(data, password)
        except WireError:
            return "stun_forged"
        # A check that somebody recorded and sends from elsewhere must not turn the media there.
        if self._checks.setdefault(request.transaction_id, path.key) != path.key:
            return "stun_replayed"
        if len(self._checks) > _REMEMBERED_CHECKS:
            self._checks.popitem(last=False)
        if not self.agent.checked(path, ufrag, now, request.nominated, request.nomination):
            return "stun_limited"
        answer = stun.binding_response(request.transaction_id, path.host, path.port, password)
        path.outbox.queue_bytes(path.destination, answer)
        self._select()
        self.life.sign(now)
        self._revive()
        self._dtls.start()
        return None

    def indicated(self, key: Any, now: float) -> None:
        """A binding indication: what a client sends that has nothing to send (RFC 8445, 11). It is not authentic."""
        if self.agent.selected is not None and self.agent.selected.key == key and not self._closed:
            self.life.sign(now)
            self._revive()

    def forget_path(self, key: Any) -> None:
        """The connection behind a path is gone."""
        self.agent.forget(key)
        self._select()

    def receive_dtls(self, data: bytes) -> None:
        self._dtls.feed(data)

    def decrypt_rtcp(self, arena: Arena, slot: int, length: int) -> bytes | int:
        """The compound in ``slot``, or libsrtp's reason to refuse it."""
        length_p[0] = length
        if result := dtls.unprotect_rtcp(self.srtp_in, arena.pointers[slot], length_p):
            return int(result)
        data: bytes = arena.buffer[slot * SLOT : slot * SLOT + length_p[0]]
        return data

    def touch(self, now: float) -> None:
        """An authentic packet came."""
        self.life.seen = now
        self._revive()

    def _revive(self) -> None:
        if self.state == "reconnecting" and self.ready:
            self._become("connected")

    # --- out ---------------------------------------------------------------------------------------------------------

    def send_rtcp(self, data: bytes) -> None:
        """Protect and queue a compound; nothing happens while not ``ready``."""
        if not self.ready or not data or len(data) > _MAX_RTCP:
            return
        outbox = self.outbox
        base = outbox.count * SLOT
        outbox.buffer[base : base + len(data)] = data
        length_p[0] = len(data)
        if dtls.protect_rtcp(self.srtp_out, outbox.pointers[outbox.count], length_p):
            self.failed += 1
            return
        outbox.queue(self.destination, length_p[0])

    def _send(self, data: bytes) -> None:
        path = self.agent.selected
        if path is not None:
            path.outbox.queue_bytes(path.destination, data[:SLOT])
            # The handshake runs in a task of its own, outside of the packet loop that flushes.
            path.outbox.flush()

    # --- state -------------------------------------------------------------------------------------------------------

    def _select(self) -> None:
        path = self.agent.selected
        self.on_moved()
        if path is not None:
            if self.destination not in (None, path.destination):
                self.downlink.moved()
            outbox = self.outbox = path.outbox
            self.destination = path.destination
            self.way = (
                outbox,
                outbox.view,
                outbox.buffer,
                outbox.pointers,
                outbox.queue,
                path.destination,
                self.srtp_out,
            )
        self.ready = path is not None and self.srtp_out is not None

    def secure(self, srtp_in: Any, srtp_out: Any) -> None:
        """The handshake is done: libsrtp sessions for what comes in and for what goes out."""
        self.srtp_in, self.srtp_out = srtp_in, srtp_out
        self._select()
        self._become("connected")

    def _ended(self) -> None:
        """The handshake failed, or the client closed."""
        if not self._closed:
            self._become("lost")

    def _become(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.on_state(state)

    def expire(self, now: float) -> None:
        """Once a second: notice silence."""
        self.agent.expire(now)
        if self.life.lost(now):
            self._become("lost")
        elif self.life.silent(now):
            if self.state == "connected":
                self._become("reconnecting")
        else:
            self._revive()

    def forget_source(self, ssrc: int) -> None:
        """A stream ended; libsrtp keeps no state of it."""
        if self.srtp_in is not None:
            forget_source(self.srtp_in, ssrc)

    async def close(self) -> None:
        """Idempotent."""
        self._closed = True
        self.ready = False
        self.srtp_in = self.srtp_out = None
        self._select()
        self.on_state, self.on_moved = _ignore, _nothing
        await self._dtls.close()
