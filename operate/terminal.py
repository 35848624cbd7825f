"""What a person at a terminal sees of a command that does not come to its end: one sentence and a status, no traceback.

Exit status: 1 it was refused or could not be done, 2 wrong use, 70 a fault of ours, 130 Ctrl-C, 141 nobody reads the
output any more, 143 SIGTERM. A traceback would show what a person typed, an address or a password.

Read before all else, so most imports stand where they are needed.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from traceback import FrameSummary

REFUSED = 1
FAULT = 70
INTERRUPTED = 130
UNREAD = 141
TERMINATED = 143

ROOMS = {
    "locked": "The key store is locked; `spreekkamer keys verify` says why.",
    "try_again": "The database or the key store does not answer; the log says which.",
    "not_found": "There is nothing of this name or number.",
    "gone": "That was destroyed.",
    "conflict": "Somebody else changed this in the meantime; try again.",
}


class Unwritten(Exception):  # noqa: N818 -- a state, not a mistake
    """The output takes nothing; ``reason`` is the system's word for why."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.unread = isinstance(error, BrokenPipeError)
        self.reason = (error.strerror or "unknown").lower()


def end_at_once_when_interrupted() -> None:
    """While modules are read there is nothing to close, and Ctrl-C ends the process silently. The exception that Python
    raises instead can be lost in a callback of the interpreter's own; the command would go on and wait for an answer.
    """
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell's background job ignores it
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def close_all_when_interrupted() -> None:
    """From now on Ctrl-C lets the command close what it opened."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def run(work: Callable[[], object], *, stopping_is_well: Callable[[], bool] = lambda: False) -> None:
    """Do ``work``; end the process with the status that belongs to how it went, when it did not go well.

    ``stopping_is_well`` says whether it is something that runs until somebody stops it.
    """
    from asyncio import CancelledError

    _prepare()
    try:
        work()
        flush()
    except (KeyboardInterrupt, CancelledError) as stop:
        _let_go_of_output()
        if not stopping_is_well():
            sys.exit(INTERRUPTED if isinstance(stop, KeyboardInterrupt) else TERMINATED)
    except SystemExit:
        _let_go_of_output()
        raise
    except Exception as error:
        _let_go_of_output()
        if sys.flags.dev_mode:
            raise
        said, status = sentence(error)
        if said:
            sys.stderr.write(f"spreekkamer: {said}\n")
        sys.exit(status)


def say(text: str) -> None:
    """Print a line, now: who waits for it reads it, and a failure has somebody to be told. Errors: Unwritten."""
    try:
        sys.stdout.write(f"{text}\n")
    except OSError as error:
        raise Unwritten(error) from None
    flush()


def flush() -> None:
    """Errors: Unwritten."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise Unwritten(error) from None


def ask(question: str, *, hidden: bool = False) -> str:
    """A line from the person at the terminal, or from standard input. Blocks everything else, and Ctrl-C ends it."""
    import asyncio
    import getpass
    import signal

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise KeyboardInterrupt  # pressed just before
        if hidden:
            return getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        return input(question)
    finally:
        signal.signal(signal.SIGINT, usual)


def sentence(error: Exception) -> tuple[str, int]:
    """What to say of an error, and the status that goes with it."""
    from vault.errors import DomainError, Locked, StartRefused
    from vault.faults import FILES, reason

    match error:
        case StartRefused():
            return str(error), REFUSED
        case Locked():
            return error.reason, REFUSED
        case DomainError() if error.code in ROOMS:
            return ROOMS[error.code], REFUSED
        case Unwritten(unread=True) | BrokenPipeError():
            return "", UNREAD
        case Unwritten():
            return f"The output cannot be written ({error.reason}).", REFUSED
        case EOFError():
            return "Standard input ended before there was an answer.", REFUSED
        case UnicodeDecodeError():
            return "What was given is not text in UTF-8.", REFUSED
        case OSError() if error.filename or error.errno in FILES:
            return reason(error, f"{error.filename or 'A file of the server'}"), REFUSED
    if type(error).__name__ in ("NotConfigured", "WorkerFailed"):
        return str(error), REFUSED
    if type(error).__module__.startswith("redis."):
        from signaling.redis_faults import why

        return why(error), REFUSED
    return f"This is a fault of ours: {type(error).__name__}{_place(error)}; please report it.", FAULT


def _place(error: Exception) -> str:
    """The last line of ours that it went through."""
    from pathlib import Path
    from traceback import extract_tb

    root = Path(__file__).parents[1]

    def ours(frame: FrameSummary) -> bool:
        path = Path(frame.filename)
        return path.is_relative_to(root) and not {"site-packages", ".venv"} & set(path.relative_to(root).parts)

    found = next((frame for frame in reversed(extract_tb(error.__traceback__)) if ours(frame)), None)
    return f" at {Path(found.filename).relative_to(root)}:{found.lineno}" if found else ""


def _prepare() -> None:
    """A closed output is as good as none; what a terminal cannot show is replaced; what is typed is text."""
    from io import TextIOWrapper

    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123 -- to the end
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="strict")


def _let_go_of_output() -> None:
    """What is still in the buffer, or nothing: Python would fail on it once more at exit, and print a traceback."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
