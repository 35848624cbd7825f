"""``pytest -p tests.pure``: only what needs no other process; whoever starts one is left out, and said to be.

For every save, on machines without browsers and servers. That a test starts a process is seen, not listed.
"""

import subprocess
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import settings

EXAMPLES = 25
PREFIX = "Skipped: starts "


def _left_out(_self: Any, command: Any, *_: Any, **__: Any) -> None:
    words = [command] if isinstance(command, str | Path) else list(command)
    name = Path(str(words[0])).name
    # An interpreter is named by what it runs.
    what = next((str(word) for word in words[1:] if not str(word).startswith("-")), "") if "python" in name else name
    raise pytest.skip.Exception(f"starts {'another Python' if 'python' in name else what}")


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile("pure", parent=settings.get_profile("no deadline"), max_examples=EXAMPLES)
    settings.load_profile("pure")
    # What a test had opened when it was left out is not closed in order.
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Only while a test runs: pytest and its workers start processes of their own."""
    with patch.object(subprocess.Popen, "__init__", _left_out):
        return (yield)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name what was left out, once."""
    programs: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if reason.startswith(PREFIX):
            programs[reason.removeprefix(PREFIX)] += 1
    if programs:
        named = ", ".join(f"{name} ({count})" for name, count in programs.most_common())
        terminalreporter.write_line(f"Left out, for they start other programs (make test runs them): {named}")
