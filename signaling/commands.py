"""What an operator does to the storage from the command line, beside a running server."""

import getpass
import sys

from rooms.clock import utc_now
from rooms.errors import RoomsError, StartRefused
from rooms.model import Language
from rooms.settings import RoomsSettings
from rooms.store import open_store


async def add_practitioner(settings: RoomsSettings, mail: str, name: str, language: Language) -> str:
    """Add an account; the password is asked for, or read from standard input."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    async with open_store(settings, now=utc_now, exclusive=False) as store:
        try:
            await store.practitioners.add(mail, password, name, language)
        except RoomsError as error:
            reasons = {"conflict": "There is an account with this address.", "locked": store.locked}
            reason = reasons.get(error.code) or "The address, the name or the password can not be used."
            raise StartRefused(reason) from None
    return "Added."


async def resume_retention(settings: RoomsSettings) -> str:
    """Confirm that the clock is right, so that what is past due is destroyed (it can not be undone)."""
    async with open_store(settings, now=utc_now, exclusive=False) as store:
        await store.retention.resume()
        status = await store.retention.status()
    return f"The clock is confirmed; {status.overdue} appointments are due."
