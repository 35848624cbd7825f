"""Signed mail: `dkim-keys` makes the keys, `dkim-records` prints what to publish."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from operate.commands.configured import Configured
from vault.errors import StartRefused

if TYPE_CHECKING:
    from practice.settings import MailSettings


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    making = commands.add_parser("dkim-keys", parents=[common], help="print new keys to sign mail with, for a file")
    making.set_defaults(operate=keys)
    telling = commands.add_parser(
        "dkim-records", parents=[common], help="print the TXT records by which signed mail is verified"
    )
    telling.add_argument("--selector", help="the name that the keys are to have; that of the settings if left out")
    telling.set_defaults(operate=records)


async def keys(_: Configured, __: argparse.Namespace) -> str:
    """What `practice.mail.dkim_keys` takes."""
    from practice import dkim

    return dkim.made()


async def records(settings: Configured, arguments: argparse.Namespace) -> str:
    """Lines of the zone of the sender's domain."""
    from practice import dkim

    mail: MailSettings = settings.practice.mail
    selector = arguments.selector or mail.dkim_selector
    if not (mail.domain and selector and mail.dkim_keys):
        raise StartRefused(
            "Mail is not signed: set practice.mail.sender, practice.mail.dkim_keys and practice.mail.dkim_selector."
        )
    try:
        return dkim.zone(mail.domain, selector, mail.keys())
    except ValueError:
        raise StartRefused("practice.mail.dkim_keys are not what `spreekkamer dkim-keys` prints.") from None
