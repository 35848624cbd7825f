"""What was looked at and what was found there."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Looked:
    """One place. ``left`` says what is left there that breaks the promise; ``notes`` what is there and does not."""

    place: str
    what: str = ""
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: bool = False

    def line(self) -> str:
        """For people."""
        verdict = "NOT LOOKED AT" if self.skipped else "FOUND" if self.left else "nothing"
        return f"{self.place + ':':<12} {verdict}. {'; '.join(filter(None, [self.what, *self.left, *self.notes]))}"


@dataclass(frozen=True)
class Proof:
    """The whole answer about one receipt."""

    receipt: str
    destroyed_at: datetime
    generation: int
    places: list[Looked]

    @property
    def destroyed(self) -> bool:
        """Whether nothing is left in any place that was looked at."""
        return not any(place.left for place in self.places)

    def text(self) -> str:
        """One line per place and a verdict."""
        lines = [f"Destroyed at {self.destroyed_at.isoformat()}, generation {self.generation} of the key store."]
        lines += [place.line() for place in self.places]
        unseen = sum(place.skipped for place in self.places)
        verdict = "Nothing is left of it" if self.destroyed else "SOMETHING IS LEFT OF IT"
        lines.append(f"{verdict}{f'; {unseen} places were not looked at' if unseen else ''}.")
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """For machines."""
        return {
            "receipt": self.receipt,
            "destroyed_at": self.destroyed_at.isoformat(),
            "generation": self.generation,
            "destroyed": self.destroyed,
            "places": [asdict(place) for place in self.places],
        }
