"""One person: an SDP offer, ICE, DTLS-SRTP as a client of aiortc's parts, then packets."""

import asyncio
import random
import re
import secrets
import socket
import time
from collections.abc import Callable
from struct import Struct
from typing import Any

from aioice import stun
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from pylibsrtp import _binding

from bench.load.offers import BOTH_WAYS, CODECS, MediaLine, Self, describe, extensions, one_way, received
from bench.load.streams import Incoming, Outgoing, read
from media.wire import WireError, rtcp

_SETUP_SECONDS = 10.0
_MOST_BLOCKS = 31
_NTP_EPOCH = 2_208_988_800
_TIMESPEC = Struct("qq")

ffi, lib = _binding.ffi, _binding.lib


class _Records:
    """Stands in for aiortc's ICE transport."""

    role = "controlling"

    def __init__(self, sock: socket.socket) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._sock = sock

    async def _recv(self) -> bytes:
        return await self.queue.get()

    async def _send(self, data: bytes) -> None:
        self._sock.send(data)


class Person:
    """Send-only and receive-only lines, or with ``echo`` two lines for both ways.

    Attributes:
        lines: as offered, or as answered.
        out: what it sends; into: SSRC → what it receives; unstamped: packets received of others.
        stamped: what comes was written by an `Outgoing`.
        chosen: what it receives are layers that the relay chose: a gap is then one of the relay's own numbers, not of
            the sender's.
        heard: is given each packet that is authentic (its bytes, decrypted), instead of reading a stamp in it.
        estimate: what it says that its line takes, in bit/s.
    """

    def __init__(
        self, certificate: RTCCertificate, address: str, *, echo: bool = False, lines: list[MediaLine] | None = None
    ) -> None:
        self.lines = lines if lines is not None else BOTH_WAYS if echo else one_way(1)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sock.bind((address, 0))
        self.out: list[Outgoing] = []
        self.into: dict[int, Incoming] = {}
        self.keyframe_requests = 0
        self.stamped = True
        self.unstamped = 0
        self.chosen = False
        self.heard: Callable[[memoryview], None] | None = None
        self.remote_ufrag = ""
        self.estimate = 5_000_000
        self._address = address
        self._certificate = certificate
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(16)
        self._records = _Records(self.sock)
        self._dtls: Any = RTCDtlsTransport(self._records, [certificate])  # type: ignore[arg-type]  # stands for an ICE transport
        self._bound = asyncio.Event()
        self._transport_sequence = 0
        self._length = ffi.new("int *")
        self._pointer = ffi.new("unsigned char[2048]")
        self.buffer = memoryview(ffi.buffer(self._pointer))
        self._ssrcs = {"audio": random.getrandbits(31) + 1, "video": random.getrandbits(31) + 1}

    def offer(self) -> str:
        return describe(self._self(), self.lines, random.getrandbits(62))

    def answer(self, offer: str) -> str:
        """To somebody who offers only to send."""
        self.lines, types = received(offer)
        return describe(self._self(), self.lines, random.getrandbits(62), types)

    def _self(self) -> Self:
        fingerprint = next(each for each in self._certificate.getFingerprints() if each.algorithm == "sha-256")
        host, port = self.sock.getsockname()
        return Self(self._ufrag, self._password, fingerprint.value, host, port, self._ssrcs)

    async def connect(self, answer: str) -> None:
        """ICE and DTLS with whoever answered.

        Raises:
            TimeoutError: not within 10 s.
        """
        asyncio.get_running_loop().add_reader(self.sock, self._on_setup)
        try:
            async with asyncio.timeout(_SETUP_SECONDS):
                await self._check(answer)
                algorithm, digest = re.findall(r"^a=fingerprint:(\S+) (\S+)", answer, re.MULTILINE)[0]
                self._dtls._set_role("client")
                await self._dtls.start(
                    RTCDtlsParameters([RTCDtlsFingerprint(algorithm=algorithm.lower(), value=digest.upper())])
                )
        finally:
            asyncio.get_running_loop().remove_reader(self.sock)
        if self._dtls.state != "connected":
            raise TimeoutError(f"DTLS {self._dtls.state}")
        self._protect, self._unprotect = self._dtls._tx_srtp._srtp[0], self._dtls._rx_srtp._srtp[0]
        for line in self.lines:
            if line.direction != "recvonly":
                self._begin(line, answer)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS

    def _begin(self, line: MediaLine, answer: str) -> None:
        agreed, payload_type = extensions(answer, line.mid), CODECS[line.kind][0]
        if not line.layers:
            self.out.append(Outgoing(line.kind, line.mid, self._ssrcs[line.kind], payload_type, agreed))
        for number, layer in enumerate(line.layers):
            ssrc = self._ssrcs[line.kind] + number
            self.out.append(Outgoing(line.kind, line.mid, ssrc, payload_type, agreed, layer=layer))

    async def close(self) -> None:
        await self._dtls.stop()
        self.sock.close()

    # --- per packet ------------------------------------------------------------------------------------------------

    def send(self, stream: Outgoing) -> None:
        self._transport_sequence += 1
        length = self._length
        length[0] = stream.write(self.buffer, time.time_ns(), self._transport_sequence)
        if lib.srtp_protect(self._protect, self._pointer, length):
            raise RuntimeError("srtp_protect failed")
        self._transmit(length[0])

    def send_reports(self) -> None:
        """As a browser does each second: reports, names, an estimate."""
        now = time.time_ns()
        ntp = (now << 32) // 1_000_000_000 + (_NTP_EPOCH << 32)
        blocks = [rtcp.ReportBlock(ssrc, 0, 0, each.highest_sequence, 0, 0, 0) for ssrc, each in self.into.items()]
        own = self.out[0].ssrc if self.out else self._ssrcs["video"]
        data = b"" if self.out else rtcp.receiver_report(own, blocks[:_MOST_BLOCKS])
        for each in self.out:
            about = blocks[:_MOST_BLOCKS] if each.ssrc == own else []
            data += rtcp.sender_report(each.ssrc, ntp, each.timestamp, each.counter, each.octets, about)
        data += rtcp.sdes(dict.fromkeys([each.ssrc for each in self.out] or [own], self._ufrag))
        data += rtcp.remb(own, self.estimate, list(self.into))
        self._send_rtcp(data)

    def ask_keyframe(self, ssrc: int) -> None:
        """A PLI for what comes on ``ssrc``."""
        self._send_rtcp(rtcp.pli(self.out[0].ssrc if self.out else self._ssrcs["video"], ssrc))

    def _send_rtcp(self, data: bytes) -> None:
        self.buffer[: len(data)] = data
        self._length[0] = len(data)
        if lib.srtp_protect_rtcp(self._protect, self._pointer, self._length):
            raise RuntimeError("srtp_protect_rtcp failed")
        self._transmit(self._length[0])

    def receive(self) -> bool:
        """One datagram; False if there was none."""
        try:
            size, ancillary, _, _ = self.sock.recvmsg_into([self.buffer], 64)
        except (BlockingIOError, ConnectionRefusedError):
            return False
        first, second = self.buffer[0], self.buffer[1]
        if not 128 <= first <= 191:
            return True
        self._length[0] = size
        if 192 <= second <= 223:
            self._receive_rtcp()
            return True
        if lib.srtp_unprotect(self._unprotect, self._pointer, self._length):
            return True
        if self.heard is not None:
            self.heard(self.buffer[: self._length[0]])
            return True
        found = read(self.buffer, self._length[0]) if self.stamped else None
        if found is None:
            self.unstamped += 1
        else:
            ssrc, sequence, stamp, counter = found
            audio = second & 0x7F == CODECS["audio"][0]
            stream = self.into.get(ssrc) or self.into.setdefault(ssrc, Incoming(audio))
            seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
            if self.chosen:
                counter = stream.extended(sequence)
            stream.take(counter, seconds * 1_000_000_000 + nanoseconds - stamp, sequence)
        return True

    def _receive_rtcp(self) -> None:
        if lib.srtp_unprotect_rtcp(self._unprotect, self._pointer, self._length):
            return
        try:
            packets = rtcp.parse(bytes(self.buffer[: self._length[0]]))
        except WireError:
            return
        if any(isinstance(packet, rtcp.PictureLoss | rtcp.FullIntraRequest) for packet in packets):
            self.keyframe_requests += 1
            for stream in self.out:
                stream.wants_keyframe = True

    def _transmit(self, length: int) -> None:
        try:
            self.sock.send(self.buffer[:length])
        except (BlockingIOError, ConnectionRefusedError):
            return

    # --- setup -----------------------------------------------------------------------------------------------------

    async def _check(self, answer: str) -> None:
        ufrag, password = (re.findall(rf"^a=ice-{name}:(\S+)", answer, re.MULTILINE)[0] for name in ("ufrag", "pwd"))
        self.remote_ufrag = ufrag
        candidates = re.findall(
            r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer, re.MULTILINE | re.IGNORECASE
        )
        host, port = next((host, int(port)) for host, port in candidates if host == self._address)
        self.sock.connect((host, port))
        while not self._bound.is_set():
            request = stun.Message(
                stun.Method.BINDING,
                stun.Class.REQUEST,
                attributes={
                    "USERNAME": f"{ufrag}:{self._ufrag}",
                    "PRIORITY": 1_845_501_695,
                    "ICE-CONTROLLING": 1,
                    "USE-CANDIDATE": None,
                },
            )
            request.add_message_integrity(password.encode())
            self.sock.send(bytes(request))
            try:
                await asyncio.wait_for(self._bound.wait(), 0.2)
            except TimeoutError:
                continue

    def _on_setup(self) -> None:
        try:
            data = self.sock.recv(2_048)
        except (BlockingIOError, ConnectionRefusedError):
            return
        if data and data[0] < 2:
            self._on_stun(data)
        elif data and 20 <= data[0] <= 63:
            self._records.queue.put_nowait(data)

    def _on_stun(self, data: bytes) -> None:
        message = stun.parse_message(data)
        if message.message_class is stun.Class.RESPONSE:
            self._bound.set()
        elif message.message_class is stun.Class.REQUEST:
            reply = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, message.transaction_id)
            reply.attributes["XOR-MAPPED-ADDRESS"] = self.sock.getpeername()
            reply.add_message_integrity(self._password.encode())
            self.sock.send(bytes(reply))
