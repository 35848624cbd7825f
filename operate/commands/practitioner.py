"""Accounts: `practitioner add`, `owner`, `lift`, `recover`, `mail`, `close`."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Final

from operate.commands.configured import Configured
from operate.terminal import ask
from vault.audit import Act, operator, practitioner
from vault.clock import utc_now
from vault.errors import DomainError, StartRefused, Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from practice.accounts.model import Practitioner, Side
    from practice.storage import Storage
    from vault.records.writing import Along

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
    naming = group.add_parser("owner", parents=[common], help="make a member an owner of the organisation")
    naming.add_argument("mail")
    naming.set_defaults(operate=name_owner)
    lifting = group.add_parser("lift", parents=[common], help="let somebody try who waits behind wrong passwords")
    lifting.add_argument("mail")
    lifting.set_defaults(operate=lift)
    recovering = group.add_parser("recover", parents=[common], help="take away a second factor that somebody lost")
    recovering.add_argument("mail")
    recovering.add_argument("--yes", action="store_true", help="do not ask for the address a second time")
    recovering.set_defaults(operate=recover)
    moving = group.add_parser(
        "mail", parents=[common], help="give an account another address, whose mailbox confirms it"
    )
    moving.add_argument("mail")
    moving.add_argument("new")
    moving.set_defaults(operate=change_mail)
    closing = group.add_parser("close", parents=[common], help="destroy an account and all that it has")
    closing.add_argument("mail")
    closing.add_argument("--yes", action="store_true", help="do not ask for the address a second time")
    closing.set_defaults(operate=close)


async def add(settings: Configured, arguments: argparse.Namespace) -> str:
    """Add an account; the password is asked for, or read from standard input."""
    password = ask("Password: ", hidden=True)
    from operate.commands.storage import OPERATOR, beside
    from operate.founding import establish

    async with beside(settings.rooms) as store:
        await establish(store, settings.web)
        try:
            person = await store.organisation.add_account(
                OPERATOR, arguments.mail, password, arguments.name, arguments.language
            )
            await store.audit.record(Act.ACCOUNT_ADDED, operator(), practitioner(person.id))
        except DomainError as error:
            reasons = {"conflict": "There is an account with this address.", "locked": store.locked}
            raise StartRefused(reasons.get(error.code) or FIELDS.get(error.field or "") or NOT_NOW) from None
    return "Added."


async def name_owner(settings: Configured, arguments: argparse.Namespace) -> str:
    """Make somebody an owner too: after an upgrade with several accounts, or when the last one left."""
    from operate.commands.storage import OPERATOR, about, beside
    from operate.founding import establish

    async with beside(settings.rooms) as store:
        await establish(store, settings.web)
        try:
            person = await store.practitioners.id_by_mail(OPERATOR, arguments.mail)
            if person is None:
                raise StartRefused("There is no account with this address.")
            await store.organisation.name_owner(about(person))
            await store.audit.record(Act.ROLES_CHANGED, operator(), practitioner(person), "owner")
        except DomainError as error:
            raise StartRefused(store.locked or f"Nobody was made an owner ({error.code}).") from None
    return "This account is an owner now."


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


async def recover(settings: Configured, arguments: argparse.Namespace) -> str:
    """Take the second factor away from who lost it with all recovery codes, or whose record of it cannot be read."""
    from operate.commands.storage import OPERATOR, about, beside

    async with beside(settings.rooms, mail=settings.practice.sends) as store:
        try:
            person = await store.practitioners.id_by_mail(OPERATOR, arguments.mail)
            if person is None:
                raise StartRefused("There is no account with this address.")
            if not arguments.yes:
                again = ask(f"{await _going(store, person)}Whoever has the password gets in then. The address again: ")
                if again.strip() != arguments.mail:
                    raise StartRefused("Nothing was taken away.")
            if not await store.factors.take_away(about(person), await _told(store, person)):
                raise StartRefused("This account has no second factor.")
            await store.audit.record(Act.FACTOR_REMOVED, operator(), practitioner(person), detail="recover")
        except DomainError as error:
            raise StartRefused(store.locked or f"Nothing was taken away ({error.code}).") from None
    return (
        "Taken away, and signed out in every browser and, where a server runs, in every app within seconds:"
        " the password is enough until a second factor is set up again."
    )


async def _going(store: Storage, person: str) -> str:
    """The passkeys that go too, before they do."""
    from operate.commands.storage import about

    try:
        held = await store.factors.of(about(person))
    except Unreadable:
        return "What this account has cannot be read. "
    names = ", ".join(f"{one.name} ({one.created:%Y-%m-%d})" for one in held.passkeys)
    return f"Its passkeys go too: {names}. " if names else ""


async def _told(store: Storage, person: str) -> Along:
    """The mail about it, unless nobody can read where to."""
    from operate.commands.storage import about
    from practice.notices.model import News

    try:
        found = await store.practitioners.get(about(person))
    except Unreadable:
        return store.notices.of(person)
    return store.notices.of(person, News("factor-recovered", found.mail, found.language))


async def change_mail(settings: Configured, arguments: argparse.Namespace) -> str:
    """Ask for another address in the place of who lost the mailbox of the old one; the new one confirms it by mail."""
    if not settings.practice.sends:
        raise StartRefused("There is no mail server, so the new address cannot confirm; set practice.mail first.")
    from operate.commands.storage import OPERATOR, about, beside

    async with beside(settings.rooms, mail=True) as store:
        try:
            person = await store.practitioners.id_by_mail(OPERATOR, arguments.mail)
            if person is None:
                raise StartRefused("There is no account with this address.")
            await store.mail_changes.ask(
                about(person), arguments.new, "", partial(_vouched, store, arguments.new.strip())
            )
            await store.audit.record(Act.MAIL_CHANGE_ASKED, operator(), practitioner(person))
        except DomainError as error:
            if error.code == "invalid":
                raise StartRefused("No mail can be sent to the new address, or it is the old one.") from None
            raise StartRefused(store.locked or f"Nothing was asked for ({error.code}).") from None
    return "Asked: the new address has a link that confirms it, the old one a link that stops it, for a day."


def _vouched(store: Storage, new: str, person: Practitioner, seeds: Mapping[Side, str]) -> Along:
    from practice.notices.model import News

    told = News("mail-vouched", person.mail, person.language, {"mail": seeds["old"]})
    confirm = News("mail-confirm", new, person.language, {"mail": seeds["new"]})
    return store.notices.of(person.id, told, confirm)


async def close(settings: Configured, arguments: argparse.Namespace) -> str:
    """Close an account. The server does it, for it knows which consults to wait for; without one, its next start."""
    if not arguments.yes:
        again = ask("Nothing brings it back. The address again: ")
        if again.strip() != arguments.mail:
            raise StartRefused("Nothing was closed.")
    from operate.commands.storage import OPERATOR, about, asking, beside

    async with beside(settings.rooms) as storage:
        store = asking(storage)
        try:
            person = await store.practitioners.id_by_mail(OPERATOR, arguments.mail)
            if person is None:
                raise StartRefused("There is no account with this address.")
            await store.audit.record(Act.CLOSURE_ASKED, operator(), practitioner(person))
            await store.retention.request_closure(about(person))
        except DomainError as error:
            raise StartRefused(store.locked or f"Nothing was closed ({error.code}).") from None
    return "Closed. The server destroys what it has within a minute, or when a running consult ends."
