"""Where the pump's source lies, and the shared object that is built from it."""

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent
SOURCE, HEADER, OBJECT = (_FOLDER / name for name in ("pump.c", "pump.h", "pump.so"))


def source_hash() -> str:
    """Of the source as it lies here; it stands in what was built from it."""
    return hashlib.sha256(HEADER.read_bytes() + SOURCE.read_bytes()).hexdigest()
