"""What was measured, as rows of a table: 0.1.0 beside today, median and range."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.records.places import Refused

MILLISECONDS = {"ms": 1000.0, "s": 1.0, "a second": 1.0, "MiB": 1.0, "consults": 1.0}


@dataclass
class Side:
    """One build's values; ``refused`` is why there are no more."""

    values: list[float] = field(default_factory=list)
    refused: str = ""

    def take(self, error: Refused) -> None:
        self.refused = self.refused or str(error)

    @property
    def median(self) -> float | None:
        return statistics.median(self.values) if self.values and not self.refused else None

    def cell(self, unit: str) -> str:
        if self.refused:
            return f"fails ({self.refused})"
        if not self.values:
            return "-"
        by = MILLISECONDS[unit]
        shown = [value * by for value in (statistics.median(self.values), min(self.values), max(self.values))]
        if len(self.values) == 1:
            return f"{number(shown[0])} {unit}"
        return f"{number(shown[0])} {unit} ({number(shown[1])} to {number(shown[2])})"


@dataclass
class Row:
    """``reach`` is a limit in ``unit`` for the median of today, None for none; rates are to be at least it."""

    what: str
    where: str
    unit: str = "ms"
    reach: float | None = None
    older: Side = field(default_factory=Side)
    newer: Side = field(default_factory=Side)

    def sides(self) -> tuple[Side, Side]:
        """In the order of the builds."""
        return self.older, self.newer

    @property
    def met(self) -> bool | None:
        if self.reach is None:
            return None
        if self.newer.median is None:
            return False
        value = self.newer.median * MILLISECONDS[self.unit]
        return value >= self.reach if self.unit == "a second" else value <= self.reach

    def line(self) -> str:
        """Markdown."""
        one, other = self.older.median, self.newer.median
        ratio = f"{number(other / one)}" if one and other else "-"
        sign = "≥" if self.unit == "a second" else "≤"
        reach = "printed" if self.reach is None else f"{sign} {self.reach:g} {self.unit}"
        met = {None: "-", True: "yes", False: "**no**"}[self.met]
        cells = (self.what, self.where, self.older.cell(self.unit), self.newer.cell(self.unit), ratio, reach, met)
        return f"| {' | '.join(cells)} |"


HEAD = "| what | on | 0.1.0 | today | today / 0.1.0 | reach | met |\n|---|---|---|---|---|---|---|"


def number(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def table(rows: Sequence[Row]) -> str:
    return "\n".join([HEAD, *(row.line() for row in rows)])
