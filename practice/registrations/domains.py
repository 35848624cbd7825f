"""The mail domains whose addresses may register in an organisation: listed by an owner, matched whole.

**A domain is not proved to be the organisation's**: whoever registers reads the name of the organisation, and where
several list the same one they choose. **Never owner, never administrator**: what an address alone gives is the role of
who treats, or of who assists.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.lookalikes import mixes_scripts
from practice.mailboxes import in_script, mailbox
from practice.organisation.records import takes_members
from practice.organisation.rights import Right, demand
from practice.registrations.model import NEW_ROLES, MailDomain, NewRole
from practice.registrations.records import MAIL_DOMAINS, mail_domains
from vault.errors import DomainError
from vault.keys.store import KeyStore
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore

MOST: Final = 50
THEIRS: Final = MAIL_DOMAINS.living().where(mail_domains.c.owner == bindparam("organisation"))

_lines = Path(__file__).with_name("public_domains.txt").read_text("utf-8").splitlines()
PUBLIC: Final = frozenset(line for line in _lines if line and not line.startswith("#"))
"""Where anybody gets an address: of those an organisation takes nobody who is not let in by somebody."""


class MailDomains(RecordStore):
    """``store.mail_domains``. Errors of all: ``not_found`` (also without the right), ``locked``, ``try_again``."""

    async def of(self, scope: Scope) -> list[MailDomain]:
        """Those of somebody's organisation, by name; what cannot be read lets nobody in."""
        rows = await self._database.ask(THEIRS, {"organisation": demand(scope, Right.REGISTRATION)})
        return sorted((await self._reader.open(MAIL_DOMAINS, rows)).living, key=lambda one: one.name)

    async def add(self, scope: Scope, name: str, role: NewRole, *, approval: bool) -> MailDomain:
        """Whose address is in this domain may register from now on, in this role; of a public one only with approval.

        Errors: ``invalid`` (``domain``, ``role``), ``conflict`` (it is listed), ``closing`` (the organisation ends, or
        lists too many).
        """
        organisation = demand(scope, Right.REGISTRATION)
        if role not in NEW_ROLES:
            raise DomainError("invalid", "role")
        domain = domain_of(name)
        made = MailDomain(
            new_id(), organisation, domain, role, approval or domain in PUBLIC, index(self._keys, domain), 1
        )
        refused = ""

        async def allowed(connection: AsyncConnection) -> bool:
            nonlocal refused
            there = await takes_members(connection, organisation)
            rows = (await connection.execute(THEIRS, {"organisation": organisation})).all()
            taken = any(row.domain.hex() == made.index for row in rows)
            refused = "conflict" if taken else "" if there and len(rows) < MOST else "closing"
            return not refused

        if not await self._writer.first(MAIL_DOMAINS, made, allowed):
            raise DomainError(refused)
        return made

    async def remove(self, scope: Scope, domain: str) -> MailDomain:
        """Nobody registers by it any more, by links that were mailed neither."""
        organisation = demand(scope, Right.REGISTRATION)
        found = next((one for one in await self.of(scope) if one.id == domain), None)
        ours = (mail_domains.c.id == domain, mail_domains.c.owner == organisation, MAIL_DOMAINS.is_living)
        if found is None or not await self._database.tell(MAIL_DOMAINS.marking().where(*ours)):
            raise DomainError("not_found")
        self._sweep()
        return found


def domain_of(text: str) -> str:
    """A domain as somebody typed it, with or without the sign before it, in the form of the DNS (IDNA 2008).

    Errors: ``invalid``: it is none, or letters of several scripts are mixed in it.
    """
    try:
        domain = mailbox(f"somebody@{text.strip().removeprefix('@')}").rpartition("@")[2]
    except ValueError:
        raise DomainError("invalid", "domain") from None
    if mixes_scripts(in_script(domain)):
        raise DomainError("invalid", "domain")
    return domain


def index(keys: KeyStore, domain: str) -> str:
    """What a domain is found by: nobody's address begins with the sign."""
    return keys.mail_index(f"@{domain}").hex()
