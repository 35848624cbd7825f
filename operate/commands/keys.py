"""The key store: `keys verify`, `keys rotate`."""

from __future__ import annotations

import argparse
import json

from operate.commands.configured import Configured
from operate.commands.trail import enter
from operate.terminal import say
from vault.audit import Act
from vault.clock import utc_now
from vault.errors import StartRefused


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("keys", help="the key store").add_subparsers(required=True, metavar="COMMAND")
    verifying = group.add_parser("verify", parents=[common], help="check that every key opens; changes no key")
    verifying.add_argument("--json", action="store_true", help="print one line of JSON")
    verifying.set_defaults(operate=verify)
    rotating = group.add_parser("rotate", parents=[common], help="begin a new epoch")
    rotating.add_argument("--root", action="store_true", help="replace the root key too")
    rotating.set_defaults(operate=rotate)


async def verify(settings: Configured, arguments: argparse.Namespace) -> str:
    """What was looked at; ``StartRefused``, and with it exit status 1, names what is wrong."""
    from practice.kinds import KINDS
    from vault import keystore

    verdict = await keystore.verify(settings.rooms, KINDS, utc_now)
    await enter(settings, Act.KEYS_VERIFIED, "bad" if verdict.findings else "whole")
    fields = json.dumps(verdict.fields())
    if not verdict.findings:
        summary = (
            f"The key store is in order: epoch {verdict.epoch}, {verdict.practitioners} practitioners and "
            f"{verdict.data_keys} data keys open, {verdict.generation} destructions in the ledger."
        )
        if verdict.waiting:
            summary += f" {verdict.waiting} practitioners' keys wait for the next epoch."
        if verdict.flat:
            summary += " It is flat: `spreekkamer db upgrade` with every server stopped makes it a tree."
        return fields if arguments.json else summary
    if arguments.json:
        say(fields)
    raise StartRefused("\n".join(("The key store is not in order.", *verdict.findings)))


async def rotate(settings: Configured, arguments: argparse.Namespace) -> str:
    """Begin a new epoch, with ``--root`` under a new root key."""
    from vault import keystore

    await keystore.rotate(settings.rooms, root=arguments.root)
    await enter(settings, Act.KEYS_ROTATED, "root" if arguments.root else "epoch")
    if arguments.root:
        return "The root key is replaced; destroy the old one's offline copy and take a new one."
    return "A new epoch has begun; the old epoch key is erased."
