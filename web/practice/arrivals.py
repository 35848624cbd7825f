"""Who registered by themselves and waits: let in, or turned down."""

from typing import Annotated, Final

from pydantic import Field

from practice.notices.model import News, Word
from practice.organisation.model import Member, Person
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from vault.records.writing import Along
from web.forms import Fields, Form, Page
from web.practice.people import PEOPLE


class Who(Fields):
    """One of them."""

    account: Annotated[str, Field(min_length=1, max_length=22)]


async def let_in(call: Call) -> Member:
    """They may sign in, and are told."""
    store = call.request.app[STORE]
    person = await store.organisation.person(call.scope, call.body.account)
    return await store.arrivals.approve(call.scope, call.body.account, telling(call, person, person.member.account))


async def turn_down(call: Call) -> None:
    """They are told, and the account is closed."""
    store, account = call.request.app[STORE], call.body.account
    person = await store.organisation.person(call.scope, account)
    member = await store.arrivals.refuse(call.scope, account, telling(call, person, person.member.owner))
    drafted = Draft(Act.MEMBER_TURNED_DOWN, practitioner(call.practitioner), practitioner(member.account))
    await store.audit.record_all([drafted])
    await store.retention.close(of_practitioner(member.account))


def telling(call: Call, person: Person, owner: str) -> Along:
    """The mail about it, with the key of this account or organisation; to who cannot be read there is none."""
    news = []
    if person.account is not None:
        word: Word = "let-in" if owner == person.member.account else "turned-down"
        news.append(News(word, person.account.mail, person.account.language))
    return call.request.app[STORE].notices.of(owner, *news)


def entered(call: Call, member: Member) -> Draft:
    return Draft(Act.MEMBER_LET_IN, practitioner(call.practitioner), practitioner(member.account))


PAGES: Final[tuple[Page, ...]] = ()
"""The forms stand on the page of the people."""

FORMS: Final = (
    Form("/practice/arrivals/let-in", PEOPLE, Who, let_in, done="let-in", entered=entered, right=Right.CHANGE_PEOPLE),
    Form("/practice/arrivals/turn-down", PEOPLE, Who, turn_down, done="turned-down", right=Right.CHANGE_PEOPLE),
)
"""``pages`` has each page and each form."""
