"""Destruction: `retention resume`."""

from __future__ import annotations

import argparse

from operate.commands.configured import Configured
from vault.audit import Act, operator


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("retention", help="destruction").add_subparsers(required=True, metavar="COMMAND")
    resuming = group.add_parser("resume", parents=[common], help="trust the clock")
    resuming.set_defaults(operate=resume)


async def resume(settings: Configured, arguments: argparse.Namespace) -> str:
    """Confirm that the clock is right, so that what is past due is destroyed (it cannot be undone)."""
    from operate.commands.storage import asking, beside

    async with beside(settings.rooms) as storage:
        store = asking(storage)
        await store.retention.resume()
        if store.locked is None:
            await store.audit.record(Act.CLOCK_CONFIRMED, operator())
        due = 0 if store.locked else await store.retention.due()
    return f"The clock is confirmed; {due} appointments are due."
