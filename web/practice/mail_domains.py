"""The mail domains whose addresses may register in an organisation by themselves."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.organisation.rights import Right
from practice.registrations.domains import PUBLIC, domain_of
from practice.registrations.model import NEW_ROLES, MailDomain, NewRole
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page, Wrong
from web.practice.menu import menu


class New(Fields):
    """One more. ``sure``: anybody gets an address there."""

    domain: Annotated[str, Field(min_length=1, max_length=254)]
    role: NewRole
    approval: bool = False
    sure: bool = False


class Which(Fields):
    """One of them."""

    listed: Annotated[str, Field(min_length=1, max_length=22)]


async def show(call: Call) -> Mapping[str, object]:
    """All of them, and whether the operator lets anybody register."""
    store = call.request.app[STORE]
    return {
        "domains": await store.mail_domains.of(call.scope),
        "open": "domains" in store.registrations.ways,
        "roles": NEW_ROLES,
        "menu": menu(call),
    }


async def add(call: Call) -> MailDomain:
    """One more; one of a public provider is asked for twice, and each who comes from there is let in by somebody."""
    asked: New = call.body
    if domain_of(asked.domain) in PUBLIC and not asked.sure:
        raise Wrong({"sure": "unticked"})
    return await call.request.app[STORE].mail_domains.add(call.scope, asked.domain, asked.role, approval=asked.approval)


async def remove(call: Call) -> MailDomain:
    """Nobody registers by it any more."""
    return await call.request.app[STORE].mail_domains.remove(call.scope, call.body.listed)


def listed(call: Call, _: object) -> Draft:
    return Draft(Act.MAIL_DOMAINS_READ, practitioner(call.practitioner))


def added(call: Call, one: MailDomain) -> Draft:
    return Draft(Act.MAIL_DOMAIN_ADDED, practitioner(call.practitioner), detail=one.role)


def removed(call: Call, one: MailDomain) -> Draft:
    return Draft(Act.MAIL_DOMAIN_REMOVED, practitioner(call.practitioner), detail=one.role)


MAIL_DOMAINS: Final = Page(
    "/practice/mail-domains", "practice/mail_domains.html", show, entered=listed, right=Right.REGISTRATION
)

TAKEN: Final = {"conflict": ("domain", "domains.taken")}

PAGES: Final = (MAIL_DOMAINS,)
FORMS: Final = (
    Form("/practice/mail-domains/add", MAIL_DOMAINS, New, add, done="domain-added", entered=added, says=TAKEN),
    Form("/practice/mail-domains/remove", MAIL_DOMAINS, Which, remove, done="domain-removed", entered=removed),
)
"""``pages`` has each page and each form."""
