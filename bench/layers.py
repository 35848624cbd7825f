"""Four viewers on lines of 200, 500, 1,500 and 5,000 kbit/s, and the layer of one sender that each of them gets.

    python -m bench.layers --seconds 90 --write

The relay itself, on a simulated clock: packets, SRTP and reports are real, a line is a rate with a queue of 0.3 s
before it, and a viewer reports and estimates as `tests.media.thin_line` says that browsers do.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from struct import unpack_from

from bench.command import draw, write
from bench.plot import Line, at, plot
from media.forwarding.reports import compact
from media.wire import rtcp
from tests.media.bottleneck import Bottleneck
from tests.media.client import LINES, Client
from tests.media.estimator import Estimator
from tests.media.simulation import Simulation

RATES = (200_000, 500_000, 1_500_000, 5_000_000)
_QUEUE_SECONDS = 0.3
_WIRE = 28
"""IP and UDP."""

_LOOK = 0.5
_SETTLED = 30.0
_LAYERS = {1: LINES[0], 3: LINES[1], 5: LINES[2]}
"""Packets of a picture in each layer, to its lines."""


@dataclass
class Stream:
    """One SSRC, as a receiver counts it."""

    first: int
    highest: int
    received: int = 0
    expected_before: int = 0
    received_before: int = 0
    last_sr: tuple[int, float] = (0, 0.0)

    def take(self, sequence: int) -> None:
        self.highest = max(self.highest, self.highest + ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000)
        self.received += 1

    def block(self, ssrc: int, now: float) -> rtcp.ReportBlock:
        expected = self.highest - self.first + 1
        interval, got = expected - self.expected_before, self.received - self.received_before
        self.expected_before, self.received_before = expected, self.received
        lost = max(0, interval - got)
        fraction = min(255, lost * 256 // interval) if interval > 0 else 0
        sr, came = self.last_sr
        delay = int((now - came) * 65_536) if sr else 0
        return rtcp.ReportBlock(ssrc, fraction, expected - self.received, self.highest, 0, sr, delay)


@dataclass
class Viewer:
    """Behind a line. ``pictures``: (when, packets of it, lines), of each picture that was complete."""

    client: Client
    line: Bottleneck
    arrived_bytes: list[tuple[float, int]] = field(default_factory=list)
    streams: dict[int, Stream] = field(default_factory=dict)
    seen: list[tuple[float, int]] = field(default_factory=list)
    _frame: Counter[tuple[int, int]] = field(default_factory=Counter)
    _estimator: Estimator = field(default_factory=Estimator)
    _told: int = 0

    def take(self, data: bytes, sent: float) -> None:
        """A datagram reaches the viewer now."""
        now, rtp = self.client.simulation.now, data[0] > 127 and not 191 < data[1] < 224
        self.client.receive(data)
        if not rtp:
            self._note_reports(now)
            return
        self.client.received.clear()
        marker_type, sequence, timestamp, ssrc = unpack_from("!BHII", data, 1)
        stream = self.streams.get(ssrc) or self.streams.setdefault(ssrc, Stream(sequence, sequence))
        stream.take(sequence)
        delay = now - sent
        self._estimator.arrived(now, len(data), delay)
        if marker_type & 0x7F == self.client.vp8 and len(data) > 600:
            self._frame[ssrc, timestamp] += 1
            self.arrived_bytes.append((now, len(data)))
            if marker_type & 0x80:
                self.seen.append((now, self._frame.pop((ssrc, timestamp))))

    def _note_reports(self, now: float) -> None:
        feedback = self.client.feedback
        for _, packet in feedback[self._told :]:
            if isinstance(packet, rtcp.SenderReport) and packet.ssrc in self.streams:
                self.streams[packet.ssrc].last_sr = (compact(packet.ntp), now)
        self._told = len(feedback)

    # --- what a browser says -----------------------------------------------------------------------------------------

    def report(self) -> None:
        """Once a second."""
        now = self.client.simulation.now
        blocks = [stream.block(ssrc, now) for ssrc, stream in self.streams.items()]
        self.client.transmit_rtcp(rtcp.receiver_report(1, blocks))

    def judge(self) -> None:
        """Ten times a second: what the line seems to take."""
        self._estimator.judge(self.client.simulation.now)

    def estimate(self) -> None:
        """Four times a second."""
        self.client.transmit_rtcp(rtcp.remb(1, int(self._estimator.bitrate), list(self.streams)))

    # --- what is said of it ------------------------------------------------------------------------------------------

    def lines_over_time(self, end: float, start: float) -> list[tuple[float, int]]:
        """(seconds, lines of most pictures in it) of each half second; 0 lines where there were none."""
        steps = []
        for number in range(int((end - start) / _LOOK)):
            since = start + number * _LOOK
            sizes = Counter(packets for when, packets in self.seen if since <= when < since + _LOOK)
            packets = sizes.most_common(1)[0][0] if sizes else 0
            steps.append((number * _LOOK, _LAYERS.get(packets, LINES[0] if packets else 0)))
        return steps

    def rate(self, start: float, end: float) -> float:
        """Bit/s of pictures."""
        return sum(size for when, size in self.arrived_bytes if start <= when < end) * 8 / (end - start)


class Lines(Simulation):
    """A simulation some of whose clients are behind lines."""

    def __init__(self) -> None:
        super().__init__()
        self.viewers: dict[bytes, Viewer] = {}

    def view(self, name: str, slots: int, rate: int) -> Viewer:
        """Somebody comes who only looks."""
        client = self.join(name, slots=slots)
        viewer = Viewer(client, Bottleneck([(0.0, rate)], queue=int(rate * _QUEUE_SECONDS / 8)))
        self.viewers[client.key] = viewer
        return viewer

    def sent(self, key: bytes, data: bytes) -> None:
        viewer = self.viewers.get(key)
        if viewer is None:
            super().sent(key, data)
            return
        arrival = viewer.line.arrival(len(data) + _WIRE, self.now)
        if arrival is not None:
            self.at(arrival, partial(viewer.take, data, self.now))


def watched(rates: Sequence[int], seconds: float) -> tuple[list[Viewer], float]:
    """One sender and so many viewers for so long; and when it began."""
    lines, slots = Lines(), len(RATES)
    lines.open(capacity=len(RATES) + 1)
    sender = lines.join("sender", slots=slots, rids=("q", "h", "f"), answers_requests=True)
    sender.keep_alive(seconds)
    viewers = [lines.view(f"viewer{rate}", slots, rate) for rate in rates]
    start = lines.now
    sender.stream_layers(seconds)
    for index in range(int(seconds * 50)):
        lines.at(start + index / 50, partial(sender.send_audio, index * 960))
    for number, viewer in enumerate(viewers):
        viewer.client.keep_alive(seconds)
        for period, first, act in ((1.0, 0.6, viewer.report), (0.1, 0.1, viewer.judge), (0.25, 3.0, viewer.estimate)):
            for index in range(int((seconds - first) / period)):
                lines.at(start + first + index * period + number * 0.007, act)
    lines.run(seconds)
    return viewers, start


async def measure(seconds: float) -> tuple[str, str]:
    """Table and plot: all together, and for the table each alone."""
    together, start = watched(RATES, seconds)
    rows = [
        "| line | layer, alone | layer, all four | pictures that arrive | changes after 30 s |",
        "|---|---|---|---|---|",
    ]
    drawn = []
    for rate, viewer in zip(RATES, together, strict=True):
        [single], began = watched([rate], seconds)
        alone, steps = single.lines_over_time(began + seconds, began), viewer.lines_over_time(start + seconds, start)
        settled = [lines for when, lines in steps if when >= min(_SETTLED, seconds / 2)]
        changes = sum(one != other for one, other in pairwise(settled))
        arrives = viewer.rate(start + seconds / 2, start + seconds)
        cells = (f"{rate / 1000:,.0f} kbit/s", f"{alone[-1][1]} lines", f"{steps[-1][1]} lines")
        rows.append(f"| {' | '.join(cells)} | {arrives / 1000:,.0f} kbit/s | {changes} |")
        drawn.append(Line(f"{rate / 1000:,.0f} kbit/s", [at(when, lines) for when, lines in steps], steps=True))
    return "\n".join(rows), plot("Lines of the picture that each viewer gets", "seconds", "lines", drawn)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.layers", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=90.0, help="of the simulated clock; default %(default)s")
    parser.add_argument("--write", action="store_true", help="put table and plot into bench/")
    arguments = parser.parse_args()
    text, picture = asyncio.run(measure(arguments.seconds))
    text += "\n\n![Lines of the picture that each viewer gets, over time](plots/layers.svg)"
    print(text)
    if arguments.write:
        write(text, "layers")
        draw(picture, "layers")


if __name__ == "__main__":
    main()
