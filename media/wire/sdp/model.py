"""What an offer says and what an answer is made of."""

from dataclasses import dataclass, field
from typing import Literal

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_SEQUENCE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type. ``name`` and the keys of ``fmtp`` in lower case; ``feedback`` as written ("nack pli")."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int
    fmtp: dict[str, str]
    feedback: list[str]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``algorithm`` in lower case, ``value`` as upper-case pairs with colons."""

    algorithm: str
    value: str


@dataclass(slots=True)
class TransportPart:
    """What one section says of the transport, as written and unchecked; each is None or empty where nothing is said."""

    ufrag: str | None = None
    password: str | None = None
    setup: str | None = None
    fingerprints: list[str] = field(default_factory=list)
    lite: bool = False


@dataclass(slots=True)
class MediaLine:
    """An m-line as offered; ``direction`` is the offerer's.

    Attributes:
        mid: empty if there is none that can be used.
        rejected: offered with port 0 and not bundle-only.
        payloads: payload types with an rtpmap, in the offerer's order of preference.
        extensions: URI → id.
        fid: primary SSRC → its RTX SSRC.
        rids: identifiers of the encodings that are sent at once (RFC 8853), in the order of preference; without
            alternatives, also of those that are paused at first. Empty: it is one stream.
    """

    mid: str
    kind: str
    protocol: str
    direction: Direction
    rejected: bool
    formats: list[str]
    payloads: list[Codec] = field(default_factory=list)
    extensions: dict[str, int] = field(default_factory=dict)
    ssrcs: list[int] = field(default_factory=list)
    fid: dict[int, int] = field(default_factory=dict)
    rids: tuple[str, ...] = ()
    msid: str | None = None
    transport: TransportPart = field(default_factory=TransportPart)


@dataclass(frozen=True, slots=True)
class Offer:
    """``groups``: the mids of each BUNDLE group, rejected lines left out; ``transport`` is the session's part."""

    media: list[MediaLine]
    groups: list[list[str]]
    transport: TransportPart
    extmap_allow_mixed: bool

    def line(self, mid: str) -> MediaLine | None:
        """The line of that mid; of two, the one in use (a rejected line may keep an old name)."""
        found = [line for line in self.media if line.mid == mid]
        return next((line for line in found if not line.rejected), found[0] if found else None)


@dataclass(frozen=True, slots=True)
class Connection:
    """The one transport of the lines ``mids``, by what their offerer says of it.

    Attributes:
        bundled: they are a BUNDLE group; else it is one line by itself.
        setup: the DTLS role that the offerer takes or leaves open.
    """

    mids: list[str]
    bundled: bool
    ice_ufrag: str
    ice_pwd: str
    fingerprints: list[Fingerprint]
    setup: Literal["actpass", "active"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an m-line is answered with: one codec, its RTX payload type if offered, the header extensions."""

    codec: Codec
    rtx_payload_type: int | None
    extensions: dict[str, int]
    feedback: list[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A host candidate; TCP ones are passive. ``address`` is an IP address without brackets."""

    transport: Literal["udp", "tcp"]
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The stream a slot is sent as; one ``cname`` and ``stream`` for the two tracks of a slot keep lips in sync."""

    ssrc: int
    rtx_ssrc: int | None
    cname: str
    stream: str
    track: str


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """How an accepted m-line is answered; ``direction`` is the answerer's and narrowed to what the offer allows.

    ``rids``: the encodings that are taken, all at once.
    """

    direction: Literal["sendonly", "recvonly", "inactive"]
    outgoing: Outgoing | None = None
    rids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerParams:
    """The answerer's side. ``lines``: mid → how it is answered; all others are rejected.

    Attributes:
        bundle: the mids to group, in the offer's order; None where the offer has no group of them.
        session: 63-bit session id, the same in every answer of a connection; ``version`` rises by one each time.
        fingerprints: of the answerer's certificate.
        candidates: in order of preference.
    """

    session: int
    version: int
    ice_ufrag: str
    ice_pwd: str
    fingerprints: list[Fingerprint]
    candidates: list[Candidate]
    lines: dict[str, AnswerLine]
    bundle: list[str] | None
