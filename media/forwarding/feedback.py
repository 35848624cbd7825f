"""Transport-wide congestion control feedback: when which packet of a peer arrived."""

from media.wire import rtcp

_STEADY = 800
"""So many packets without a gap fit one short feedback packet."""
_AHEAD = 0.05


class TransportFeedback:
    """Numbers the feedback packets of one peer (draft-holmer-rmcat-transport-wide-cc-extensions-01)."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def packets(self, arrivals: dict[int, int], sender: int, media: int, wall: float) -> list[bytes]:
        """What to send of ``arrivals``, which are less than a second old.

        Args:
            arrivals: transport-wide sequence number → nanoseconds of the second it arrived in; not empty.
            sender: our SSRC.
            media: SSRC of one of the streams.
            wall: seconds since the Unix epoch.
        """
        numbers, nanoseconds = list(arrivals), list(arrivals.values())
        second, moment = divmod(wall, 1)
        # What has more of its second behind it than this moment came in the second before.
        second, limit = int(second), (moment + _AHEAD) * 1e9
        first, count = numbers[0], len(numbers)
        packets: list[bytes] = []
        if count < _STEADY and numbers == list(range(first, first + count)) and first + count <= 0x1_0000:
            base = 4_000 * (second if nanoseconds[0] < limit else second - 1)
            packet = rtcp.steady_feedback(
                sender, media, self._count, first, [base + value // 250_000 for value in nanoseconds]
            )
            packets = [packet] if packet is not None else []
        if not packets:
            times = [1_000_000 * (second if value < limit else second - 1) + value // 1_000 for value in nanoseconds]
            packets = rtcp.transport_feedback(sender, media, self._count, list(zip(numbers, times, strict=True)))
        self._count = (self._count + len(packets)) & 0xFF
        return packets
