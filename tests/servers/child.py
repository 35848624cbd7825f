"""Server processes of the tests: none outlives its block."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def served(command: Sequence[str], **options: Any) -> Iterator[None]:
    """Run it for a while; ``options`` are ``Popen``'s. One that does not end in 10 s when asked is killed."""
    process = subprocess.Popen(command, **options)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
