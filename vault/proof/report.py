"""What was looked at and what was found there."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

NOT_YET = "NOT FINAL YET: until the key of its epoch is erased, an old copy of the key store can still be opened"


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
    final_in: int | None
    """Seconds until the epoch ends under whose key an old copy of the key store could be opened; None when it did."""

    @property
    def clear(self) -> bool:
        """Whether nothing is left in any place that was looked at."""
        return not any(place.left for place in self.places)

    @property
    def destroyed(self) -> bool:
        """Whether nothing is left and nothing can bring it back."""
        return self.clear and self.final_in is None

    def text(self) -> str:
        """One line per place and a verdict."""
        lines = [f"Destroyed at {self.destroyed_at.isoformat()}, generation {self.generation} of the key store."]
        lines += [place.line() for place in self.places]
        unseen = sum(place.skipped for place in self.places)
        verdict = "Nothing is left of it" if self.clear else "SOMETHING IS LEFT OF IT"
        lines.append(f"{verdict}{f'; {unseen} places were not looked at' if unseen else ''}.")
        if self.final_in:
            lines.append(f"{NOT_YET}; final in {self.final_in} s.")
        elif self.final_in is not None:
            lines.append(f"{NOT_YET}, and that is late: see that a server runs, and what its log says.")
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """For machines."""
        return {
            "receipt": self.receipt,
            "destroyed_at": self.destroyed_at.isoformat(),
            "generation": self.generation,
            "destroyed": self.destroyed,
            "final_in_seconds": self.final_in,
            "places": [asdict(place) for place in self.places],
        }
