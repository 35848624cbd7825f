"""``python -m tests.conformance URL --account FILE``: a line for each requirement; status 1 if one is not met.

FILE is as for `spreekkamer check`: TOML, ``mail`` and ``password`` of a practitioner or a demo's sign-in ``link``.
"""

import argparse
import asyncio
import json
import ssl
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from client.errors import ClientError
from client.probe import Account
from tests.conformance import capability_checks, rest_checks, seat_checks, socket_checks, talk_checks, token_checks
from tests.conformance.requirement import REQUIREMENTS, Outcome, Requirement, judge
from tests.conformance.world import World

__all__ = ["capability_checks", "rest_checks", "run", "seat_checks", "socket_checks", "talk_checks", "token_checks"]


async def run(
    url: str,
    account: Account,
    chosen: Iterable[Requirement],
    *,
    tls: ssl.SSLContext | None = None,
    show: bool = True,
) -> list[Outcome]:
    """Check them one after another."""
    world = World(url, account, tls)
    outcomes = []
    try:
        await world.sign_in()
        # What uses up an allowance comes last: it would spoil the others.
        for one in sorted(chosen, key=lambda one: one.exhausts):
            outcome = await judge(one, world)
            outcomes.append(outcome)
            if show:
                print(line(outcome), flush=True)
    finally:
        await world.close()
    return outcomes


def line(outcome: Outcome) -> str:
    one = outcome.requirement
    mark = "FAIL" if outcome.why else "SKIP" if outcome.untried else "PASS"
    text = f"{mark} {one.name:26} {one.section}: {one.sentence} ({outcome.seconds:.1f} s)"
    reason = outcome.why or outcome.untried
    return f"{text}\n     {reason}" if reason else text


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    arguments.add_argument("url", metavar="URL")
    arguments.add_argument("--account", type=Path, required=True, metavar="FILE")
    arguments.add_argument("--authority", type=Path, metavar="FILE", help="trust this certificate (PEM) too")
    arguments.add_argument("--only", nargs="*", metavar="NAME", choices=sorted(REQUIREMENTS))
    arguments.add_argument("--exhausting", action="store_true", help="also what uses up this address's allowance")
    arguments.add_argument("--json", action="store_true", help="a line of JSON for each")
    given = arguments.parse_args()
    account = Account(**tomllib.loads(given.account.read_text()))
    chosen = [
        one
        for one in REQUIREMENTS.values()
        if (one.name in given.only if given.only else given.exhausting or not one.exhausts)
    ]
    tls = ssl.create_default_context(cafile=given.authority) if given.authority else None
    try:
        outcomes = asyncio.run(run(given.url, account, chosen, tls=tls, show=not given.json))
    except ClientError as error:
        print(f"The practitioner cannot sign in: {error}", file=sys.stderr)
        return 2
    failed = [outcome for outcome in outcomes if outcome.why is not None]
    tried = [outcome for outcome in outcomes if outcome.untried is None]
    if given.json:
        for outcome in outcomes:
            fields = {"name": outcome.requirement.name, "section": outcome.requirement.section, "why": outcome.why}
            print(
                json.dumps(
                    fields | {"passed": outcome in tried and outcome.why is None, "seconds": round(outcome.seconds, 3)}
                )
            )
    else:
        print(f"{len(tried) - len(failed)} of {len(outcomes)} requirements are met.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
