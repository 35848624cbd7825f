"""What the commands of this folder have in common."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bench.relay import write


def command(name: str, about: str | None, measure: Callable[..., Coroutine[Any, Any, str]], **usual: float) -> None:
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
