"""The key handshake against a server that lies, in every order of what it can do: ``handshake.pml``, by spin."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.prove.figures import Figure, Size, counted

MODEL = Path(__file__).with_suffix(".pml")
VARIANTS = {
    "NO_MEMBERS": "without comparing members with the people shown",
    "NO_CHAIN": "without the chain of completed handshakes",
    "NO_COUNT": "without counting withheld reveals",
}
LEAST_LUCK = "with luck at the fifth try instead of the sixth"
WHAT = "states in which somebody not shown holds a secret, the digits are equal and nobody was told"
MEGABYTES, SECONDS = 6_000, 1_200


@dataclass(frozen=True)
class Checked:
    """What spin found: how many states, and the story that leads to a wrong one, if there is one."""

    states: int
    story: tuple[str, ...]


def prove(size: Size) -> list[Figure]:
    """Everything at four epochs for each person; in short at three, and wrong variants that need no more than two."""
    epochs = size.choose(4, 3)
    right = check(size.memory, f"-DEPOCHS={epochs}")
    figures = [counted(f"{WHAT}: two people, {epochs} epochs each", len(right.story), right.states, "states")]
    variants = VARIANTS if size.full else ("NO_MEMBERS", "NO_CHAIN")
    bound = f"-DEPOCHS={size.choose(4, 2)}"
    figures += [refuted(VARIANTS[one], check(size.memory, bound, f"-D{one}")) for one in variants]
    if size.full:
        figures.append(refuted(LEAST_LUCK, check(size.memory, "-DEPOCHS=4", "-DLUCK=5")))
    return figures


def refuted(variant: str, found: Checked) -> Figure:
    """A wrong variant must have such a state, or the model would prove nothing."""
    return Figure(f"the same {variant}", "a story", f"one of {len(found.story)} steps", bool(found.story))


def check(folder: Path, *defines: str) -> Checked:
    """Look at every state of the model. RuntimeError when spin could not look at all of them."""
    shutil.copy(MODEL, folder / MODEL.name)
    (folder / f"{MODEL.name}.trail").unlink(missing_ok=True)
    ran(folder, "spin", *defines, "-a", MODEL.name)
    # The shortest story first; where there should be none, depth first needs less memory.
    wrong = any(define.startswith(("-DNO_", "-DLUCK")) for define in defines)
    order = "-DBFS" if wrong else "-DCOLLAPSE"
    limits = ("-DSAFETY", f"-DMEMLIM={MEGABYTES}", "-DVECTORSZ=512", order)
    ran(folder, "gcc", "-w", "-O2", *limits, "-o", "pan", "pan.c")
    said = ran(folder, "./pan", "-m1000000")
    errors, states = (int(re.findall(what, said)[0]) for what in (r"errors: (\d+)", r"(\d+) states, stored"))
    if not errors and re.search(r"not completed|depth too small|reached -DMEMLIM", said):
        raise RuntimeError(f"spin did not look at every state:\n{said}")
    if not errors:
        return Checked(states, ())
    story = ran(folder, "spin", *defines, "-t", MODEL.name)
    return Checked(states, tuple(re.findall(r"^ *(person \d: .*)$", story, re.MULTILINE)))


def ran(folder: Path, *command: str) -> str:
    """What a program says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode and not done.stdout:
        raise RuntimeError(done.stderr)
    return done.stdout
