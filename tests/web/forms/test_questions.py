"""Questions before a consult as people meet them: made, chosen, answered by a link, read, and in no mail and no log."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from practice.agenda.ages import Age
from practice.agenda.guests import Invitee
from practice.agenda.model import Appointment
from practice.agenda.questions import MOST
from tests.opening import of
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.rights.conftest import sending
from web.locale import CATALOGUES

__all__ = ["sending"]

t = CATALOGUES["nl"].text
CANARY = "Zeldzamekwaal"
MADE = "/account/questions"


async def add(alice: Browser, version: int, **fields: str) -> Seen:
    body = {"form_token": await alice.token(), "name": "Intake", "version": str(version)} | fields
    return await alice.send(f"{MADE}/add", urlencode(body))


async def chosen(server: Server, alice: Browser, mail: str | None = None) -> Appointment:
    assert (await add(alice, 0, label="Waar hebt u last van?", kind="text", needed="on")).status == 303
    assert (await add(alice, 1, label="Rookt u?", kind="choice", choices="nooit\nsoms")).status == 303
    at = server.time.now() + timedelta(minutes=5)
    one = await server.store.appointments.create(of(server.alice.id), "Jan Jansen", at, 30, "nl", mail=mail)
    body = {"form_token": await alice.token(), "name": "Intake"}
    assert (await alice.send(f"/account/before/{one.id}/choose", urlencode(body))).status == 303
    return one


async def answer(browser: Browser, link: str, *answers: str, version: str = "") -> Seen:
    if not version:
        version = (await browser.send("/c/questions/read", urlencode({"link": link}))).field("version")["value"]
    fields = [("link", link), ("version", version), *(("answer", one) for one in answers)]
    return await browser.send("/c/questions/answer", urlencode(fields))


async def test_a_patient_answers_by_the_link_and_the_practitioner_reads(server: Server, alice: Browser) -> None:
    one, jan = await chosen(server, alice), Browser(server, "jan")
    link, where = one.id + one.secret, f"/account/before/{one.id}"
    assert t("questions.unanswered", n=2) in (await alice.get(where)).html
    assert (await jan.get("/c/questions")).field("link")
    joined = await server.call("POST", "/api/v1/join", {"link": link})
    assert joined.body["questions"] is True
    asked = await jan.send("/c/questions/read", urlencode({"link": link}))
    assert "Waar hebt u last van?" in asked.html and asked.html.count('name="answer"') == 2
    assert asked.headers["Cache-Control"] == "no-store"
    wrong = await answer(jan, link, " ", "soms")
    assert t("questions.wrong") in wrong.html and 'aria-invalid="true"' in wrong.html and " selected>soms" in wrong.html
    saved = await answer(jan, link, f"{CANARY} <b>", "soms")
    assert t("questions.saved") in saved.html and "<form" not in saved.html.partition("<main")[2]
    assert f"{CANARY} &lt;b&gt;" in (await alice.get(where)).html
    changed = await answer(jan, link, "niets meer", "")
    assert t("questions.saved") in changed.html
    read = (await alice.get(where)).html
    assert "niets meer" in read and CANARY not in read
    await server.sign_in("bob")
    assert (await Browser(server, "bob").get(where)).status == 404
    await server.run(one)
    late = await answer(jan, link, "te laat", "", version="9")
    assert late.status == 409 and t("questions.closed") in late.html
    acts = [entry.act async for entry in server.store.audit.entries()]
    assert acts.count("questions-answered") == 2 and acts.count("questions-changed") == 2


async def test_a_link_alone_reads_no_answer_and_overwrites_none_unseen(server: Server, alice: Browser) -> None:
    one, jan, stranger = await chosen(server, alice), Browser(server, "jan"), Browser(server, "stranger")
    link = one.id + one.secret
    before = (await stranger.send("/c/questions/read", urlencode({"link": link}))).field("version")["value"]
    assert (await answer(jan, link, CANARY, "soms")).status == 200
    read = await stranger.send("/c/questions/read", urlencode({"link": link}))
    assert t("questions.again") in read.html and "Waar hebt u last van?" in read.html
    assert CANARY not in read.html and "selected" not in read.html.partition("<main")[2]
    stale = await answer(stranger, link, "niets", "nooit", version=before)
    assert stale.status == 409 and t("questions.others") in stale.html and CANARY not in stale.html
    assert (await server.store.appointments.get(of(server.alice.id), one.id)).answers == (CANARY, "soms")


@pytest.mark.duty("S-16")
async def test_nobody_answers_for_a_child_before_a_guardian_agreed(server: Server, alice: Browser) -> None:
    one, child, mother = await chosen(server, alice), Browser(server, "child"), Browser(server, "mother")
    scope, link = of(server.alice.id), one.id + one.secret
    one = await server.store.guests.add(scope, one.id, Invitee("Moeder", "guardian", "nl"))
    theirs = one.id + one.guests[0].secret
    adult = await mother.send("/c/questions/read", urlencode({"link": theirs}))
    assert adult.status == 409 and t("questions.closed") in adult.html
    one = await server.store.consents.say_age(scope, one.id, Age("under-12"))
    for browser, by in ((child, link), (mother, theirs)):
        read = await browser.send("/c/questions/read", urlencode({"link": by}))
        assert t("questions.consent") in read.html and "last van" not in read.html
        sent = await answer(browser, by, CANARY, "soms", version=str(one.version))
        assert t("questions.consent") in sent.html
    asked = await mother.send("/c/consent/read", urlencode({"link": theirs}))
    agreed = urlencode({"link": theirs, "version": asked.field("version")["value"]})
    assert (await mother.send("/c/consent/give", agreed)).status == 200
    assert t("questions.saved") in (await answer(child, link, CANARY, "soms")).html
    assert t("questions.saved") in (await answer(mother, theirs, "hoest", "")).html


async def test_five_hundred_fields_and_more_than_thirty_questions_get_one_clear_answer(
    server: Server, alice: Browser
) -> None:
    one, jan = await chosen(server, alice), Browser(server, "jan")
    link, version = one.id + one.secret, (await server.store.appointments.get(of(server.alice.id), one.id)).version
    for number in (0, 1, 3, 31, 500):
        refused = await answer(jan, link, *["x"] * number, version=str(version))
        assert refused.status in (400, 422) and CANARY not in refused.html, number
        assert (await server.store.appointments.get(of(server.alice.id), one.id)).answers == ()
    assert t("questions.others") in refused.html
    for seen in range(2, MOST):
        assert (await add(alice, seen, label=f"Vraag {seen}", kind="yesno")).status == 303
    many = await add(alice, MOST, label="Nog een", kind="yesno")
    assert many.status == 413 and t("questions.many") in many.html
    assert len((await server.store.questionnaires.of(of(server.alice.id))).questionnaires[0].questions) == MOST


async def test_what_was_answered_is_in_no_mail_and_no_log(
    sending: Server,
    alice: Browser,
    mails: MailServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    one, jan = await chosen(sending, alice, mail="jan@elsewhere.example"), Browser(sending, "jan")
    link = one.id + one.secret
    assert t("questions.saved") in (await answer(jan, link, CANARY, "soms")).html
    asked = await jan.send("/c/rights/code", f"link={link}")
    assert asked.status == 303
    assert mails.taken and all(CANARY not in mail.message.as_string() for mail in mails.taken)
    assert CANARY not in caplog.text and "last van" not in caplog.text
    entries = [str(entry) async for entry in sending.store.audit.entries()]
    assert not any(CANARY in entry for entry in entries)
