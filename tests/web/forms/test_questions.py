"""Questions before a consult as people meet them: made, chosen, answered by a link, read, and in no mail and no log."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

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


async def answer(browser: Browser, link: str, *answers: str) -> Seen:
    return await browser.send("/c/questions/answer", urlencode([("link", link), *(("answer", one) for one in answers)]))


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
    assert t("questions.saved") in saved.html and f"{CANARY} &lt;b&gt;" in saved.html
    assert f"{CANARY} &lt;b&gt;" in (await alice.get(where)).html
    changed = await answer(jan, link, "niets meer", "")
    assert "niets meer" in changed.html and CANARY not in (await alice.get(where)).html
    await server.sign_in("bob")
    assert (await Browser(server, "bob").get(where)).status == 404
    await server.run(one)
    late = await answer(jan, link, "te laat", "")
    assert late.status == 409 and t("questions.closed") in late.html
    acts = [entry.act async for entry in server.store.audit.entries()]
    assert acts.count("questions-answered") == 2 and acts.count("questions-changed") == 2


async def test_five_hundred_fields_and_more_than_thirty_questions_get_one_clear_answer(
    server: Server, alice: Browser
) -> None:
    one, jan = await chosen(server, alice), Browser(server, "jan")
    link = one.id + one.secret
    for number in (0, 1, 3, 31, 500):
        refused = await answer(jan, link, *["x"] * number)
        assert refused.status in (400, 422) and CANARY not in refused.html, number
        assert (await server.store.appointments.get(of(server.alice.id), one.id)).answers == ()
    assert t("questions.others") in refused.html
    for version in range(2, MOST):
        assert (await add(alice, version, label=f"Vraag {version}", kind="yesno")).status == 303
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
