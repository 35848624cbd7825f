"""What the commands of this folder have in common."""

import argparse
import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

README = Path(__file__).parent / "README.md"


def command(
    name: str, about: str | None, measure: Callable[..., Coroutine[Any, Any, str]], **usual: float | str
) -> None:
    """Print a table, and put it in its place ``name`` of ``bench/README.md`` where that is asked for.

    ``usual`` are the numbers that it is measured with, in the order of ``measure``: each is an option.
    """
    options = argparse.ArgumentParser(description=about)
    for number, value in usual.items():
        options.add_argument(f"--{number}", type=type(value), default=value)
    options.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    chosen = options.parse_args()
    text = asyncio.run(measure(*(getattr(chosen, number) for number in usual)))
    print(text)
    if chosen.write:
        write(text, name)


def write(text: str, name: str) -> None:
    """Replace what stands between the marks of ``name`` in the README."""
    pattern = re.compile(rf"(<!-- {name}: begin -->\n).*(<!-- {name}: end -->)", re.DOTALL)
    README.write_text(pattern.sub(lambda found: f"{found[1]}{text}\n{found[2]}", README.read_text()))


def draw(picture: str, name: str) -> None:
    """Put a plot where the README shows it: ``![…](plots/NAME.svg)``."""
    folder = README.parent / "plots"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.svg").write_text(picture)
