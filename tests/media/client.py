"""A scripted client of the relay, with real SRTP, STUN and RTCP."""

import itertools
import os
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from struct import pack, unpack_from
from typing import TYPE_CHECKING, Any

from aioice import stun
from pylibsrtp import Policy, Session

from media.control import Answered, OfferCall, Reply
from media.forwarding.peer import Peer
from media.net.arena import Arena
from media.session.dtls import length_p, protect, unprotect
from media.wire import rtcp
from tests.media.link import Link
from tests.media.offering import ABS_SEND_TIME, MID, REPAIRED_RID, RID, RTX, TRANSPORT_SEQUENCE, Offering
from tests.media.packets import Packet, read

if TYPE_CHECKING:
    from tests.media.simulation import Simulation

LINES = (180, 360, 720)
TRAILER = bytes([7, 0, 0, 0x53, 0x4B])
KEY_SIZE = 44
_ports = itertools.count(10_000)


def session(key: bytes, kind: int) -> Session:
    policy = Policy(key=key, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM)
    policy.window_size = 1024
    policy.allow_repeat_tx = True
    return Session(policy)


@dataclass
class Client(Offering):
    """Sends frames and records what comes. Answers NACKs over RTX as a browser does.

    Attributes:
        received: SSRC → packets in the order they came.
        feedback: RTCP in the order it came.
    """

    simulation: "Simulation"
    name: str
    room: str = "room"
    fence: int = 1
    link: Link = field(default_factory=Link)
    answers_nacks: bool = True
    answers_requests: bool = False
    mid_extension: bool = False

    def __post_init__(self) -> None:
        self.key = b"\2\0" + next(_ports).to_bytes(2, "big") + os.urandom(4)
        self.sequences = {"microphone": 1_000, "camera": 2_000, "screen": 3_000}
        self.received: dict[int, list[Packet]] = defaultdict(list)
        self.feedback: list[tuple[float, rtcp.Packet]] = []
        self.history: dict[tuple[int, int], bytes] = {}
        self.answer: Answered | None = None
        self.checks = 0
        self.wanted = False
        self.picture = 0
        self._twcc = itertools.count(1)
        self._rtx_sequence = itertools.count(1)
        self._out: Session | None = None
        self._in: Session | None = None
        self._keep: tuple[Any, ...] = ()
        self._arena = Arena(1)
        self._scratch = self._arena.buffer

    # --- connection --------------------------------------------------------------------------------------------------

    def offer(self) -> Reply:
        """Offer as the client is now."""
        reply = self.simulation.router.handle(
            OfferCall(
                room=self.room,
                fence=self.fence,
                peer=self.name,
                sdp=self.sdp(),
                lines=[offered.line for offered in self.lines()],
            )
        )
        if isinstance(reply, Answered):
            self.answer = reply
        return reply

    @property
    def peer(self) -> Peer:
        return self.simulation.router.rooms[self.room].peers[self.name]

    def attribute(self, name: str) -> str:
        """The first value of an attribute in the answer."""
        assert self.answer is not None
        return self.answer.sdp.split(f"a={name}:")[1].split("\r\n")[0]

    def out_ssrcs(self, kind: str, number: int = 0) -> tuple[int, int]:
        """SSRC and RTX SSRC that were announced for a slot, -1 for the stage."""
        slot = next(s for s in self.peer.viewing.slots.values() if (s.form.kind, s.number) == (kind, number))
        return slot.ssrc, slot.rtx_ssrc

    def got(self, kind: str = "video", number: int = 0) -> list[Packet]:
        return self.received[self.out_ssrcs(kind, number)[0]]

    def repaired(self, number: int = 0) -> list[Packet]:
        return self.received[self.out_ssrcs("video", number)[1]]

    def connect(self) -> None:
        """Offer, check, and skip the handshake: keys are dealt."""
        reply = self.offer()
        assert isinstance(reply, Answered), reply
        self.check()
        self.secure()

    def secure(self) -> None:
        up, down = os.urandom(KEY_SIZE), os.urandom(KEY_SIZE)
        self._out, self._in = session(up, Policy.SSRC_ANY_OUTBOUND), session(down, Policy.SSRC_ANY_INBOUND)
        relay_in, relay_out = session(up, Policy.SSRC_ANY_INBOUND), session(down, Policy.SSRC_ANY_OUTBOUND)
        self._keep += (relay_in, relay_out)
        self.peer.transport.secure(relay_in._srtp[0], relay_out._srtp[0])
        self.simulation.clients[self.key] = self

    def binding_request(self, ufrag: str | None = None, password: str | None = None, nominate: bool = True) -> bytes:
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{ufrag or self.attribute('ice-ufrag')}:{self.ufrag}"
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLING"] = 5
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity((password or self.attribute("ice-pwd")).encode())
        return bytes(message)

    def check(self) -> None:
        self.simulation.clients[self.key] = self
        self.simulation.deliver(self.binding_request(), self.key)

    def indicate(self) -> None:
        """A binding indication: no integrity, a fingerprint (RFC 8445, 11)."""
        message = stun.Message(stun.Method.BINDING, stun.Class.INDICATION)
        message.attributes["FINGERPRINT"] = stun.message_fingerprint(bytes(message))
        self.simulation.deliver(bytes(message), self.key)

    def report(self) -> None:
        """An empty receiver report."""
        self.transmit_rtcp(rtcp.receiver_report(1, []))

    def keep_alive(self, seconds: float) -> None:
        """Check every 2.5 s, as browsers do."""
        for index in range(int(seconds / 2.5) + 1):
            self.simulation.at(self.simulation.now + index * 2.5, self.check)

    # --- out ---------------------------------------------------------------------------------------------------------

    def transmit(self, packet: bytes) -> None:
        """Protect and send an RTP packet."""
        assert self._out is not None
        # Not by Session.protect, which takes no packets past 1,356 bytes.
        self._scratch[0 : len(packet)] = packet
        length_p[0] = len(packet)
        assert not protect(self._out._srtp[0], self._arena.pointers[0], length_p)
        self._put(bytes(self._scratch[0 : length_p[0]]))

    def transmit_rtcp(self, *parts: bytes) -> None:
        assert self._out is not None
        self._put(self._out.protect_rtcp(b"".join(parts)))

    def _put(self, data: bytes) -> None:
        if not self.link.up(data):
            key = self.key
            self.simulation.at(self.simulation.now + self.link.delay, lambda: self.simulation.deliver(data, key))

    def packet(
        self,
        source: str,
        payload: bytes,
        timestamp: int,
        marker: bool = False,
        *,
        sequence: int | None = None,
        ssrc: int | None = None,
        payload_type: int | None = None,
        padding: int = 0,
        mid: bool | None = None,
        rid: str = "",
    ) -> bytes:
        """A packet of ``source``, or of its layer ``rid``; the next one unless ``sequence`` says otherwise."""
        numbered = rid or source
        ssrc = ssrc or (self.layer_ssrc(rid) if rid else self.ssrcs[source])
        if sequence is None:
            sequence = self.sequences.setdefault(numbered, 5_000)
            self.sequences[numbered] = (sequence + 1) & 0xFFFF
        if payload_type is None:
            payload_type = self.opus if source == "microphone" else self.vp8
        elements = pack("!B3s", ABS_SEND_TIME << 4 | 2, b"\x01\x02\x03")
        if self.transport_sequence:
            elements += pack("!BH", TRANSPORT_SEQUENCE << 4 | 1, next(self._twcc) & 0xFFFF)
        if self.mid_extension if mid is None else mid:
            name = next(offered.line.mid for offered in self.lines() if offered.line.use == source).encode()
            elements += pack("!B", MID << 4 | len(name) - 1) + name
        if rid:
            elements += pack("!B", RID << 4 | len(rid) - 1) + rid.encode()
        elements += bytes(-len(elements) % 4)
        first = 0xB0 if padding else 0x90
        head = pack("!BBHII", first, marker << 7 | payload_type, sequence, timestamp & 0xFFFFFFFF, ssrc)
        body = payload + (bytes(padding - 1) + bytes([padding]) if padding else b"")
        packet = head + pack("!HH", 0xBEDE, len(elements) // 4) + elements + body
        self.history[ssrc, sequence] = head[:12] + payload
        return packet

    def send_frame(
        self,
        timestamp: int,
        packets: int = 3,
        *,
        key: bool = False,
        source: str = "camera",
        encrypted: bool = True,
        size: int = 900,
    ) -> None:
        """A VP8 frame in ``packets`` packets; the last one ends as encrypted frames do if ``encrypted``."""
        for index in range(packets):
            first, last = index == 0, index == packets - 1
            payload = pack("!BB", 0x10 if first else 0, 0 if key else 1) + pack("!II", timestamp & 0xFFFFFFFF, index)
            payload += bytes(size - len(payload)) + (TRAILER if last and encrypted else b"")
            self.transmit(self.packet(source, payload, timestamp, last))

    def send_picture(
        self, timestamp: int, *, key: bool = False, temporal: int = 0, rids: tuple[str, ...] | None = None
    ) -> None:
        """One picture in its layers, each of a size of its own, with the descriptor that browsers write.

        Every layer has two packets more than the one before, and a quarter of the lines of the camera and so on.
        """
        self.picture += 1
        for index, rid in enumerate(self.rids):
            if rids is not None and rid not in rids:
                continue
            packets = 1 + 2 * index
            lines = LINES[index + 3 - len(self.rids)]
            for number in range(packets):
                named = pack("!BH", 0xE0, 0x8000 | self.picture & 0x7FFF) + pack(
                    "!BB", self.picture // 4 & 0xFF, temporal << 6 | (temporal > 0) << 5
                )
                payload = bytes([0x90 if number == 0 else 0x80]) + named
                if number == 0:
                    payload += bytes([0 if key else 1, 0, 0]) + (b"\x9d\x01\x2a" + pack("<HH", 2 * lines, lines)) * key
                payload += pack("!II", timestamp, number) + bytes(900)
                last = number == packets - 1
                self.transmit(self.packet("camera", payload + TRAILER * last, timestamp + 7 * index, last, rid=rid))

    def stream_layers(self, seconds: float, *, rate: int = 30, at: int = 0, key: bool = True) -> None:
        """Pictures with three temporal layers for a while; to be followed by `Simulation.run`."""
        for index in range(int(seconds * rate)):
            timestamp = at + index * 90_000 // rate
            picture = partial(self._next_picture, timestamp, (0, 2, 1, 2)[index % 4], key and index == 0)
            self.simulation.at(self.simulation.now + index / rate, picture)

    def _next_picture(self, timestamp: int, temporal: int, key: bool) -> None:
        key = key or self.wanted
        self.send_picture(timestamp, key=key, temporal=0 if key else temporal)
        self.wanted = False

    def send_audio(self, timestamp: int, *, encrypted: bool = True) -> None:
        self.transmit(
            self.packet(
                "microphone", pack("!I", timestamp & 0xFFFFFFFF) + (TRAILER if encrypted else bytes(5)), timestamp, True
            )
        )

    def stream(
        self, seconds: float, *, rate: int = 30, packets: int = 3, key: bool = True, audio: bool = False, at: int = 0
    ) -> None:
        """Frames for a while, the first one a key frame; to be followed by `Simulation.run`."""
        for index in range(int(seconds * rate)):
            timestamp = at + index * 90_000 // rate
            frame = partial(self._next_frame, timestamp, packets, key and index == 0)
            self.simulation.at(self.simulation.now + index / rate, frame)
        for index in range(int(seconds * 50) if audio else 0):
            self.simulation.at(self.simulation.now + index / 50, partial(self.send_audio, index * 960))

    def _next_frame(self, timestamp: int, packets: int, key: bool) -> None:
        self.send_frame(timestamp, packets, key=key or self.wanted)
        self.wanted = False

    # --- in ----------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        if data[0] < 2:
            self.checks += 1
            return
        assert self._in is not None
        if 191 < data[1] < 224:
            for packet in rtcp.parse(self._in.unprotect_rtcp(data)):
                self.feedback.append((self.simulation.now, packet))
                if isinstance(packet, rtcp.Nack) and self.answers_nacks:
                    self._repair(packet)
                if isinstance(packet, rtcp.PictureLoss) and self.answers_requests:
                    self.wanted = True
            return
        self._scratch[0 : len(data)] = data
        length_p[0] = len(data)
        assert not unprotect(self._in._srtp[0], self._arena.pointers[0], length_p), "undecryptable"
        packet_in = read(bytes(self._scratch[0 : length_p[0]]), self.simulation.now)
        self.received[packet_in.ssrc].append(packet_in)

    def _repair(self, nack: rtcp.Nack) -> None:
        layers = {self.layer_ssrc(rid): rid for rid in self.rids}
        rid = layers.get(nack.media, "")
        for sequence in nack.lost:
            old = self.history.get((nack.media, sequence))
            if old is not None:
                _, second, _, timestamp = unpack_from("!BBHI", old)
                first, number = 0x90 if rid else 0x80, next(self._rtx_sequence) & 0xFFFF
                head = pack("!BBHII", first, second & 0x80 | RTX, number, timestamp, nack.media + 1)
                if rid:
                    named = pack("!B", REPAIRED_RID << 4 | len(rid) - 1) + rid.encode()
                    named += bytes(-len(named) % 4)
                    head += pack("!HH", 0xBEDE, len(named) // 4) + named
                self.transmit(head + pack("!H", sequence) + old[12:])

    def nacks(self) -> list[int]:
        return [lost for _, packet in self.feedback if isinstance(packet, rtcp.Nack) for lost in packet.lost]

    def keyframe_requests(self, ssrc: int = 200) -> list[float]:
        return [at for at, packet in self.feedback if isinstance(packet, rtcp.PictureLoss) and packet.media == ssrc]

    def reports(self, kind: type) -> list[Any]:
        return [packet for _, packet in self.feedback if isinstance(packet, kind)]
