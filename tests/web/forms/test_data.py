"""My data: what is seen of it, and what is in the file."""

import html
import json
import re
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.schema import CreateTable

from practice.accounts.model import Practitioner
from practice.agenda.questions import Question
from practice.agenda.records import APPOINTMENTS
from practice.agreements.model import Acceptance
from practice.agreements.records import ACCEPTANCES
from practice.assistants.model import Engagement
from practice.assistants.records import ENGAGEMENTS
from practice.billing.model import BankAccount
from practice.billing.records import BANK_ACCOUNTS
from practice.bookings.model import Availability, Terms
from practice.bookings.records import AVAILABILITIES
from practice.circulars.model import Subscription
from practice.circulars.records import SUBSCRIPTIONS
from practice.consents.model import AskedConsents
from practice.consents.records import CONSENTS
from practice.contacts.model import LoggedContact
from practice.contacts.records import CONTACTS
from practice.factors.model import Factors
from practice.factors.records import FACTORS
from practice.feeds.model import Feed
from practice.feeds.records import FEEDS
from practice.kinds import KINDS
from practice.particulars.model import Particulars, Told
from practice.particulars.records import PARTICULARS
from practice.pictures.model import Picture
from practice.pictures.records import PICTURES
from practice.presets.model import Preset, Presets
from practice.presets.records import PRESETS
from practice.push_subscriptions.model import PushSubscription
from practice.push_subscriptions.records import PUSH_SUBSCRIPTIONS
from practice.questionnaires.model import Questionnaires
from practice.questionnaires.records import QUESTIONNAIRES
from practice.reminders.model import ManualSpan
from practice.reminders.records import MANUAL_SPANS
from practice.sentences.records import SENTENCES
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.forms.taking import account_of
from tests.web.forms.withheld import WITHHELD
from vault.audit import Act, practitioner
from vault.inventory import inventory
from vault.keys.envelope import Place
from vault.records.content import Layout, new_id, open_content, seal_content
from vault.records.records import Kind, Kinds
from vault.records.writing import Writer, always
from web.account.held import NOT_HERE, lines
from web.locale import CATALOGUES

COUNTED_ONLY = {
    "documents": "the organisation's, for everybody in it to read at a page",
    "breaches": "the organisation's register, for who keeps it",
    "identity_papers": "somebody else's, seen once by the officer who decides",
    "circulars": "the organisation's; whoever it was for has it as mail, or in their inbox",
    "mail_servers": "the organisation's; with its password anybody could send in its name",
    "sms_providers": "the organisation's; with its secret anybody could text in its name",
    "members": "they are the organisation's, not the account's",
    "policies": "what an organisation decides, for who may change it",
    "departments": "as members",
    "mail_domains": "what an owner lists, for owners",
    "holds": "who booked a time a moment ago and is nobody's patient yet",
    "invitations": "the organisation's; whoever is invited has no account yet",
    "requests": "the organisation's; who asked reads theirs at a page of the account, or by a link",
    "sights": "the organisation's; whose agenda it is of reads it at a page of the account",
    "operators": "who runs the server, of whom two do what a law demands",
    "disclosures": "the organisation's; from when they may be known they stand at a page of the account",
    "notices": "mail on its way: whoever has the account gets it within minutes",
}
"""Kinds of which nothing is given out, and why."""


def test_every_kind_says_what_is_taken_along() -> None:
    """``Kind.export``, or a line above that says why nothing of it is given out."""
    assert {kind.name for kind in KINDS if kind.export is None} == COUNTED_ONLY.keys()


async def one_of_each(server: Server, person: Practitioner) -> dict[str, str]:
    """A record of every kind of which anything is given out, by the kind's name."""
    store, scope = server.store, of(person.id)
    planned = await server.appoint(person, 0, "Charlie")
    said = await store.sentences.say(scope, "nl", "Ik kom zo.")
    often = await store.presets.add(scope, Preset("Intake", 45, "nl"), 0)
    asks = await store.consents.ask(scope, ["video"], 0)
    before = await store.questionnaires.write(scope, "Intake", [Question("text", "Klacht?")], 0)
    told = await store.particulars.tell(scope, Told(gender="vrouw", city="Utrecht", phone="+31612345678"), 0)
    bank = await store.bank_accounts.set_iban(scope, "NL91ABNA0417164300", 0)
    face = await store.pictures.set_photograph(scope, b"a face", True, 0)
    held = await store.factors.begin(scope)
    feed, _ = await store.feeds.make(scope)
    offered = await store.bookings.set_terms(scope, Terms(), 0)
    told_by = await store.push_subscriptions.subscribe(scope, f"https://push.example.org/{person.id}", "hash")
    works = Engagement(new_id(), person.id, new_id(), "initials", 1)
    assert await Writer(store.database, store.keys, server.time.now).first(ENGAGEMENTS, works, always)
    wanted = Subscription(*(new_id(), person.id, new_id(), 1, "nl", server.time.now(), "seed", token_hex(32)))
    assert await Writer(store.database, store.keys, server.time.now).first(SUBSCRIPTIONS, wanted, always)
    agreed = Acceptance(new_id(), person.id, "statement", "mark", server.time.now(), server.time.now())
    assert await Writer(store.database, store.keys, server.time.now).first(ACCEPTANCES, agreed, always)
    span = ManualSpan(new_id(), person.id, server.time.now())
    assert await Writer(store.database, store.keys, server.time.now).first(MANUAL_SPANS, span, always)
    called = LoggedContact(
        *(new_id(), person.id, new_id(), new_id(), "call", "account", "Teruggebeld."), server.time.now()
    )
    assert await Writer(store.database, store.keys, server.time.now).first(CONTACTS, called, always)
    return {
        CONTACTS.name: called.id,
        MANUAL_SPANS.name: span.id,
        ACCEPTANCES.name: agreed.id,
        SUBSCRIPTIONS.name: wanted.id,
        ENGAGEMENTS.name: works.id,
        APPOINTMENTS.name: planned.id,
        SENTENCES.name: said.id,
        PRESETS.name: often.id,
        CONSENTS.name: asks.id,
        QUESTIONNAIRES.name: before.id,
        PARTICULARS.name: told.id,
        BANK_ACCOUNTS.name: bank.id,
        PICTURES.name: face.id,
        FACTORS.name: held.id,
        FEEDS.name: feed.id,
        AVAILABILITIES.name: offered.id,
        PUSH_SUBSCRIPTIONS.name: told_by.id,
    }


def sections(page: Seen) -> dict[str, str]:
    """The page's parts, by kind."""
    return dict(re.findall(r'<section class="part" data-kind="(\w+)">(.*?)</section>', page.html, re.DOTALL))


@pytest.mark.duty("S-41")
async def test_every_kind_and_field_is_shown_with_why_and_how_long(server: Server, alice: Browser) -> None:
    made = await one_of_each(server, server.alice)
    await one_of_each(server, server.bob)
    found = sections(await alice.get("/account/data"))
    assert found.keys() == made.keys() == {kind.name for kind in KINDS if kind.export is not None}
    for held in await server.store.exports.all_of(of(server.alice.id)):
        text, name = html.unescape(found[held.kind.name]), held.kind.name
        (record,) = held.records
        for field, line in zip(record, lines(record, "nl", lambda _: ""), strict=True):
            assert line.name == CATALOGUES["nl"].text(f"data.field.{field}")
            assert line.name in text and line.value in text, (name, field)
        assert text.count("Waarvoor: ") == text.count("Hoe lang: ") >= 1
        assert (WITHHELD.get(name) is not None) == ("aan niemand getoond" in text), name
        assert 'href="/' in text, "where it is corrected"
        assert (made[name] in text) == (name not in NOT_HERE), "what destroys it"
    assert found[SENTENCES.name].count("<dl") == 1, "and nothing of others"
    assert "0417" not in found[BANK_ACCOUNTS.name]


@pytest.mark.duty("S-41")
async def test_who_is_signed_in_where_and_what_was_done_is_shown_too(server: Server, alice: Browser) -> None:
    await server.store.practitioners.rename(of(server.alice.id), "أليس", "nl", 1)
    await server.store.audit.record(Act.ROLES_CHANGED, practitioner(server.bob.id), practitioner(server.alice.id))
    await server.store.audit.record(Act.SIGNED_IN, practitioner(server.bob.id))
    page = await alice.get("/account/data")
    words = html.unescape(" ".join(page.elements.text.split()))
    for shown in ("alice@example.org", "<bdi>أليس</bdi>", "Ingelogd in een browser", "behandelaar"):
        assert shown in (page.html if "<" in shown else words), shown
    trail = page.html.partition('data-part="trail"')[2].partition("</section>")[0]
    acts = re.findall(r"<dd>(.*?) \u2013 (.*?)</dd>", trail)
    t = CATALOGUES["nl"].text
    assert acts[:2] == [(t("act.roles-changed"), t("party.practitioner")), (t("act.signed-in"), "u")]
    assert "bob" not in words.casefold()
    assert [entry.act async for entry in server.store.audit.entries()][-1] == "data-read"
    again = (await alice.get("/account/data")).html.partition('data-part="trail"')[2]
    assert t("act.data-read") in again.partition("</section>")[0]
    rest = page.html.partition('data-part="rest"')[2]
    everything = [one.label for one in inventory().entry if one.category != "nobody"]
    for label in everything:
        assert t(f"privacy.data.item.{label}") in html.unescape(page.html), label
    assert t("privacy.data.item.account") not in html.unescape(rest)


@pytest.mark.duty("S-41")
async def test_what_is_somebody_elses_and_about_oneself_is_counted(server: Server, alice: Browser) -> None:
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    works = Engagement(new_id(), server.bob.id, server.alice.id, "initials", 1)
    assert await Writer(server.store.database, server.store.keys, server.time.now).first(ENGAGEMENTS, works, always)
    page = await alice.get("/account/data")
    t, words = CATALOGUES["nl"].text, html.unescape(page.html)
    for label in ("member", "engagement"):
        assert f"{t(f'privacy.data.item.{label}')}: 1<" in words
    assert works.id not in page.html


@dataclass(frozen=True)
class Hobby:
    """A record of a kind that nobody has thought of yet."""

    id: str
    owner: str
    sport: str
    version: int = 1


def made_up() -> Kind[Hobby]:
    layout = Layout(frozenset(("sport",)))

    def place(row: str, owner: str) -> Place:
        return Place("hobbies", "content", row, owner)

    def seal(key: bytes, one: Hobby) -> dict[str, Any]:
        content = seal_content(key, layout, {"sport": one.sport}, place(one.id, one.owner))
        return {"id": one.id, "owner": one.owner, "state": "kept", "content": content, "version": one.version}

    def opened(key: bytes, row: Any) -> Hobby:
        fields, _ = open_content(key, layout, row.content, place(row.id, row.owner))
        return Hobby(row.id, row.owner, fields["sport"])

    names = [column.name for column in SENTENCES.table.columns]
    columns = [Column(name, SENTENCES.table.c[name].type, primary_key=name == "id") for name in names]
    table = Table("hobbies", MetaData(), *columns)
    return Kind("hobbies", table, layout, place, opened, seal, False, False, export=lambda one: {"sport": one.sport})


@pytest.mark.duty("S-41")
async def test_a_kind_that_is_added_appears_by_itself(
    server: Server, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    hobbies, store = made_up(), server.store
    item = next(one for one in inventory().entry if one.label == "sentence").model_copy(
        update={"label": "hobby", "database": ("hobbies.content",), "content": ("hobbies.content.sport",)}
    )
    known = inventory().model_copy(update={"entry": (*inventory().entry, item)})
    monkeypatch.setattr("vault.inventory.INVENTORY", known)
    monkeypatch.setitem(dict_of(CATALOGUES["nl"].messages), "privacy.data.item.hobby", "Wat iemand graag doet")
    monkeypatch.setattr(store.exports, "_kinds", Kinds(KINDS.owners, (*KINDS.records, hobbies)))
    async with store.database.write() as connection:
        await connection.execute(CreateTable(hobbies.table))
    one = Hobby(new_id(), server.alice.id, "schaken")
    assert await Writer(store.database, store.keys, server.time.now).first(hobbies, one, always)
    found = sections(await alice.get("/account/data"))["hobbies"]
    for shown in ("Wat iemand graag doet", "sport", "schaken", "Waarvoor: ", one.id):
        assert shown in found
    assert json.loads(await account_of(alice))["records"]["hobbies"] == [{"sport": "schaken"}]


def dict_of(messages: Any) -> dict[str, Any]:
    assert isinstance(messages, dict)
    return messages


@pytest.mark.duty("S-43")
async def test_one_record_is_destroyed_at_once_with_its_receipt(server: Server, alice: Browser) -> None:
    mine, theirs = await one_of_each(server, server.alice), await one_of_each(server, server.bob)
    token = await alice.token()

    async def destroy(kind: str, record: str) -> Seen:
        return await alice.send("/account/data/destroy", f"form_token={token}&kind={kind}&record={record}")

    for kind, record in mine.items():
        if kind in NOT_HERE:
            continue
        assert (await destroy(kind, theirs[kind])).status == 404
        assert (await destroy(SENTENCES.name if kind != SENTENCES.name else "particulars", record)).status == 404
        sent = await destroy(kind, record)
        assert (sent.status, sent.location) == (303, "/account/data?done=destroyed"), kind
        receipt = await server.store.keys.receipt(server.alice.id, record)
        assert receipt is not None
        page = await alice.get(sent.location)
        assert receipt.receipt in page.html and kind not in sections(page)
        assert (await destroy(kind, record)).status == 303, "a second press is no other thing"
    for refused in (*NOT_HERE, "members", "notices", "nothing"):
        assert (await destroy(refused, mine[FACTORS.name])).status == 404
    held = await server.store.exports.all_of(of(server.bob.id))
    assert {one.kind.name for one in held if one.records} == theirs.keys()


async def test_every_sealed_field_is_taken_along_or_withheld(server: Server) -> None:
    records = {
        APPOINTMENTS.name: await server.appoint(server.alice),
        SENTENCES.name: await server.store.sentences.say(of(server.alice.id), "nl", "Ik kom zo."),
        CONSENTS.name: AskedConsents("id", "owner", ("video",)),
        QUESTIONNAIRES.name: Questionnaires("id", "owner"),
        PRESETS.name: Presets("id", "owner", (Preset("Intake", 45, "nl"),)),
        PARTICULARS.name: Particulars("id", "owner", Told()),
        BANK_ACCOUNTS.name: BankAccount("id", "owner", "NL91ABNA0417164300"),
        ENGAGEMENTS.name: Engagement("id", "owner", "account", "initials", 1, admits=True),
        PICTURES.name: Picture("id", "owner", "photograph", b"a face"),
        FACTORS.name: Factors("id", "owner", secret="JBSWY3DPEHPK3PXP", codes=("hash",)),
        AVAILABILITIES.name: Availability("id", "owner", "page", Terms(((), ((540, 720),), *((),) * 5))),
        FEEDS.name: Feed("id", "owner", "hash", server.time.now(), 1),
        CONTACTS.name: LoggedContact(
            *("id", "owner", "organisation", "by", "call", "account", "Teruggebeld."), server.time.now()
        ),
        MANUAL_SPANS.name: ManualSpan("id", "owner", server.time.now()),
        ACCEPTANCES.name: Acceptance("id", "owner", "statement", "mark", server.time.now(), server.time.now()),
        SUBSCRIPTIONS.name: Subscription(
            *("id", "owner", "organisation", 1, "nl", server.time.now(), "hash", token_hex(32))
        ),
        PUSH_SUBSCRIPTIONS.name: PushSubscription(
            "id", "owner", "https://push.example.org/hash", "hash", server.time.now(), 1
        ),
    }
    for kind in KINDS:
        if kind.export is not None:
            found = kind.export(records[kind.name])
            assert kind.layout.fields | kind.layout.optional <= found.keys() | WITHHELD.get(kind.name, set()), kind.name
            assert not {"JBSWY3DPEHPK3PXP", "hash", "NL91ABNA0417164300"} & set(re.findall(r"\w+", json.dumps(found)))


async def test_what_cannot_be_read_is_counted(server: Server, alice: Browser) -> None:
    await server.appoint(server.alice)
    broken = await server.appoint(server.alice, 60)
    async with server.store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE appointments SET content = x'00' WHERE id = ?", (broken.id,))
    found = json.loads(await account_of(alice))
    assert (len(found["records"]["appointments"]), found["unreadable"]) == (1, {"appointments": 1})
