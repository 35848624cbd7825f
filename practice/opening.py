"""Opening storage: its parts, put together on what ``vault`` opens.

    async with open_storage(settings, in_progress=live.are_live) as storage:   # reads and writes, destroys nothing
        signaling = attach(storage)                                           # what consults are made of
        store = storage.destroying(on_destroy=…, on_close=…, on_handed=…)
        await store.retention.catch_up()                                      # before the port opens
        task_group.create_task(store.retention.run())

    in_progress: async (appointment ids) -> ids | None          # consults that are waited for; None: nobody can say
    on_destroy:  async (appointment ids) -> {id: fault}         # caches, traces in Redis
    on_close:    async (practitioner id) -> None                # the same of an account
    on_handed:   async (appointment ids, giver, taker) -> None  # whoever waits for what is another practitioner's now

    async with open_store(settings, in_progress=…, on_destroy=…, …) as store:      # where all are known before

``now`` returns aware UTC. ``open_storage`` raises ``StartRefused``, whose text is one sentence.
With ``exclusive=False`` (a command beside a running server) the data folder is not locked.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from practice.accounts.mail_changes import MailChanges
from practice.accounts.people import People
from practice.accounts.resets import Resets
from practice.accounts.sessions import Sessions
from practice.accounts.store import Practitioners
from practice.agenda.due_times import DueTimes, Planned
from practice.agenda.guests import Guests
from practice.agenda.starts import Starts
from practice.agenda.store import Appointments
from practice.agreements.store import Agreements
from practice.assistants import records as engaged
from practice.assistants.store import Assistants
from practice.billing.store import BankAccounts
from practice.bookings.store import Bookings
from practice.breaches.store import Breaches
from practice.circulars.store import Circulars
from practice.circulars.subscriptions import Subscriptions
from practice.consents.store import Asks, Consents
from practice.contacts.store import Contacts
from practice.factors.store import SecondFactors
from practice.feeds.store import Feeds
from practice.identity_papers.store import IdentityPapers
from practice.invitations.model import WAYS, Way
from practice.invitations.store import Dispatches
from practice.kinds import KINDS
from practice.legal.operators import Operators
from practice.legal.store import Disclosures
from practice.mail_servers.store import MailServers
from practice.notices.store import Notices
from practice.organisation.arrivals import Arrivals
from practice.organisation.departments import Departments
from practice.organisation.ending import Endings
from practice.organisation.invitations import Invitations
from practice.organisation.joining import Joining
from practice.organisation.oversight import Oversight
from practice.organisation.recovery import Recovery
from practice.organisation.store import Organisations
from practice.particulars.store import AllParticulars
from practice.pictures.store import Pictures
from practice.policies.store import Caps, Policies
from practice.portability.store import Imports
from practice.presets.store import AllPresets
from practice.push_subscriptions.store import PushSubscriptions
from practice.questionnaires.store import AllQuestionnaires
from practice.registrations.domains import MailDomains
from practice.registrations.store import Registrations
from practice.reminders.store import ManualSpans
from practice.requests.deciding import Decisions
from practice.requests.store import Requests
from practice.sentences.store import Sentences
from practice.sights.looks import Glances
from practice.sights.store import Sights
from practice.sms_providers.store import SmsProviders
from practice.statistics.store import Statistics
from practice.storage import Storage, Store
from vault.clock import Now, boottime, utc_now
from vault.destruction.deadline import AllTold, InProgress, Told
from vault.destruction.handing import Handed
from vault.records.export import Exports
from vault.records.stores import Means
from vault.settings import VaultSettings
from vault.vault import Vault, open_vault


@asynccontextmanager
async def open_store(
    settings: VaultSettings,
    *,
    in_progress: InProgress,
    on_destroy: AllTold,
    on_close: Told,
    on_handed: Handed,
    now: Now = utc_now,
    boot: Callable[[], float] = boottime,
    exclusive: bool = True,
    mail: bool = False,
    texts_to: Sequence[str] = (),
) -> AsyncIterator[Store]:
    """``open_storage`` and what destroys, for whoever knows all of it before."""
    async with open_storage(
        settings, in_progress=in_progress, now=now, boot=boot, exclusive=exclusive, mail=mail, texts_to=texts_to
    ) as storage:
        yield storage.destroying(on_destroy=on_destroy, on_close=on_close, on_handed=on_handed)


@asynccontextmanager
async def open_storage(
    settings: VaultSettings,
    *,
    in_progress: InProgress,
    now: Now = utc_now,
    boot: Callable[[], float] = boottime,
    exclusive: bool = True,
    mail: bool = False,
    texts_to: Sequence[str] = (),
) -> AsyncIterator[Storage]:
    """Open everything, migrated. Errors: StartRefused. A key store that cannot be used gives a locked store.

    ``mail``: whether there is a mail server; ``texts_to``: countries whose numbers get text messages, if any do.
    """
    starts = Starts()
    async with open_vault(
        settings, KINDS, in_progress=in_progress, on_forget=starts.forget, now=now, boot=boot, exclusive=exclusive
    ) as vault:
        yield assemble(vault, starts, mail=mail, texts_to=texts_to)


def assemble(vault: Vault, starts: Starts, *, mail: bool = False, texts_to: Sequence[str] = ()) -> Storage:
    """Put the contexts' parts together."""
    database, keys, reader, now = vault.database, vault.keys, vault.reader, vault.clock.wall
    means = Means(database, keys, reader, now, vault.reserve, vault.wake.set)
    people, due_times, caps = People(keys, reader), DueTimes(vault.clock, vault.settings.retention_cap), Caps(reader)
    accounts = Practitioners(database, keys, people, Planned(reader, due_times, caps.of), now)
    signed_in, held = Sessions(database, keys, now), SecondFactors(means)
    organisation = Organisations(means, people, joining := Joining(keys, accounts, now), signed_in, engaged.ending)
    notices = Notices(means, on=mail)
    ways, providers = _ways(mail=mail, sms=bool(texts_to)), SmsProviders(means)
    outbox = Dispatches(
        database, keys, vault.deadline, now, ways, texts_to, providers.stands, caps.reminders, vault.wake.set
    )
    asks_of = Asks(reader).of
    appointments = Appointments(means, people, starts, vault.deadline, due_times, caps.of, asks_of, outbox)
    return Storage(
        **vars(vault),
        practitioners=accounts,
        resets=Resets(database, keys, accounts, now),
        mail_changes=MailChanges(database, keys, accounts, now, people),
        sessions=signed_in,
        appointments=appointments,
        guests=Guests(appointments.turning, outbox),
        consents=Consents(means, appointments.turning),
        questionnaires=AllQuestionnaires(means, appointments.turning),
        sentences=Sentences(means, people),
        pictures=Pictures(means, organisation),
        factors=held,
        exports=Exports(database, vault.kinds, reader, partial(vault.deadline.forbidden, unsure=True)),
        imports=Imports(means, people, due_times, vault.deadline, caps.of, asks_of),
        manual_spans=ManualSpans(means, people, due_times, caps.of),
        organisation=organisation,
        sms_providers=providers,
        bookings=Bookings(means, appointments),
        policies=Policies(means, people),
        assistants=Assistants(means, people, organisation),
        arrivals=Arrivals(means, organisation),
        registrations=Registrations(means, people, accounts, joining, held),
        recovery=Recovery(organisation, held),
        oversight=Oversight(database, vault.audit, organisation),
        invitations=Invitations(means, joining, held),
        sights=Sights(means, people, organisation, appointments),
        **of_one_kind(means),
        **by_right(means, accounts, organisation, appointments, people),
        outbox=outbox,
        notices=notices,
        operators=Operators(means),
        looks=Glances(vault.audit),
        disclosures=Disclosures(means, people, vault.deadline, notices),
    )


def of_one_kind(means: Means) -> dict[str, Any]:
    """What stands on nothing but its own kind of record: by the names of the store's parts."""
    return {
        "presets": AllPresets(means),
        "particulars": AllParticulars(means),
        "bank_accounts": BankAccounts(means),
        "mail_servers": MailServers(means),
        "feeds": Feeds(means),
        "push_subscriptions": PushSubscriptions(means),
        "departments": Departments(means),
        "mail_domains": MailDomains(means),
        "breaches": Breaches(means),
        "endings": Endings(means),
        "circulars": Circulars(means),
        "agreements": Agreements(means),
    }


def by_right(
    means: Means, accounts: Practitioners, organisation: Organisations, appointments: Appointments, people: People
) -> dict[str, Any]:
    """What people may ask for, and decide, of what is kept of them: by the names of the store's parts."""
    requests = Requests(means, accounts, organisation, appointments)
    return {
        "requests": requests,
        "decisions": Decisions(means, people),
        "statistics": Statistics(means.database, means.now, requests.paused),
        "identity_papers": IdentityPapers(means, requests),
        "contacts": Contacts(means, people, organisation),
        "subscriptions": Subscriptions(means, people, accounts, organisation, requests.paused),
    }


def _ways(**on: bool) -> list[Way]:
    return [way for way in WAYS if on[way]]
