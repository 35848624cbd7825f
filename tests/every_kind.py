"""One record of each kind, each with a word in it that stands nowhere else: for whatever has to hold for all kinds.

They are written as contexts write theirs, by ``Writer``, under keys of their own. Who may write one is asked by no one.
"""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, get_args

from sqlalchemy import select

from practice.accounts.model import Language
from practice.agenda.model import Appointment, Contact
from practice.agenda.questions import Question
from practice.agreements.model import Acceptance, Document
from practice.assistants.model import Engagement
from practice.billing.model import BankAccount
from practice.bookings.model import Availability, Hold, Terms
from practice.breaches.model import Breach, Facts
from practice.circulars.model import Circular, Subscription
from practice.consents.model import AskedConsents, ConsentWording
from practice.contacts.model import LoggedContact
from practice.factors.model import Factors, Passkey
from practice.feeds.model import Feed
from practice.identity_papers.model import IdentityPaper
from practice.kinds import KINDS
from practice.legal.model import Demand, Disclosure, Operator
from practice.mail_servers.model import Access, MailServer
from practice.notices.model import News, Notice
from practice.organisation.model import Department, Invitation, Member
from practice.particulars.model import Particulars, Told
from practice.pictures.model import Picture
from practice.policies.model import Policy
from practice.presets.model import Preset, Presets
from practice.push_subscriptions.model import PushSubscription
from practice.questionnaires.model import Questionnaire, Questionnaires
from practice.registrations.model import MailDomain
from practice.reminders.model import ManualSpan
from practice.requests.model import Request
from practice.sentences.model import Sentence
from practice.sights.model import Sight
from practice.sms_providers.model import SmsProvider, Way
from practice.storage import Store
from tests.organisations import house
from tests.people import PASSWORD, START
from vault.records.content import new_id
from vault.records.records import Kind
from vault.records.writing import Writer, always

WORD = "Canaryofeachkind"
"""Stands in every record below, and in no name of a table, a column or a field."""

MAIL = f"{WORD}@example.org"
WAY = Way("webhook", f"https://{WORD}.example.org/", WORD, WORD)
ACCESS = Access(f"{WORD}.example.org", 587, "starttls", WORD, WORD, MAIL)
PASSKEY = Passkey(WORD, WORD, 0, "multi_device", True, WORD, START)
UNTIL = START + timedelta(days=365)


@dataclass(frozen=True)
class Whose:
    """An account and an organisation, each with a key of its own; the account is no member."""

    account: str
    organisation: str

    @property
    def owners(self) -> tuple[str, str]:
        return self.account, self.organisation


def invitation(whose: Whose) -> Invitation:
    """To nobody's address; what stands in clear is as long as a keyed hash."""
    return Invitation(
        id=new_id(),
        owner=whose.organisation,
        mail=MAIL,
        roles=frozenset({"owner"}),
        language="nl",
        by=whose.account,
        written=START,
        until=UNTIL,
        token=secrets.token_hex(32),
        index=secrets.token_hex(32),
        version=1,
    )


MADE: Mapping[str, Callable[[Whose], Any]] = {
    "appointments": lambda whose: Appointment(
        *(new_id(), whose.account, WORD, START, 30, "nl", "planned", None, WORD, None, 1),
        contact=Contact(MAIL, WORD, WORD),
    ),
    "sentences": lambda whose: Sentence(new_id(), whose.account, "fr", WORD, 1),
    "factors": lambda whose: Factors(new_id(), whose.account, START, False, WORD, 1, (WORD,), (PASSKEY,), 1),
    "members": lambda whose: Member(new_id(), whose.organisation, new_id(), frozenset({"support"}), "active", 1),
    "invitations": invitation,
    "notices": lambda whose: Notice(new_id(), whose.account, News("new-device", MAIL, "nl"), START, 0, START, 1),
    "questionnaires": lambda whose: Questionnaires(
        new_id(), whose.account, (Questionnaire(WORD, (Question("text", WORD),)),), 1
    ),
    "consents": lambda whose: AskedConsents(
        new_id(), whose.organisation, ("house",), (ConsentWording("house", "fr", WORD, START),), 1
    ),
    "presets": lambda whose: Presets(new_id(), whose.account, (Preset(WORD, 20, "fr"),), 1),
    "particulars": lambda whose: Particulars(new_id(), whose.account, Told(city=WORD, note=WORD), 1),
    "bank_accounts": lambda whose: BankAccount(new_id(), whose.account, WORD, 1),
    "policies": lambda whose: Policy(new_id(), whose.organisation, "90d", whose.account, START, version=1),
    "engagements": lambda whose: Engagement(new_id(), whose.account, new_id(), "initials", 1),
    "pictures": lambda whose: Picture(new_id(), whose.account, "photograph", WORD.encode(), True, 1),
    "mail_servers": lambda whose: MailServer(new_id(), whose.organisation, ACCESS, START, 1),
    "sms_providers": lambda whose: SmsProvider(new_id(), whose.organisation, WAY, START, 1),
    "availabilities": lambda whose: Availability(
        new_id(), whose.account, new_id(), Terms(ancestors=(f"https://{WORD}.example.org",)), version=1
    ),
    "holds": lambda whose: Hold(
        *(new_id(), whose.account, secrets.token_hex(32), START, 30, WORD, MAIL, "nl", WORD, WORD, START)
    ),
    "feeds": lambda whose: Feed(new_id(), whose.account, secrets.token_hex(32), START, 1),
    "push_subscriptions": lambda whose: PushSubscription(
        new_id(), whose.account, f"https://push.example.org/{WORD}/{new_id()}", WORD, START, 1
    ),
    "sights": lambda whose: Sight(new_id(), whose.organisation, new_id(), new_id(), "absent", START),
    "requests": lambda whose: Request(
        *(new_id(), whose.organisation, "access", "form", "nl", WORD, None, MAIL, "", None, START, "Europe/Amsterdam"),
        *(UNTIL, secrets.token_hex(32), secrets.token_hex(32), WORD),
    ),
    "breaches": lambda whose: Breach(new_id(), whose.organisation, new_id(), START, Facts(START, WORD, 12, words=WORD)),
    "identity_papers": lambda whose: IdentityPaper(new_id(), whose.organisation, new_id(), WORD.encode(), START),
    "mail_domains": lambda whose: MailDomain(
        new_id(), whose.organisation, f"{WORD}.example.org", "practitioner", True, secrets.token_hex(32), 1
    ),
    "departments": lambda whose: Department(new_id(), whose.organisation, WORD, 1),
    "subscriptions": lambda whose: Subscription(
        *(new_id(), whose.account, new_id(), 1, "nl", START, WORD, secrets.token_hex(32))
    ),
    "documents": lambda whose: Document(
        *(new_id(), whose.organisation, "statement", WORD, START), dict.fromkeys(get_args(Language), WORD)
    ),
    "acceptances": lambda whose: Acceptance(new_id(), whose.account, "statement", WORD, START, START),
    "manual_spans": lambda whose: ManualSpan(new_id(), whose.account, START),
    "contacts": lambda whose: LoggedContact(
        *(new_id(), whose.account, whose.organisation, new_id(), "call", "security", WORD, START)
    ),
    "circulars": lambda whose: Circular(
        *(new_id(), whose.organisation, "newsletter", None, WORD, WORD, "nl", new_id(), START)
    ),
    "operators": lambda whose: Operator(new_id(), whose.organisation, WORD, WORD, 1, START),
    "disclosures": lambda whose: Disclosure(
        *(new_id(), whose.organisation, new_id(), "export", Demand(WORD, WORD, UNTIL, WORD), (WORD,), START, 1)
    ),
}
"""By the names of kinds. Of some all is of a closed list: what is unknown in their content has the word too."""


async def somebody(store: Store, name: str = "everything") -> Whose:
    """A new account, and an organisation beside it."""
    person = await store.practitioners.add(f"{name}@example.org", PASSWORD, "Somebody", "nl")
    return Whose(person.id, await house(store))


async def write(store: Store, kind: Kind[Any], whose: Whose) -> Any:
    """One record of this kind, on disk when this returns."""
    made = MADE[kind.name](whose)
    record = replace(made, unknown={"later": WORD})
    assert await Writer(store.database, store.keys, store.clock.wall).first(kind, record, always)
    return record


async def write_all(store: Store, whose: Whose) -> list[str]:
    """One of each; their ids, in the order of ``KINDS``."""
    return [(await write(store, kind, whose)).id for kind in KINDS]


async def mark_all(store: Store, ids: Collection[str]) -> None:
    """The first step of destroying them; a sweep does the others."""
    async with store.database.write() as connection:
        for kind in KINDS:
            await connection.execute(kind.marking().where(kind.table.c.id.in_(ids)))


async def readable(store: Store, owners: Collection[str], *kinds: Kind[Any]) -> list[tuple[Kind[Any], Any]]:
    """All of theirs that opens and has the word in it, of these kinds or, without any, of all: kind and record."""
    found = []
    for kind in kinds or KINDS:
        rows = await store.database.ask(select(kind.table).where(kind.table.c.owner.in_(owners)))
        opened = (await store.reader.open(kind, rows)).living
        found += [(kind, one) for one in opened if one.unknown.get("later") == WORD]
    return found
