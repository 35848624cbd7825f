"""The pump as a shared object: built for this machine from the very source that lies beside it, or not used."""

from functools import cache
from pathlib import Path
from typing import Any

from cffi import FFI  # type: ignore[import-untyped]  # it has no types

from media.pump.source import HEADER, OBJECT, source_hash
from media.session import dtls

ffi = FFI()
_CALL = "int (*)(void *, void *, int *)"
_SHARED = ("pump_protect", "pump_unprotect", "pump_protect_rtcp", "pump_unprotect_rtcp", "pump_remove_stream")


class NoPumpError(Exception):
    """Why there is no pump: a few words for the operator."""


@cache
def _declare() -> None:
    ffi.cdef(HEADER.read_text())


@cache
def load(path: Path | None = None) -> Any:
    """The pump's functions, of what was built beside the source or of ``path``.

    It shares SRTP sessions with the interpreter from now on, one call at a time.

    Raises:
        NoPumpError: it was not built, or not of this source, or not for this machine.
    """
    path = path or OBJECT
    if not path.exists():
        raise NoPumpError("it was not built")
    try:
        _declare()
        library = ffi.dlopen(str(path))
        built_from = ffi.string(library.pump_source()).decode()
        calls = dtls.addresses()
        shared = [int(ffi.cast("uintptr_t", ffi.addressof(library, name))) for name in _SHARED]
    except (OSError, AttributeError) as error:
        raise NoPumpError("it does not fit this machine or its libraries") from error
    if built_from != source_hash():
        raise NoPumpError("it was built from another source")
    library.pump_use(
        *(ffi.cast(_CALL, address) for address in calls[:4]), ffi.cast("int (*)(void *, unsigned int)", calls[4])
    )
    dtls.call_by(shared)
    return library
