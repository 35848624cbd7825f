"""All that there is behind the code, in the order in which the page lists it: a line for each module."""

from types import ModuleType
from typing import Final

from web.requests import linked
from web.rights import consents, looked, own
from web.rights.section import Section

MODULES: Final[tuple[ModuleType, ...]] = (consents, own, looked, linked)
"""Each has ``SECTION``, ``PAGES`` and ``FORMS``."""

SECTIONS: Final[tuple[Section, ...]] = tuple(module.SECTION for module in MODULES)
