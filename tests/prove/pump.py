"""The packet pump under sanitizers: beside the relay's own path, and while people come and go."""

import os
import subprocess
import sys
from pathlib import Path

from media.pump.build import build
from tests.prove.figures import Figure, Size, counted

ROOT = Path(__file__).parents[2]
SANITIZERS = {
    "address and undefined behaviour": ("libasan.so", ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
    "threads": ("libtsan.so", ["-fsanitize=thread"]),
}
_CHUNK = 100_000
_CHILD = "from pathlib import Path; from media.pump import library; library.OBJECT = Path({path!r})\n{work}"
_COMPARE = "from tests.media import test_both_ways; print(test_both_ways.compare({seed}, {packets}))"
_LIVE = "import sys; sys.argv = ['live', '{seed}', '{seconds}']; from tests.media import live; live.main()"


def prove(size: Size) -> list[Figure]:
    """With the compiler's sanitizers, each in a process that loads it first."""
    packets = size.choose(10_000_000, 4_000)
    figures = []
    for name, (runtime, flags) in SANITIZERS.items():
        path = size.folder / f"{runtime}.pump"
        if refused := build(path, *flags, "-g"):
            raise RuntimeError(f"no pump for sanitizers: {refused}")
        # All of them once; the one that finds what a thread does wrong is slow, and has one thread to look at here.
        share = packets if "address" in name else packets // 10
        figures += _both_ways(size, path, runtime, name, share)
        figures.append(_live(size, path, runtime, name))
    return figures


def _both_ways(size: Size, path: Path, runtime: str, name: str, packets: int) -> list[Figure]:
    differences, found, done = 0, 0, 0
    while done < packets:
        seed, part = size.random.randrange(1 << 30), min(_CHUNK, packets - done)
        said, complaints = _child(path, runtime, _COMPARE.format(seed=seed, packets=part))
        done += part
        found += complaints
        differences += said != "same"
    return [
        counted(
            f"{name}: seeded traffic, half of it hostile, that both paths answer differently",
            differences,
            done,
            "packets",
        ),
        counted(f"{name}: the same, complaints of the sanitizer", found, done, "packets"),
    ]


def _live(size: Size, path: Path, runtime: str, name: str) -> Figure:
    seconds = size.choose(300, 2)
    said, complaints = _child(path, runtime, _LIVE.format(seed=size.random.randrange(1 << 30), seconds=seconds))
    came = int(said.split()[0]) if said else 0
    what = f"{name}: people come, go and move over real sockets, {seconds} s: complaints of the sanitizer"
    return counted(what, complaints, came, "packets")


def _child(path: Path, runtime: str, work: str) -> tuple[str, int]:
    """What it printed, and how often the sanitizer complained or the process ended badly."""
    compiler = os.environ.get("CC", "cc")
    found = subprocess.run([compiler, f"-print-file-name={runtime}"], capture_output=True, text=True, check=True)
    child = subprocess.run(
        [sys.executable, "-c", _CHILD.format(path=str(path), work=work)],
        cwd=ROOT,
        # The interpreter's own blocks would hide what is read after it was freed; it frees not all it has at its end.
        env=os.environ
        | {"LD_PRELOAD": found.stdout.strip(), "PYTHONMALLOC": "malloc", "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = child.stderr.count("WARNING: ThreadSanitizer") + child.stderr.count("ERROR: AddressSanitizer")
    complaints += child.stderr.count("runtime error:")
    if child.returncode and not complaints:
        raise RuntimeError(child.stderr[-2_000:])
    sys.stdout.write(child.stderr[-4_000:] if complaints else "")
    return child.stdout.strip(), complaints
