"""Runs the proofs of what is promised and prints their tables: ``python -m tests.prove [--write] [--short] [NAME …]``.

``--write`` puts them into README.md beside this file. Exit status 1 when a figure is not met.
"""

import argparse
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from tests.prove.figures import Figure, Proof, Size, machine

NAMES = (
    "kills",
    "dispatches",
    "newsletters",
    "clocks",
    "crowd",
    "residue",
    "backups",
    "technical",
    "crossings",
    "strangers",
    "leaving",
    "speed",
    "taking",
    "schemathesis",
    "coverage",
    "nodes",
    "outages",
    "turn",
    "flood",
    "stacks",
    "handshake",
    "memory",
    "mail",
    "pump",
)
README = Path(__file__).with_name("README.md")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--short", action="store_true", help="the form that the tests run")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    met = True
    for name in arguments.names or NAMES:
        figures = run(name, seed, full=not arguments.short)
        met = met and bool(figures) and all(figure.met for figure in figures)
        text = table(figures, seed)
        sys.stdout.write(f"\n{text}\n\n")
        if arguments.write:
            README.write_text(written(README.read_text(), name, text))
    return 0 if met else 1


def run(name: str, seed: int, *, full: bool) -> list[Figure]:
    """One proof in folders of its own."""
    proof: Proof = import_module(f"tests.prove.{name}").prove
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="prove-") as folder,
        tempfile.TemporaryDirectory(prefix="prove-", dir=memory) as quick,
    ):
        figures = proof(Size(full, Path(folder), Path(quick), random.Random(seed)))
    for figure in figures:
        sys.stdout.write(f"{'ok ' if figure.met else 'NOT'} {figure.what}: {figure.reached}\n")
    sys.stdout.write(f"    {name}: {time.monotonic() - began:.0f} s\n")
    sys.stdout.flush()
    return figures


def table(figures: list[Figure], seed: int) -> str:
    """Markdown."""
    head = f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, seed {seed}."
    rows = ["| what | reach | reached | met |", "|---|---|---|---|", *(figure.row() for figure in figures)]
    return f"{head}\n\n" + "\n".join(rows)


def written(page: str, name: str, text: str) -> str:
    """The page with this proof's table in its place."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = page.partition(start)
    return f"{before}{start}\n{text}\n\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    sys.exit(main())
