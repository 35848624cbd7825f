"""Plots as SVG, which a browser and a repository's pages show as they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import NamedTuple

WIDTH, HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 170, 44, 48
_COLOURS = ("#0b6e4f", "#b3541e", "#3d5a98", "#7a3b8f", "#5b5b5b", "#a8323e")
_DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2", "1 3")
_LABEL_GAP = 16
_BESIDE = 3.0


class Point(NamedTuple):
    """A value with its range; both ends of the range are the value where there is none."""

    x: float
    y: float
    least: float
    most: float


def at(x: float, y: float) -> Point:
    """A value without a range."""
    return Point(x, y, y, y)


@dataclass(frozen=True)
class Line:
    """``steps``: a value holds until the next one."""

    title: str
    points: Sequence[Point]
    steps: bool = False


class _Scale:
    """From values to places: 0 to ``most``, a round number."""

    def __init__(self, most: float, start: int, end: int) -> None:
        step = 10 ** math.floor(math.log10(most)) if most > 0 else 1.0
        self.step = next(step * part for part in (0.2, 0.5, 1, 2) if most / (step * part) <= 6)
        self.most = math.ceil(most / self.step) * self.step
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        return round(self._start + (self._end - self._start) * value / self.most, 1)

    def marks(self) -> list[float]:
        return [index * self.step for index in range(round(self.most / self.step) + 1)]


def plot(title: str, across: str, unit: str, lines: Sequence[Line]) -> str:
    """An SVG document; ``across`` and ``unit`` say what both axes are. ValueError: there is nothing to draw."""
    points = [point for line in lines for point in line.points]
    if not points:
        raise ValueError("no points")
    x = _Scale(max(point.x for point in points), _LEFT, WIDTH - _RIGHT)
    y = _Scale(max(point.most for point in points), HEIGHT - _BOTTOM, _TOP)
    body = [*_axes(x, y, across, unit)]
    for index, line in enumerate(lines):
        body += _line(line, x, y, index)
    body += _labels(lines, y)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
    )
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    heading = f'<text x="{_LEFT}" y="22" font-size="15" fill="#222">{escape(title)}</text>'
    return "\n".join([head, ground, heading, *body, "</svg>", ""])


def _axes(x: _Scale, y: _Scale, across: str, unit: str) -> list[str]:
    right, low = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    body = []
    for mark in y.marks():
        place = y.place(mark)
        body.append(f'<path d="M{_LEFT} {place}H{right}" stroke="#ddd"/>')
        body.append(f'<text x="{_LEFT - 8}" y="{place + 4}" text-anchor="end" fill="#555">{mark:,g}</text>')
    for mark in x.marks():
        body.append(f'<text x="{x.place(mark)}" y="{low + 18}" text-anchor="middle" fill="#555">{mark:,g}</text>')
    body.append(f'<path d="M{_LEFT} {low}H{right}" stroke="#555"/>')
    body.append(f'<text x="{right}" y="{low + 36}" text-anchor="end" fill="#222">{escape(across)}</text>')
    body.append(f'<text x="{_LEFT - 8}" y="{_TOP - 10}" text-anchor="end" fill="#222">{escape(unit)}</text>')
    return body


def _line(line: Line, x: _Scale, y: _Scale, index: int) -> list[str]:
    colour, dash = _COLOURS[index % len(_COLOURS)], _DASHES[index % len(_DASHES)]
    dash = f' stroke-dasharray="{dash}"' if dash else ""
    path = _steps(line, x, y, index * _BESIDE) if line.steps else _slopes(line, x, y)
    drawn = [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>']
    for point in line.points if not line.steps else ():
        across, low, high = x.place(point.x), y.place(point.least), y.place(point.most)
        drawn.append(f'<circle cx="{across}" cy="{y.place(point.y)}" r="3" fill="{colour}"/>')
        if low != high:
            drawn.append(f'<path d="M{across} {low}V{high}" stroke="{colour}"/>')
    return drawn


def _slopes(line: Line, x: _Scale, y: _Scale) -> str:
    return "M" + "L".join(f"{x.place(point.x)} {y.place(point.y)}" for point in line.points)


def _steps(line: Line, x: _Scale, y: _Scale, shift: float) -> str:
    """Lines that have the same value stand beside each other, else only the last one would be seen."""
    first, last = line.points[0], line.points[-1]
    changes = [after for before, after in pairwise(line.points) if after.y != before.y]
    path = f"M{x.place(first.x)} {y.place(first.y) - shift:.1f}"
    path += "".join(f"H{x.place(point.x)}V{y.place(point.y) - shift:.1f}" for point in changes)
    return f"{path}H{x.place(last.x)}"


def _labels(lines: Sequence[Line], y: _Scale) -> list[str]:
    """Each beside the end of its line, none over another."""
    labels, last = [], -math.inf
    for index, line in sorted(enumerate(lines), key=lambda each: y.place(each[1].points[-1].y)):
        place = max(y.place(line.points[-1].y) + 4, last + _LABEL_GAP)
        last = place
        colour = _COLOURS[index % len(_COLOURS)]
        labels.append(f'<text x="{WIDTH - _RIGHT + 10}" y="{place}" fill="{colour}">{escape(line.title)}</text>')
    return labels
