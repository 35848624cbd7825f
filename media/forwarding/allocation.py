"""What of a room's pictures a viewer is sent: layers, and who waits, chosen from what its line takes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

Choice = tuple[int, int] | None
"""(layer, temporal) of what a slot is sent; None: its picture is paused."""

HEADROOM = 1.2
"""How much more than what is sent a line must take before more is sent. A choice that was given up because prices
rose by 5 % is not taken again when they fall by 5 %, and the other way round: 1.05 / 0.95 is less."""


@dataclass(frozen=True, slots=True)
class Offering:
    """One way to be sent a source.

    Attributes:
        layer: index in its publication, lowest first.
        temporal: highest temporal layer in it.
        bitrate: bit/s, as measured; 0 is no offering, a layer that died.
        height: lines; 0 where not known.
    """

    layer: int
    temporal: int
    bitrate: int
    height: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A slot that shows a source.

    Attributes:
        height: of the picture as shown, in device pixels; 0 is not shown.
        pinned: its viewer wants to see this one.
        stage: it is the screen.
        offerings: ascending by bitrate; none while the source sends nothing.
        current: what is sent now, as (layer, temporal).
    """

    slot: int
    height: int
    pinned: bool
    stage: bool
    offerings: tuple[Offering, ...]
    current: Choice


_Rung = tuple[int, int, int]
"""Cost in bit/s, layer, temporal."""
_Ladder = tuple[Wish, list[_Rung]]


def allocate(budget: int | None, wishes: Sequence[Wish]) -> dict[int, Choice]:
    """Choose for each slot.

    Everybody gets the lowest offering, then all of the lowest layer, before anybody gets a better one; then the pinned
    and the stage go up, then the others, larger pictures first. All this is one sequence of steps that depends on no
    budget, and as many of them are taken as the budget allows: so more budget makes nobody's picture worse. A source
    of a single layer, as a screen, is no thumbnail: it comes after the others' lowest, unless it is pinned, and waits
    until it fits, without holding up anybody.

    Nothing goes up before the line takes `HEADROOM` times that; what is sent stays as long as it fits.

    Args:
        budget: bit/s for pictures; None where no bound is known.
    """
    chosen: dict[int, Choice] = dict.fromkeys((wish.slot for wish in wishes), None)
    ladders = [(wish, rungs) for wish in sorted(wishes, key=_importance) if (rungs := _rungs(wish))]
    if budget is not None:
        room = _room(budget, ladders)
        if sum(rungs[-1][0] for _, rungs in ladders) > room:
            return chosen | _climb(room, ladders)
    for wish, rungs in ladders:
        chosen[wish.slot] = rungs[-1][1:]
    return chosen


def useful(wishes: Sequence[Wish]) -> int:
    """The bit/s that are sent if nothing bounds them."""
    return sum(rungs[-1][0] for wish in wishes if (rungs := _rungs(wish)))


def least(wishes: Sequence[Wish]) -> int:
    """The bit/s that it takes to show everybody at all."""
    return sum(rungs[0][0] for wish in wishes if (rungs := _rungs(wish)))


def _importance(wish: Wish) -> tuple[bool, bool, int, int]:
    return not wish.pinned, not wish.stage, -wish.height, wish.slot


_place = attrgetter("layer", "temporal")


def _rungs(wish: Wish) -> list[_Rung]:
    """What is worth sending, lowest first: no layer above the first that is large enough, and of all layers but the
    lowest no less than half of the frames. A rung costs no less than the one below."""
    rungs: list[_Rung] = []
    if not wish.height:
        return rungs
    enough: int | None = None
    cost = begins = 0
    for offering in sorted(wish.offerings, key=_place):
        layer, bitrate = offering.layer, offering.bitrate
        if bitrate <= 0:
            continue
        if enough is not None and layer > enough:
            break
        if enough is None and offering.height >= wish.height:
            enough = layer
        if not rungs or rungs[-1][1] != layer:
            begins = len(rungs)
        elif begins and len(rungs) - begins == 2:
            del rungs[begins]
        if bitrate > cost:
            cost = bitrate
        rungs.append((cost, layer, offering.temporal))
    return rungs


def _room(budget: int, ladders: list[_Ladder]) -> int:
    """What may be spent: less than the budget for what is new, all of it for as much as is sent already."""
    spent = 0
    for wish, rungs in ladders:
        if wish.current is not None:
            spent += max((rung[0] for rung in rungs if rung[1:] <= wish.current), default=0)
    return max(int(budget / HEADROOM), min(budget, spent))


def _climb(room: int, ladders: list[_Ladder]) -> dict[int, Choice]:
    reached: dict[int, Choice] = {}
    climbing: list[_Ladder] = []
    for wish, rungs in sorted(ladders, key=_whole_last):
        cost, *_ = rungs[0]
        if cost <= room:
            room -= cost
            reached[wish.slot] = rungs[0][1:]
            climbing.append((wish, rungs))
        elif not _whole(wish):
            return reached
    for _, _, _, position, number in _steps(climbing):
        wish, rungs = climbing[position]
        room -= rungs[number][0] - rungs[number - 1][0]
        if room < 0:
            break
        reached[wish.slot] = rungs[number][1:]
    return reached


def _whole(wish: Wish) -> bool:
    return len({offering.layer for offering in wish.offerings if offering.bitrate > 0}) == 1


def _whole_last(ladder: _Ladder) -> bool:
    return not ladder[0].pinned and _whole(ladder[0])


def _steps(climbing: list[_Ladder]) -> list[tuple[int, int, int, int, int]]:
    """From each lowest rung upwards, in the order in which they are to be taken; position and rung come last."""
    steps = []
    for position, (wish, rungs) in enumerate(climbing):
        lowest, above = rungs[0][1], 1 if wish.pinned or wish.stage else 2
        for number in range(1, len(rungs)):
            _, layer, temporal = rungs[number]
            phase = (0, 0, number) if layer == lowest else (above, layer, temporal)
            steps.append((*phase, position, number))
    steps.sort()
    return steps
