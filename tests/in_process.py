"""The console command inside this process: its parser, its settings, its way to end, without the second of a start."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import spreekkamer
from signaling import memory


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What stands behind ``spreekkamer:`` on the one line of its error output."""
        assert self.err.startswith("spreekkamer: "), self.err
        assert self.err.endswith("\n") and self.err.count("\n") == 1, self.err
        return self.err.removeprefix("spreekkamer: ").rstrip("\n")


def command(patch: pytest.MonkeyPatch, *arguments: str, said: str = "") -> Ended:
    """Run ``spreekkamer`` with these arguments and this standard input."""
    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    with patch.context() as now:
        now.setattr(sys, "argv", ["spreekkamer", *arguments])
        now.setattr(sys, "stdin", io.StringIO(said))
        now.setattr(sys, "stdout", out)
        now.setattr(sys, "stderr", err)
        now.setattr(memory, "no_core_dumps", lambda: None)
        try:
            spreekkamer.main()
        except SystemExit as end:
            status = end.code or 0
    if isinstance(status, str):
        err.write(f"{status}\n")
        status = 1
    assert isinstance(status, int)
    return Ended(status, out.getvalue(), err.getvalue())


def settings(patch: pytest.MonkeyPatch, data: Path) -> None:
    """A data folder of its own, and no other setting of ours."""
    import os

    for name in os.environ:
        if name.upper().startswith("SPREEKKAMER_"):
            patch.delenv(name)
    patch.setenv("SPREEKKAMER_ROOMS__DATA", str(data))
    patch.setenv("SPREEKKAMER_ROOMS__TRUST_CLOCK", "true")
