"""A new account as a member of an organisation, both in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language, Practitioner
from practice.accounts.store import Beside, Practitioners
from practice.organisation.model import FIRST, PRACTITIONER, Member, MemberRole, MemberState
from practice.organisation.records import MEMBERS, members, organisations, seal_member, takes_members
from vault.clock import Now
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.records.content import new_id

ANYBODY: Final = MEMBERS.living().where(members.c.owner == bindparam("organisation")).limit(1)


class Joining:
    """For all that make accounts of an organisation."""

    def __init__(self, keys: KeyStore, accounts: Practitioners, now: Now) -> None:
        self._keys = keys
        self._accounts = accounts
        self._now = now

    async def add(
        self,
        organisation: str,
        mail: str,
        password: str,
        display_name: str,
        language: Language,
        before: Beside | None = None,
        roles: frozenset[MemberRole] | None = None,
        account: str | None = None,
        departments: frozenset[str] = frozenset(),
        *,
        asked: datetime | None = None,
        founded: Mapping[str, Any] | None = None,
    ) -> Practitioner:
        """Both, in these roles and departments: without any role the first of all is an owner, others are
        practitioners. ``before`` is called first in the transaction, with the organisation locked; what it raises
        undoes all. ``account`` is the id of the account where something was made for it before. Who ``asked`` to become
        one, then, may not sign in before somebody lets them in. ``founded`` is the row of an organisation that begins
        with this member.

        Errors: as of ``store.practitioners.add``, and of ``before``.
        """
        member_id = new_id()
        key = await self._keys.add(organisation, member_id, self._now())

        async def join(connection: AsyncConnection, made: str) -> None:
            if founded is not None:
                await connection.execute(insert(organisations).values(founded))
            if not await takes_members(connection, organisation):
                raise DomainError("link_invalid")
            if before is not None:
                await before(connection, made)
            wanted = roles
            if wanted is None:
                anybody = (await connection.execute(ANYBODY, {"organisation": organisation})).first()
                wanted = FIRST if anybody is None else PRACTITIONER
            state: MemberState = "active" if asked is None else "deactivated"
            member = Member(member_id, organisation, made, wanted, state, 1, departments, asked)
            await connection.execute(insert(members).values(seal_member(key, member)))

        try:
            person = await self._accounts.add(mail, password, display_name, language, beside=join, account=account)
        except DomainError as error:
            if error.code != "try_again":  # nobody can say whether the row came
                await self._keys.discard([member_id])
            raise
        await self._keys.confirm([member_id])
        return person
