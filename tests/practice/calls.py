"""Every method that demands a scope, called with one and an id, by somebody with records of every kind."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from functools import partial
from typing import Any, get_args

import pyotp

from practice.accounts.model import RETENTION, Language, Practitioner
from practice.agenda.ages import Age
from practice.agenda.changes import Correction
from practice.agenda.guests import Invitee
from practice.agenda.model import Appointment
from practice.agenda.questions import Question
from practice.agenda.records import APPOINTMENTS
from practice.agreements.store import marked
from practice.bookings.model import OpenHour, Terms
from practice.breaches.model import Facts
from practice.factors.model import Passkey
from practice.feeds.model import Feed
from practice.mail_servers.model import Access, MailServer
from practice.organisation.invitations import Tell
from practice.organisation.model import Invitation
from practice.organisation.oversight import Inquiry
from practice.particulars.model import Told
from practice.pictures.model import Picture
from practice.policies.model import Policy
from practice.portability.taken import Taken
from practice.presets.model import Preset
from practice.registrations.model import MailDomain
from practice.sms_providers.model import SmsProvider, Way
from practice.storage import Store
from tests.organisations import PRACTICE
from tests.people import PASSWORD, START
from tests.practice.calls_by_right import BY_RIGHT
from tests.practice.legal_calls import LEGAL
from tests.practice.visiting import answers, given, missing_in, missing_of, reading, with_visit, withdrawn
from vault.records.content import new_id
from vault.records.records import Kind
from vault.records.scope import Scope
from vault.records.writing import Along

ASKED = Question("number", "Temperatuur?")
ENDPOINT = "https://push.example.org/one"
FIRST, LAST = date(2020, 1, 1), date(2040, 1, 1)


@dataclass
class Person:
    """A member of an organisation of their own, who works for them, and all ids that ever were theirs."""

    id: str
    mail: str
    organisation: str
    member: str
    assistant: str
    invitation: str = ""
    engagement: str = ""
    department: str = ""
    domain: str = ""
    newcomer: str = ""
    sight: str = ""
    request: str = ""
    records: dict[str, str] = field(default_factory=dict)
    """The secrets of appointments, by id; sentences have none."""

    def note(self, one: Appointment) -> None:
        self.records[one.id] = self.secret = one.secret
        self.planned = one.id

    @property
    def said(self) -> str:
        """What they say to who waits."""
        return f"Welkom bij {self.mail}."


Call = Callable[[Store, Scope, str, Person], Awaitable[Any]]

STATEMENT: dict[Language, str] = dict.fromkeys(get_args(Language), "What is kept, and how long.")

CALLS: dict[str, Call] = {
    "appointments.create": lambda store, scope, _, me: planned(store, scope, me),
    "appointments.get": lambda store, scope, row, _: store.appointments.get(scope, row),
    "appointments.by_link": lambda store, scope, _, me: store.appointments.by_link(scope, me.secret),
    "appointments.list": lambda store, scope, *_: store.appointments.list(scope, FIRST, LAST),
    "appointments.agenda": lambda store, scope, *_: store.appointments.agenda(scope, FIRST, LAST),
    "appointments.attend": lambda store, scope, row, _: store.appointments.attend(scope, row, "held"),
    "appointments.cancel": lambda store, scope, row, _: store.appointments.cancel(scope, row, held=False),
    "appointments.keep": lambda store, scope, row, _: store.appointments.keep(scope, row),
    "appointments.change": lambda store, scope, row, _: store.appointments.change(scope, row, Correction(1, "Piet")),
    "appointments.begin_anew": lambda store, scope, row, _: store.appointments.begin_anew(scope, row, START),
    "appointments.glimpses": lambda store, scope, *_: store.appointments.glimpses(scope, FIRST, LAST, UTC),
    "appointments.end": lambda store, scope, row, _: store.appointments.end(scope, row),
    "appointments.reopen": lambda store, scope, row, _: store.appointments.reopen(scope, row),
    "appointments.is_told": lambda store, scope, row, _: store.appointments.is_told(scope, row),
    "appointments.invite": lambda store, scope, row, _: store.appointments.invite(scope, row, new_link=True),
    "appointments.receipts": lambda store, scope, *_: store.appointments.receipts(scope),
    "guests.add": lambda store, scope, row, _: store.guests.add(scope, row, Invitee("Maria", "guest", "nl")),
    "guests.renew": lambda store, scope, row, _: store.guests.renew(scope, row, row),
    "guests.remove": lambda store, scope, row, _: store.guests.remove(scope, row, row),
    "guests.erase": lambda store, scope, row, _: store.guests.erase(scope, row, row),
    "sessions.of": lambda store, scope, *_: store.sessions.of(scope),
    "sessions.end_of": lambda store, scope, row, _: store.sessions.end_of(scope, [row]),
    "questionnaires.of": lambda store, scope, *_: store.questionnaires.of(scope),
    "questionnaires.write": lambda store, scope, *_: store.questionnaires.write(scope, "Intake", [ASKED], 0),
    "questionnaires.choose": lambda store, scope, row, _: store.questionnaires.choose(scope, row, ""),
    "questionnaires.answer": lambda store, scope, _, me: with_visit(store, scope, me, partial(answers, store, me)),
    "consents.mine": lambda store, scope, *_: store.consents.mine(scope),
    "consents.ask": lambda store, scope, *_: store.consents.ask(scope, ["video"], 0),
    "consents.house": lambda store, scope, *_: store.consents.house(scope),
    "consents.ask_in_house": lambda store, scope, *_: store.consents.ask_in_house(scope, ["house"], {"nl": "Ja."}, 0),
    "consents.missing": lambda store, scope, _, me: with_visit(store, scope, me, store.consents.missing),
    "consents.missing_of": lambda store, scope, row, _: missing_of(store, scope, row),
    "consents.missing_in": lambda store, scope, row, _: missing_in(store, scope, row),
    "consents.reading": lambda store, scope, _, me: with_visit(store, scope, me, partial(reading, store)),
    "consents.give": lambda store, scope, _, me: with_visit(store, scope, me, partial(given, store, me)),
    "consents.withdraw": lambda store, scope, _, me: with_visit(store, scope, me, partial(withdrawn, store, me)),
    "consents.say_age": lambda store, scope, row, _: store.consents.say_age(scope, row, Age("12-15")),
    "consents.lift": lambda store, scope, row, _: store.consents.lift(scope, row, "emergency", ""),
    "sentences.of": lambda store, scope, *_: store.sentences.of(scope),
    "sentences.say": lambda store, scope, _, me: store.sentences.say(scope, "nl", me.said),
    "sentences.for_waiting": lambda store, scope, _, me: for_waiting(store, scope, me),
    "presets.of": lambda store, scope, *_: store.presets.of(scope),
    "presets.add": lambda store, scope, *_: store.presets.add(scope, Preset("Intake", 45, "nl"), 0),
    "presets.remove": lambda store, scope, *_: store.presets.remove(scope, "Intake", 1),
    "particulars.of": lambda store, scope, *_: store.particulars.of(scope),
    "particulars.tell": lambda store, scope, *_: store.particulars.tell(scope, Told(city="Utrecht"), 0),
    "bank_accounts.of": lambda store, scope, *_: store.bank_accounts.of(scope),
    "bank_accounts.set_iban": lambda store, scope, *_: store.bank_accounts.set_iban(scope, "NL91ABNA0417164300", 0),
    "pictures.logo": lambda store, scope, *_: store.pictures.logo(scope),
    "pictures.set_logo": lambda store, scope, *_: store.pictures.set_logo(scope, b"a logo", 0),
    "pictures.drop_logo": lambda store, scope, *_: store.pictures.drop_logo(scope),
    "pictures.photograph": lambda store, scope, *_: store.pictures.photograph(scope),
    "pictures.set_photograph": lambda store, scope, *_: store.pictures.set_photograph(scope, b"a face", True, 0),
    "pictures.show": lambda store, scope, *_: store.pictures.show(scope, True, 1),
    "pictures.named": lambda store, scope, row, _: store.pictures.named(scope, f"{row}-1"),
    "pictures.for_waiting": lambda store, scope, _, me: photograph_for_waiting(store, scope, me),
    "factors.of": lambda store, scope, *_: store.factors.of(scope),
    "factors.begin": lambda store, scope, *_: store.factors.begin(scope),
    "factors.proposed": lambda store, scope, *_: store.factors.proposed(scope, "session"),
    "factors.set_totp": lambda store, scope, *_: set_totp(store, scope),
    "factors.add_passkey": lambda store, scope, *_: store.factors.add_passkey(scope, passkey(new_id())),
    "factors.new_codes": lambda store, scope, *_: store.factors.new_codes(scope),
    "factors.remove": lambda store, scope, *_: store.factors.remove(scope, None, demanded=False),
    "factors.lift": lambda store, scope, _, me: store.factors.lift(scope, ["first"], store.notices.of(me.id)),
    "factors.take_away": lambda store, scope, *_: store.factors.take_away(scope),
    "factors.use": lambda store, scope, *_: store.factors.use(scope, "123456"),
    "factors.used_passkey": lambda store, scope, *_: store.factors.used_passkey(scope, passkey("first")),
    "practitioners.get": lambda store, scope, *_: store.practitioners.get(scope),
    "practitioners.rename": lambda store, scope, *_: store.practitioners.rename(scope, "Another name", "fr", 1),
    "practitioners.set_password": lambda store, scope, *_: store.practitioners.set_password(scope, PASSWORD),
    "resets.ask": lambda store, scope, _, me: store.resets.ask(scope, me.mail, lambda one, _: store.notices.of(one.id)),
    "mail_changes.ask": lambda store, scope, *_: asked(store, scope),
    "mail_changes.pending": lambda store, scope, *_: store.mail_changes.pending(scope),
    "mail_changes.withdraw": lambda store, scope, *_: store.mail_changes.withdraw(scope),
    "practitioners.by_mail": lambda store, scope, _, me: store.practitioners.by_mail(scope, me.mail),
    "practitioners.id_by_mail": lambda store, scope, _, me: store.practitioners.id_by_mail(scope, me.mail),
    "practitioners.preview_retention": lambda store, scope, *_: store.practitioners.preview_retention(scope, "end"),
    "practitioners.set_retention": lambda store, scope, row, _: store.practitioners.set_retention(scope, setting(row)),
    "practitioners.reschedule_all": lambda store, scope, *_: store.practitioners.reschedule_all(scope),
    "practitioners.reschedule_behind": lambda store, scope, *_: store.practitioners.reschedule_behind(scope),
    "exports.numbers": lambda store, scope, *_: numbers(store, scope),
    "exports.all_of": lambda store, scope, *_: store.exports.all_of(scope),
    "imports.take": lambda store, scope, *_: store.imports.take(scope, Taken((), (), ())),
    "exports.number": lambda store, scope, *_: store.exports.number(scope, APPOINTMENTS),
    "exports.pages": lambda store, scope, *_: paged(store, scope),
    "organisation.establish": lambda store, scope, *_: store.organisation.establish(scope, PRACTICE),
    "organisation.add_account": lambda store, scope, row, _: added(store, scope, row),
    "organisation.first_link": lambda store, scope, *_: store.organisation.first_link(scope),
    "organisation.name_owner": lambda store, scope, *_: store.organisation.name_owner(scope),
    "organisation.get": lambda store, scope, *_: store.organisation.get(scope),
    "organisation.change": lambda store, scope, *_: store.organisation.change(scope, PRACTICE, 1),
    "organisation.roster": lambda store, scope, *_: store.organisation.roster(scope),
    "organisation.person": lambda store, scope, row, _: store.organisation.person(scope, row),
    "organisation.set_roles": lambda store, scope, row, _: store.organisation.set_roles(scope, row, ["owner"]),
    "organisation.set_state": lambda store, scope, row, _: store.organisation.set_state(scope, row, "deactivated"),
    "organisation.set_departments": lambda store, scope, row, _: store.organisation.set_departments(scope, row, []),
    "departments.of": lambda store, scope, *_: store.departments.of(scope),
    "departments.make": lambda store, scope, *_: store.departments.make(scope, new_id()),
    "departments.rename": lambda store, scope, row, _: store.departments.rename(scope, row, new_id(), 1),
    "departments.close": lambda store, scope, row, _: store.departments.close(scope, row),
    "assistants.of": lambda store, scope, row, _: store.assistants.of(scope, row),
    "assistants.engage": lambda store, scope, row, me: store.assistants.engage(scope, me.assistant, row),
    "assistants.release": lambda store, scope, row, me: store.assistants.release(scope, me.assistant, row),
    "assistants.mine": lambda store, scope, *_: store.assistants.mine(scope),
    "assistants.say": lambda store, scope, row, _: store.assistants.say(scope, row, "pseudonym", True, 1),
    "assistants.part": lambda store, scope, row, _: store.assistants.part(scope, row),
    "assistants.served": lambda store, scope, *_: store.assistants.served(scope),
    "assistants.acting": lambda store, scope, row, _: store.assistants.acting(scope, row),
    "mail_servers.of": lambda store, scope, *_: store.mail_servers.of(scope),
    "mail_servers.write": lambda store, scope, *_: sent_by(store, scope),
    "mail_servers.remove": lambda store, scope, *_: store.mail_servers.remove(scope, 1),
    "sms_providers.of": lambda store, scope, *_: store.sms_providers.of(scope),
    "sms_providers.write": lambda store, scope, *_: texted_by(store, scope),
    "sms_providers.remove": lambda store, scope, *_: store.sms_providers.remove(scope, 1),
    "bookings.of": lambda store, scope, *_: store.bookings.of(scope),
    "bookings.set_terms": lambda store, scope, *_: store.bookings.set_terms(scope, Terms(open=True), 0),
    "bookings.set_hour": lambda store, scope, *_: store.bookings.set_hour(scope, OpenHour(minutes=15), 0),
    "bookings.readdress": lambda store, scope, *_: store.bookings.readdress(scope, 1),
    "feeds.of": lambda store, scope, *_: store.feeds.of(scope),
    "feeds.make": lambda store, scope, *_: fed_by(store, scope),
    "feeds.end": lambda store, scope, *_: store.feeds.end(scope),
    "push_subscriptions.of": lambda store, scope, *_: store.push_subscriptions.of(scope),
    "push_subscriptions.subscribe": lambda store, scope, *_: store.push_subscriptions.subscribe(scope, ENDPOINT, "s"),
    "push_subscriptions.renew": lambda store, scope, *_: store.push_subscriptions.renew(scope, ENDPOINT, "s"),
    "push_subscriptions.end": lambda store, scope, *_: store.push_subscriptions.end(scope, ENDPOINT),
    "push_subscriptions.end_of": lambda store, scope, *_: store.push_subscriptions.end_of(scope, ["s"]),
    "push_subscriptions.keep_only": lambda store, scope, *_: store.push_subscriptions.keep_only(scope, "s"),
    "appointments.wish": lambda store, scope, _, me: store.appointments.wish(scope, me.secret, "move", "verzetten"),
    "policies.of": lambda store, scope, *_: store.policies.of(scope),
    "policies.change": lambda store, scope, *_: decided(store, scope),
    "policies.cap": lambda store, scope, *_: store.policies.cap(scope),
    "statistics.of": lambda store, scope, *_: store.statistics.of(scope),
    "statistics.count": lambda store, scope, row, _: store.statistics.count(scope, "consults", {row: 1}),
    "statistics.swept": lambda store, scope, row, _: store.statistics.swept(scope, {row: 1}),
    "policies.barred": lambda store, scope, row, _: store.policies.barred(scope, row),
    "recovery.of": lambda store, scope, row, _: store.recovery.of(scope, row),
    "recovery.lift": lambda store, scope, row, me: store.recovery.lift(scope, row, [], store.notices.of(me.id)),
    "endings.begin": lambda store, scope, *_: store.endings.begin(scope),
    "endings.leave": lambda store, scope, *_: store.endings.leave(scope),
    "handing.colleagues": lambda store, scope, *_: store.handing.colleagues(scope),
    "handing.hand_one": lambda store, scope, row, me: store.handing.hand_one(scope, row, me.assistant),
    "handing.prospect": lambda store, scope, row, _: store.handing.prospect(scope, row),
    "handing.hand_over": lambda store, scope, row, me: store.handing.hand_over(scope, row, me.id),
    "oversight.look": lambda store, scope, *_: store.oversight.look(scope, Inquiry()),
    "oversight.export": lambda store, scope, *_: store.oversight.export(scope, Inquiry()),
    "oversight.verify": lambda store, scope, *_: store.oversight.verify(scope),
    "oversight.verified": lambda store, scope, *_: store.oversight.verified(scope),
    "oversight.backed_up": lambda store, scope, *_: store.oversight.backed_up(scope),
    "oversight.of_oneself": lambda store, scope, *_: store.oversight.of_oneself(scope),
    "invitations.invite": lambda store, scope, *_: invited(store, scope),
    "invitations.get": lambda store, scope, row, _: store.invitations.get(scope, row),
    "invitations.again": lambda store, scope, row, _: store.invitations.again(scope, row, telling(store)),
    "invitations.withdraw": lambda store, scope, row, _: store.invitations.withdraw(scope, row),
    "invitations.waiting": lambda store, scope, *_: store.invitations.waiting(scope),
    "subscriptions.of": lambda store, scope, *_: store.subscriptions.of(scope),
    "subscriptions.ask": lambda store, scope, *_: store.subscriptions.ask(
        scope, lambda one, _: store.notices.of(one.id)
    ),
    "subscriptions.withdraw": lambda store, scope, *_: store.subscriptions.withdraw(scope),
    "subscriptions.count": lambda store, scope, *_: store.subscriptions.count(scope),
    "agreements.put_forward": lambda store, scope, *_: store.agreements.put_forward(scope, "statement", STATEMENT),
    "agreements.versions": lambda store, scope, *_: store.agreements.versions(scope),
    "agreements.of": lambda store, scope, *_: store.agreements.of(scope),
    "agreements.accept": lambda store, scope, *_: store.agreements.accept(scope, "statement", marked(STATEMENT)),
    "contacts.log": lambda store, scope, row, _: store.contacts.log(scope, row, "call", "account", ""),
    "contacts.of": lambda store, scope, row, _: store.contacts.of(scope, row),
    "contacts.names": lambda store, scope, *_: store.contacts.names(scope, []),
    "circulars.of": lambda store, scope, *_: store.circulars.of(scope, "newsletter"),
    "circulars.write": lambda store, scope, *_: store.circulars.write(
        scope, "newsletter", "Nieuws", "Wij verhuizen.", "nl", None, 0
    ),
    "circulars.discard": lambda store, scope, *_: store.circulars.discard(scope, "newsletter", 1),
    "circulars.release": lambda store, scope, *_: store.circulars.release(scope, "newsletter", 1),
    "circulars.inbox": lambda store, scope, *_: store.circulars.inbox(scope),
    "mail_domains.of": lambda store, scope, *_: store.mail_domains.of(scope),
    "mail_domains.add": lambda store, scope, *_: listed(store, scope),
    "mail_domains.remove": lambda store, scope, row, _: store.mail_domains.remove(scope, row),
    "arrivals.approve": lambda store, scope, row, me: store.arrivals.approve(scope, row, store.notices.of(me.id)),
    "arrivals.refuse": lambda store, scope, row, me: store.arrivals.refuse(scope, row, store.notices.of(me.id)),
    "arrivals.deciders": lambda store, scope, _, me: store.arrivals.deciders(scope, me.organisation),
    "registrations.ask": lambda store, scope, _, me: store.registrations.ask(
        scope, me.mail, "nl", lambda owner, *_: store.notices.of(owner)
    ),
    **BY_RIGHT,
    **LEGAL,
    "breaches.of": lambda store, scope, *_: store.breaches.of(scope),
    "breaches.get": lambda store, scope, row, _: store.breaches.get(scope, row),
    "breaches.enter": lambda store, scope, *_: store.breaches.enter(scope, Facts(START, "Weg")),
    "breaches.change": lambda store, scope, row, _: store.breaches.change(scope, row, Facts(START, "Weg"), 1),
    "identity_papers.waiting": lambda store, scope, *_: store.identity_papers.waiting(scope),
    "identity_papers.look": lambda store, scope, row, _: store.identity_papers.look(scope, row),
    "retention.destroy": lambda store, scope, row, _: store.retention.destroy(scope, row, *kinds(scope)),
    "retention.destroy_all": lambda store, scope, *_: store.retention.destroy_all(scope),
    "retention.close": lambda store, scope, *_: store.retention.close(scope),
    "retention.request_closure": lambda store, scope, *_: store.retention.request_closure(scope),
}
"""Every method that demands a scope, called with one and an id."""

SELDOM = {"retention.close", "retention.request_closure", "endings.begin", "endings.leave"}
"""Nothing happens after these."""

NAME = "Jan Jansen"
"""What patients are called."""


def kinds(scope: Scope) -> tuple[Kind[Any], ...]:
    """Who works for somebody has to say that it is an appointment."""
    return (APPOINTMENTS,) if scope.role == "assistant" else ()


async def planned(store: Store, scope: Scope, me: Person) -> Appointment:
    made = await store.appointments.create(scope, NAME, START + timedelta(hours=1), 30, "nl")
    me.note(made)
    return made


async def added(store: Store, scope: Scope, row: str) -> None:
    await store.organisation.add_account(scope, f"{row}-{new_id()}@example.org", PASSWORD, "Somebody", "nl")


async def asked(store: Store, scope: Scope) -> None:
    def tell(person: Practitioner, _: object) -> Along:
        return store.notices.of(person.id)

    await store.mail_changes.ask(scope, f"{new_id()}@example.org", "session", tell)


async def invited(store: Store, scope: Scope) -> Invitation:
    mail, tell = f"{new_id()}@example.org", telling(store)
    return (await store.invitations.invite(scope, mail, ["assistant"], "nl", tell)).invitation


async def listed(store: Store, scope: Scope) -> MailDomain:
    name = f"{new_id().encode().hex()}.example"
    return await store.mail_domains.add(scope, name, "assistant", approval=True)


async def sent_by(store: Store, scope: Scope) -> MailServer:
    before = await store.mail_servers.of(scope)
    access = Access("mail.example.org", 587, "starttls", "", "", "a@example.org")
    return await store.mail_servers.write(scope, access, before.version if before else 0, port_is_free=False)


async def texted_by(store: Store, scope: Scope) -> SmsProvider:
    before = await store.sms_providers.of(scope)
    way = Way("cm", "https://sms.example.org/v1.0/message", "a product token", "Praktijk")
    return await store.sms_providers.write(scope, way, before.version if before else 0, port_is_free=False)


async def fed_by(store: Store, scope: Scope) -> Feed:
    return (await store.feeds.make(scope))[0]


async def decided(store: Store, scope: Scope) -> Policy:
    return await store.policies.change(scope, "90d", ["chat"], (await store.policies.of(scope)).version)


def telling(store: Store) -> Tell:
    return lambda one, _: store.notices.of(one.owner)


async def for_waiting(store: Store, scope: Scope, me: Person) -> str | None:
    visit = await store.appointments.by_link(Scope.guest(me.planned), me.secret)
    return await store.sentences.for_waiting(scope, visit, "nl") if visit else None


async def photograph_for_waiting(store: Store, scope: Scope, me: Person) -> Picture | None:
    visit = await store.appointments.by_link(Scope.guest(me.planned), me.secret)
    return await store.pictures.for_waiting(scope, visit) if visit else None


async def set_totp(store: Store, scope: Scope) -> tuple[str, ...]:
    secret = await store.factors.proposed(scope, "session")
    return await store.factors.set_totp(scope, "session", pyotp.TOTP(secret).at(START))


def passkey(name: str) -> Passkey:
    return Passkey(name, "cGs", 0, "single_device", False, "Sleutel", START)


async def paged(store: Store, scope: Scope) -> list[Any]:
    return [one async for found, _ in store.exports.pages(scope, APPOINTMENTS) for one in found]


async def numbers(store: Store, scope: Scope) -> int:
    return sum(number for _, number in await store.exports.numbers(scope))


def setting(row: str) -> Any:
    return sorted(RETENTION)[ord(row[0]) % len(RETENTION)]
