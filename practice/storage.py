"""Storage of the domain: one ``Store`` per process, which ``practice.opening`` opens.

    store.locked -> str | None                       # a sentence for the operator; every call then raises code `locked`
    await store.ping()                               # raises DomainError("try_again") when the database does not answer

    scope                                            # whose records: ``vault.records.scope``

    store.practitioners
        add(mail, password, display_name, language, retention="30d") -> Practitioner   # `conflict`, `invalid`
        authenticate(mail, password) -> Practitioner | None        # argon2id; the same work for an unknown address
        get(scope) -> Practitioner;  by_mail(scope, mail) -> Practitioner | None;  id_by_mail(scope, mail) -> id | None
        rename(scope, display_name, language, version) -> Practitioner;  set_password(scope, password, along, demand)
        preview_retention(scope, setting);  set_retention(scope, setting) -> int   # what it destroys at once
        reschedule_all(scope);  reschedule_behind(scope);  indices(mail) -> [bytes];  demand_free(connection, mail, but)
    store.sessions
        create(practitioner_id, strength) -> token;  practitioner(token) -> id | None;  end(token)
        end_all(practitioner_id);  strength(token);  create_for_set_up(practitioner_id) -> token
        setting_up(token) -> id;  found(token, query) -> row | None  # the session, and what the query joins to it
        reference(token) -> text;  lives(reference) -> bool;  use(references) -> those that have ended
        form_token(token) -> text;  of(scope) -> list[OpenSession];  end_of(scope, references)
        just_proved(token);  by_passkey(token) -> bool              # begun with two factors, a moment ago
        ended_by_commands() -> ids;  ended_fully(practitioner_id);  purge();  bounds() -> what makes one expired
    store.resets
        ask(scope, mail, tell) -> Practitioner | None               # a link to a new password, by mail
        token(seed) -> text;  whose(token) -> id | None;  using(token) -> allowed;  purge()
    store.mail_changes
        ask(scope, mail, session, tell);  pending(scope) -> MailChange | None           # `invalid`
        withdraw(scope);  of_link(token) -> MailChange?;  confirm(token) -> MailChange?;  carry_out(token, tell) -> bool
        token(seed) -> text;  stop(token) -> id | None;  purge()    # a link for each address, good for a day
    store.appointments
        create(scope, patient, starts_at, minutes, language) -> Appointment             # `invalid`
        get(scope, id) -> Appointment                # `not_found`; `gone` once destroyed or past due; `unreadable`
        list(scope, first_day, last_day) -> list[Appointment]       # inclusive local days, sorted by start
        agenda(scope, first_day, last_day) -> Agenda;  receipts(scope) -> list[Receipt]             # newest first
        glimpses(scope, first_day, last_day, zone) -> [Glimpse], int;  by_link(scope, secret) -> Visit | None
        change(scope, id, correction) -> Appointment;  wish(scope, secret, wish, typed) -> Visit | None   # `conflict`
        end(scope, id) -> Appointment;  reopen(scope, id);  attend(scope, id, attended)    # the first end counts
        cancel(scope, id, held);  keep(scope, id);  invite(scope, id, new_link) -> Appointment  # destroyed soon, or not
        is_told(scope, id, guest) -> bool            # whether there is an address, whatever the scope is shown
        begin_anew(scope, id, starts_at) -> Appointment             # of a queue; nobody is told
    store.guests
        add(scope, appointment_id, invitee) -> Appointment         # `guests_full`
        renew(scope, appointment_id, guest_id) -> Appointment;  remove(scope, appointment_id, guest_id)
        erase(scope, appointment_id, guest_id) -> Appointment               # for the guest: also once it is over
    store.questionnaires
        of(scope) -> Questionnaires;  write(scope, name, questions, seen) -> Questionnaires     # `invalid`, `conflict`
        choose(scope, id, name) -> Appointment;  answer(scope, secret, visit, answers, held) -> Appointment
    store.consents
        mine(scope) -> AskedConsents;  house(scope) -> AskedConsents    # of an account; of its organisation
        ask(scope, asks, seen);  ask_in_house(scope, asks, texts, seen)     # from now on; `invalid`, `conflict`
        missing(scope, visit) -> why not;  missing_of(scope, one, seat) -> why not      # into the waiting room
        missing_in(scope, planned) -> {id: why not}                 # of patients, for who planned them
        reading(scope, visit, language) -> Reading                  # texts to agree to, and what was agreed to
        give(scope, secret, versions, visit) -> Appointment                 # `conflict`: there is a newer text
        withdraw(scope, secret, visit) -> Appointment               # it is due now; `bad_state`
        say_age(scope, id, age) -> Appointment;  lift(scope, id, reason, note) -> Appointment   # no guardian
    store.sentences
        of(scope) -> Said;  say(scope, language, text) -> Sentence;  for_waiting(scope, visit, language) -> str | None
    store.presets
        of(scope) -> Presets;  add(scope, preset, seen);  remove(scope, name, seen)     # `invalid`, `conflict`
    store.particulars
        of(scope) -> Particulars;  tell(scope, told, seen) -> Particulars               # `invalid`, `conflict`
    store.bank_accounts
        of(scope) -> BankAccount;  set_iban(scope, number, seen, along) -> BankAccount  # `invalid`, `conflict`
    store.pictures
        logo(scope) -> Picture;  set_logo(scope, data, seen) -> Picture;  drop_logo(scope)          # `conflict`
        photograph(scope) -> Picture;  set_photograph(scope, data, shown, seen) -> Picture          # `conflict`
        show(scope, shown, seen) -> Picture;  named(scope, name) -> Picture
        for_waiting(scope, visit) -> Picture | None;  logo_of(owner) -> bytes                       # for letters
    store.factors
        of(scope) -> Factors;  begin(scope) -> Factors              # from now on one is asked for
        proposed(scope, session) -> secret;  set_totp(scope, session, code) -> recovery codes   # `factor_refused`
        add_passkey(scope, passkey) -> recovery codes               # `conflict`, `invalid`
        begin_with(connection, owner, passkey) -> recovery codes;  began(owner, made)   # with an account
        new_codes(scope) -> recovery codes;  remove(scope, passkey, demanded) -> Factors   # `bad_state`, `not_found`
        use(scope, typed, low) -> "totp" | "recovery" | None         # each code is good once
        lift(scope, kept, along) -> Factors                         # `bad_state`; who lost it is out everywhere
        used_passkey(scope, passkey);  take_away(scope, along) -> whether there was something    # the operator's
    store.exports
        numbers(scope) -> [(Kind, number)];  all_of(scope, most) -> [Held];  kind(name) -> Kind | None    # of all
        kinds;  number(scope, kind) -> int;  pages(scope, kind) -> (records, damaged), some at a time
    store.imports
        take(scope, taken) -> Imported               # an archive of ours, all or nothing
    store.organisation
        establish(scope, profile) -> id;  enrol() -> int;  get(scope) -> Organisation   # the first two: at a start
        change(scope, profile, seen) -> Organisation                                    # `invalid`, `conflict`
        add_account(scope, mail, password, display_name, language) -> Practitioner      # and its member
        first_link(scope) -> secret | None;  is_first(secret) -> bool                   # good once, for an hour
        begin(secret, mail, password, display_name, language, profile) -> Practitioner  # `link_invalid`
        name_owner(scope);  standing(account) -> Standing | None                        # None: deactivated
        signed_in(token) -> Standing | None;  standings.recent(account)                 # in one query; of a moment ago
        roster(scope) -> Roster;  person(scope, account) -> Person;  profile_of(owner) -> Profile
        set_roles(scope, account, roles, seen) -> Member;  set_state(scope, account, state) -> Member   # `last_owner`
        set_departments(scope, account, departments, seen) -> Member                    # `invalid`, `conflict`
        colleagues(organisation, fits) -> [Colleague]               # by name and no more
    store.policies
        of(scope) -> Policy;  change(scope, cap, barred, seen) -> Policy      # `conflict`, `invalid`, `closing`
        cap(scope) -> Cap;  barred(scope, account) -> features      # what follows for who plans, and for a consult
    store.departments
        of(scope) -> [Department];  make(scope, name);  rename(scope, id, name, seen);  close(scope, id)
    store.assistants
        of(scope, account) -> [Engaged];  engage(scope, account, practitioner) -> Engagement    # who looks after people
        release(scope, account, id) -> Engagement                   # `not_found`; engage: `conflict`, `invalid`
        mine(scope) -> [Engaged];  say(scope, id, label, admits, seen);  part(scope, id)        # the practitioner's own
        served(scope) -> [Engaged];  acting(scope, practitioner) -> Scope;  recent(account) -> {id: Engagement}
    store.mail_servers
        of(scope);  write(scope, access, seen, port_is_free);  remove(scope, seen);  of_owner(owner) -> MailServer?
    store.sms_providers
        of(scope);  write(scope, way, seen, port_is_free);  remove(scope, seen);  of_owner(owner);  stands(owner)
    store.feeds
        of(scope) -> Feed | None;  make(scope) -> Feed, token;  end(scope) -> bool;  whose(token) -> id | None
    store.bookings
        of(scope) -> Availability;  set_terms(scope, terms, seen);  readdress(scope, seen)              # `conflict`
        set_hour(scope, hour, seen);  receiving(token, zone) -> Availability, until     # an open hour
        receive(availability, planning, zone, who, name, language) -> Appointment       # `ended`: it is closed
        at(token) -> Availability | None;  times(availability, looking, zone) -> when somebody may be booked
        hold(availability, looking, zone, wanted, tell) -> Hold, token;  held(token) -> Hold | None   # ten minutes
        confirm(hold, availability, looking, planning, zone, typed) -> Appointment;  bury()    # `invalid`, `conflict`
    store.push_subscriptions
        of(scope) -> [PushSubscription];  subscribe(scope, endpoint, session) -> PushSubscription   # `conflict`
        renew(scope, endpoint, session) -> bool;  end(scope, endpoint) -> bool;  bury() -> int      # after 90 days
        end_of(scope, sessions) -> int;  keep_only(scope, session) -> int   # who signed out there, or everywhere else
    store.arrivals
        approve(scope, account, along);  refuse(scope, account, along);  deciders(scope, organisation);  unanswered()
    store.mail_domains
        of(scope) -> [MailDomain];  add(scope, name, role, approval);  remove(scope, id)
    store.registrations
        ask(scope, mail, language, tell);  token(seed);  opened(token);  resembles(name);  purge()
        accept(token, where);  accept_by_passkey(token, where) -> Registered    # `link_invalid`, `conflict`, `invalid`
    store.recovery
        of(scope, account) -> Factors;  lift(scope, account, kept, along) -> Factors    # of a member who lost it
    store.endings
        begin(scope) -> id;  leave(scope) -> id | None              # an organisation ends; with its only member
        under_way() -> [Ending];  is_last(id) -> bool;  done();  receipt(id) -> Receipt | None    # for who does it
    store.invitations
        invite(scope, mail, roles, language, tell, departments) -> Invited   # a link by mail; `conflict`, `invalid`
        again(scope, id, tell) -> Invited;  withdraw(scope, id) -> Invitation;  waiting(scope) -> [Invitation]
        get(scope, id) -> Invitation;  token(seed) -> text;  stands(token) -> bool;  welcome(token);  bury() -> int
        accept(token, display_name, language, password) -> Practitioner   # `link_invalid`, `conflict`
        accept_by_passkey(token, account, display_name, language, passkey) -> Practitioner, recovery codes
    store.sights
        ask(scope, account, reason, along) -> Sight;  givers(scope, account) -> [Practitioner]   # `invalid`, `conflict`
        approve(scope, id, along) -> Sight                          # somebody else gives it, for an hour; `conflict`
        look(scope, id, zone) -> Look;  waiting(scope) -> [NamedSight];  of(scope, account) -> [NamedSight]
        end(scope, id) -> Sight;  lapse(scope, account) -> int      # by one of the three; with their right
        unseen(scope) -> int;  see(scope) -> int;  bury() -> int
    store.requests
        file(scope, filing, tell) -> Filed;  mine(scope) -> RequestList  # by right; twice the same is one; `invalid`
        token(seed);  of_link(token) -> Request;  confirm(token);  reply(token, text, tell)     # `link_invalid`
        paused(purpose, who) -> who of them                         # ids and addresses: somebody objected
        host() -> id?;  backlog();  to_be_reminded();  reminded(request, day, along);  extension_sent(seed, at);  bury()
    store.decisions
        queue(scope) -> RequestList;  get(scope, id) -> Request;  read(scope, id) -> NamedRequest
        officers(organisation) -> accounts;  owners(organisation) -> accounts
        ask_back(scope, id, text, tell);  extend(scope, id, reason, tell)      # `conflict`, `invalid`, `bad_state`
        decide(scope, id, outcome, text, tell, whose) -> Request    # by a person, with a text of theirs
        discard(scope, id) -> Request;  once(before, along) -> Along  # it is none; what a report ends, once
    store.subscriptions
        of(scope) -> Subscription | None;  ask(scope, tell) -> Subscription     # the newsletter; `conflict`
        of_link(token);  confirm(token) -> Subscription?;  leave(token) -> Subscription?;  withdraw(scope)
        count(scope) -> int;  bury();  token(seed) -> text;  waits(one) -> bool
        waiting(circular) -> [Subscription];  recipient(one) -> Practitioner?   # for the press
        begun(one, person, lease);  served(one, circular);  objects(person) -> bool
    store.agreements
        put_forward(scope, name, texts) -> Document;  versions(scope) -> [Document]     # what people agree to
        of(scope) -> [Agreed];  accept(scope, name, mark) -> Acceptance                 # `conflict`
    store.contacts
        log(scope, account, way, reason, note) -> LoggedContact     # that somebody was called; `invalid`
        of(scope, account) -> [LoggedContact];  names(scope, found) -> {account: name};  bury() -> int
    store.manual_spans
        accounts() -> ids;  look(account, tell) -> bool             # who is reminded, once a year
    store.circulars
        of(scope, use) -> [Circular];  write(scope, use, subject, text, language, topic, seen) -> Circular
        discard(scope, use, seen);  release(scope, use, seen) -> Circular;  inbox(scope) -> [Circular]  # `conflict`
        under_way(use) -> [Circular];  count(circular, reached, refused, ended) -> Circular;  bury()
        to_be_told(circular) -> accounts;  reach(circular, account, along) -> Circular | None   # a service notice
    store.operators
        of(scope) -> [Operator];  add(scope, name, secret, code, leave) -> Operator     # `factor_refused`, `conflict`
        remove(scope, name, leave) -> Operator;  two(scope, first, second) -> two of them   # each code is good once
    store.disclosures
        export(scope, wanted, demand, two) -> Given                 # what a law demands, of what exists; `forbidden`
        preserve(scope, ids, until, demand, two) -> Disclosure      # not destroyed before; `gone`, `invalid`
        of(scope) -> [Disclosure];  tell() -> [Disclosure];  bury() -> int              # what may be known
    store.looks
        of(scope, one) -> Glanced                                   # who looked at it, for whoever has its link
    store.identity_papers
        put(token, data) -> Request;  waiting(scope) -> ids of requests;  look(scope, id) -> bytes  # seen once
        bury() -> int                               # with the decision, and after 28 days
    store.breaches
        of(scope) -> Register;  get(scope, id) -> Breach;  enter(scope, facts) -> Breach    # officers; `invalid`
        change(scope, id, facts, seen) -> Breach;  clocks() -> Clocks                       # `conflict`; the 72 hours
    store.statistics
        of(scope) -> [Month];  count(scope, what, accounts);  swept(scope, accounts);  purge() -> int
    store.notices
        along(owner, news, cause) -> bool;  of(owner, news) -> along    # a change, and mail about it, as one
        on -> bool;  any_of(owners) -> bool         # whether there is a mail server; whether any is still to be told
        waiting();  any();  later(notice);  done(notice);  bury()   # for the postman
    store.outbox
        demand(owner, mail, phone);  texts(owner);  follow(connection, key, after);  hurry();  carry();  part()
        of(planned);  visited(one, guest);  any();  waiting();  begun(due, lease);  later(due);  done(due, state)
        came_back(dispatch, reason) -> id | None                    # of whom, where that says something new
    store.retention
        destroy(scope, id) -> Receipt;  sweep() -> int;  run();  catch_up() -> int;  status() -> RetentionStatus
        destroy_all(scope) -> Emptied;  close(scope) -> Closed      # by the same way; running consults are waited for
        request_closure(scope)                                      # for a command: a running server does the rest
        resume();  due() -> int;  compare() -> int    # the clock is right; past due now; rows that differ from keys
    store.handing
        prospect(scope, account) -> Prospect;  hand_over(scope, account, to, along) -> int
        colleagues(scope) -> [Colleague];  hand_one(scope, appointment, to) -> bool     # one who waits
    store.oversight
        look(scope, asked, before) -> Seen;  export(scope, asked) -> Extract  # the trail; all of it: `too_large`
        verify(scope) -> TrailReport;  verified(scope) -> Entry | None;  backed_up(scope) -> Entry | None
        of_oneself(scope, most) -> [TrailLine]                      # what the trail says of who asks
    store.audit
        record(act, by, on=None, detail=None);  record_all(drafts)  # who did what to which object: ``vault.audit``
        entries(first, last, act);  found(search);  newest(search, most, before)        # ``vault.audit.search``
        name(party) -> text | None;  names(parties);  verify() -> TrailReport;  tidy() -> int;  anchor()

Times are aware; ``now`` returns aware UTC. Errors are ``DomainError`` with a code.
"""

from dataclasses import dataclass

from practice.accounts.mail_changes import MailChanges
from practice.accounts.people import People
from practice.accounts.resets import Resets
from practice.accounts.sessions import Sessions
from practice.accounts.store import Practitioners
from practice.agenda.due_times import DueTimes
from practice.agenda.guests import Guests
from practice.agenda.handing import AppointmentsToCome, handed_over
from practice.agenda.records import APPOINTMENTS
from practice.agenda.store import Appointments
from practice.agreements.store import Agreements
from practice.assistants import records as engaged
from practice.assistants.store import Assistants
from practice.billing.store import BankAccounts
from practice.bookings.store import Bookings
from practice.breaches.store import Breaches
from practice.circulars.store import Circulars
from practice.circulars.subscriptions import Subscriptions
from practice.consents.store import Consents
from practice.contacts.store import Contacts
from practice.factors.store import SecondFactors
from practice.feeds.store import Feeds
from practice.identity_papers.store import IdentityPapers
from practice.invitations.store import Dispatches
from practice.legal.operators import Operators
from practice.legal.store import Disclosures
from practice.mail_servers.store import MailServers
from practice.notices.store import Notices
from practice.organisation.arrivals import Arrivals
from practice.organisation.departments import Departments
from practice.organisation.ending import Endings
from practice.organisation.handing import HandingOver
from practice.organisation.invitations import Invitations
from practice.organisation.oversight import Oversight
from practice.organisation.recovery import Recovery
from practice.organisation.store import Organisations
from practice.particulars.store import AllParticulars
from practice.pictures.store import Pictures
from practice.policies.store import Policies
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
from vault.destruction.deadline import AllTold, Told
from vault.destruction.handing import Handed
from vault.destruction.sweeper import Sweeper
from vault.records.export import Exports
from vault.vault import Vault


@dataclass(frozen=True)
class Storage(Vault):
    """All that is stored, to be read and written. Nothing here destroys."""

    practitioners: Practitioners
    sessions: Sessions
    resets: Resets
    mail_changes: MailChanges
    appointments: Appointments
    guests: Guests
    consents: Consents
    questionnaires: AllQuestionnaires
    sentences: Sentences
    presets: AllPresets
    particulars: AllParticulars
    bank_accounts: BankAccounts
    pictures: Pictures
    factors: SecondFactors
    exports: Exports
    imports: Imports
    organisation: Organisations
    policies: Policies
    departments: Departments
    mail_servers: MailServers
    sms_providers: SmsProviders
    feeds: Feeds
    bookings: Bookings
    push_subscriptions: PushSubscriptions
    assistants: Assistants
    arrivals: Arrivals
    mail_domains: MailDomains
    registrations: Registrations
    recovery: Recovery
    endings: Endings
    invitations: Invitations
    requests: Requests
    identity_papers: IdentityPapers
    breaches: Breaches
    decisions: Decisions
    sights: Sights
    subscriptions: Subscriptions
    circulars: Circulars
    contacts: Contacts
    manual_spans: ManualSpans
    agreements: Agreements
    operators: Operators
    disclosures: Disclosures
    looks: Glances
    statistics: Statistics
    notices: Notices
    outbox: Dispatches
    oversight: Oversight

    def destroying(self, *, on_destroy: AllTold, on_close: Told, on_handed: Handed) -> "Store":
        """The same with what destroys: ``on_destroy`` clears what is kept elsewhere of an appointment, ``on_close`` of
        a practitioner; ``on_handed`` is told of appointments that are another's.
        """
        people, due_times = People(self.keys, self.reader), DueTimes(self.clock, self.settings.retention_cap)
        retention = self.sweeper(
            on_destroy=on_destroy,
            on_close=on_close,
            on_handed=on_handed,
            settling=self.practitioners,
            expiring=self.sessions,
            transfers=[AppointmentsToCome(people, due_times, self.outbox, self.clock.wall)],
            handed=handed_over,
            swept=self.statistics.swept,
            parting={APPOINTMENTS.name: self.outbox.part},
        )
        handing = HandingOver(self.organisation, retention.handing, engaged.served)
        return Store(**vars(self), retention=retention, handing=handing)


@dataclass(frozen=True)
class Store(Storage):
    """All storage of the domain."""

    retention: Sweeper
    handing: HandingOver
