"""DTLS-SRTP on aiortc's transport. The only module that uses private names of aiortc and pylibsrtp.

`RTCDtlsTransport` needs of its transport only ``_recv``, ``_send`` and ``role``; it is given DTLS records and
nothing else. The SRTP sessions it sets up are then used directly, on the memory that packets lie in.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from OpenSSL import SSL
from pylibsrtp import _binding

from media.session.narrow import without_av
from media.wire.sdp import Fingerprint

with without_av():
    from aiortc.rtcdtlstransport import (
        RTCCertificate,
        RTCDtlsFingerprint,
        RTCDtlsParameters,
        RTCDtlsTransport,
        SRTPProtectionProfile,
    )

logger = logging.getLogger(__name__)

protect: Callable[[Any, Any, Any], int] = _binding.lib.srtp_protect
"""``srtp_protect(session, packet, length)`` in place; ``length`` points to the length and is updated; 0 is success."""
unprotect: Callable[[Any, Any, Any], int] = _binding.lib.srtp_unprotect
protect_rtcp: Callable[[Any, Any, Any], int] = _binding.lib.srtp_protect_rtcp
unprotect_rtcp: Callable[[Any, Any, Any], int] = _binding.lib.srtp_unprotect_rtcp

REPLAYED = frozenset({9, 10})
"""Results of `unprotect` for packets that came before or come too late (srtp_err_status_replay_fail and _old)."""

length_p: Any = _binding.ffi.new("int *")
"""The length for the calls above. One is enough: they are made one at a time, on one thread."""

_TESTED = {"aiortc": "1.16.", "pylibsrtp": "1.0."}
_HANDSHAKE_SECONDS = 15.0
_QUEUED_RECORDS = 64


_remove_stream: Callable[[Any, int], int] = _binding.lib.srtp_remove_stream


def forget_source(srtp_in: Any, ssrc: int) -> None:
    """Free libsrtp's state of an incoming SSRC."""
    _remove_stream(srtp_in, socket.htonl(ssrc))


def addresses() -> list[int]:
    """Where libsrtp's functions are: protect and unprotect, both for RTCP, and what forgets a source."""
    names = ("protect", "unprotect", "protect_rtcp", "unprotect_rtcp", "remove_stream")
    pointers = [_binding.ffi.addressof(_binding.lib, f"srtp_{name}") for name in names]
    return [int(_binding.ffi.cast("uintptr_t", pointer)) for pointer in pointers]


def call_by(found: list[int]) -> None:
    """Call functions at these addresses, in the order of `addresses`, that do the same: for who shares sessions."""
    global protect, unprotect, protect_rtcp, unprotect_rtcp, _remove_stream  # noqa: PLW0603 - looked up once, called per packet
    protect, unprotect, protect_rtcp, unprotect_rtcp = (
        _binding.ffi.cast("int (*)(void *, void *, int *)", address) for address in found[:4]
    )
    _remove_stream = _binding.ffi.cast("int (*)(void *, unsigned int)", found[4])


def session_address(srtp: Any) -> int:
    """Of a libsrtp session."""
    return int(_binding.ffi.cast("uintptr_t", srtp))


class UntestedVersionError(RuntimeError):
    """A library whose private names this module uses has another version than the one they were checked in."""


def check_versions() -> None:
    """Refuse to run on versions that nobody checked.

    Raises:
        UntestedVersionError: with a sentence for the operator.
    """
    for name, tested in _TESTED.items():
        found = version(name)
        if not found.startswith(tested):
            raise UntestedVersionError(
                f"The media relay was checked with {name} {tested}x, found {found}: install that version."
            )


class _SharingCertificate(RTCCertificate):
    """Makes its OpenSSL context (22 KiB) once instead of for each connection."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        return self._context


class Certificate:
    """A self-signed certificate (P-256), one for all connections of a worker."""

    def __init__(self) -> None:
        self.rtc = _SharingCertificate.generateCertificate()
        self.fingerprints = [
            Fingerprint(fingerprint.algorithm, fingerprint.value)
            for fingerprint in self.rtc.getFingerprints()
            if fingerprint.algorithm == "sha-256"
        ]


def _ignore(*_: Any) -> None:
    """Nobody is told, nothing is sent."""


class _Records:
    """Stands in for aiortc's ICE transport: a bounded queue of DTLS datagrams in, a function out."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED_RECORDS)
        self.closed = False
        self._send_datagram = send

    def close(self) -> None:
        """Whoever waits for a record gets none any more."""
        self.closed = True
        self._send_datagram = _ignore
        if self.queue.empty():
            self.queue.put_nowait(b"")

    async def _recv(self) -> bytes:
        data = await self.queue.get()
        if self.closed:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._send_datagram(data)


class DtlsSession:
    """The server side of one handshake and the SRTP sessions that come of it.

    Args:
        fingerprints: of the client's certificate, from its offer.
        send: sends a datagram to the client.
        on_keys: given the SRTP sessions for what comes in and for what goes out. They live until `close`.
        on_closed: called once, when the handshake failed or the client closed; not after `close`.
    """

    def __init__(
        self,
        certificate: Certificate,
        fingerprints: list[Fingerprint],
        send: Callable[[bytes], None],
        on_keys: Callable[[Any, Any], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._records = _Records(send)
        self._transport = RTCDtlsTransport(self._records, [certificate.rtc])  # type: ignore[arg-type]  # stands for an ICE transport
        self._transport._set_role("server")
        self._parameters = RTCDtlsParameters([RTCDtlsFingerprint(f.algorithm, f.value) for f in fingerprints], "client")
        self._on_keys = on_keys
        self._on_closed = on_closed
        self._task: asyncio.Task[None] | None = None
        self._sessions: tuple[Any, Any] = (None, None)
        self.closed = False

    def start(self) -> None:
        """Begin the handshake, on the running loop. Idempotent."""
        if self._task is None and not self.closed:
            self._task = asyncio.create_task(self._run())

    def feed(self, data: bytes) -> None:
        """Take a datagram of DTLS records from an authenticated source; a full queue drops it (DTLS sends again)."""
        if data and 19 < data[0] < 64 and not self.closed:
            with contextlib.suppress(asyncio.QueueFull):
                self._records.queue.put_nowait(data)

    async def _run(self) -> None:
        transport = self._transport
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                await transport.start(self._parameters)
            if transport.state == "connected":
                self._sessions = (transport._rx_srtp, transport._tx_srtp)
                self._on_keys(*(session._srtp[0] for session in self._sessions))
                assert transport._task is not None
                await asyncio.wait({transport._task})
        except TimeoutError:
            pass
        except Exception:
            logger.exception("media: DTLS failed")
        if not self.closed:
            self.closed = True
            self._on_closed()

    async def close(self) -> None:
        """Tell the client and free everything. Idempotent; returns at once when closed."""
        self.closed = True
        task, self._task = self._task, None
        self._sessions = (None, None)
        # What refers to each other waits for the garbage collector, which looks seldom.
        self._on_keys = self._on_closed = _ignore
        try:
            await self._transport.stop()
        finally:
            self._records.close()
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
