"""``python -m media.pump.build``: make the pump where there is a C compiler; else say so and go on."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from media.pump.source import OBJECT, SOURCE, source_hash

FLAGS = ["-std=c11", "-O2", "-fPIC", "-shared", "-pthread", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
# Both paths are to give the same numbers: no multiplication and addition in one.
FLAGS += ["-ffp-contract=off"]


def build(path: Path = OBJECT, *options: str) -> str | None:
    """Compile to ``path``. Returns why not, in a few words, or None."""
    half = path.with_suffix(f".{os.getpid()}")
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, *FLAGS, *options, f'-DSOURCE="{source_hash()}"', str(SOURCE), "-o", str(half)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the compiler that the operator named
        if done.returncode:
            return next(iter(done.stderr.splitlines()), "the compiler failed")
        half.replace(path)
    except OSError as error:
        return f"{compiler[0]}: {error.strerror}"
    finally:
        half.unlink(missing_ok=True)
    return None


def main() -> int:
    """Exit code 0 always: the relay works without."""
    reason = build()
    if reason is not None:
        print(f"The packet pump was not built ({reason}): the relay forwards by itself.", file=sys.stderr)  # noqa: T201 -- for the operator
    return 0


if __name__ == "__main__":
    sys.exit(main())
