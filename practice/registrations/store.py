"""Who registers: an address is typed, a link is mailed to it, and behind that the account is made, within an hour.

**Whoever types an address learns nothing of it**: what is answered does not depend on it, and what is found goes to its
mailbox alone: a link, or that there is an account. **Who reads the database or the mails to be sent can make no link**:
a row holds a keyed hash of its token and a sealed address, the mail only a seed.

**A link is as good as what it rests on**: it opens an organisation only while that lists the domain, one of somebody's
own only while the operator allows that. Of two who come with one address one wins.
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final, Literal

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.accounts.people import People
from practice.accounts.store import Beside, Practitioners
from practice.factors.model import Passkey
from practice.factors.store import SecondFactors
from practice.lookalikes import mixes_scripts, skeleton
from practice.mailboxes import canonical, in_script, mailbox
from practice.organisation.founding import founded
from practice.organisation.invitations import HOST, sendable
from practice.organisation.joining import Joining
from practice.organisation.model import FIRST, Organisation, Profile
from practice.organisation.newcomers import Newcomer, with_passkey, with_password
from practice.organisation.records import (
    MEMBERS,
    members,
    open_organisation,
    organisations,
    registrations,
    seal_organisation,
    takes_members,
)
from practice.organisation.store import checked
from practice.registrations.domains import index
from practice.registrations.model import Applicant, Destination, MailDomain, Opened, Registered
from practice.registrations.records import MAIL_DOMAINS, mail_domains, open_registration, seal_registration
from practice.settings import Way
from vault.errors import DomainError, Unreadable
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along, always

LIFE: Final = timedelta(hours=1)
MOST: Final = 5
"""So many links of one address are good at once."""

BY_DOMAIN: Final = MAIL_DOMAINS.living().where(mail_domains.c.domain == bindparam("domain"))
ACCOUNTS: Final = select(members.c.account).where(members.c.owner == bindparam("organisation"), MEMBERS.is_living)

Where = str | Profile
"""The organisation that somebody registers in, or what their own is called."""

Tell = Callable[[str, str, Language, str | None], Along]
"""The mail to an address, in a language, about the account or organisation of an id: with the seed of a link, or
without one that there is an account.
"""


class Registrations(RecordStore):
    """``store.registrations``. ``ways`` is what the operator allows. Errors of all: ``locked``, ``try_again``."""

    def __init__(
        self, means: Means, people: People, accounts: Practitioners, joining: Joining, factors: SecondFactors
    ) -> None:
        super().__init__(means)
        self._people = people
        self._accounts = accounts
        self._joining = joining
        self._factors = factors
        self.ways: frozenset[Way] = frozenset()

    async def ask(self, scope: Scope, mail: str, language: Language, tell: Tell) -> Literal["new", "known"] | None:
        """Somebody wants to register with this address: what it is told, None for nothing.

        Errors: ``not_found`` (the scope), ``unreadable`` (its account).
        """
        scope.demand("server")
        try:
            mail = sendable(mail).strip()
        except DomainError:
            return None
        if (person := await self._accounts.by_mail(scope, mail)) is not None:
            await tell(person.id, person.mail, person.language, None)(always)
            return "known"
        async with self._database.read() as connection:
            host = await founded(connection)
        if host is None or not (await self._domains(mail) or self._may_found(mail)):
            return None
        seed = secrets.token_urlsafe(16)
        key, known = await self._keys.get(host, host)
        made = Applicant(self._index(self.token(seed)), self._keys.mail_index(canonical(mail)), mail, language)
        living = select(func.count()).where(
            registrations.c.mail == made.index, registrations.c.created > self._oldest()
        )

        async def written(connection: AsyncConnection) -> bool:
            if not known or not await takes_members(connection, host):
                return False
            if (await connection.execute(living)).scalar_one() >= MOST:
                return False
            await connection.execute(insert(registrations).values(seal_registration(key, made, host, self._seconds())))
            return True

        return "new" if await tell(host, mail, language, seed)(written) else None

    def token(self, seed: str) -> str:
        """What the link of a mail holds."""
        return self._keys.link_token(seed)

    async def opened(self, token: str) -> Opened:
        """What the link is for, while it is good; looking changes nothing. Errors: ``link_invalid``."""
        one, hosts = await self._good(token), []
        for listed in await self._domains(one.mail):
            rows = await self._database.ask(HOST, {"organisation": listed.owner})
            key, there = await self._keys.get(listed.owner, listed.owner)
            if rows and there:
                hosts.append(Destination(listed.owner, open_organisation(key, rows[0]).profile.name, listed.approval))
        founding = self._may_found(one.mail)
        if not hosts and not founding:
            raise DomainError("link_invalid")
        return Opened(one.mail, one.language, tuple(sorted(hosts, key=lambda host: host.name.casefold())), founding)

    async def accept(
        self, token: str, where: Where, display_name: str, language: Language, password: str
    ) -> Registered:
        """A new account with the address, as a member of the organisation or the owner of their own: in one transaction
        with the end of the link.

        Errors: ``link_invalid``; ``conflict`` (the address has an account meanwhile); ``password_common``; ``invalid``
        (a field; a name that mixes scripts, or of an organisation that looks like another's).
        """
        one = await self._good(token)
        return await self._join(one, where, await with_password(one.mail, display_name, language, password))

    async def accept_by_passkey(
        self, token: str, where: Where, account: str, display_name: str, language: Language, passkey: Passkey
    ) -> Registered:
        """The same with a passkey that was made for an account of this id, and recovery codes. Errors: the same."""
        join = partial(self._join, await self._good(token), where)
        made, codes = await with_passkey(self._factors, account, display_name, language, passkey, join)
        return Registered(made.person, made.organisation, made.waits, codes)

    async def resembles(self, name: str) -> bool:
        """Whether an organisation of this server is called so, or so that it looks the same."""
        wanted = skeleton(name)
        for row in await self._database.ask(select(organisations)):
            key, there = await self._keys.get(row.id, row.id)
            try:
                if there and skeleton(open_organisation(key, row).profile.name) == wanted:
                    return True
            except Unreadable:
                continue
        return False

    async def purge(self) -> None:
        """Forget those that are too old."""
        await self._database.tell(delete(registrations).where(registrations.c.created <= self._oldest()))

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _join(self, one: Applicant, where: Where, said: Newcomer) -> Registered:
        if mixes_scripts(said.display_name):
            raise DomainError("invalid", "display_name")
        if isinstance(where, Profile):
            return await self._found(one, where, said)
        listed = next((known for known in await self._domains(one.mail) if known.owner == where), None)
        if listed is None:
            raise DomainError("link_invalid")
        waits = listed.approval or await self._looks_like_a_member(where, said.display_name)
        asked = self._now() if waits else None
        spend = self._spending(one, said, listed)
        person = await self._joining.add(
            where, one.mail, said.password, said.display_name, said.language, spend, frozenset({listed.role}),
            said.account, asked=asked,
        )  # fmt: skip
        return Registered(person, where, waits)

    async def _found(self, one: Applicant, profile: Profile, said: Newcomer) -> Registered:
        if not self._may_found(one.mail):
            raise DomainError("link_invalid")
        profile = await asyncio.to_thread(checked, profile)  # a zone is a file
        if mixes_scripts(profile.name) or await self.resembles(profile.name):
            raise DomainError("invalid", "organisation")
        # In its second version: of the first the operator's settings say what it is called.
        made = Organisation(new_id(), profile, 2)
        row = seal_organisation(await self._keys.add_practitioner(made.id, self._now()), made)
        try:
            person = await self._joining.add(
                made.id, one.mail, said.password, said.display_name, said.language, self._spending(one, said),
                FIRST, said.account, founded=row,
            )  # fmt: skip
        except DomainError as error:
            if error.code != "try_again":  # nobody can say whether the row came
                await self._keys.discard([made.id])
            raise
        # A server that does not know this table must not take the key for one whose row never came.
        await self._keys.confirm([made.id])
        return Registered(person, made.id, waits=False)

    def _spending(self, one: Applicant, said: Newcomer, listed: MailDomain | None = None) -> Beside:
        """Its link and all others of its address are no more, if it is good and what it rests on stands."""
        used = delete(registrations).where(registrations.c.token == one.token, *self._fresh())
        others = delete(registrations).where(registrations.c.mail == one.index)

        async def spend(connection: AsyncConnection, account: str) -> None:
            if (await connection.execute(used)).rowcount != 1:
                raise DomainError("link_invalid")
            await connection.execute(others)
            if listed is not None:
                rests = MAIL_DOMAINS.living().where(mail_domains.c.id == listed.id)
                if (await connection.execute(rests)).first() is None:
                    raise DomainError("link_invalid")
            if said.beside is not None:
                await said.beside(connection, account)

        return spend

    async def _good(self, token: str) -> Applicant:
        wanted = (registrations.c.token == self._index(token), *self._fresh())
        rows = await self._database.ask(select(registrations).where(*wanted)) if self.ways else []
        try:
            if rows:
                key, there = await self._keys.get(rows[0].owner, rows[0].owner)
                if there:
                    return open_registration(key, rows[0])
        except Unreadable:  # nobody can say whether a link to a damaged one is right
            pass
        raise DomainError("link_invalid")

    async def _domains(self, mail: str) -> list[MailDomain]:
        """What organisations list of this address; one row for another domain lists nothing."""
        if "domains" not in self.ways:
            return []
        domain = mailbox(mail).rpartition("@")[2]
        wanted = bytes.fromhex(index(self._keys, domain))
        opened = await self._reader.open(MAIL_DOMAINS, await self._database.ask(BY_DOMAIN, {"domain": wanted}))
        return [one for one in opened.living if one.name == domain]

    def _may_found(self, mail: str) -> bool:
        return "founding" in self.ways and not mixes_scripts(in_script(mailbox(mail).rpartition("@")[2]))

    async def _looks_like_a_member(self, organisation: str, name: str) -> bool:
        accounts = [row.account for row in await self._database.ask(ACCOUNTS, {"organisation": organisation})]
        names = await self._people.names(self._database, accounts)
        return skeleton(name) in map(skeleton, names.values())

    def _fresh(self) -> tuple[ColumnElement[bool], ...]:
        return (registrations.c.created > self._oldest(),)

    def _index(self, token: str) -> bytes:
        return self._keys.reset_mark("registration", token)

    def _oldest(self) -> int:
        return self._seconds() - int(LIFE.total_seconds())

    def _seconds(self) -> int:
        return int(self._now().timestamp())
