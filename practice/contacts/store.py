"""Who looks after an organisation logs that they called or wrote to somebody in it, and why; each entry has its end.

A kind of record (``vault.records.records``) of the account's that was called, about the organisation: whoever was
called reads it among all that is held of them, and it dies with either, or by age.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import People, is_open
from practice.contacts.model import CONTACT_REASONS, CONTACT_WAYS, ContactReason, ContactWay, LoggedContact
from practice.contacts.records import CONTACTS, contacts
from practice.names import readable
from practice.organisation.rights import Right, demand
from practice.organisation.store import Organisations
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

LONGEST_NOTE: Final = 500
THEIRS: Final = CONTACTS.living().where(
    contacts.c.owner == bindparam("account"),
    contacts.c.organisation == bindparam("organisation"),
    contacts.c.until > bindparam("now"),
)


class Contacts(RecordStore):
    """``store.contacts``. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means, people: People, organisations: Organisations) -> None:
        super().__init__(means)
        self._people = people
        self._organisations = organisations

    async def log(self, scope: Scope, account: str, way: ContactWay, reason: ContactReason, note: str) -> LoggedContact:
        """That whoever is signed in called or wrote to a member whom they look after, just now.

        Errors: ``not_found`` (also without the right), ``invalid`` (``way``, ``reason``, ``note``).
        """
        organisation = demand(scope, Right.CHANGE_PEOPLE)
        for name, value, values in (("way", way, CONTACT_WAYS), ("reason", reason, CONTACT_REASONS)):
            if value not in values:
                raise DomainError("invalid", name)
        await self._organisations.person(scope, account)
        made = LoggedContact(new_id(), account, organisation, scope.owner, way, reason, _note(note), self._now())

        async def has_account(connection: AsyncConnection) -> bool:
            return await is_open(connection, account)

        if not await self._writer.first(CONTACTS, made, has_account):
            raise DomainError("not_found")
        return made

    async def of(self, scope: Scope, account: str) -> list[LoggedContact]:
        """Those with a member whom who is signed in looks after, newest first. Errors: ``not_found``."""
        organisation = demand(scope, Right.CHANGE_PEOPLE)
        await self._organisations.person(scope, account)
        said = {"account": account, "organisation": organisation, "now": int(self._now().timestamp())}
        found = (await self._reader.open(CONTACTS, await self._database.ask(THEIRS, said))).living
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)

    async def names(self, scope: Scope, found: list[LoggedContact]) -> Mapping[str, str]:
        """Of who called or wrote, by account. Errors: ``not_found`` (without the right)."""
        demand(scope, Right.CHANGE_PEOPLE)
        return await self._people.names(self._database, {one.by for one in found})

    async def bury(self) -> int:
        """Those whose time is over die; how many."""
        over = contacts.c.until <= int(self._now().timestamp())
        count = await self._database.tell(CONTACTS.marking().where(over, CONTACTS.is_living))
        if count:
            self._sweep()
        return count


def _note(text: str) -> str:
    """Each line by itself. Errors: ``invalid``."""
    try:
        note = "\n".join(readable(line) for line in text.strip().splitlines() if line.strip())
    except ValueError:
        raise DomainError("invalid", "note") from None
    if len(note) > LONGEST_NOTE:
        raise DomainError("invalid", "note")
    return note
