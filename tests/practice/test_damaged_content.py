"""Sealed under the right key and yet none of our making: such a row is damaged, and no half of it counts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from practice.accounts.records import open_mail_change, seal_mail_change
from practice.agenda.model import Appointment, Guest
from practice.agenda.records import APPOINTMENTS
from practice.assistants.model import Engagement
from practice.assistants.records import ENGAGEMENTS
from practice.billing.model import BankAccount
from practice.billing.records import BANK_ACCOUNTS
from practice.bookings.model import Availability, Hold
from practice.bookings.records import AVAILABILITIES, HOLDS
from practice.factors.model import Factors, Passkey
from practice.feeds.model import Feed
from practice.feeds.records import FEEDS
from practice.legal.model import Demand, Disclosure, Operator
from practice.legal.records import DISCLOSURES, OPERATORS
from practice.mail_servers.model import Access, MailServer
from practice.mail_servers.records import MAIL_SERVERS
from practice.notices.model import News, Notice
from practice.notices.records import NOTICES
from practice.organisation.model import FIRST, Department, Invitation, Member, Organisation, Profile
from practice.organisation.records import (
    DEPARTMENTS,
    INVITATIONS,
    MEMBERS,
    open_organisation,
    organisation_place,
    seal_organisation,
)
from practice.particulars.model import Particulars, Told
from practice.particulars.records import PARTICULARS
from practice.pictures.model import Picture
from practice.pictures.records import PICTURES
from practice.policies.model import Policy
from practice.policies.records import POLICIES
from practice.presets.model import Preset, Presets
from practice.presets.records import PRESETS
from practice.push_subscriptions.model import PushSubscription
from practice.push_subscriptions.records import PUSH_SUBSCRIPTIONS
from practice.registrations.model import MailDomain
from practice.registrations.records import MAIL_DOMAINS
from practice.requests.model import Request
from practice.requests.records import REQUESTS
from practice.sights.model import Sight
from practice.sights.records import SIGHTS
from practice.sms_providers.model import SmsProvider, Way
from practice.sms_providers.records import SMS_PROVIDERS
from tests.people import START
from vault.errors import Newer, Unreadable
from vault.keys.envelope import Place, new_key, pack, seal, unpack, unseal
from vault.records.records import Kind

KEY, ID, OWNER = new_key(), "a" * 22, "o" * 22
MEMBER = Member(ID, OWNER, "b" * 22, FIRST, "active", 1)
PROFILE = Profile("Praktijk Zon", "", "", "nl", "Europe/Brussels")
INVITED = Invitation(
    ID, OWNER, "fatima@example.org", frozenset({"assistant"}), "fr", "b" * 22, START, START, "00" * 32, "11" * 32, 1
)


@dataclass(frozen=True)
class Written:
    """A record of a kind, how it is written and read, and where its content stands."""

    record: Any
    write: Callable[[bytes, Any], dict[str, Any]]
    read: Callable[[bytes, Any], Any]
    place: Place

    def content(self) -> dict[str, Any]:
        found = unpack(unseal(KEY, self.write(KEY, self.record)["content"], self.place))
        assert isinstance(found, dict)
        return found

    def row(self, content: dict[str, Any], **columns: Any) -> SimpleNamespace:
        return SimpleNamespace(
            **{**self.write(KEY, self.record), "content": seal(KEY, pack(content), self.place), **columns}
        )


def of(kind: Kind[Any], record: Any) -> Written:
    return Written(record, kind.seal, kind.open, kind.place(ID, OWNER))


SENT = MailServer(ID, OWNER, Access("mail.example.org", 587, "tls", "", "geheim", "a@example.org"), START, 1)
TEXTED = SmsProvider(ID, OWNER, Way("cm", "https://sms.example.org/", "geheim", "Praktijk"), START, 1)
SEEN = Sight(ID, OWNER, *("b" * 22, "c" * 22), "moving", START, given=START, looks=(START,))
ASKED = Request(
    *(ID, OWNER, "objection", "dashboard", "nl", "Niet meer", "statistics", "a@example.org", "account", "b" * 22),
    START,
    *("Europe/Amsterdam", START, "07" * 32, "08" * 32, "seed"),
)
GUEST = Guest("g" * 22, "Maria", "interpreter", "en", "s" * 22)
PLANNED = Appointment(ID, OWNER, "Jan", START, 30, "nl", "planned", None, "p" * 22, START, 1, guests=(GUEST,))
KINDS = {
    "organisation": Written(Organisation(ID, PROFILE, 1), seal_organisation, open_organisation, organisation_place(ID)),
    "member": of(MEMBERS, MEMBER),
    "invitation": of(INVITATIONS, INVITED),
    "notice": of(NOTICES, Notice(ID, OWNER, News("reset", "a@example.org", "nl"), START, 0, START, 1)),
    "engagement": of(ENGAGEMENTS, Engagement(ID, OWNER, "b" * 22, "initials", 1)),
    "bank account": of(BANK_ACCOUNTS, BankAccount(ID, OWNER, "NL91ABNA0417164300", 1)),
    "mail server": of(MAIL_SERVERS, SENT),
    "sms provider": of(SMS_PROVIDERS, TEXTED),
    "availability": of(AVAILABILITIES, Availability(ID, OWNER, "a page", version=1)),
    "hold": of(HOLDS, Hold(ID, OWNER, "07" * 32, START, 30, "Noor", "n@example.org", "nl", "n", "s", START)),
    "push subscription": of(
        PUSH_SUBSCRIPTIONS, PushSubscription(ID, OWNER, "https://push.example.org/x", "session", START, 1)
    ),
    "feed": of(FEEDS, Feed(ID, OWNER, "07" * 32, START, 1)),
    "policy": of(POLICIES, Policy(ID, OWNER, "7d", "b" * 22, START, frozenset({"chat"}), 1)),
    "presets": of(PRESETS, Presets(ID, OWNER, (Preset("Intake", 45, "nl"),), 1)),
    "particulars": of(PARTICULARS, Particulars(ID, OWNER, Told(gender="vrouw", born=date(1970, 2, 3), note="Geen"), 1)),
    "department": of(DEPARTMENTS, Department(ID, OWNER, "Cardiologie", 1)),
    "picture": of(PICTURES, Picture(ID, OWNER, "photograph", b"geheim", True, 1)),
    "sight": of(SIGHTS, SEEN),
    "request": of(REQUESTS, ASKED),
    "operator": of(OPERATORS, Operator(ID, OWNER, "Anna", "secret", 7, START)),
    "disclosure": of(
        DISCLOSURES,
        Disclosure(
            ID, OWNER, "b" * 22, "preservation", Demand("A", "B", START, "C"), ("D", "E"), START, 1, START, False
        ),
    ),
    "mail domain": of(MAIL_DOMAINS, MailDomain(ID, OWNER, "example.org", "assistant", True, "ab" * 32, 1)),
}

DAMAGES: list[tuple[str, dict[str, Any], type[Unreadable]]] = [
    ("member", {"asked": "yesterday"}, Unreadable),
    ("mail domain", {"role": "owner"}, Newer),
    ("mail domain", {"approval": 1}, Unreadable),
    ("organisation", {"language": "tlh"}, Newer),
    ("member", {"roles": 7}, Unreadable),
    ("member", {"roles": ["dentist"]}, Newer),
    ("member", {"state": "asleep"}, Newer),
    ("member", {"account": "c" * 22}, Unreadable),
    ("invitation", {"roles": None}, Unreadable),
    ("invitation", {"roles": ["dentist"]}, Newer),
    ("invitation", {"until": "soon"}, Unreadable),
    ("invitation", {"written": 7}, Unreadable),
    ("invitation", {"token": "22" * 32}, Unreadable),
    ("invitation", {"token": "no number"}, Unreadable),
    ("invitation", {"token": 7}, Unreadable),
    ("notice", {"again": "soon"}, Unreadable),
    ("notice", {"tries": "1"}, Unreadable),
    ("notice", {"word": "congratulations"}, Newer),
    ("notice", {"language": "tlh"}, Newer),
    ("engagement", {"account": "c" * 22}, Unreadable),
    ("engagement", {"label": "more than all"}, Newer),
    ("mail server", {"port": "587"}, Unreadable),
    ("mail server", {"since": "soon"}, Unreadable),
    ("mail server", {"security": "none"}, Newer),
    ("feed", {"token": "08" * 32}, Unreadable),
    ("availability", {"token": "another page"}, Unreadable),
    ("availability", {"week": [[]] * 6}, Unreadable),
    ("availability", {"week": [[[9]]] * 7}, Unreadable),
    ("availability", {"exceptions": ["soon"]}, Unreadable),
    ("availability", {"minutes": "30"}, Unreadable),
    ("hold", {"token": "08" * 32}, Unreadable),
    ("hold", {"until": "soon"}, Unreadable),
    ("hold", {"language": "tlh"}, Newer),
    ("feed", {"since": "soon"}, Unreadable),
    ("push subscription", {"endpoint": "https://push.example.org/y"}, Unreadable),
    ("push subscription", {"session": 7}, Unreadable),
    ("push subscription", {"renewed": "soon"}, Unreadable),
    ("sms provider", {"secret": 7}, Unreadable),
    ("sms provider", {"since": "soon"}, Unreadable),
    ("sms provider", {"format": "telex"}, Newer),
    ("policy", {"cap": "manual"}, Newer),
    ("policy", {"barred": ["files"]}, Newer),
    ("policy", {"barred": 7}, Unreadable),
    ("policy", {"since": "soon"}, Unreadable),
    ("presets", {"presets": 7}, Unreadable),
    ("presets", {"presets": [{"name": "Intake"}]}, Unreadable),
    ("presets", {"presets": [{"name": "Intake", "minutes": "45", "language": "nl"}]}, Unreadable),
    ("presets", {"presets": [{"name": "Intake", "minutes": 45, "language": "tlh"}]}, Newer),
    ("particulars", {"born": "long ago"}, Unreadable),
    ("particulars", {"born": 7}, Unreadable),
    ("picture", {"use": "wallpaper"}, Newer),
    ("picture", {"data": "no base64"}, Unreadable),
    ("picture", {"data": 7}, Unreadable),
    ("sight", {"reason": "curiosity"}, Newer),
    ("sight", {"account": "d" * 22}, Unreadable),
    ("sight", {"given": "soon"}, Unreadable),
    ("sight", {"ended": 7}, Unreadable),
    ("sight", {"looks": 7}, Unreadable),
    ("sight", {"looks": ["soon"]}, Unreadable),
    ("request", {"what": "applause"}, Newer),
    ("request", {"way": "pigeon"}, Newer),
    ("request", {"proven": "swears"}, Newer),
    ("request", {"purpose": "fun"}, Newer),
    ("request", {"outcome": "maybe"}, Newer),
    ("request", {"language": "tlh"}, Newer),
    ("request", {"subject": "09" * 32}, Unreadable),
    ("request", {"token": "09" * 32}, Unreadable),
    ("request", {"asked": None}, Unreadable),
    ("request", {"due": "soon"}, Unreadable),
    ("request", {"due": "1999-01-01T00:00:00+00:00"}, Unreadable),
    ("request", {"decided": 7}, Unreadable),
    ("request", {"reminded": "7"}, Unreadable),
    ("operator", {"step": "7"}, Unreadable),
    ("operator", {"since": "soon"}, Unreadable),
    ("disclosure", {"what": "tapping"}, Newer),
    ("disclosure", {"account": "d" * 22}, Unreadable),
    ("disclosure", {"at": "soon"}, Unreadable),
    ("disclosure", {"told": 7}, Unreadable),
    ("disclosure", {"number": "1"}, Unreadable),
    ("disclosure", {"operators": 7}, Unreadable),
]


@pytest.mark.parametrize("name", KINDS)
def test_what_was_written_is_read(name: str) -> None:
    kind = KINDS[name]
    assert kind.read(KEY, kind.row(kind.content())) == kind.record


@pytest.mark.parametrize(("name", "change", "error"), DAMAGES, ids=str)
def test_a_field_that_is_none_of_ours_is_said(name: str, change: dict[str, Any], error: type[Unreadable]) -> None:
    kind = KINDS[name]
    with pytest.raises(Unreadable) as said:
        kind.read(KEY, kind.row(kind.content() | change))
    assert type(said.value) is error


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("version", ["1", None, b"1"])
def test_a_row_that_counts_in_no_numbers_is_damaged(name: str, version: Any) -> None:
    """SQLite keeps any text in a column of numbers."""
    kind = KINDS[name]
    with pytest.raises(Unreadable):
        kind.read(KEY, kind.row(kind.content(), version=version))


@pytest.mark.parametrize("written", ["soon", 10**18, 10**30, None])
def test_a_notice_of_no_moment_is_damaged(written: Any) -> None:
    kind = KINDS["notice"]
    with pytest.raises(Unreadable):
        kind.read(KEY, kind.row(kind.content(), written=written))


@pytest.mark.parametrize("name", KINDS)
def test_a_field_that_is_missing_is_said(name: str) -> None:
    kind = KINDS[name]
    for field in kind.content().keys() - {"version"}:
        with pytest.raises(Unreadable):
            kind.read(KEY, kind.row({one: value for one, value in kind.content().items() if one != field}))


def test_a_change_of_address_stands_in_its_own_row_alone() -> None:
    sealed = seal_mail_change(KEY, OWNER, "new@example.org", "session")
    row: Any = SimpleNamespace(practitioner=OWNER, content=sealed, old_at=None, new_at=5)
    change = open_mail_change(KEY, row, "new")
    assert (change.mail, change.session, change.side, change.agreed) == (
        *("new@example.org", "session", "new", frozenset({"new"})),
    )
    row.practitioner = ID
    with pytest.raises(Unreadable):
        open_mail_change(KEY, row, None)


SECRETS = (
    "geheim",
    "Cardiologie",
    "mail.example.org",
    "NL91ABNA0417164300",
    "vrouw",
    "1970",
    "Geen",
    "Praktijk Zon",
    "fatima@example.org",
    "a@example.org",
    "assistant",
    "practitioner",
    "00" * 32,
    "11" * 32,
)


@pytest.mark.parametrize("name", KINDS)
def test_nothing_that_is_sealed_for_people_is_in_a_repr(name: str) -> None:
    record = KINDS[name].record
    newer = replace(record, unknown={"of a newer program": "kept"})
    assert newer == record, "what we do not know makes no other record"
    assert not [one for one in (*SECRETS, "of a newer program", "unknown") if one in repr(newer)]


def test_a_passkey_and_who_has_it_are_silent() -> None:
    key = Passkey("credential", "public key", 3, "multi_device", True, "Telefoon", START)
    held = Factors(
        ID, OWNER, START, secret="JBSWY3DP", step=987654, codes=("hash",), passkeys=(key,), unknown={"x": "y"}
    )
    for said in (repr(key), repr(held)):
        assert not [
            one for one in ("credential", "public", "Telefoon", "JBSWY3DP", "987654", "hash", "'x'") if one in said
        ]


@pytest.mark.parametrize("guests", [[{"id": "g" * 22, "name": "Maria"}], [{}], ["Maria"], 7])
def test_a_guest_of_whom_something_is_missing_is_damage_too(guests: Any) -> None:
    kind = of(APPOINTMENTS, PLANNED)
    assert kind.read(KEY, kind.row(kind.content())).guests == (GUEST,)
    with pytest.raises(Unreadable):
        kind.read(KEY, kind.row(kind.content() | {"guests": guests}))
