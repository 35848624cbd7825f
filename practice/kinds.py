"""All kinds of records that there are."""

from typing import Final

from practice.accounts.records import PRACTITIONERS
from practice.agenda.records import APPOINTMENTS
from practice.agreements.records import ACCEPTANCES, DOCUMENT_VERSIONS
from practice.assistants.records import ENGAGEMENTS
from practice.billing.records import BANK_ACCOUNTS
from practice.bookings.records import AVAILABILITIES, HOLDS
from practice.breaches.records import BREACHES
from practice.circulars.records import CIRCULARS, SUBSCRIPTIONS
from practice.consents.records import CONSENTS
from practice.contacts.records import CONTACTS
from practice.factors.records import FACTORS
from practice.feeds.records import FEEDS
from practice.identity_papers.records import IDENTITY_PAPERS
from practice.invitations.records import dispatches
from practice.legal.records import DISCLOSURES, OPERATORS
from practice.mail_servers.records import MAIL_SERVERS
from practice.notices.records import NOTICES
from practice.organisation.records import DEPARTMENTS, INVITATIONS, MEMBERS, ORGANISATIONS
from practice.particulars.records import PARTICULARS
from practice.pictures.records import PICTURES
from practice.policies.records import POLICIES
from practice.presets.records import PRESETS
from practice.push_subscriptions.records import PUSH_SUBSCRIPTIONS
from practice.questionnaires.records import QUESTIONNAIRES
from practice.registrations.records import MAIL_DOMAINS
from practice.reminders.records import MANUAL_SPANS
from practice.requests.records import REQUESTS
from practice.sentences.records import SENTENCES
from practice.sights.records import SIGHTS
from practice.sms_providers.records import SMS_PROVIDERS
from vault.records.records import Kinds

KINDS: Final = Kinds(
    (PRACTITIONERS, ORGANISATIONS),
    (
        *(APPOINTMENTS, SENTENCES, FACTORS, MEMBERS, INVITATIONS, NOTICES, PARTICULARS, BANK_ACCOUNTS),
        *(POLICIES, ENGAGEMENTS, PICTURES, MAIL_SERVERS, SMS_PROVIDERS, FEEDS, SIGHTS, DEPARTMENTS, MAIL_DOMAINS),
        *(PRESETS, AVAILABILITIES, HOLDS, PUSH_SUBSCRIPTIONS),
        REQUESTS,
        *(SUBSCRIPTIONS, CIRCULARS, DOCUMENT_VERSIONS, ACCEPTANCES, MANUAL_SPANS),
        CONTACTS,
        *(CONSENTS, QUESTIONNAIRES),
        *(IDENTITY_PAPERS, BREACHES),
        *(OPERATORS, DISCLOSURES),
    ),
    passing=(dispatches,),
)
