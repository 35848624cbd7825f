"""A patient's own data by the link: seen, taken along, erased; and nothing of others."""

import html
import json
from datetime import timedelta

import pytest
from icalendar import Calendar

from practice.agenda.ages import Age
from practice.agenda.guests import Invitee
from practice.agenda.questions import Question
from practice.agenda.records import APPOINTMENT, export_appointment
from practice.legal.model import Demand, Operator
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE
from tests.people import START
from tests.signaling.conftest import Server
from tests.web.rights.conftest import Planned
from vault.errors import DomainError
from vault.records.scope import Scope
from web.locale import CATALOGUES

DATA = "/c/rights/mine/data"
CANARY = "Zeldzamekwaal"
t = CATALOGUES["nl"].text


@pytest.mark.duty("S-41")
async def test_a_patient_without_an_account_sees_and_takes_along_what_is_held_of_them(
    planned: Planned, sending: Server
) -> None:
    one, jan = await planned()
    other = await sending.appoint(sending.alice, 60, "Charlie")
    invitee = Invitee("Maria", "interpreter", "fr", mail="maria@elsewhere.example")
    one = await sending.store.guests.add(of(sending.alice.id), one.id, invitee)
    await jan.come_in()
    page = html.unescape((await jan.browser.get(DATA)).html)
    for shown in (
        "Jan Jansen",
        "jan@elsewhere.example",
        "Alice",
        "Maria",
        t("guests.role.interpreter"),
        t("own.never"),
    ):
        assert shown in page, shown
    files = {kind: await jan.browser.send(f"{DATA}/take", f"kind={kind}") for kind in ("json", "html", "ics")}
    for kind, file in files.items():
        assert file.status == 200 and f'.{kind}"' in file.headers["Content-Disposition"]
    found = json.loads(files["json"].html)
    assert (found["format"], found["version"]) == ("spreekkamer-own-data", 2)
    assert found["appointment"]["contact"]["mail"] == "jan@elsewhere.example" and found["name"] == "Jan Jansen"
    assert found["appointment"]["starts_at"] == one.starts_at.isoformat()
    assert found["appointment"]["guests"] == [{"name": "Maria", "role": "interpreter"}]
    assert "Jan Jansen" in files["html"].html and "<script" not in files["html"].html
    (event,) = Calendar.from_ical(files["ics"].body).walk("VEVENT")
    assert event.decoded("dtstart") == one.starts_at.replace(microsecond=0)
    for text in (page, *(file.html for file in files.values())):
        for others in (other.patient, "maria@", one.secret, one.guests[0].secret):
            assert others not in text
    acts = [(entry.act, entry.actor) async for entry in sending.store.audit.entries()]
    assert acts.count(("data-exported", "patient")) == 3 and ("data-read", "patient") in acts


async def test_a_guest_sees_nothing_of_the_patient(planned: Planned) -> None:
    _, maria = await planned(who="maria", guest="Maria")
    await maria.come_in()
    seen = html.unescape((await maria.browser.get(DATA)).html)
    file = (await maria.browser.send(f"{DATA}/take", "kind=json")).html
    for text in (seen, file):
        assert "Maria" in text and "maria@elsewhere.example" in text
        assert "Jan" not in text and "jan@" not in text


@pytest.mark.duty("S-41")
async def test_nothing_that_an_archive_has_of_an_appointment_is_kept_from_its_patient(
    planned: Planned, sending: Server
) -> None:
    one, jan = await planned(guest="Maria")
    jan.link = one.id + one.secret
    scope, where, store = of(sending.alice.id), Scope.guest(one.id), sending.store
    await store.consents.say_age(scope, one.id, Age("12-15", one.starts_at.date() + timedelta(days=7)))
    await store.questionnaires.write(scope, "Intake", [Question("text", "Klacht?"), Question("yesno", "Koorts?")], 0)
    await store.questionnaires.choose(scope, one.id, "Intake")
    for secret in (one.secret, one.guests[0].secret):
        visit = await store.appointments.by_link(where, secret)
        assert visit is not None
        texts = (await store.consents.reading(where, visit, "nl")).texts
        await store.consents.give(where, secret, [text.version for text in texts], visit)
    await store.consents.lift(scope, one.id, "otherwise", "Oma belt mee.")
    visit = await store.appointments.by_link(where, one.secret)
    assert visit is not None and visit.whole is not None
    await store.questionnaires.answer(where, one.secret, visit, [CANARY, "yes"], visit.whole.version, held=False)
    await jan.come_in()
    after = await store.appointments.get(scope, one.id)
    file = json.loads((await jan.browser.send(f"{DATA}/take", "kind=json")).html)
    whole = export_appointment(after)
    theirs = {"name": "Maria", "role": "guardian"}
    said_apart = {"patient": "name", "preserved": "preserved_until"}
    for field in (APPOINTMENT.fields | APPOINTMENT.optional) - {"secret"}:
        where = file if field in said_apart else file["appointment"]
        assert said_apart.get(field, field) in where, field
    assert whole["answers"] == [CANARY, "yes"] and whole["band"] == "12-15" and len(whole["consents"]) == 2
    assert file["appointment"] | {"patient": file["name"]} == whole | {"guests": [theirs]}
    shown = [html.unescape((await jan.browser.get(DATA)).html)]
    shown.append((await jan.browser.send(f"{DATA}/take", "kind=html")).html)
    words = ("band.12-15", "own.consent.video", "own.consent.child", "lift.otherwise", "questions.yes")
    for text in shown:
        for part in (CANARY, "Klacht?", "Koorts?", "Oma belt mee.", *(t(word) for word in words)):
            assert part in text, part


async def test_a_guardian_sees_what_they_agreed_to_and_nothing_that_was_said_of_the_child(
    planned: Planned, sending: Server
) -> None:
    one, maria = await planned(who="maria", guest="Maria")
    scope, where, store = of(sending.alice.id), Scope.guest(one.id), sending.store
    one = await store.consents.say_age(scope, one.id, Age("under-12"))
    visit = await store.appointments.by_link(where, one.guests[0].secret)
    assert visit is not None
    texts = (await store.consents.reading(where, visit, "nl")).texts
    await store.consents.give(where, one.guests[0].secret, [text.version for text in texts], visit)
    await store.consents.lift(scope, one.id, "otherwise", "Oma belt mee.")
    await maria.come_in()
    file = (await maria.browser.send(f"{DATA}/take", "kind=json")).html
    found = json.loads(file)["appointment"]
    assert [given["by"] for given in found["consents"]] == ["guardian"]
    assert (found["band"], found["unguarded"], found["guests"]) == (None, None, [])
    page = html.unescape((await maria.browser.get(DATA)).html)
    assert t("own.consent.child") in page
    for text in (page, file):
        assert "Oma belt mee." not in text and t("band.under-12") not in text and "Jan" not in text


@pytest.mark.duty("S-36")
@pytest.mark.parametrize("secret", [True, False])
async def test_that_a_law_has_it_kept_is_shown_once_it_may_be_told(
    planned: Planned, sending: Server, secret: bool
) -> None:
    await sending.store.organisation.establish(OPERATOR, PRACTICE)
    one, jan = await planned()
    two = [Operator(name, "", name, "", 0, START) for name in ("Anna", "Ben")]
    now = sending.time.now()
    told, silence = (now + timedelta(days=10), "an inquiry runs") if secret else (None, "")
    demand = Demand("an authority", "a law", told, silence)
    await sending.store.disclosures.preserve(
        Scope.operator(sending.alice.id), [one.id], now + timedelta(days=30), demand, two
    )
    await jan.come_in()
    file = json.loads((await jan.browser.send(f"{DATA}/take", "kind=json")).html)
    assert (file["preserved_until"] is None) == secret
    assert (t("own.preserved") not in (await jan.browser.get(DATA)).html) == secret


@pytest.mark.duty("S-43")
async def test_a_patient_erases_it_at_once_and_the_practitioner_is_told(planned: Planned, sending: Server) -> None:
    one, jan = await planned()
    sending.store.notices.on = True
    await jan.come_in()
    unsure = await jan.browser.send(f"{DATA}/erase", "")
    assert unsure.status == 422 and await sending.store.appointments.get(of(sending.alice.id), one.id)
    gone = await jan.browser.send(f"{DATA}/erase", "sure=on")
    receipt = await sending.store.keys.receipt(sending.alice.id, one.id)
    assert receipt is not None and receipt.receipt in gone.html
    with pytest.raises(DomainError, match="gone"):
        await sending.store.appointments.get(of(sending.alice.id), one.id)
    assert (await jan.browser.get(DATA)).location == "/c/rights"
    told = [notice.news for notice in await sending.store.notices.waiting()]
    assert [(one.word, one.to) for one in told] == [("erased", "alice@example.org")]
    acts = [(entry.act, entry.actor) async for entry in sending.store.audit.entries()]
    assert ("destroyed", "patient") in acts


async def test_what_is_held_of_a_guest_goes_and_the_appointment_stays(planned: Planned, sending: Server) -> None:
    one, maria = await planned(who="maria", guest="Maria")
    await maria.come_in()
    assert (await maria.browser.send(f"{DATA}/erase", "sure=on")).status == 200
    after = await sending.store.appointments.get(of(sending.alice.id), one.id)
    assert (after.guests, after.patient) == ((), "Jan Jansen")
    assert (await maria.browser.get(DATA)).location == "/c/rights"


@pytest.mark.duty("S-43")
async def test_a_guest_erases_themselves_and_what_they_agreed_to_also_once_the_consult_ended(
    planned: Planned, sending: Server
) -> None:
    one, maria = await planned(who="maria", guest="Maria")
    scope, where = of(sending.alice.id), Scope.guest(one.id)
    one = await sending.store.consents.say_age(scope, one.id, Age("under-12"))
    visit = await sending.store.appointments.by_link(where, one.guests[0].secret)
    assert visit is not None
    texts = (await sending.store.consents.reading(where, visit, "nl")).texts
    await sending.store.consents.give(where, one.guests[0].secret, [text.version for text in texts], visit)
    await maria.come_in()
    await sending.store.appointments.end(scope, one.id)
    assert (await maria.browser.send(f"{DATA}/erase", "sure=on")).status == 200
    after = await sending.store.appointments.get(scope, one.id)
    assert (after.guests, after.consents, after.patient) == ((), (), "Jan Jansen")
    assert (await maria.browser.get(DATA)).location == "/c/rights"


@pytest.mark.duty("S-36")
async def test_what_a_law_demands_is_not_erased_and_that_is_said(planned: Planned, sending: Server) -> None:
    await sending.store.organisation.establish(OPERATOR, PRACTICE)
    one, jan = await planned()
    two = [Operator(name, "", name, "", 0, START) for name in ("Anna", "Ben")]
    until = sending.time.now() + timedelta(days=30)
    about, demand = Scope.operator(sending.alice.id), Demand("an authority", "a law")
    await sending.store.disclosures.preserve(about, [one.id], until, demand, two)
    await jan.come_in()
    answer = await jan.browser.send(f"{DATA}/erase", "sure=on")
    assert answer.status == 200 and t("legal.kept") in answer.html and t("own.receipt") not in answer.html
    assert await sending.store.keys.missing([one.id]) == []
    assert (await jan.browser.get(DATA)).location == "/c/rights"
    assert await sending.store.appointments.by_link(Scope.guest(one.id), one.secret) is None
