"""What a section of the rights pages says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One: ``name`` is that of its texts, ``rights.section.<name>`` and ``rights.section.<name>.text``.

    The second says in one sentence what is there, and what happens next and when.
    """

    name: str
    path: str
    guests: bool = True
    """Whether guests have it too, or the patient alone."""
