"""Accounts: `practitioner add`, `practitioner close`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys

from rooms.audit import Act, operator, practitioner
from rooms.clock import utc_now
from rooms.errors import RoomsError, StartRefused
from rooms.store import open_store
from signaling.commands import Configured


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("practitioner", help="accounts").add_subparsers(required=True, metavar="COMMAND")
    adding = group.add_parser("add", parents=[common], help="add an account")
    adding.add_argument("mail")
    adding.add_argument("--name", required=True, help="what patients see")
    adding.add_argument("--language", choices=("nl", "en", "de", "fr"), default="nl")
    adding.set_defaults(operate=add)
    closing = group.add_parser("close", parents=[common], help="destroy an account and all that it has")
    closing.add_argument("mail")
    closing.add_argument("--yes", action="store_true", help="do not ask for the address a second time")
    closing.set_defaults(operate=close)


async def add(settings: Configured, arguments: argparse.Namespace) -> str:
    """Add an account; the password is asked for, or read from standard input."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    async with open_store(settings.rooms, now=utc_now, exclusive=False) as store:
        try:
            person = await store.practitioners.add(arguments.mail, password, arguments.name, arguments.language)
            await store.audit.record(Act.ACCOUNT_ADDED, operator(), practitioner(person.id))
        except RoomsError as error:
            reasons = {"conflict": "There is an account with this address.", "locked": store.locked}
            reason = reasons.get(error.code) or "The address, the name or the password cannot be used."
            raise StartRefused(reason) from None
    return "Added."


async def close(settings: Configured, arguments: argparse.Namespace) -> str:
    """Close an account. The server does it, for it knows which consults to wait for; without one, its next start."""
    if not arguments.yes:
        again = await asyncio.to_thread(input, "Nothing brings it back. The address again: ")
        if again.strip() != arguments.mail:
            raise StartRefused("Nothing was closed.")
    async with open_store(settings.rooms, now=utc_now, exclusive=False) as store:
        try:
            person = await store.practitioners.by_mail(arguments.mail)
            if person is None:
                raise StartRefused("There is no account with this address.")
            await store.audit.record(Act.CLOSURE_ASKED, operator(), practitioner(person.id))
            await store.retention.request_closure(person.id)
        except RoomsError as error:
            raise StartRefused(store.locked or f"Nothing was closed ({error.code}).") from None
    return "Closed. The server destroys what it has within a minute, or when a running consult ends."
