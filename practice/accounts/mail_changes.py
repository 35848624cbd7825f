"""Another mail address: asked for by who is signed in, done when both addresses have confirmed it, within a day.

**Whoever asks learns of no address whose it is**: none is looked up then. That a new one is somebody else's is found
when it is confirmed, and told to who reads its mail. Links are kept as those to a new password are: **who reads the
database or the mails to be sent can make none**. A later change of the address or the password makes them void.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.links import MailedLinks
from practice.accounts.model import MailChange, Practitioner, Side
from practice.accounts.people import People, is_open
from practice.accounts.records import (
    mail_changes,
    open_mail_change,
    practitioners,
    resets,
    seal_mail_change,
    seal_profile,
)
from practice.accounts.store import MAX_MAIL, Practitioners
from practice.mailboxes import canonical, mailbox
from vault.clock import Now
from vault.database.database import Database
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.records.scope import Scope
from vault.records.writing import Along

LIFE: Final = timedelta(days=1)
SIDES: Final[tuple[Side, Side]] = ("old", "new")
PERSON: Final = select(practitioners).where(practitioners.c.id == bindparam("owner")).with_for_update()

Tell = Callable[[Practitioner, dict[Side, str]], Along]
"""The mails with a seed each to both addresses of somebody, in the transaction of what they are about."""


class MailChanges(MailedLinks):
    """``store.mail_changes``. One at a time of each account. Errors: also ``unreadable``."""

    life = LIFE
    mark = "mail"

    def __init__(self, database: Database, keys: KeyStore, accounts: Practitioners, now: Now, people: People) -> None:
        super().__init__(database, keys, accounts, now)
        self._people = people

    async def ask(self, scope: Scope, mail: str, session: str, tell: Tell) -> None:
        """Another address is wanted, in the session of this reference; what was asked for before is void.

        Of an operator it is the word of the old address, whose mailbox is lost: the new one alone is to confirm.
        Errors: ``invalid`` (no mail can be sent there, or it is theirs), ``not_found`` (the account).
        """
        person, mail = await self._accounts.get(scope), mail.strip()
        if not _takes_mail(mail) or canonical(mail) == canonical(person.mail):
            raise DomainError("invalid", "mail")
        seeds: dict[Side, str] = {side: secrets.token_urlsafe(16) for side in SIDES}
        key, _ = await self._people.key(person.id)
        row = {f"{side}_token": self._index(self.token(seed)) for side, seed in seeds.items()} | {
            "practitioner": person.id,
            "created": self._seconds(),
            "old_at": self._seconds() if scope.role == "operator" else None,
            "content": seal_mail_change(key, person.id, mail, session),
        }

        async def asked(connection: AsyncConnection) -> bool:
            if not await is_open(connection, person.id):
                return False
            await connection.execute(_forgetting(person.id))
            await connection.execute(insert(mail_changes).values(row))
            return True

        if not await tell(person, seeds)(asked):
            raise DomainError("not_found")

    async def pending(self, scope: Scope) -> MailChange | None:
        """What somebody asked for that is neither done nor void. Errors: ``not_found`` (the scope)."""
        fresh = mail_changes.c.created > self._oldest()
        return await self._opened(select(mail_changes).where(mail_changes.c.practitioner == scope.owner, fresh), None)

    async def withdraw(self, scope: Scope) -> None:
        """It is not wanted any more; idempotent. Errors: ``not_found`` (the scope)."""
        await self._database.tell(_forgetting(scope.owner))

    async def of_link(self, token: str) -> MailChange | None:
        """What a link with it would confirm now; looking changes nothing."""
        return await self._opened(select(mail_changes).where(*self._good(token)), self._index(token))

    async def confirm(self, token: str) -> MailChange | None:
        """Its address agrees; None where the link is none. That again is no other thing.

        Errors: ``conflict``, to who confirms a new address that is somebody else's.
        """
        change = await self.of_link(token)
        if change is None or change.side is None:
            return None
        if change.side == "new" and await self._is_taken(change):
            raise DomainError("conflict")
        said = mail_changes.c[f"{change.side}_at"]
        await self._database.tell(update(mail_changes).where(*self._good(token)).values({said: self._seconds()}))
        return await self.of_link(token)

    async def carry_out(self, token: str, tell: Along) -> bool:
        """What both have confirmed; ``tell`` writes the mails of it along. False where another did, or it is void.

        Links to a new password that the old address got are void. Errors: ``conflict``, where somebody else took the
        address meanwhile: nothing is changed.
        """

        async def done(connection: AsyncConnection) -> bool:
            agreed = (mail_changes.c.old_at.is_not(None), mail_changes.c.new_at.is_not(None))
            spent = delete(mail_changes).where(*self._good(token), *agreed).returning(*mail_changes.c)
            row = (await connection.execute(spent)).one_or_none()
            return row is not None and await self._change(connection, row)

        return await tell(done)

    async def stop(self, token: str) -> str | None:
        """Whose change it was that is void now; None where the link is none."""
        spent = delete(mail_changes).where(*self._good(token)).returning(mail_changes.c.practitioner)
        async with self._database.write() as connection:
            return (await connection.execute(spent)).scalar_one_or_none()

    async def purge(self) -> None:
        """Forget those that are too old."""
        await self._database.tell(delete(mail_changes).where(mail_changes.c.created <= self._oldest()))

    async def _change(self, connection: AsyncConnection, row: Row[Any]) -> bool:
        owner = row.practitioner
        account = (await connection.execute(PERSON, {"owner": owner})).one_or_none()
        key, known = await self._people.key(owner)
        if account is None or not known:
            return False
        mail = open_mail_change(key, row, None).mail
        after = replace(self._people.profile(key, account), mail=mail, version=account.version + 1)
        values = {
            "mail": self._accounts.indices(mail)[0],
            "profile": seal_profile(key, after),
            "version": after.version,
        }
        await self._accounts.demand_free(connection, mail, owner)
        await connection.execute(update(practitioners).where(practitioners.c.id == owner).values(values))
        await connection.execute(delete(resets).where(resets.c.practitioner == owner))
        return True

    async def _is_taken(self, change: MailChange) -> bool:
        known = self._accounts.indices(change.mail)
        others = (practitioners.c.mail.in_(known), practitioners.c.id != change.practitioner)
        return bool(await self._database.ask(select(practitioners.c.id).where(*others)))

    async def _opened(self, query: Select[Any], index: bytes | None) -> MailChange | None:
        rows = await self._database.ask(query)
        if not rows:
            return None
        key, known = await self._people.key(rows[0].practitioner)
        side: Side | None = next((one for one in SIDES if getattr(rows[0], f"{one}_token") == index), None)
        return open_mail_change(key, rows[0], side) if known else None

    def _good(self, token: str) -> tuple[ColumnElement[bool], ...]:
        index = self._index(token)
        ours = or_(mail_changes.c.old_token == index, mail_changes.c.new_token == index)
        return ours, mail_changes.c.created > self._oldest()


def _forgetting(owner: str) -> Any:
    return delete(mail_changes).where(mail_changes.c.practitioner == owner)


def _takes_mail(text: str) -> bool:
    try:
        mailbox(text)
    except ValueError:
        return False
    return len(text) <= MAX_MAIL
