"""Whose records a call gave, and which."""

from collections.abc import Iterator
from typing import Any

from practice.accounts.model import MailChange, OpenSession, Practitioner
from practice.agenda.model import Agenda, Appointment, Glimpse
from practice.agenda.visit import Visit
from practice.agreements.model import Acceptance, Agreed, Document
from practice.assistants.model import Engaged, Engagement
from practice.billing.model import BankAccount
from practice.bookings.model import Availability, Hold
from practice.breaches.model import Breach, Clocks, Register
from practice.circulars.model import Circular, Subscription
from practice.consents.model import AskedConsents
from practice.consents.store import Reading
from practice.contacts.model import LoggedContact
from practice.factors.model import Factors
from practice.feeds.model import Feed
from practice.legal.model import Disclosure, Given, Operator
from practice.mail_servers.model import MailServer
from practice.organisation.handing import Prospect
from practice.organisation.model import Colleague, Department, Invitation, Invited, Member, Organisation, Roster
from practice.organisation.model import Person as Listed
from practice.organisation.oversight import Extract, Seen, TrailLine
from practice.particulars.model import Particulars
from practice.pictures.model import Picture
from practice.policies.model import Cap, Policy
from practice.portability.store import Imported
from practice.presets.model import Presets
from practice.push_subscriptions.model import PushSubscription
from practice.questionnaires.model import Questionnaires
from practice.registrations.model import MailDomain
from practice.requests.model import Backlog, Filed, NamedRequest, Request, RequestList
from practice.sentences.model import Said, Sentence
from practice.sights.looks import Glanced
from practice.sights.model import Look, NamedSight, Sight
from practice.sms_providers.model import SmsProvider
from practice.statistics.model import Month
from vault.audit.entry import Entry
from vault.audit.verify import TrailReport
from vault.destruction.closure import Closed, Emptied
from vault.keys.receipt import Receipt
from vault.records.export import Held
from vault.records.records import Damaged
from vault.records.scope import Scope

OWNED = (
    *(Appointment, BankAccount, Damaged, Department, Engagement, Factors, Feed, Invitation, MailDomain, MailServer),
    *(Availability, Hold, Particulars, Picture, Policy, Presets, PushSubscription, Request, Sentence, Sight),
    *(SmsProvider, Subscription, LoggedContact, Circular, Document, Acceptance, AskedConsents, Questionnaires),
    *(Disclosure, Operator),
    Breach,
)

NOBODYS = (
    Imported,
    *(Backlog, bool, int, str, type(None), Cap, Closed, Emptied, Entry, Glimpse, Held, Month, OpenSession, Receipt),
    *(TrailReport, Reading, Glanced, bytes, Clocks),
)
"""What has no id of a record or of an account: numbers, receipts and what is taken along, which other tests look at."""


def owners_and_ids(found: Any) -> Iterator[tuple[str, str]]:
    """Whose records came back, and which. What it does not know is no answer: TypeError."""
    match found:
        case _ if isinstance(found, OWNED):
            yield found.owner, found.id
        case (
            Practitioner(id=owner)
            | Organisation(id=owner)
            | MailChange(practitioner=owner)
            | Scope(person=str(owner))
            | Colleague(account=owner)
        ):
            yield owner, owner
        case Invited(invitation=one):
            yield one.owner, one.id
        case Member():
            yield found.owner, found.id
            yield found.owner, found.account
        case (
            Listed(member=inner)
            | Visit(appointment=inner)
            | Prospect(person=inner)
            | Engaged(engagement=inner)
            | NamedSight(sight=inner)
            | Look(sight=inner)
            | Filed(request=inner)
            | NamedRequest(request=inner)
            | Agreed(document=inner)
            | Given(disclosure=inner)
        ):
            yield from owners_and_ids(inner)
        case Roster(people=several) | Said(sentences=several) | Agenda(appointments=several):
            yield from owners_and_ids([*several, *found.damaged])
        case Register(breaches=several):
            yield from owners_and_ids(list(several))
        case Seen() | Extract():
            yield from owners_and_ids([found.roster, *found.lines])
        case TrailLine():
            yield from ((account, account) for account in (found.by, found.on) if account)
        case dict() | list() | tuple() | set() | frozenset() | RequestList():
            each = found.requests if isinstance(found, RequestList) else found
            yield from (pair for one in each for pair in owners_and_ids(one))
        case _ if not isinstance(found, NOBODYS):
            raise TypeError(f"whose is a {type(found).__name__}?")
