"""The log of contacts with one person in the organisation: what was logged and lives, and a form for another (S-25)."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.contacts.model import CONTACT_REASONS, CONTACT_WAYS, ContactReason, ContactWay, LoggedContact
from practice.contacts.store import LONGEST_NOTE
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from vault.errors import Unreadable
from web.forms import Form, Page
from web.forms.doubts import Doubted, demand_meant


class Logged(Doubted):
    """How, why, and what was said."""

    way: ContactWay
    reason: ContactReason
    note: Annotated[str, Field(max_length=2 * LONGEST_NOTE)]


async def show(call: Call) -> Mapping[str, object]:
    """Those that live, and whether the person objects to being called."""
    store, account = call.request.app[STORE], call.path["account"]
    found = await store.contacts.of(call.scope, account)
    person = await store.organisation.person(call.scope, account)
    if person.account is None:
        raise Unreadable
    return {
        "person": person.account,
        "found": found,
        "names": await store.contacts.names(call.scope, found),
        "objects": bool(await store.requests.paused("contact", (account, person.account.mail))),
        "ways": CONTACT_WAYS,
        "reasons": CONTACT_REASONS,
    }


async def log(call: Call) -> LoggedContact:
    """Just now, by who is signed in."""
    said: Logged = call.body
    demand_meant(said, "note")
    return await call.request.app[STORE].contacts.log(
        call.scope, call.path["account"], said.way, said.reason, said.note
    )


def looked(call: Call, _shown: Mapping[str, object]) -> Draft:
    return Draft(Act.CONTACTS_READ, practitioner(call.practitioner), practitioner(call.path["account"]))


def logged(call: Call, one: LoggedContact) -> Draft:
    return Draft(Act.CONTACT_LOGGED, practitioner(call.practitioner), practitioner(one.owner), one.reason)


CONTACTS: Final = Page(
    "/practice/people/{account}/contacts",
    "practice/contacts.html",
    show,
    entered=looked,
    right=Right.CHANGE_PEOPLE,
)

PAGES: Final = (CONTACTS,)
FORMS: Final = (
    Form("/practice/people/{account}/contacts/log", CONTACTS, Logged, log, done="contact-logged", entered=logged),
)
"""``pages`` has each page and each form."""
