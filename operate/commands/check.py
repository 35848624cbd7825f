"""A synthetic consult through a running server: `check URL`, for people and for monitoring.

Exit status: 0 all is well; 1 a step failed, which and why is printed; 2 wrong use, nothing was tried.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import ssl
import stat
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from operate.commands.arguments import path

if TYPE_CHECKING:
    from client.probe import Account, Probe, Step

FAILED, WRONG_USE = 1, 2


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], _common: argparse.ArgumentParser) -> None:
    checking = commands.add_parser(
        "check",
        help="hold a synthetic consult on a running server",
        description="Two participants hold a consult with encrypted media; each step is timed. The appointment "
        "is destroyed afterwards; its receipt and the audit trail's entries stay. "
        "Exit status: 0 all is well, 1 a step failed, 2 wrong use.",
    )
    checking.add_argument("url", metavar="URL", help="the server's address, as https://consult.example")
    checking.add_argument(
        "--account",
        type=path,
        required=True,
        metavar="FILE",
        help="TOML with `mail` and `password` of the monitoring practitioner (or a demo's sign-in `link`); mode 0600",
    )
    checking.add_argument("--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="for all steps; 60")
    checking.add_argument("--relayed", action="store_true", help="media by way of TURN only")
    checking.add_argument("--authority", type=path, metavar="FILE", help="trust this certificate (PEM) too")
    checking.add_argument("--json", action="store_true", help="one line of JSON at the end")
    checking.set_defaults(run=check)


async def check(arguments: argparse.Namespace) -> None:
    """Hold the consult and say how it went. Ends the process with the status above."""
    probe = _probe(arguments)
    # What goes wrong inside is in the steps; libraries would say it a second time.
    logging.disable(logging.CRITICAL)
    try:
        fine = await probe.run()
    except asyncio.CancelledError:
        sys.exit(FAILED)
    if arguments.json:
        print(json.dumps(_report(arguments.url, probe.steps, fine=fine)))
    elif fine:
        print(f"All is well: {len(probe.steps)} steps.")
    else:
        failed = next(step for step in probe.steps if step.why is not None)
        print(f"Failed at `{failed.name}`: {failed.why}")
    if not fine:
        sys.exit(FAILED)


def _probe(arguments: argparse.Namespace) -> Probe:
    from client.probe import Probe

    try:
        tls = ssl.create_default_context(cafile=None)
        if arguments.authority:
            tls.load_verify_locations(arguments.authority)
        return Probe(
            arguments.url,
            _account(arguments.account),
            seconds=arguments.timeout,
            tls=tls,
            relayed=arguments.relayed,
            on_step=(lambda _step: None) if arguments.json else _show,
        )
    except ssl.SSLError:
        _wrong(f"{arguments.authority} is no certificate in PEM")
    except OSError as error:
        _wrong(f"{error.filename or arguments.authority} cannot be read ({(error.strerror or 'no file').lower()})")
    except ValueError as error:
        _wrong(f"{error}")


def _account(file: Path) -> Account:
    """Raises:
    ValueError: somebody else may read it, or it is not what it should be.
    """
    from client.probe import Account

    with file.open("rb") as stream:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
            raise ValueError(f"{file} has a password in it: it has to be a file that only its owner may read (0600)")
        try:
            content = tomllib.load(stream)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise ValueError(f"{file} is no TOML") from None
    wanted = [{"mail", "password"}, {"link"}]
    if set(content) not in wanted or not all(isinstance(value, str) and value for value in content.values()):
        raise ValueError(f"{file} has to have `mail` and `password`, or `link`, and nothing else")
    return Account(**content)


def _show(step: Step) -> None:
    from client.probe import HINTS

    mark = "ok  " if step.why is None else "FAIL"
    print(f"{mark} {step.name:24} {step.milliseconds:8.0f} ms  {step.why or step.detail}".rstrip(), flush=True)
    if step.why is not None and step.name in HINTS:
        print(f"     {HINTS[step.name]}", flush=True)


def _report(url: str, steps: list[Step], *, fine: bool) -> dict[str, object]:
    from client.probe import HINTS

    failed = next((step for step in steps if step.why is not None), None)
    return {
        "ok": fine,
        "url": url,
        "failed": failed.name if failed else None,
        "why": failed.why if failed else None,
        "hint": HINTS.get(failed.name) if failed else None,
        "steps": [vars(step) for step in steps],
    }


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 5 <= seconds <= 600:
        raise argparse.ArgumentTypeError("must be from 5 to 600 seconds")
    return seconds


def _wrong(why: str) -> NoReturn:
    print(f"spreekkamer check: {why}", file=sys.stderr)
    sys.exit(WRONG_USE)
