"""What the statement says is not done: nobody is counted who visits, and no program decides about anybody."""

import re
from dataclasses import fields
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select

from practice.agenda.guests import Invitee
from practice.agenda.model import Contact
from practice.agenda.records import APPOINTMENT
from practice.kinds import KINDS
from practice.statistics.model import SMALLEST, TALLIES, WAITS
from practice.statistics.records import statistics
from signaling.limiter import LIMITS, PACES
from tests.opening import of
from tests.ours import ROOT
from tests.signaling.conftest import Server
from tests.web.conftest import LANGUAGES, PAGES, Client, Serve, read
from vault.inventory import inventory
from web.locale import CATALOGUES
from web.settings import Authority, WebSettings

LEARNING = re.compile(
    r"^(torch|tensorflow|keras|scikit-learn|xgboost|lightgbm|catboost|transformers|onnx\w*|jax|spacy|openai|anthropic)\b",
    re.MULTILINE | re.IGNORECASE,
)
QUARTER = 900
LONGER = {
    **dict.fromkeys(
        (
            *("new-device", "forgotten-address", "mail-change", "invited-address", "mail-tests", "booked-mail"),
            *("registering-address", "sms-tests", "told-again", "link-codes", "link-codes-day"),
            *("link-codes-network", "link-codes-network-day"),
            *("exports-sent", "requested-address"),
        ),
        "how often somebody is sent something: what was sent before stays good",
    ),
    **dict.fromkeys(("holding-network", "walking-in-network"), "times that one network takes from others"),
    "requesting-network": "requests by the form: the mailbox and the letter stay open",
    "requesting-person": "requests of who is known: the form, the mailbox and the letter stay open",
    **dict.fromkeys(("papers-sent", "papers-network"), "pictures of a paper, which nobody has to send"),
    "export-tries": "codes typed for one archive: its owner sends another",
    "link-code-tries": "digits typed for one code: the practitioner gives another link, or lets in without a code",
}
"""Limits of more than a quarter of an hour, none of them on signing in or on a right link, and what they count."""

DECIDES = re.compile(
    r"score|rank|triage|decision|(?<!breaches\.)(?<!breaches\.content\.)risk|profil(?:ing|er)|classif", re.IGNORECASE
)
"""That of a breach is what a person writes down of it (GDPR art. 33), and a verdict on nobody."""


@pytest.mark.duty("S-38")
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_statement_says_what_is_counted_and_of_whom_not(pages: Client, language: str) -> None:
    text = (await read(pages, "/privacy", language)).text
    assert CATALOGUES[language].text("privacy.numbers.title") in text
    assert " ".join(CATALOGUES[language].text("privacy.numbers.text", n=SMALLEST).split()) in " ".join(text.split())


@pytest.mark.duty("S-38")
async def test_a_visit_is_counted_nowhere_whatever_the_browser_asks(server: Server) -> None:
    """Do Not Track and Global Privacy Control ask for what is so anyway: the answer is the same with and without."""
    async with aiohttp.ClientSession() as session:
        for path in ("/", "/signin", "/c", "/privacy", "/register"):
            answers = []
            for wish in ({}, {"DNT": "1"}, {"Sec-GPC": "1"}):
                url = f"http://127.0.0.1:{server.port}{path}"
                async with session.get(url, headers={"Accept": "text/html", **wish}) as answer:
                    assert "Set-Cookie" not in answer.headers, path
                    answers.append((answer.status, re.sub(rb'nonce-[^"\']+', b"", await answer.read())))
            assert len(set(answers)) == 1, path
    assert await server.store.database.ask(select(statistics)) == []


@pytest.mark.duty("S-38")
def test_what_is_counted_has_no_column_for_anybody() -> None:
    assert {one.name for one in statistics.c} == {"organisation", "day", "what", "number"}
    assert {*TALLIES, *WAITS} == {"consults", "absent", "swept", "short", "middle", "long"}
    assert SMALLEST >= 10
    (entry,) = [one for one in inventory().entry if "statistics.number" in one.database]
    assert entry.category == "nobody"


@pytest.mark.duty("S-26")
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_statement_says_that_no_program_decides(pages: Client, language: str) -> None:
    text = " ".join((await read(pages, "/privacy", language)).text.split())
    assert " ".join(CATALOGUES[language].text("privacy.decisions.text").split()) in text


@pytest.mark.duty("S-26")
def test_nothing_that_learns_is_installed_and_no_field_is_a_verdict() -> None:
    for file in sorted(Path(ROOT).glob("requirements*.txt")):
        assert LEARNING.search(file.read_text()) is None, file.name
    fields = [f"{kind.name}.{name}" for kind in KINDS for name in kind.layout.fields | kind.layout.optional]
    names = [name for entry in inventory().entry for _, name in entry.names()]
    assert [one for one in [*fields, *names] if DECIDES.search(one)] == []


@pytest.mark.duty("S-26")
def test_what_keeps_out_of_an_account_ends_within_a_quarter_and_what_lasts_longer_is_known() -> None:
    assert PACES
    longer = [one.what for one in PACES if not 0 < one.seconds * one.burst <= QUARTER]
    assert longer == ["request-answers", "imports"], "what happens once a day: neither keeps anybody out of an account"
    assert {one.what for one in LIMITS if one.seconds > QUARTER} == set(LONGER)
    assert max(one.seconds for one in LIMITS) <= 86_400


@pytest.mark.duty("S-26")
async def test_a_right_link_opens_however_many_wrong_ones_came_from_there(server: Server) -> None:
    """And so does a new one that the practitioner gives: nobody is shut out of a consult that somebody wants."""
    one = await server.appoint(server.alice)
    for _ in range(61):
        refused = await server.call("POST", "/api/v1/join", {"link": one.id + "A" * 22})
    assert refused.status == 429
    assert (await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})).status == 200
    other = await server.store.guests.add(of(server.alice.id), one.id, Invitee("Maria", "guest", "nl"))
    new = other.id + other.guests[-1].secret
    assert (await server.call("POST", "/api/v1/join", {"link": new})).status == 200


@pytest.mark.duty("S-06", "S-07", "S-08")
def test_of_patients_we_keep_no_gender_or_address_and_of_age_a_band_and_a_birthday_that_decides() -> None:
    """What somebody with an account tells of themselves is in no other kind of record. Questions that a practitioner
    thinks of may ask for more; ``practice.agenda.ages`` takes the day of a sixteenth birthday only near the consult.
    """
    patients = {"patient", "language", "contact", "wish", "band", "sixteen", "consents", "answers", "attended"}
    others = {"guests", "secret", "number", "handed", "ceiling", "code", "asks", "questions", "unguarded", "preserved"}
    times = {"starts_at", "minutes", "ended_at", "cancelled_at", "due"}
    assert APPOINTMENT.fields | APPOINTMENT.optional == patients | others | times, "what is new is looked at here"
    assert {one.name for one in fields(Contact)} == {"mail", "phone", "uid", "sequence", "silent"}
    asked = {"gender", "born", "birth", "street", "postal_code", "city", "country"}
    holding = {kind.name for kind in KINDS if asked & (kind.layout.fields | kind.layout.optional)}
    assert holding == {"particulars"}
    entries = {one.label: one for one in inventory().entry}
    assert (entries["address"].purpose, entries["address"].category) == ("payment", "personalia")
    assert entries["particulars"].basis == "consent", "given by filling it in"


@pytest.mark.duty("S-50")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "web"),
    [
        ("Autoriteit Persoonsgegevens", "https://autoriteitpersoonsgegevens.nl/"),
        ("Gegevensbeschermingsautoriteit", "https://www.gegevensbeschermingsautoriteit.be/"),
        ("CNIL", "https://www.cnil.fr/"),
    ],
)
async def test_the_authority_of_the_country_is_linked_on_the_statement(
    serve: Serve, language: str, name: str, web: str
) -> None:
    client = await serve(WebSettings(authority=Authority(name=name, web=web)))
    page = await read(client, "/privacy", language)
    assert web in page.all("href") and name in page.text


def test_the_pages_looked_at_are_all_that_there_are() -> None:
    assert set(PAGES) >= {"/", "/signin", "/privacy"}
