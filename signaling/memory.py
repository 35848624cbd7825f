"""Keeping memory off the disk. Imports nothing heavy: children that must start fast use it."""

import ctypes
import resource
import sys

PR_SET_DUMPABLE = 4


def no_core_dumps() -> None:
    """Memory holds keys while people talk; it must not land on a disk (piped core handlers ignore the limit)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
