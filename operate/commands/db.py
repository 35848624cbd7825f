"""The database's schema: `db status`, `db upgrade`, `db downgrade`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os

from operate.commands.configured import Configured
from operate.terminal import say
from vault.errors import DomainError, StartRefused

NO_WAY_BACK = (
    "The key store's keys are put into a tree now. There is no way back from that once an epoch key was erased,"
    " which the next destruction does."
)
STAYS = (
    "The key store stays flat while others use it, and works as before; stop every server and run this again"
    " to put its keys into a tree."
)


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("db", help="the database's schema").add_subparsers(required=True, metavar="COMMAND")
    looking = group.add_parser("status", parents=[common], help="where it is; changes nothing")
    looking.add_argument("--json", action="store_true", help="print one line of JSON")
    looking.set_defaults(operate=status)
    upgrading = group.add_parser("upgrade", parents=[common], help="bring it to this version; a server does so itself")
    upgrading.set_defaults(operate=forward)
    back = group.add_parser("downgrade", parents=[common], help="undo the last step, with every server stopped")
    back.add_argument("--yes", action="store_true", help="what only the last step's tables hold is lost")
    back.set_defaults(operate=backward)


async def status(settings: Configured, arguments: argparse.Namespace) -> str:
    """Revision and what is to be done; exit status 1 when this version cannot work with it as it is."""
    from vault.database.migrate import revisions

    found = await asyncio.to_thread(revisions, settings.rooms.database())
    if found.behind:
        steps = "".join(f"\n{step}" for step in found.pending)
        raise StartRefused(f"{found.behind} It is at {found.current or 'nothing'}, not {found.newest}.{steps}")
    if arguments.json:
        return json.dumps({"current": found.current, "newest": found.newest})
    return f"The database is at {found.current}, the newest revision."


async def forward(settings: Configured, _: argparse.Namespace) -> str:
    """As a server does when it starts. The key store's step waits while others use it."""
    from vault import keystore
    from vault.database.migrate import migrate

    await asyncio.to_thread(migrate, settings.rooms.database())
    done = "The database has the schema of this version."
    try:
        moved = await keystore.upgrade(settings.rooms, lambda: say(NO_WAY_BACK))
    except DomainError:
        raise StartRefused(f"{done} The key store does not answer and is as it was; run this again.") from None
    return done if moved else f"{done} {STAYS}"


async def backward(settings: Configured, arguments: argparse.Namespace) -> str:
    """One step, for going back to the version before."""
    from vault import keystore
    from vault.database.migrate import downgrade
    from vault.lock import hold

    if not arguments.yes:
        raise StartRefused("What only the last step's tables hold would be lost: make a backup, then add --yes.")
    held = await asyncio.to_thread(hold, settings.rooms.data)
    try:
        if await keystore.downgrade(settings.rooms):  # first: no program that knows an older database knows a tree
            say("The key store is flat again.")
        undone = await asyncio.to_thread(downgrade, settings.rooms.database())
    except DomainError:
        raise StartRefused("The key store does not answer and is as it was; run this again.") from None
    finally:
        os.close(held)
    return f"Undone is {undone}\nStart the version before now; this one would do the step again."
