"""The step from accounts alone to an organisation with members, at the start of a server.

**Idempotent, and safe to be cut off anywhere**: the organisation comes in one transaction with the mark that names it,
each member in one of its own, and an account without a member is a practitioner. Two servers that start at once make
one organisation: the second finds the mark. The only account there is becomes an owner; of several the operator names
one (``spreekkamer practitioner owner``).
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from sqlalchemy import exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.records import practitioners
from practice.organisation.model import FIRST, PRACTITIONER, Member, MemberRole, Organisation, Profile
from practice.organisation.records import ENDING, MEMBERS, members, organisations, seal_organisation
from vault.clock import Now
from vault.database.database import Database
from vault.database.marks import no_closing, read_mark
from vault.database.tables import marks
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.records.content import new_id
from vault.records.writing import Writer

logger = logging.getLogger(__name__)

MARK = "organisation"
PART = 50
"""So many accounts become members before a server answers; an account that is none yet is a practitioner."""

WITHOUT = (
    select(practitioners.c.id)
    .where(~exists().where(members.c.account == practitioners.c.id), no_closing(practitioners.c.id))
    .order_by(practitioners.c.id)
)
"""Accounts that are no members yet."""


async def founded(connection: AsyncConnection) -> str | None:
    """The organisation of this server, if there is one that does not end."""
    row_id = await read_mark(connection, MARK)
    if await read_mark(connection, f"{ENDING}{row_id}") is not None:
        return None
    there = select(organisations.c.id).where(organisations.c.id == row_id, no_closing(organisations.c.id))
    return None if row_id is None else (await connection.execute(there)).scalar()


class Founding:
    """Inside ``store.organisation``."""

    def __init__(self, database: Database, keys: KeyStore, now: Now) -> None:
        self._database = database
        self._keys = keys
        self._writer = Writer(database, keys, now)
        self._now = now

    async def establish(self, profile: Profile) -> str:
        """The organisation of this server, made if there is none, with accounts as members of it: of many the first
        ones, and ``enrol`` makes the others.
        """
        organisation = await self._found(profile)
        async with self._database.read() as connection:
            accounts = (await connection.execute(WITHOUT.limit(PART))).scalars().all()
            alone = (await connection.execute(select(members.c.id).limit(1))).first() is None
        await self._join(organisation, accounts, FIRST if alone and len(accounts) == 1 else PRACTITIONER)
        return organisation

    async def enrol(self) -> int:
        """All accounts that are no members yet become some, while the server works; how many there were."""
        count, began = 0, time.monotonic()
        while True:
            async with self._database.read() as connection:
                organisation = await founded(connection)
                accounts = (await connection.execute(WITHOUT.limit(PART))).scalars().all() if organisation else []
            if organisation is None or not accounts:
                return count
            await self._join(organisation, accounts, PRACTITIONER)
            count += len(accounts)
            await asyncio.sleep(time.monotonic() - began)
            began = time.monotonic()

    async def _found(self, profile: Profile) -> str:
        async with self._database.read() as connection:
            # In this order: one that another server makes between the two is there, and not one that is no more.
            before, there = await read_mark(connection, MARK), await founded(connection)
        if there is not None:
            return there
        made = Organisation(new_id(), profile, 1)
        key = await self._keys.add_practitioner(made.id, self._now())
        try:
            async with self._database.write() as connection:
                await self._name(connection, made.id, before)
                await connection.execute(insert(organisations).values(seal_organisation(key, made)))
        except DomainError as error:
            if error.code != "conflict":
                raise
            await self._keys.discard([made.id])
            return await self._found(profile)
        # A server that does not know this table must not take the key for one whose row never came.
        await self._keys.confirm([made.id])
        return made.id

    async def _name(self, connection: AsyncConnection, row_id: str, before: str | None) -> None:
        """The mark, in place of one that names an organisation which is no more. Errors: ``conflict``."""
        if before is None:
            await connection.execute(insert(marks).values(name=MARK, value=row_id))
            return
        ours = (marks.c.name == MARK, marks.c.value == before)
        if (await connection.execute(update(marks).where(*ours).values(value=row_id))).rowcount != 1:
            raise DomainError("conflict")

    async def _join(self, organisation: str, accounts: Sequence[str], roles: frozenset[MemberRole]) -> None:
        for account in accounts:
            member = Member(new_id(), organisation, account, roles, "active", 1)

            async def wanted(connection: AsyncConnection, account: str = account) -> bool:
                return (await connection.execute(WITHOUT.where(practitioners.c.id == account))).first() is not None

            try:
                await self._writer.first(MEMBERS, member, wanted)
            except DomainError as error:
                if error.code != "conflict":
                    raise
                await self._keys.discard([member.id])  # another server made it
        if accounts:
            logger.info("accounts became members", extra={"count": len(accounts)})
