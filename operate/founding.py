"""The organisation of this server, as the operator's settings say it is until somebody in it says otherwise."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from operate import terminal
from operate.commands.storage import OPERATOR
from practice.organisation.model import Profile
from vault.errors import DomainError, StartRefused
from vault.faults import reason
from vault.keys.files import private_file

if TYPE_CHECKING:
    from pathlib import Path

    from practice.storage import Storage
    from web.settings import WebSettings


async def establish(store: Storage, settings: WebSettings) -> None:
    """Every account belongs to one from here on; idempotent. Nothing where the key store is locked.

    Errors: StartRefused.
    """
    said = settings.operator
    profile = Profile(said.name, said.address, said.phone, settings.language, settings.timezone)
    try:
        if not store.locked:
            await store.organisation.establish(OPERATOR, profile)
    except DomainError as error:
        raise StartRefused(reason(error, "The database or the key store")) from error


FILE: Final = "first-link"


async def show_first_link(store: Storage, origin: str) -> None:
    """Where there is no account yet: the link that makes the first, on the terminal, or else in a file.

    It goes into no log. Errors: StartRefused.
    """
    path = store.data / FILE
    try:
        secret = None if store.locked else await store.organisation.first_link(OPERATOR)
        if secret is None:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        elif sys.stdout.isatty():
            await asyncio.to_thread(path.unlink, missing_ok=True)
            terminal.say(f"There is no account yet. This makes the first, once, in an hour:\n{link(origin, secret)}")
        else:
            await asyncio.to_thread(write, path, link(origin, secret))
    except DomainError as error:
        raise StartRefused(reason(error, "The database or the key store")) from error
    except OSError as error:
        raise StartRefused(reason(error, f"{path}")) from None


def link(origin: str, secret: str) -> str:
    """As a browser opens it."""
    return f"{origin}/first/{secret}"


def write(path: Path, text: str) -> None:
    """Only we can read it. Errors: OSError."""
    private_file(path)
    path.write_text(f"{text}\n")
