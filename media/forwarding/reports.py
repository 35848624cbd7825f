"""What sender and receiver reports are made of (RFC 3550, 6.4)."""

from media.forwarding.loss_share import LossShare, told
from media.wire.rtcp import ReportBlock, SenderReport

_NTP_EPOCH = 2_208_988_800
_CLOCK_JUMP = 0.5
_DRIFT = 0.000_2


def ntp_time(wall: float) -> int:
    """Unix seconds as a 64-bit NTP time."""
    return int((wall + _NTP_EPOCH) * 4_294_967_296) & 0xFFFF_FFFF_FFFF_FFFF


def compact(ntp: int) -> int:
    """The middle 32 bits: 1/65,536 s."""
    return ntp >> 16 & 0xFFFF_FFFF


class Reception:
    """Statistics of one incoming stream. Jitter is measured from frame to frame, not per packet.

    Attributes:
        received: packets, of padding only included.
        share: of its packets that are lost before us.
    """

    __slots__ = (
        "_base",
        "_clock_rate",
        "_expected_before",
        "_jitter",
        "_last_sr",
        "_received_before",
        "_sr_arrival",
        "_timestamp",
        "_transit",
        "received",
        "share",
        "ssrc",
    )

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self.begin(0, 0)

    def begin(self, ssrc: int, highest: int) -> None:
        """A stream whose first packet has the extended number after ``highest``."""
        self.ssrc = ssrc
        self.received = 0
        self.share = LossShare()
        self._base = highest + 1
        self._expected_before = self._received_before = 0
        self._jitter = self._transit = 0.0
        self._timestamp = -1
        self._last_sr = 0
        self._sr_arrival = 0.0

    def state(self) -> tuple[int, float, float]:
        """What `restore` takes."""
        return self._timestamp, self._jitter, self._transit

    def restore(self, timestamp: int, jitter: float, transit: float, received: int) -> None:
        """Go on from a state that another went on from meanwhile, with ``received`` packets."""
        self._timestamp, self._jitter, self._transit = timestamp, jitter, transit
        self.received += received

    def frame(self, timestamp: int, now: float) -> None:
        """A packet in order that may begin a frame. Packets are counted by adding to ``received``."""
        if timestamp != self._timestamp:
            transit = now * self._clock_rate - timestamp
            if self._timestamp >= 0:
                distance = abs(transit - self._transit)
                # A wrapped timestamp is no jitter.
                if distance < 0x4000_0000:
                    self._jitter += (distance - self._jitter) / 16
            self._timestamp, self._transit = timestamp, transit

    def sender_reported(self, ntp: int, now: float) -> None:
        self._last_sr, self._sr_arrival = compact(ntp), now

    def report(self, highest: int, now: float, behind: float | None = None) -> ReportBlock:
        """The report block since the one before. ``behind``: of a sound, what its worst listener loses behind us."""
        expected = highest - self._base + 1
        interval = expected - self._expected_before
        lost = max(0, interval - (self.received - self._received_before))
        self.share.count(lost, max(0, interval), now)
        share = lost / interval if interval > 0 else 0.0
        if behind is not None:
            share = told(self.share.value, behind)
        self._expected_before, self._received_before = expected, self.received
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(255, int(share * 256)),
            lost=expected - self.received,
            highest_sequence=highest & 0xFFFF_FFFF,
            jitter=int(self._jitter),
            last_sr=self._last_sr,
            delay=int((now - self._sr_arrival) * 65_536) if self._last_sr else 0,
        )


class PublisherClock:
    """A peer's NTP clock against ours, and where each of its streams stands in it.

    One offset for all streams of the peer, that of the report with the least delay, so that translated reports
    keep lips in sync exactly, however the publisher's reports were delayed. Broken clocks are common: only
    differences count, a jump starts anew.
    """

    __slots__ = ("_at", "_offset", "_reports")

    def __init__(self) -> None:
        self._offset: float | None = None
        self._at = 0.0
        self._reports: dict[int, tuple[float, int]] = {}

    def reported(self, report: SenderReport, wall: float) -> None:
        """A sender report that came at ``wall``, in Unix seconds of our clock."""
        theirs = report.ntp / 4_294_967_296 - _NTP_EPOCH
        offset = wall - theirs
        if self._offset is None or abs(offset - self._offset) > _CLOCK_JUMP:
            self._offset = offset
            self._reports.clear()
        else:
            # Clocks run apart by up to 200 millionths.
            self._offset = min(offset, self._offset + _DRIFT * max(0.0, wall - self._at))
        self._at = wall
        self._reports[report.ssrc] = (theirs, report.rtp_timestamp)

    def timestamp(self, ssrc: int, clock_rate: int, wall: float) -> int | None:
        """The RTP timestamp of ``ssrc`` at ``wall``; None before its first report."""
        report = self._reports.get(ssrc)
        if report is None or self._offset is None:
            return None
        theirs, timestamp = report
        return (timestamp + round((wall - self._offset - theirs) * clock_rate)) & 0xFFFF_FFFF

    def forget(self, ssrc: int) -> None:
        self._reports.pop(ssrc, None)
