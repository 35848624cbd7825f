"""The link that makes the first account: `first-link`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from operate.commands.configured import Configured
from vault.errors import DomainError, StartRefused


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    command = commands.add_parser(
        "first-link", parents=[common], help="print the link that makes the first account, while there is none"
    )
    command.set_defaults(operate=show)


def read(path: Path) -> str:
    """What the server wrote, if it did."""
    return path.read_text().strip() if path.exists() else ""


async def show(settings: Configured, arguments: argparse.Namespace) -> str:
    """The server's, if it is good still, or a new one in its place."""
    from operate.commands.storage import OPERATOR, beside
    from operate.founding import FILE, establish, link
    from signaling.addresses import public_origin

    async with beside(settings.rooms) as store:
        await establish(store, settings.web)
        path = settings.rooms.data / FILE
        try:
            kept = await asyncio.to_thread(read, path)
            if kept and await store.organisation.is_first(kept.rpartition("/")[2]):
                return kept
            secret = await store.organisation.first_link(OPERATOR)
        except DomainError as error:
            raise StartRefused(store.locked or f"There is no link now ({error.code}).") from None
        if secret is None:
            raise StartRefused("There is an account already; `spreekkamer practitioner add` makes another.")
    return link(public_origin(settings.signaling), secret)
