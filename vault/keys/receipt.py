"""What is left of what was destroyed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of an irrecoverable destruction (S-31): a keyed hash of the id, when, and the key store's generation."""

    receipt: str
    destroyed_at: datetime
    generation: int
