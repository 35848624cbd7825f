"""All that there is behind the code, in the order in which the page lists it."""

from dataclasses import dataclass
from types import ModuleType
from typing import Final


@dataclass(frozen=True)
class Section:
    """One: ``name`` is that of its texts, ``rights.section.<name>`` and ``rights.section.<name>.text``.

    The second says in one sentence what is there, and what happens next and when.
    """

    name: str
    path: str
    guests: bool = True
    """Whether guests have it too, or the patient alone."""


MODULES: Final[tuple[ModuleType, ...]] = ()
"""Each has ``SECTION``, ``PAGES`` and ``FORMS``."""

SECTIONS: Final[tuple[Section, ...]] = tuple(module.SECTION for module in MODULES)
