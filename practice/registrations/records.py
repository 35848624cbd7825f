"""What is inside the sealed columns of a mail domain and of a registration, and their tables."""

from typing import Any, get_args

from sqlalchemy import Column, Index, LargeBinary

from practice.accounts.model import Language
from practice.registrations.model import NEW_ROLES, Applicant, MailDomain
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, known, number, open_content, seal_content
from vault.records.records import Sealed, kept_once, kept_table

mail_domains = kept_table(
    "mail_domains",
    "name, role, whether each is let in by somebody",
    Column("domain", LargeBinary(32), nullable=False, comment="HMAC of its name"),
)
kept_once("ix_mail_domains_one", mail_domains.c.owner, mail_domains.c.domain)
Index(None, mail_domains.c.domain)

MAIL_DOMAIN = Sealed("mail_domains", Layout(frozenset(("name", "role", "approval"))))
REGISTRATION = Layout(frozenset(("mail", "language")))


def registration_place(token: bytes, owner: str) -> Place:
    """Where a registration's content stands: a row turned over to another link opens nothing."""
    return Place("registrations", "content", token.hex(), owner)


def seal_mail_domain(key: bytes, one: MailDomain) -> dict[str, Any]:
    """The row of a mail domain."""
    content = {"name": one.name, "role": one.role, "approval": one.approval}
    return MAIL_DOMAIN.row(key, one, content, domain=bytes.fromhex(one.index))


def open_mail_domain(key: bytes, row: Any) -> MailDomain:
    """The mail domain in a row. Errors: Unreadable, Newer (also for a role that only a newer program knows)."""
    content, unknown = MAIL_DOMAIN.open(key, row)
    role = known(content["role"], NEW_ROLES)
    if type(content["approval"]) is not bool:
        raise Unreadable
    try:
        version = number(row.version)
    except ValueError:
        raise Unreadable from None
    return MailDomain(row.id, row.owner, content["name"], role, content["approval"], row.domain.hex(), version, unknown)


def seal_registration(key: bytes, one: Applicant, owner: str, created: int) -> dict[str, Any]:
    """The row of a registration, under the key of this organisation's own row; ``created`` in seconds."""
    content = {"mail": one.mail, "language": one.language}
    return {
        "token": one.token,
        "owner": owner,
        "mail": one.index,
        "content": seal_content(key, REGISTRATION, content, registration_place(one.token, owner)),
        "created": created,
    }


def open_registration(key: bytes, row: Any) -> Applicant:
    """The registration in a row. Errors: Unreadable, Newer."""
    content, _ = open_content(key, REGISTRATION, row.content, registration_place(row.token, row.owner))
    return Applicant(row.token, row.mail, content["mail"], known(content["language"], get_args(Language)))


MAIL_DOMAINS = MAIL_DOMAIN.kind(mail_domains, open_mail_domain, seal_mail_domain)
