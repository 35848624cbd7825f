"""Evidence: `prove-destroyed`."""

from __future__ import annotations

import argparse
import json

from operate.commands.arguments import path
from operate.commands.configured import Configured
from operate.commands.trail import enter
from operate.terminal import say
from vault.audit import Act


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    proving = commands.add_parser("prove-destroyed", parents=[common], help="look everywhere for what a receipt is of")
    proving.add_argument("receipt", help="write -- before one that begins with a hyphen")
    proving.add_argument("--backups", type=path, metavar="FOLDER", help="default rooms.backups")
    proving.add_argument("--logs", type=path, metavar="PATH", help="folder or file of the logs")
    proving.add_argument("--exports", type=path, metavar="FOLDER", help="folder of exported files")
    proving.add_argument("--json", action="store_true", help="for machines")
    proving.set_defaults(operate=prove_destroyed)


async def prove_destroyed(settings: Configured, arguments: argparse.Namespace) -> str:
    """Look for an appointment by its receipt. Exit status 1 when something is left, or can still be brought back."""
    from operate.process import reveal
    from practice.kinds import KINDS
    from signaling.redis import connect
    from vault.proof import Folder, prove

    folders = [
        Folder("backups", arguments.backups or settings.rooms.backups, copies=True),
        Folder("logs", arguments.logs),
        Folder("exports", arguments.exports),
    ]
    url = reveal(settings.signaling.redis_url)
    redis = connect(url) if url else None
    try:
        proof = await prove(settings.rooms, KINDS, arguments.receipt, redis=redis, folders=folders)
    finally:
        if redis is not None:
            await redis.aclose()
    await enter(
        settings, Act.DESTRUCTION_PROVED, "destroyed" if proof.destroyed else "found" if not proof.clear else "waiting"
    )
    said = json.dumps(proof.data()) if arguments.json else proof.text()
    if not proof.destroyed:
        say(said)
        raise SystemExit(1)
    return said
