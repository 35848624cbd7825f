"""aiortc's DTLS transport without the rest of aiortc, which loads FFmpeg (`av`) to decode what a relay never decodes.

The package's own ``__init__`` imports everything, and ``aiortc.rtp`` one name of `av` for an annotation. While
`without_av` is open both are stand-ins, in a process that has not imported them already; afterwards an import finds the
real ones.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType

_STAND_INS = ("aiortc", "av")


@contextmanager
def without_av() -> Iterator[None]:
    """For the import of single modules of aiortc. ImportError when it is not installed."""
    if any(name in sys.modules for name in _STAND_INS):
        yield
        return
    found = find_spec("aiortc")
    if found is None:
        raise ImportError("aiortc is not installed")
    package, av = ModuleType("aiortc"), ModuleType("av")
    package.__path__ = list(found.submodule_search_locations or ())
    package.__spec__ = found
    av.__dict__["AudioFrame"] = object
    sys.modules.update(aiortc=package, av=av)
    try:
        yield
    finally:
        for name in _STAND_INS:
            del sys.modules[name]
