"""Operators by name, for what takes two of them: `operators add`, `list`, `remove`."""

from __future__ import annotations

import argparse
import secrets
from typing import TYPE_CHECKING, Final

from operate.commands.configured import Configured
from operate.terminal import ask, say
from vault.audit import Act, Party, operator
from vault.errors import DomainError, StartRefused

if TYPE_CHECKING:
    from practice.legal.operators import Proof
    from practice.storage import Storage

REASONS: Final = {
    "bad_state": "Two stay: enter whoever comes instead first, with the codes of both; nothing was changed.",
    "conflict": "The name is taken, there are twenty, or the two who give leave are one; nothing was changed.",
    "factor_refused": "A name or a code was wrong, or the code was used before; nothing was changed.",
    "invalid": "The name must have 1 to 80 characters, all of them visible.",
    "not_found": "There is no operator of this name, or no organisation: start the server once first.",
    "unreadable": "An operator that is stored cannot be read; see docs/operations.md.",
}


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("operators", help="people of whom two do what a law demands").add_subparsers(
        required=True, metavar="COMMAND"
    )
    adding = group.add_parser("add", parents=[common], help="enter somebody, with an app that shows codes")
    adding.add_argument("name")
    adding.set_defaults(operate=add)
    listing = group.add_parser("list", parents=[common], help="print their names")
    listing.set_defaults(operate=names)
    removing = group.add_parser("remove", parents=[common], help="take somebody out, with the code of another")
    removing.add_argument("name")
    removing.set_defaults(operate=remove)


async def add(settings: Configured, arguments: argparse.Namespace) -> str:
    """Enter one. The secret is shown once; from the third on the codes of two operators are asked for."""
    from operate.commands.storage import OPERATOR, beside
    from practice.factors import codes
    from practice.legal.operators import FREE

    async with beside(settings.rooms) as store:
        try:
            known = await store.operators.of(OPERATOR)
            secret = codes.as_secret(secrets.token_bytes(codes.SECRET_BYTES))
            say(f"Put this into the app of {arguments.name}, once:\n{codes.address(secret, arguments.name)}")
            code = ask(f"What the app of {arguments.name} shows: ")
            leave = (proof("An operator who is there"), proof("Another one")) if len(known) >= FREE else None
            made = await store.operators.add(OPERATOR, arguments.name, secret, code, leave)
            await store.audit.record(Act.OPERATOR_ADDED, operator(), named(made.name))
        except DomainError as error:
            raise refused(store, error) from None
    return f"Entered. There are {len(known) + 1}."


async def names(settings: Configured, arguments: argparse.Namespace) -> str:
    """Who is entered, and since when."""
    from operate.commands.storage import OPERATOR, beside

    async with beside(settings.rooms) as store:
        try:
            known = await store.operators.of(OPERATOR)
        except DomainError as error:
            raise refused(store, error) from None
    return "\n".join(f"{one.since:%Y-%m-%d} {one.name}" for one in known) or "None."


async def remove(settings: Configured, arguments: argparse.Namespace) -> str:
    """Take one out, by another's leave."""
    from operate.commands.storage import OPERATOR, beside

    async with beside(settings.rooms) as store:
        try:
            gone = await store.operators.remove(OPERATOR, arguments.name, proof("Another operator"))
            await store.audit.record(Act.OPERATOR_REMOVED, operator(), named(gone.name))
        except DomainError as error:
            raise refused(store, error) from None
    return "Taken out."


def named(name: str) -> Party:
    """An operator as the trail has them: by a pseudonym."""
    return Party("operator", name)


def proof(whose: str) -> Proof:
    """What somebody types to show who they are."""
    return ask(f"{whose}, by name: "), ask("What their app shows: ")


def refused(store: Storage, error: DomainError) -> StartRefused:
    """What went wrong, as one sentence."""
    return StartRefused(store.locked or REASONS.get(error.code) or f"Nothing was done ({error.code}).")
