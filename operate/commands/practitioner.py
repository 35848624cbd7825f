"""Accounts: `practitioner add`, `practitioner lift`, `practitioner close`."""

from __future__ import annotations

import argparse
from typing import Final

from operate.commands.configured import Configured
from operate.terminal import ask
from vault.audit import Act, operator, practitioner
from vault.clock import utc_now
from vault.errors import DomainError, StartRefused

NOT_NOW: Final = "The database or the key store does not answer; the log says which."
FIELDS: Final = {
    "mail": "This is no e-mail address; write it as name@example.org, in at most 254 characters.",
    "display_name": "The name must have 1 to 200 characters, all of them visible; correct --name.",
    "password": "The password must have 8 to 1024 characters; choose a longer one, such as four random words.",
}
"""What is wrong with a new account."""


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("practitioner", help="accounts").add_subparsers(required=True, metavar="COMMAND")
    adding = group.add_parser("add", parents=[common], help="add an account")
    adding.add_argument("mail")
    adding.add_argument("--name", required=True, help="what patients see")
    adding.add_argument("--language", choices=("nl", "en", "de", "fr"), default="nl")
    adding.set_defaults(operate=add)
    lifting = group.add_parser("lift", parents=[common], help="let somebody try who waits behind wrong passwords")
    lifting.add_argument("mail")
    lifting.set_defaults(operate=lift)
    closing = group.add_parser("close", parents=[common], help="destroy an account and all that it has")
    closing.add_argument("mail")
    closing.add_argument("--yes", action="store_true", help="do not ask for the address a second time")
    closing.set_defaults(operate=close)


async def add(settings: Configured, arguments: argparse.Namespace) -> str:
    """Add an account; the password is asked for, or read from standard input."""
    password = ask("Password: ", hidden=True)
    from operate.commands.storage import beside

    async with beside(settings.rooms) as store:
        try:
            person = await store.practitioners.add(arguments.mail, password, arguments.name, arguments.language)
            await store.audit.record(Act.ACCOUNT_ADDED, operator(), practitioner(person.id))
        except DomainError as error:
            reasons = {"conflict": "There is an account with this address.", "locked": store.locked}
            raise StartRefused(reasons.get(error.code) or FIELDS.get(error.field or "") or NOT_NOW) from None
    return "Added."


async def lift(settings: Configured, arguments: argparse.Namespace) -> str:
    """Forget what was tried for one account, so that its owner need not wait (S-26)."""
    from operate.process import reveal

    url = reveal(settings.signaling.redis_url)
    if not url:
        raise StartRefused(
            "The server counts in its own Redis, which forgets at a restart; set signaling.redis_url to one for both."
        )
    from redis.exceptions import RedisError

    from operate.commands.storage import OPERATOR, beside
    from operate.process import shared_secret
    from signaling.limiter import Limiter
    from signaling.redis import connect
    from signaling.redis_faults import why

    redis = connect(url)
    try:
        async with beside(settings.rooms) as store:
            person = await store.practitioners.id_by_mail(OPERATOR, arguments.mail)
            if person is None:
                raise StartRefused("There is no account with this address.")
            secret = shared_secret(settings.signaling, settings.rooms.data)
            await Limiter(redis, secret, utc_now).lift(arguments.mail)
            await store.audit.record(Act.LIMITS_LIFTED, operator(), practitioner(person))
    except DomainError as error:
        raise StartRefused(f"Nothing was lifted ({error.code}).") from None
    except RedisError as error:
        raise StartRefused(f"Nothing was lifted. {why(error)}") from None
    finally:
        await redis.aclose()
    return "Lifted: whoever has the password can sign in now."


async def close(settings: Configured, arguments: argparse.Namespace) -> str:
    """Close an account. The server does it, for it knows which consults to wait for; without one, its next start."""
    if not arguments.yes:
        again = ask("Nothing brings it back. The address again: ")
        if again.strip() != arguments.mail:
            raise StartRefused("Nothing was closed.")
    from operate.commands.storage import OPERATOR, about, beside
    from vault.destruction.deadline import left_to_the_server

    async with beside(settings.rooms) as storage:
        store = storage.destroying(on_destroy=left_to_the_server, on_close=left_to_the_server)
        try:
            person = await store.practitioners.id_by_mail(OPERATOR, arguments.mail)
            if person is None:
                raise StartRefused("There is no account with this address.")
            await store.audit.record(Act.CLOSURE_ASKED, operator(), practitioner(person))
            await store.retention.request_closure(about(person))
        except DomainError as error:
            raise StartRefused(store.locked or f"Nothing was closed ({error.code}).") from None
    return "Closed. The server destroys what it has within a minute, or when a running consult ends."
