"""How much a peer can take, from what its losses, its round trips and its own estimate (REMB) say, and from probing."""

from media.session.probing import Probing
from media.session.roundtrips import QUEUE, RoundTrips

_LEAST = 100_000
_MOST = 20_000_000
_LOSS_BAD, _LOSS_GOOD, _LOSS_HEAVY = 0.10, 0.05, 0.40
_WINDOW_PACKETS, _HEAVY_PACKETS = 100, 20
_MOST_GIVEN = 0.30
_FRESH = 5.0
_FELL, _FELL_LATELY = 0.95, 2.0
_STUCK = 0.90
_CALM = 3.0
_PATIENCE = 0.7
_BACK_OFF = 0.85
_MOST_AT_ONCE, _MOST_KEPT = 0.70, 0.95
_CAREFUL, _BOLD = 1.08, 1.20
"""Growth in a second."""
_MOST_STEPS = 2.0
_NEAR = 0.20
_DRAINING, _MOST_DRAINED = 1.5, 0.6
_EXCUSED = 2.0
_FILLED, _STEPPED = 0.87, 0.95
"""How much of what a probe found is believed: less where a sender fills all of it."""
_ENOUGH, _SPARE = 1.2, 1.4
"""Of what there is to send: what suffices, and what is looked for."""

_STARVED, _FED, _SURELY_FED = 130_000, 165_000, 190_000
"""Where pictures are paused, from where on they are sent again, and what is tried for that, in bit/s of all. Headers
are not counted: of a line of 150 kbit/s those of sound take 25 kbit/s."""

_FLOOD, _EBB = 0.5, 8.0
"""A queue in which sound waits so long is drained by sending nothing else, for no longer than this."""


class Downlink:
    """A bound in bit/s on what to send a peer; None as long as nothing speaks for one.

    - A browser's REMB grows so slowly that it lags behind what arrives without any trouble (measured: 390 kbit/s
      estimated, 540 received, nothing lost). It counts only while the round trip shows that a queue stands; a
      single long one is a busy machine, unless the estimate has just fallen.
    - Losses that do not become fewer when less is sent are not ours: radio loses packets at any rate. They are
      taken as given, and only what comes on top of them counts. Few packets say little: they are counted in
      windows, unless almost half is lost.
    - While a queue stands less is sent than the bound, so that it drains: sound waits in it too.
    - What the line takes beyond the bound is found by probing, where there is more to send. For a receiver that cannot
      be probed, and that a sender fills by itself, the bound grows: carefully near the rate that was too much the last
      time, boldly elsewhere.

    Attributes:
        goal: bit/s that would be sent if nothing bounded it, where what is sent goes by steps (layers); None where
            a sender fills the bound by itself.
    """

    __slots__ = (
        "_before",
        "_bound",
        "_bounded_at",
        "_ceiling",
        "_estimate",
        "_estimated_at",
        "_excused_until",
        "_expected",
        "_fell_at",
        "_flooded_at",
        "_given",
        "_grown_at",
        "_grows",
        "_lost",
        "_probing",
        "_sent",
        "_starved",
        "_thin",
        "_trips",
        "_turned_at",
        "_usual_loss",
        "_wanted",
        "goal",
    )

    def __init__(self) -> None:
        self.goal: int | None = None
        self._starved = False
        self._bound: float | None = None
        self._bounded_at = self._estimated_at = self._fell_at = self._excused_until = float("-inf")
        self._flooded_at = float("-inf")
        self._ceiling = self._grown_at = 0.0
        self._estimate = 0
        self._lost = self._expected = 0
        self._given = self._usual_loss = 0.0
        # What was sent and lost when the bound was lowered last, until it showed whether that helped.
        self._before: tuple[float, float] | None = None
        self._trips = RoundTrips()
        self._probing = Probing()
        # The most that was sent when a bound was needed.
        self._wanted = 0.0
        self._grows = True
        self._thin = 0
        self._turned_at, self._sent = float("-inf"), 0.0

    def begin(self, bitrate: int) -> None:
        """Start with so much, if nothing is known yet."""
        if self._bound is None:
            self._bound = float(bitrate)

    def moved(self) -> None:
        """The path is another: so are its round trips."""
        self._trips = RoundTrips()

    # --- what comes back ---------------------------------------------------------------------------------------------

    def round_trip(self, rtt: float, asked: float, now: float) -> None:
        """A round trip was measured, in seconds. ``asked``: when the sender report left that it was measured by."""
        self._trips.measured(rtt, asked, now)
        if self._trips.waiting < QUEUE:
            self._flooded_at = self._excused_until = float("-inf")
        if self._bound is not None and self._probing.begun(now):
            if self._trips.waiting > QUEUE / 2:
                self._too_much(now)
            else:
                self._probing.answered(asked)
                self._proceed(now)

    def estimated(self, bitrate: int, now: float) -> None:
        """A REMB came. 0 is no estimate."""
        if bitrate > 0:
            if bitrate < _FELL * self._estimate:
                self._fell_at = now
            self._estimate, self._estimated_at = bitrate, now

    def reported(self, lost: int, expected: int, sent: float, now: float, handed: int = 0) -> None:
        """Of ``expected`` packets ``lost`` were lost since the report before, at ``sent`` bit/s.

        Args:
            handed: packets sent in the meantime, 0 if not known. What neither arrived nor was lost waits somewhere.
        """
        self._lost += lost
        self._expected += expected
        if self._probed(lost / max(1, expected), expected, now):
            return
        loss = self._lost / max(1, self._expected)
        estimate = self._estimate / max(1.0, sent) if now - self._estimated_at < _FRESH else 1.0
        through = (expected - lost) / handed if handed >= _HEAVY_PACKETS else 1.0
        fell = now - self._fell_at < _FELL_LATELY and self._trips.long
        if loss > self._given + _LOSS_HEAVY and self._expected >= _HEAVY_PACKETS:
            share = min(1 - loss, through)
            most = share if handed else (1 + share) / 2
            self._lower(sent, max(_BACK_OFF * share, min(estimate, most)), loss, now)
        elif fell and through < _STUCK:
            self._lower(sent, through, loss, now)
        elif self._trips.queued and (handed or estimate < 1) and not (self._trips.falling or self.starved(now)):
            self._lower(sent, max(_MOST_AT_ONCE, min(estimate, through, _STUCK if handed else 1)), loss, now)
        elif self._expected >= _WINDOW_PACKETS:
            self._judge(loss, sent, now)

    def _probed(self, loss: float, expected: int, now: float) -> bool:
        """Whether a probe is to blame for whatever this report says."""
        if self._probing.begun(now):
            lossy = expected >= _HEAVY_PACKETS and loss > self._usual_loss + _LOSS_BAD
            if lossy or now - self._fell_at < _PATIENCE:
                self._too_much(now)
        else:
            self._usual_loss += (loss - self._usual_loss) / 8
        return loss < _LOSS_HEAVY and (self._probing.begun(now) or now < self._excused_until)

    def _too_much(self, now: float) -> None:
        """A probe was: the queue that it made is no reason to lower anything."""
        self._probing.failed(now)
        self._excused_until = now + _EXCUSED

    def _judge(self, loss: float, sent: float, now: float) -> None:
        """A window is full."""
        self._lost = self._expected = 0
        if self._before is not None and now - self._bounded_at >= _CALM:
            self._learn_what_is_given(loss, sent)
        if loss < self._given:
            self._given += (loss - self._given) / 4
        excess = loss - self._given
        if excess > _LOSS_BAD:
            self._lower(sent, min(_BACK_OFF, 1 - loss / 2), loss, now)
        elif excess < _LOSS_GOOD and not self._trips.queued and now - self._bounded_at >= _CALM:
            self._grow(sent, now)

    def _learn_what_is_given(self, loss: float, sent: float) -> None:
        """If a full link lost them, less would be lost of less: all that is more than what got through before."""
        assert self._before is not None
        rate, before = self._before
        expected = max(0.0, 1 - rate * (1 - before) / max(1.0, sent))
        if sent < 0.95 * rate and (before + expected) / 2 < loss < _LOSS_HEAVY:
            self._given = min(_MOST_GIVEN, max(self._given, loss))
        self._before = None

    def _lower(self, sent: float, share: float, loss: float, now: float) -> None:
        """Not again before what is sent could follow, and before it shows whether that helped."""
        overflows, waiting = loss > self._given + _LOSS_HEAVY, self._trips.waiting
        if overflows:
            patience = _PATIENCE
        elif waiting > QUEUE:
            # What is in the queue is reported that much later.
            patience = _PATIENCE + min(_CALM, waiting)
        else:
            patience = _CALM + _PATIENCE
        if now - self._bounded_at >= patience:
            base = max(1.0, sent if self._bound is None else min(sent, self._bound))
            self._lost = self._expected = 0
            self._before = (base, loss)
            self._ceiling = base
            self._wanted = max(self._wanted, base)
            self._bound = max(float(_LEAST), min(share * sent, _MOST_KEPT * base))
            self._bounded_at = self._grown_at = now
            if waiting > _FLOOD:
                self._flooded_at = now
            self._probing.failed(now)

    def _grow(self, sent: float, now: float) -> None:
        """Once a window. A bound that is not made use of proves nothing; the smallest ones cannot be used well."""
        if self._bound is None or sent < self._bound / 2 or not self._grows:
            return
        near = abs(self._bound / max(1.0, self._ceiling) - 1) < _NEAR
        self._bound *= (_CAREFUL if near else _BOLD) ** min(_MOST_STEPS, now - self._grown_at)
        self._grown_at = now
        if self._bound > _MOST:
            self._bound = None

    # --- turns -------------------------------------------------------------------------------------------------------

    def turn(self, sent: float, now: float) -> None:
        """Once a second, when the sender reports of this second have just been queued.

        Args:
            sent: bit/s in the last second, without padding.
        """
        if self._bound is None:
            return
        self._turned_at, self._sent = now, sent
        self._thin = self._thin + 1 if self._bound < _STARVED else 0
        self._starved = self._thin > 1 or (self._starved and self._bound < _FED)
        self._grows = self.goal is None and (self._probing.refused or not self._trips.known)
        self._proceed(now)

    def _proceed(self, now: float) -> None:
        """Look for more, step by step, as long as there is more to send."""
        assert self._bound is not None
        caution = _FILLED if self.goal is None else _STEPPED
        self._bound = max(self._bound, caution * self._probing.found(now))
        goal = float(self.goal or self._wanted)
        enough, most = (_FED, _SURELY_FED) if self._starved else (_ENOUGH * goal, _SPARE * goal)
        if self._bound < enough:
            if now - self._bounded_at >= _CALM and self._trips.known and self._trips.waiting < QUEUE / 2:
                self._probing.plan(self._turned_at, now, self._bound, self._sent, most)
        elif self.goal is None and not self._starved:
            self._bound, self._wanted = None, 0.0

    def starved(self, now: float) -> bool:
        """Whether all that there is is for sound."""
        return self._bound is not None and (self._starved or now - self._flooded_at < _EBB)

    @property
    def trying(self) -> bool:
        """Whether `padding` is to be asked."""
        return self._probing.planned

    def padding(self, now: float) -> int:
        """Packets to be sent now that have 255 bytes of padding and nothing else; to be asked for each 20 ms."""
        return self._probing.packets(now)

    def listening(self, now: float) -> bool:
        """Whether no sender report may go out now: one that met the queue of a probe is to be answered first."""
        return self._probing.listening(now)

    def padded(self, packets: int) -> None:
        """So many of them went out."""
        self._probing.padded(packets)

    @property
    def limit(self) -> int | None:
        if self._bound is None:
            return None
        drained = min(_MOST_DRAINED, max(0.0, self._trips.waiting - QUEUE / 2) / _DRAINING)
        return int(max(min(_LEAST, self._bound), self._bound * (1 - drained)))


class Rate:
    """Bits per second from a counter of bytes, looked at about once a second.

    Attributes:
        value: since the last look; 0 until two looks in a row saw bytes, for a part of a second says nothing.
    """

    __slots__ = ("_at", "_octets", "_running", "value")

    def __init__(self, now: float) -> None:
        self._at = now
        self._octets = 0
        self._running = False
        self.value = 0.0

    def update(self, octets: int, now: float) -> float:
        """``octets``: all so far."""
        elapsed = now - self._at
        if elapsed > 0.1:
            moved = max(0, octets - self._octets)
            self.value = moved * 8 / elapsed if self._running else 0.0
            self._running = moved > 0
            self._at, self._octets = now, octets
        return self.value
